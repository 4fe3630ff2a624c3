//! Commands about shares: made, listed, revoked.

use std::{
    collections::{
        HashMap,
        hash_map::Entry::{Occupied, Vacant},
    },
    fmt,
};

use serde::{Deserialize, Serialize};
use sockeye_accounts::{
    Account, AccountId, AccountName, Accounts, Commander, ErrorKind, NewShare, Prefix, Secret,
    Share, ShareId, ShareKind, Timestamp,
};
use sockeye_store::{FilePath, Kind};

use super::{Refusal, RefusalKind, whose::home_of_account};
use crate::{
    Error, Gate, Node, Owner,
    namespace::{TreeName, Zone},
};

/// Most that is listed in one answer.
const PAGE: usize = 500;

/// Something to do with shares.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ShareCommand {
    /// Shares a file or a folder that is there; answered by [`ShareAnswer::Added`].
    Add {
        /// Whose.
        of: AccountName,
        /// What, as that account sees it.
        path: Prefix,
        /// What somebody with the link may do.
        kind: ShareKind,
        /// What its owner calls it.
        label: Option<String>,
        /// Until when.
        expires: Option<Timestamp>,
        /// How many downloads there may be.
        downloads: Option<u64>,
        /// How many bytes may be put into a drop box.
        max_bytes: Option<u64>,
        /// How many files may be put there.
        max_files: Option<u64>,
        /// What has to be known beside the link.
        #[serde(with = "crate::command::share::exposed")]
        password: Option<Secret>,
    },
    /// Lists shares, the oldest first; answered by [`ShareAnswer::Page`].
    List {
        /// Of this account; of all if none is named.
        of: Option<AccountName>,
        /// Those after this one.
        after: Option<ShareId>,
    },
    /// Revokes the share that a link leads to; answered by [`ShareAnswer::Revoked`].
    RevokeLink {
        /// The link: its last part, without the site's address.
        #[serde(with = "crate::command::share::exposed_text")]
        link: Secret,
    },
    /// Revokes a share; answered by [`ShareAnswer::Revoked`].
    Revoke {
        /// Which.
        id: ShareId,
        /// Whose it has to be, if that matters.
        of: Option<AccountName>,
    },
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ShareAnswer {
    /// The share that was made.
    Added(SharedLink),
    /// Some of them.
    Page {
        /// The oldest first.
        entries: Vec<SharedLink>,
        /// Whether there are more.
        more: bool,
    },
    /// What it was.
    Revoked(Share),
}

/// A share with its link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SharedLink {
    /// The share.
    pub share: Share,
    /// Whose it is.
    pub owner: AccountName,
    /// The link, which whoever has it can use. Never log it.
    #[serde(with = "crate::command::share::exposed_text")]
    pub url: Secret,
    /// Why the link leads nowhere, if that is so.
    pub dead: Option<ShareEnd>,
}

/// Why a link leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ShareEnd {
    /// Its time is over.
    Expired,
    /// It was downloaded as often as it may be.
    UsedUp,
    /// As much was put into the drop box as may be.
    Full,
    /// Its owner is locked.
    OwnerLocked,
    /// Its owner may not share there any more.
    NotPermitted,
    /// What was shared is not there.
    Gone,
}

impl ShareEnd {
    /// Its name for programs, which is also how it is serialized.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::UsedUp => "used-up",
            Self::Full => "full",
            Self::OwnerLocked => "owner-locked",
            Self::NotPermitted => "not-permitted",
            Self::Gone => "gone",
        }
    }
}

/// In the words of a list.
impl fmt::Display for ShareEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "expired",
            Self::UsedUp => "used up",
            Self::Full => "full",
            Self::OwnerLocked => "owner locked",
            Self::NotPermitted => "not permitted",
            Self::Gone => "nothing there",
        })
    }
}

/// Carries out a command about shares.
pub(super) async fn execute(
    node: &Node,
    command: ShareCommand,
    by: Commander,
) -> Result<ShareAnswer, Refusal> {
    share_from(node.gate(), &node.site_url(), command, by).await
}

/// Carries out a command about shares; links begin with `site`, which has a slash at its end.
///
/// # Errors
/// [`Refusal`].
///
/// # Cancel safety
/// What was begun is done.
pub async fn share_from(
    gate: &Gate,
    site: &str,
    command: ShareCommand,
    by: Commander,
) -> Result<ShareAnswer, Refusal> {
    let accounts = gate.accounts().commanded_by(by);
    match command {
        ShareCommand::Add {
            of,
            path,
            kind,
            label,
            expires,
            downloads,
            max_bytes,
            max_files,
            password,
        } => {
            let owner = accounts.find(&of).await?;
            check_shared(gate, &owner, &path, kind).await?;
            let new =
                NewShare { label, path, kind, expires, downloads, max_bytes, max_files, password };
            let share = accounts.create_share(owner.id, new).await?;
            Ok(ShareAnswer::Added(linked(&accounts, site, share, owner.name, None)))
        }
        ShareCommand::List { of, after } => list(gate, &accounts, site, of, after).await,
        ShareCommand::RevokeLink { link } => match accounts.share_of_link(&link) {
            Some(id) => Ok(ShareAnswer::Revoked(accounts.revoke_share(id).await?)),
            None => Err(Refusal::new(RefusalKind::NotFound, "this is no link of this server's")
                .hint("`sockeye share list` has the links and their ids")),
        },
        ShareCommand::Revoke { id, of } => {
            if let Some(of) = of {
                let (share, owner) = (accounts.find_share(id).await?, accounts.find(&of).await?);
                if share.account != owner.id {
                    return Err(sockeye_accounts::Error::NoShare(id).into());
                }
            }
            Ok(ShareAnswer::Revoked(accounts.revoke_share(id).await?))
        }
    }
}

