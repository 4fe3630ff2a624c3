//! An account, a shared folder, and what an account may do where.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sockeye::quantity::{format_count, format_size};

use crate::{
    AccountId, AccountName, Prefix, Rights, Role, SharedId, SharedName, prefix::is_normal,
};

/// Most grants that an account can have.
pub const MAX_GRANTS: usize = 256;

/// Rights at a folder and at all that is beneath it, unless a longer grant says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Where.
    pub prefix: Prefix,
    /// Which rights; [`Rights::NONE`] takes all away.
    pub rights: Rights,
}

/// How much may be kept; a limit that is missing does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Bytes, at most [`Quota::MOST`].
    pub bytes: Option<u64>,
    /// Files and folders, at most [`Quota::MOST`].
    pub entries: Option<u64>,
}

impl Quota {
    /// No limit.
    pub const NONE: Self = Self { bytes: None, entries: None };

    /// The largest limit that can be kept, of either kind: what 63 bits hold.
    pub const MOST: u64 = i64::MAX as u64;

    /// Whether both limits can be kept.
    #[must_use]
    pub fn is_keepable(&self) -> bool {
        [self.bytes, self.entries].into_iter().flatten().all(|limit| limit <= Self::MOST)
    }
}

/// Printed as `10GiB, 1000 files` or `none`.
impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.entries.map(|entries| format_count(entries, "file", "files"));
        match (self.bytes.map(format_size), files) {
            (None, None) => f.pad("none"),
            (Some(bytes), None) => write!(f, "{bytes}"),
            (None, Some(files)) => write!(f, "{files}"),
            (Some(bytes), Some(files)) => write!(f, "{bytes}, {files}"),
        }
    }
}

/// One limit of an account or a shared folder that is to be made or changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Nothing is said of it: what is new gets the usual one, and what is there keeps its own.
    #[default]
    Usual,
    /// None.
    None,
    /// This one.
    Of(u64),
}

/// What was said of a quota that is to be set, before it is known what holds where nothing was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaChoice {
    /// Bytes.
    pub bytes: Limit,
    /// Files and folders.
    pub entries: Limit,
}

impl QuotaChoice {
    /// The quota that this comes to where `usual` is the usual one, or the one so far.
    #[must_use]
    pub fn decide(self, usual: Quota) -> Quota {
        let decide = |limit, usual| match limit {
            Limit::Usual => usual,
            Limit::None => None,
            Limit::Of(limit) => Some(limit),
        };
        Quota {
            bytes: decide(self.bytes, usual.bytes),
            entries: decide(self.entries, usual.entries),
        }
    }
}

/// Exactly this quota, whatever is usual.
impl From<Quota> for QuotaChoice {
    fn from(quota: Quota) -> Self {
        Self { bytes: quota.bytes.into(), entries: quota.entries.into() }
    }
}

/// This limit, or none.
impl From<Option<u64>> for Limit {
    fn from(limit: Option<u64>) -> Self {
        limit.map_or(Self::None, Self::Of)
    }
}

/// Everything about an account but its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What it is filed under; its home on the disk is named so.
    pub id: AccountId,
    /// What it is called.
    pub name: AccountName,
    /// What its rights begin from.
    pub role: Role,
    /// Whether it is kept from logging in.
    pub locked: bool,
    /// Whether it has a password at all.
    pub has_password: bool,
    /// Whether its password was given by somebody else. It holds, and its owner is asked to change it.
    pub must_change: bool,
    /// How much its home may hold.
    pub quota: Quota,
    /// Rights that differ from those of its role, ordered by prefix.
    pub grants: Vec<Grant>,
    /// When it was made.
    #[serde(serialize_with = "crate::write_to_the_second")]
    pub created: Timestamp,
    /// Counts the changes; one of a later state is greater.
    pub revision: u64,
}

