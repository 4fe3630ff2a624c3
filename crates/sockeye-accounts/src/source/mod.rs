//! Where accounts come from: the trait, and what is asked and told through it.
//!
//! A source finds and keeps; it knows nothing of logins, caches or running sessions. One that only reads
//! from elsewhere (a directory service) answers [`Error::Unsupported`] to changes.

mod edit;
mod memory;
mod page;
pub mod sqlite;

use std::{fmt, path::Path, pin::Pin};

use jiff::Timestamp;

pub use self::{
    edit::{AccountEdit, Changed, Edit, NewAccount},
    memory::Memory,
    page::{AccountQuery, MAX_PAGE, MAX_PAGE_GRANTS, Page},
    sqlite::Sqlite,
};
use crate::{
    Account, AccountId, AccountName, Error, Key, PasswordHash, Result, Share, ShareId, Shared,
    SharedName, SignIn, SignInId, Token, TokenHash, TokenId,
};

/// What a source answers with, some time later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Which account is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The one with this id.
    Id(AccountId),
    /// The one with this name.
    Name(AccountName),
}

impl Who {
    /// The error that there is none.
    pub(crate) fn missing(&self) -> Error {
        Error::NoAccount(self.to_string())
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

impl From<AccountId> for Who {
    fn from(id: AccountId) -> Self {
        Self::Id(id)
    }
}

impl From<&AccountName> for Who {
    fn from(name: &AccountName) -> Self {
        Self::Name(name.clone())
    }
}

/// An account with what its password is checked against.
#[derive(Clone, Debug)]
pub struct Record {
    /// The account.
    pub account: Account,
    /// Its password's hash; none if it has no password.
    pub password: Option<PasswordHash>,
}

/// A token with what its secret is checked against.
#[derive(Clone, Debug)]
pub struct TokenRecord {
    /// The token.
    pub token: Token,
    /// Its secret's hash.
    pub hash: TokenHash,
}

/// A share with what its password is checked against.
#[derive(Clone, Debug)]
pub struct ShareRecord {
    /// The share.
    pub share: Share,
    /// Its password's hash; none if the link alone is enough.
    pub password: Option<PasswordHash>,
}

/// A sign-in with what its secret is checked against.
#[derive(Clone, Debug)]
pub struct SignInRecord {
    /// The sign-in.
    pub sign_in: SignIn,
    /// Its secret's hash.
    pub hash: TokenHash,
}

/// Where accounts are found and kept.
///
/// All of an [`Edit`] happens or nothing of it. What is answered is what was there at one moment during
/// the call. Futures may be dropped at any time; an edit under way is then done or not.
pub trait Source: fmt::Debug + Send + Sync {
    /// What it is and where, for messages.
    fn place(&self) -> String;

    /// The account with this id or name.
    fn account<'a>(&'a self, who: &'a Who) -> Answer<'a, Option<Record>>;

    /// Some accounts in the order of their names, at most [`MAX_PAGE`] at once and with at most
    /// [`MAX_PAGE_GRANTS`] grants in all.
    fn accounts<'a>(&'a self, query: &'a AccountQuery) -> Answer<'a, Page<Account>>;

    /// The token with this id, whosever it is.
    fn token(&self, id: TokenId) -> Answer<'_, Option<TokenRecord>>;

    /// All tokens of an account, the oldest first.
    fn tokens(&self, account: AccountId) -> Answer<'_, Vec<Token>>;

    /// All keys of an account, the oldest first.
    fn keys(&self, account: AccountId) -> Answer<'_, Vec<Key>>;

    /// The shared folder with exactly this name.
    fn shared<'a>(&'a self, name: &'a SharedName) -> Answer<'a, Option<Shared>>;

    /// Some shared folders in the order of their names without case, those after `after`; at most
    /// `limit` and at most [`MAX_PAGE`].
    fn shared_page<'a>(
        &'a self,
        after: Option<&'a SharedName>,
        limit: usize,
    ) -> Answer<'a, Page<Shared>>;

    /// The share with this id, whosever it is. A source without shares has none.
    fn share(&self, id: ShareId) -> Answer<'_, Option<ShareRecord>> {
        let _ = id;
        Box::pin(async { Ok(None) })
    }

    /// Some shares, of one account or of all, the oldest first, those after `after`; at most `limit` and at most
    /// [`MAX_PAGE`].
    fn shares(
        &self,
        of: Option<AccountId>,
        after: Option<ShareId>,
        limit: usize,
    ) -> Answer<'_, Page<Share>> {
        let _ = (of, after, limit);
        Box::pin(async { Ok(Page { entries: Vec::new(), more: false }) })
    }

    /// Counts one download of a share, and says whether it is still one of as many as there may be: of many at
    /// once exactly so many are. It is kept once it is answered.
    fn count_download(&self, id: ShareId) -> Answer<'_, bool> {
        let _ = id;
        Box::pin(async { Ok(false) })
    }

    /// Counts a file that is put into a drop box, and says whether it may be: of many at once exactly as many may as
    /// there is room for. It is kept once it is answered.
    fn count_drop(&self, id: ShareId, bytes: u64) -> Answer<'_, bool> {
        let _ = (id, bytes);
        Box::pin(async { Ok(false) })
    }

    /// Takes back what [`Source::count_drop`] counted.
    fn uncount_drop(&self, id: ShareId, bytes: u64) -> Answer<'_, ()> {
        let _ = (id, bytes);
        Box::pin(async { Ok(()) })
    }

    /// The sign-in with this id, whosever it is. A source without sign-ins has none.
    fn sign_in(&self, id: SignInId) -> Answer<'_, Option<SignInRecord>> {
        let _ = id;
        Box::pin(async { Ok(None) })
    }

    /// All sign-ins of an account, the oldest first.
    fn sign_ins(&self, account: AccountId) -> Answer<'_, Vec<SignIn>> {
        let _ = account;
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Notes that a sign-in was used. Losing such a note in a crash does no harm.
    fn note_sign_in(&self, id: SignInId, at: Timestamp) -> Answer<'_, ()> {
        let _ = (id, at);
        Box::pin(async { Ok(()) })
    }

    /// Makes a change, all of it or nothing.
    fn change<'a>(&'a self, edit: &'a Edit) -> Answer<'a, Changed>;

    /// Notes that a token was used. Losing such a note in a crash does no harm.
    fn note_use(&self, token: TokenId, at: Timestamp) -> Answer<'_, ()>;

    /// Copies all of it into the new file `to`, as it is at one moment, while it is in use.
    fn backup<'a>(&'a self, to: &'a Path) -> Answer<'a, ()> {
        let (source_name, _) = (self.place(), to);
        Box::pin(async { Err(Error::Unsupported { source_name, what: "copy the accounts" }) })
    }

    /// Writes what is not yet where it belongs and closes all files.
    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}
