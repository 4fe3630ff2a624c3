//! Shares: links by which somebody without an account gets at one file or folder of an account's.
//!
//! What a share may do is bounded three times: by its kind, by what its owner may do there at this moment, and
//! by its end (a time, a number of downloads, as much as may be put into a drop box). Nothing here knows files; who
//! counts is above.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Account, AccountEdit, AccountId, Accounts, Error, Grant, Page, Prefix, Quota, Result, Rights,
    Secret, ShareId, What, Who,
    changes::{now, to_the_millisecond},
    token::is_label,
};

/// Most shares that an account can have.
pub const MAX_SHARES: usize = 1024;

/// What somebody with the link may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareKind {
    /// Read the file, or list the folder and read what is in it.
    Download,
    /// Put new files into the folder, and see nothing of it: a drop box.
    Upload,
}

impl ShareKind {
    /// What is let through of the owner's rights.
    #[must_use]
    pub const fn rights(self) -> Rights {
        match self {
            Self::Download => Rights::READ.and(Rights::LIST),
            Self::Upload => Rights::WRITE,
        }
    }

    /// The kind's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Upload => "upload",
        }
    }
}

/// What is known of a share; never its password, and not its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// What it is found by.
    pub id: ShareId,
    /// Whose it is.
    pub account: AccountId,
    /// What its owner calls it, if anything.
    pub label: Option<String>,
    /// What is shared, as its owner sees it. It does not follow a rename.
    pub path: Prefix,
    /// What somebody with the link may do.
    pub kind: ShareKind,
    /// Until when.
    #[serde(serialize_with = "crate::write_to_the_second")]
    pub expires: Option<Timestamp>,
    /// How many downloads there may be.
    pub downloads: Option<u64>,
    /// How many there were.
    pub downloaded: u64,
    /// How many bytes may be put into a drop box.
    pub max_bytes: Option<u64>,
    /// How many files may be put there.
    pub max_files: Option<u64>,
    /// How many bytes were.
    pub taken_bytes: u64,
    /// How many files were.
    pub taken_files: u64,
    /// Whether the link alone is not enough.
    pub has_password: bool,
    /// When it was made.
    #[serde(serialize_with = "crate::write_to_the_second")]
    pub created: Timestamp,
}

impl Share {
    /// Which of the rights that its owner has at `path` the share lets through. Without the right to share there
    /// is none.
    #[must_use]
    pub fn mask_at(&self, path: impl AsRef<[u8]>, owners: Rights) -> Rights {
        match self.path.covers(path) && owners.contains(Rights::SHARE) {
            true => owners & self.kind.rights(),
            false => Rights::NONE,
        }
    }

    /// Whether its time is over at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// Whether there were as many downloads as there may be.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.downloads.is_some_and(|most| self.downloaded >= most)
    }

    /// Whether so many files more of so many bytes may be put into the drop box.
    #[must_use]
    pub fn has_room_for(&self, files: u64, bytes: u64) -> bool {
        let fits = |most: Option<u64>, taken: u64, more: u64| {
            most.is_none_or(|most| taken.saturating_add(more) <= most)
        };
        fits(self.max_files, self.taken_files, files)
            && fits(self.max_bytes, self.taken_bytes, bytes)
    }
}

/// What a new share is to be.
#[derive(Clone, Debug)]
pub struct NewShare {
    /// What its owner calls it: one line of at most [`MAX_LABEL`](crate::MAX_LABEL) bytes.
    pub label: Option<String>,
    /// What is shared, as its owner sees it.
    pub path: Prefix,
    /// What somebody with the link may do.
    pub kind: ShareKind,
    /// Until when.
    pub expires: Option<Timestamp>,
    /// How many downloads there may be: at least one, and none of a drop box.
    pub downloads: Option<u64>,
    /// How many bytes may be put into a drop box, in all: at least one.
    pub max_bytes: Option<u64>,
    /// How many files may be put there, in all: at least one.
    pub max_files: Option<u64>,
    /// What has to be known beside the link.
    pub password: Option<Secret>,
}

impl NewShare {
    /// What lies at `path`, to be downloaded by whoever has the link, for as long as the share is there. What else is wished
    /// takes the place of this: `NewShare { downloads: Some(1), ..NewShare::of(path) }`.
    #[must_use]
    pub const fn of(path: Prefix) -> Self {
        let kind = ShareKind::Download;
        Self {
            label: None,
            path,
            kind,
            expires: None,
            downloads: None,
            max_bytes: None,
            max_files: None,
            password: None,
        }
    }
}

/// Shares are looked up and changed like accounts; see there for what holds of all changes.
impl Accounts {
    /// A page of the shares, of one account or of all, the oldest first, those after `after`.
    ///
    /// # Errors
    /// [`Error::NoAccount`]; [`Error::Storage`].
    pub async fn shares(
        &self,
        of: Option<AccountId>,
        after: Option<ShareId>,
        limit: usize,
    ) -> Result<Page<Share>> {
        self.inner().source.shares(of, after, limit).await
    }

    /// The share with this id.
    ///
    /// # Errors
    /// [`Error::NoShare`]; [`Error::Storage`].
    pub async fn find_share(&self, id: ShareId) -> Result<Share> {
        let found = self.inner().source.share(id).await?;
        Ok(found.ok_or(Error::NoShare(id))?.share)
    }