impl Account {
    /// What the account may do at `path`, an absolute path of the namespace.
    ///
    /// The longest grant that covers the path decides; where none does, what [the role](Role) has there:
    /// all in the own home (a guest: read and list), none in a shared folder (an admin: all), read and
    /// list at `/shared` and in `/public` (an admin there: all). A path with an empty name, `.` or `..` in it has no rights.
    ///
    /// ```
    /// # use sockeye_accounts::{Account, Rights, Role};
    /// # fn look(account: &Account) {
    /// if account.rights_at("/shared/team/plan.txt").contains(Rights::READ) { /* … */ }
    /// # }
    /// ```
    #[must_use]
    pub fn rights_at(&self, path: impl AsRef<[u8]>) -> Rights {
        let path = path.as_ref();
        if !is_normal(path) {
            return Rights::NONE;
        }
        self.granted_at(path).unwrap_or_else(|| self.role.rights_at(path))
    }

    /// What was granted to the account at `path`, absolute and normal; none where the role decides.
    #[must_use]
    pub fn granted_at(&self, path: impl AsRef<[u8]>) -> Option<Rights> {
        self.deciding_grant(path.as_ref()).map(|grant| grant.rights)
    }

    /// What the account may do at `path` if what is granted to it at exactly this path were not.
    #[must_use]
    pub fn rights_without(&self, path: &Prefix) -> Rights {
        let mut without = self.clone();
        without.grants.retain(|grant| grant.prefix != *path);
        without.rights_at(path)
    }

    /// The grant that decides at `path`, absolute and normal; none where the role does.
    pub(crate) fn deciding_grant(&self, path: &[u8]) -> Option<&Grant> {
        let covering = self.grants.iter().filter(|grant| grant.prefix.covers(path));
        let longest = covering.max_by_key(|grant| grant.prefix.as_str().len())?;
        // A grant for all of the home is none for what is not the home.
        (longest.prefix.as_str() != "/" || is_home(path)).then_some(longest)
    }
}

impl Role {
    /// What the role may do at `path`, absolute and normal, where no grant says otherwise.
    #[must_use]
    pub fn rights_at(self, path: impl AsRef<[u8]>) -> Rights {
        const LOOK: Rights = Rights::READ.and(Rights::LIST);
        match (Zone::of(path.as_ref()), self) {
            (Zone::Home, Self::Guest) | (Zone::Shared, _) => LOOK,
            (Zone::Home, _) | (Zone::Folder | Zone::Public, Self::Admin) => Rights::ALL,
            (Zone::Public, _) => LOOK,
            (Zone::Folder | Zone::Site, _) => Rights::NONE,
        }
    }
}

/// The parts of the namespace, by the first name of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zone {
    /// The account's own home.
    Home,
    /// `/shared`: the list of shared folders.
    Shared,
    /// `/shared/NAME` and what is beneath.
    Folder,
    /// `/public` and what is beneath.
    Public,
    /// `/-`: the site's own.
    Site,
}

impl Zone {
    fn of(path: &[u8]) -> Self {
        let mut names = path.split(|&b| b == b'/').skip(1);
        match (names.next(), names.next()) {
            (Some(b"shared"), None) => Self::Shared,
            (Some(b"shared"), Some(_)) => Self::Folder,
            (Some(b"public"), _) => Self::Public,
            (Some(b"-"), _) => Self::Site,
            _ => Self::Home,
        }
    }
}

fn is_home(path: &[u8]) -> bool {
    Zone::of(path) == Zone::Home
}

/// A folder that several accounts use: `/shared/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// What it is filed under; its folder on the disk is named so.
    pub id: SharedId,
    /// What it is called.
    pub name: SharedName,
    /// How much it may hold, whoever puts it there.
    pub quota: Quota,
    /// When it was made.
    #[serde(serialize_with = "crate::write_to_the_second")]
    pub created: Timestamp,
}

impl Shared {
    /// Where members find it.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/shared/{}", self.name)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.prefix, self.rights)
    }
}