async fn list(
    gate: &Gate,
    accounts: &Accounts,
    site: &str,
    of: Option<AccountName>,
    after: Option<ShareId>,
) -> Result<ShareAnswer, Refusal> {
    let of = match of {
        Some(name) => Some(accounts.find(&name).await?),
        None => None,
    };
    let page = accounts.shares(of.as_ref().map(|account| account.id), after, PAGE).await?;
    let mut owners: HashMap<AccountId, Account> =
        of.into_iter().map(|account| (account.id, account)).collect();
    let mut entries = Vec::with_capacity(page.entries.len());
    for share in page.entries {
        let owner = match owners.entry(share.account) {
            Occupied(known) => known.into_mut(),
            Vacant(place) => match accounts.find(share.account).await {
                Ok(account) => place.insert(account),
                // Removed meanwhile, and its shares with it.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            },
        };
        let dead = dead(gate, owner, &share).await;
        entries.push(linked(accounts, site, share, owner.name.clone(), dead));
    }
    Ok(ShareAnswer::Page { entries, more: page.more })
}

/// Why the link of a share leads nowhere, if that is so. A home that is not open is only looked into.
async fn dead(gate: &Gate, owner: &Account, share: &Share) -> Option<ShareEnd> {
    let rights = share.mask_at(&share.path, owner.rights_at(&share.path));
    match () {
        () if share.is_expired(Timestamp::now()) => Some(ShareEnd::Expired),
        () if share.is_exhausted() => Some(ShareEnd::UsedUp),
        () if !share.has_room_for(1, 1) => Some(ShareEnd::Full),
        () if owner.locked => Some(ShareEnd::OwnerLocked),
        () if rights.is_empty() => Some(ShareEnd::NotPermitted),
        () => is_gone(gate, owner, &share.path).await.then_some(ShareEnd::Gone),
    }
}

/// Whether nothing is at a path of an account's; where that cannot be told, something is.
async fn is_gone(gate: &Gate, owner: &Account, path: &Prefix) -> bool {
    let file = FilePath::parse(path.as_str().trim_start_matches('/').as_bytes());
    let (owner, within) = match file.map(|file| Zone::of(&file)) {
        Ok(Zone::Tree(TreeName::Own, within)) => (Owner::Account(owner.id), within),
        Ok(Zone::Tree(TreeName::Public, within)) => (Owner::Public, within),
        Ok(Zone::Tree(TreeName::Shared(name), within)) => {
            match gate.accounts().find_shared(&name).await {
                Ok(shared) => (Owner::Shared(shared.id), within),
                Err(error) => return error.kind() == ErrorKind::NotFound,
            }
        }
        Ok(Zone::SharedFolders | Zone::Site) => return false,
        Ok(Zone::Nowhere) | Err(_) => return true,
    };
    match gate.homes().look(owner).await {
        Some(home) => {
            let found = home.stat(&within).await.map_err(Error::from);
            matches!(found, Err(Error::NotFound | Error::NoParent))
        }
        None => true,
    }
}

fn linked(
    accounts: &Accounts,
    site: &str,
    share: Share,
    owner: AccountName,
    dead: Option<ShareEnd>,
) -> SharedLink {
    let url = Secret::new(format!("{site}-/s/{}", accounts.link(share.id).expose()));
    SharedLink { share, owner, url, dead }
}

/// Refuses to share what is not there, or as a drop box what is no folder.
async fn check_shared(
    gate: &Gate,
    owner: &Account,
    path: &Prefix,
    kind: ShareKind,
) -> Result<(), Refusal> {
    let missing = || {
        let message = format!("there is no {path} in what {} sees", owner.name);
        Refusal::new(RefusalKind::NotFound, message)
    };
    // Nothing is told of what the account may not even see.
    if owner.rights_at(path).is_empty() {
        return Err(missing());
    }
    let file = FilePath::parse(path.as_str().trim_start_matches('/').as_bytes());
    let zone = Zone::of(&file.map_err(|_| missing())?);
    let (home, within) = match zone {
        Zone::Tree(TreeName::Own, within) => (home_of_account(gate, owner.id).await?, within),
        Zone::Tree(TreeName::Shared(name), within) => (gate.shared_home(&name).await?, within),
        Zone::Tree(TreeName::Public, within) => (gate.public_home().await?, within),
        // The accounts say why these are not shared.
        Zone::SharedFolders | Zone::Site => return Ok(()),
        Zone::Nowhere => return Err(missing()),
    };
    match home.stat(&within).await.map_err(Error::from) {
        Ok(meta) if kind == ShareKind::Upload && meta.kind != Kind::Folder => {
            let message = format!("{path} is no folder, and a drop box is one");
            Err(Refusal::new(RefusalKind::Usage, message))
        }
        Ok(_) => Ok(()),
        Err(Error::NotFound) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

/// Says in the open that a password is written out: to a socket that nobody else reads.
mod exposed {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use sockeye_accounts::Secret;

    pub(super) fn serialize<S: Serializer>(
        secret: &Option<Secret>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(Secret::new))
    }
}

/// As [`exposed`], of what is always there, as a link.
mod exposed_text {
    use serde::{Deserialize as _, Deserializer, Serializer};
    use sockeye_accounts::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}