    /// The text of a share's link, which whoever has it can use. Never log it.
    #[must_use]
    pub fn link(&self, id: ShareId) -> Secret {
        self.inner().links.link(id)
    }

    /// The share that a text is the link of, whether or not there still is such a share; none if it is no link of this
    /// server's.
    #[must_use]
    pub fn share_of_link(&self, link: &Secret) -> Option<ShareId> {
        self.inner().links.share(link.expose())
    }

    /// Counts one download of a share; false if there were as many already as there may be, or the share is there
    /// no more. Of many at once exactly so many are counted, and what was counted is kept.
    ///
    /// # Errors
    /// [`Error::Storage`].
    ///
    /// Cancellation: it may or may not be counted.
    pub async fn count_download(&self, id: ShareId) -> Result<bool> {
        self.inner().source.count_download(id).await
    }

    /// Counts a file of so many bytes that is put into a drop box; false if that is more than may be, or the share is
    /// there no more. Of many at once exactly as many are counted as may be, and what was counted is kept.
    ///
    /// # Errors
    /// [`Error::Storage`].
    ///
    /// Cancellation: it may or may not be counted.
    pub async fn count_drop(&self, id: ShareId, bytes: u64) -> Result<bool> {
        self.inner().source.count_drop(id, bytes).await
    }

    /// Takes a file back that was [counted](Self::count_drop), and could not be put in its place.
    ///
    /// # Errors
    /// [`Error::Storage`].
    ///
    /// Cancellation: it may or may not be taken back.
    pub async fn uncount_drop(&self, id: ShareId, bytes: u64) -> Result<()> {
        self.inner().source.uncount_drop(id, bytes).await
    }

    /// Shares a file or a folder by a link, which [`Accounts::link`] gives. Whether there is anything at the path is
    /// not looked at.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a label that is none, a path that cannot be shared, an end that is over already, a
    /// number of downloads, files or bytes that makes no sense; [`Error::MayNotShare`] where the account lacks a right
    /// that the share gives, or that to share; [`Error::Password`] if the password is too weak; [`Error::TooMany`].
    pub async fn create_share(&self, who: impl Into<Who>, new: NewShare) -> Result<Share> {
        let account = self.find(who).await?;
        let created = now();
        check_share(&account, &new, created)?;
        let password = match &new.password {
            Some(secret) => {
                secret.check_password(account.name.as_str())?;
                Some(self.inner().hasher.hash(secret).await?)
            }
            None => None,
        };
        let NewShare { label, path, kind, expires, downloads, max_bytes, max_files, password: _ } =
            new;
        let share = Share {
            id: ShareId::generate(),
            account: account.id,
            label,
            path,
            kind,
            expires: expires.map(to_the_millisecond),
            downloads,
            downloaded: 0,
            max_bytes,
            max_files,
            taken_bytes: 0,
            taken_files: 0,
            has_password: password.is_some(),
            created,
        };
        let change = account.says(What::ShareAdded(share.id, share.path.clone()));
        self.edit_saying(&account, AccountEdit::AddShare(share.clone(), password), change).await?;
        Ok(share)
    }

    /// Revokes a share: its link leads nowhere from now on, and who is using it is cut off. What it was, last.
    ///
    /// # Errors
    /// [`Error::NoShare`].
    pub async fn revoke_share(&self, id: ShareId) -> Result<Share> {
        let share = self.find_share(id).await?;
        let edit = AccountEdit::RemoveShare(id);
        self.edit(share.account, edit, What::ShareRevoked(id)).await?;
        Ok(share)
    }
}

/// Refuses a share that nobody could use, or that gives what its owner may not give.
fn check_share(account: &Account, new: &NewShare, now: Timestamp) -> Result<()> {
    let fault = |fault| Err(Error::Invalid(fault));
    if !new.label.as_deref().is_none_or(is_label) {
        return fault("a share's label is one line of 1 to 64 bytes");
    }
    let path = new.path.as_str();
    if matches!(path, "/" | "/shared") || path == "/-" || path.starts_with("/-/") {
        return fault(
            "a whole home and what the site itself has are not shared; share a folder in it",
        );
    }
    let needed = Rights::SHARE | new.kind.rights();
    let rights = account.rights_at(path);
    if !rights.contains(needed) {
        let deciding = account.deciding_grant(path.as_bytes());
        let prefix = deciding.map_or(&new.path, |grant| &grant.prefix).clone();
        return Err(Error::MayNotShare {
            account: account.name.clone(),
            path: new.path.clone(),
            missing: needed - rights,
            grant: Grant { prefix, rights: rights | needed },
        });
    }
    if new.expires.is_some_and(|end| to_the_millisecond(end) <= now) {
        return fault("a share that has ended already is of no use");
    }
    match (new.kind, new.downloads) {
        (_, Some(0)) => fault("a share without any download is of no use"),
        (_, Some(most)) if most > Quota::MOST => fault("so many downloads cannot be counted"),
        (ShareKind::Upload, Some(_)) => fault("nothing is downloaded from a drop box"),
        _ => Ok(()),
    }?;
    for most in [new.max_bytes, new.max_files].into_iter().flatten() {
        match most {
            _ if new.kind != ShareKind::Upload => fault("only into a drop box is anything put"),
            0 => fault("a drop box that takes nothing is of no use"),
            most if most > Quota::MOST => fault("so much cannot be counted"),
            _ => Ok(()),
        }?;
    }
    Ok(())
}