#[cfg(test)]
impl Account {
    /// The member alice at this revision, for tests.
    pub(crate) fn alice(revision: u64) -> Self {
        Self {
            id: AccountId::from_bytes([7; 16]),
            name: "alice".parse().unwrap(),
            role: Role::Member,
            locked: false,
            has_password: true,
            must_change: false,
            quota: Quota::NONE,
            grants: Vec::new(),
            created: Timestamp::UNIX_EPOCH,
            revision,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(role: Role, grants: &[(&str, &str)]) -> Account {
        let grant = |(prefix, rights): &(&str, &str)| Grant {
            prefix: prefix.parse().unwrap(),
            rights: rights.parse().unwrap(),
        };
        Account {
            id: AccountId::generate(),
            name: "alice".parse().unwrap(),
            role,
            locked: false,
            has_password: true,
            must_change: false,
            quota: Quota::NONE,
            grants: grants.iter().map(grant).collect(),
            created: Timestamp::UNIX_EPOCH,
            revision: 1,
        }
    }

    #[test]
    fn a_quota_is_the_usual_one_where_nothing_else_is_chosen() {
        let usual = Quota { bytes: Some(10), entries: None };
        for (bytes, entries, quota) in [
            (Limit::Usual, Limit::Usual, usual),
            (Limit::None, Limit::Of(3), Quota { bytes: None, entries: Some(3) }),
            (Limit::Of(7), Limit::None, Quota { bytes: Some(7), entries: None }),
        ] {
            assert_eq!(QuotaChoice { bytes, entries }.decide(usual), quota);
            assert_eq!(QuotaChoice::from(quota).decide(usual), quota);
        }
    }

    #[test]
    fn a_quota_is_printed_in_words() {
        for (bytes, entries, text) in [
            (None, None, "none"),
            (Some(1 << 30), None, "1GiB"),
            (None, Some(1), "1 file"),
            (Some(1), Some(2), "1B, 2 files"),
        ] {
            assert_eq!(Quota { bytes, entries }.to_string(), text);
        }
    }

    #[test]
    fn without_grants_the_role_decides() {
        let look = Rights::READ | Rights::LIST;
        for (role, path, rights) in [
            (Role::Member, "/", Rights::ALL),
            (Role::Member, "/docs/a", Rights::ALL),
            (Role::Guest, "/docs/a", look),
            (Role::Member, "/shared", look),
            (Role::Member, "/shared/team", Rights::NONE),
            (Role::Member, "/shared/team/a", Rights::NONE),
            (Role::Admin, "/shared/team/a", Rights::ALL),
            (Role::Member, "/public/a", look),
            (Role::Admin, "/public", Rights::ALL),
            (Role::Admin, "/-/api", Rights::NONE),
            (Role::Member, "/sharedx", Rights::ALL),
        ] {
            assert_eq!(account(role, &[]).rights_at(path), rights, "{role} at {path}");
        }
    }

    #[test]
    fn the_longest_grant_that_covers_a_path_wins() {
        let grants = [
            ("/shared/team", "read,list"),
            ("/shared/team/in", "write"),
            ("/shared/team/in/closed", "none"),
            ("/archive", "read,list"),
        ];
        let account = account(Role::Member, &grants);
        for (path, rights) in [
            ("/shared/team", "read,list"),
            ("/shared/team/x/y", "read,list"),
            ("/shared/team/in/x", "write"),
            ("/shared/team/in/closed/x", "none"),
            ("/shared/team/inx", "read,list"),
            ("/shared/other", "none"),
            ("/archive/2025", "read,list"),
            ("/docs", "all"),
        ] {
            assert_eq!(account.rights_at(path), rights.parse().unwrap(), "{path}");
        }
    }

    #[test]
    fn a_grant_for_the_whole_home_opens_nothing_outside_it() {
        let guest = account(Role::Guest, &[("/", "all")]);
        assert_eq!(guest.rights_at("/docs"), Rights::ALL);
        assert_eq!(guest.rights_at("/shared/team"), Rights::NONE);
        assert_eq!(guest.rights_at("/-/api"), Rights::NONE);
        assert_eq!(guest.rights_at("/public"), Rights::READ | Rights::LIST);
    }

    #[test]
    fn a_path_that_is_not_normal_has_no_rights() {
        let admin = account(Role::Admin, &[]);
        for path in ["", "docs", "/a/../b", "/./a", "//a", "/a/", "/shared/../a"] {
            assert_eq!(admin.rights_at(path), Rights::NONE, "{path:?}");
        }
        assert_eq!(admin.rights_at(b"/\xff"), Rights::ALL, "names need not be UTF-8");
    }
}
