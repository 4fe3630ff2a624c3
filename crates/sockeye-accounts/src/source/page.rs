//! Lists that are fetched piece by piece: what comes after a name, never what has a number.

use serde::{Deserialize, Serialize};

use crate::{AccountName, Role};

/// Most entries in one page.
pub const MAX_PAGE: usize = 1000;

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
