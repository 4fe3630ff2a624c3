//! Lists that are fetched piece by piece: what comes after a name, never what has a number.

use serde::{Deserialize, Serialize};

use crate::{Account, AccountName, Role};

/// Most entries in one page.
pub const MAX_PAGE: usize = 1000;

/// Most grants in one page of accounts, unless the first account alone has more: a page stays small
/// enough to be sent as one answer.
pub const MAX_PAGE_GRANTS: usize = 8192;

/// Which accounts are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountQuery {
    /// Only those whose name begins so, in any case.
    pub starts_with: String,
    /// Only those of this role.
    pub role: Option<Role>,
    /// Only those that are, or are not, locked.
    pub locked: Option<bool>,
    /// Only those whose name sorts after this one: the `next` of the page before.
    pub after: Option<AccountName>,
    /// How many at most; [`MAX_PAGE`] is the most.
    pub limit: usize,
}

impl Default for AccountQuery {
    fn default() -> Self {
        Self {
            starts_with: String::new(),
            role: None,
            locked: None,
            after: None,
            limit: Self::PAGE,
        }
    }
}

impl AccountQuery {
    /// How many are wanted if nothing is said.
    pub const PAGE: usize = 100;

    /// How many to answer with.
    pub(crate) fn bounded_limit(&self) -> usize {
        self.limit.clamp(1, MAX_PAGE)
    }

    /// The beginning of the names, as names are kept.
    pub(crate) fn folded_start(&self) -> String {
        self.starts_with.to_ascii_lowercase()
    }
}

/// A piece of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The entries, in order.
    pub entries: Vec<T>,
    /// Whether there are more: ask for those after the last one.
    pub more: bool,
}

impl<T> Page<T> {
    /// A page of at most `limit` from entries of which one more was asked for.
    pub(crate) fn cut(mut entries: Vec<T>, limit: usize) -> Self {
        let more = entries.len() > limit;
        entries.truncate(limit);
        Self { entries, more }
    }
}

impl Page<Account> {
    /// A page of at most `limit` accounts from those of which one more was asked for, and of at most
    /// [`MAX_PAGE_GRANTS`].
    pub(crate) fn of_accounts(accounts: Vec<Account>, limit: usize) -> Self {
        let mut grants = 0;
        let fitting = accounts.iter().take_while(|account| {
            grants += account.grants.len();
            grants <= MAX_PAGE_GRANTS
        });
        let limit = fitting.count().clamp(1, limit.max(1));
        Self::cut(accounts, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountId, Grant, MAX_GRANTS, Quota, Rights, Timestamp};

    fn account(grants: usize) -> Account {
        let grant = |n| Grant { prefix: format!("/{n}").parse().unwrap(), rights: Rights::READ };
        Account {
            id: AccountId::generate(),
            name: "alice".parse().unwrap(),
            role: Role::Member,
            locked: false,
            has_password: false,
            must_change: false,
            quota: Quota::NONE,
            grants: (0..grants).map(grant).collect(),
            created: Timestamp::UNIX_EPOCH,
            revision: 1,
        }
    }

    #[test]
    fn a_page_of_accounts_is_bounded_by_their_grants() {
        let cut = |grants: &[usize], limit| {
            let page = Page::of_accounts(grants.iter().copied().map(account).collect(), limit);
            (page.entries.len(), page.more)
        };
        assert_eq!(cut(&[1, 1, 1], 3), (3, false));
        assert_eq!(cut(&[1, 1, 1], 2), (2, true));
        assert_eq!(cut(&[], 2), (0, false));
        assert_eq!(cut(&[MAX_GRANTS; 40], 100), (MAX_PAGE_GRANTS / MAX_GRANTS, true));
        assert_eq!(cut(&[MAX_PAGE_GRANTS + 1, 1], 10), (1, true), "one is always there");
    }
}
