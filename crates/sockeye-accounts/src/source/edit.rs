//! Changes, as a source is told of them: what was decided above, with names resolved and secrets hashed.

use jiff::Timestamp;

use crate::{
    Account, AccountId, AccountName, Error, Grant, Key, MAX_GRANTS, PasswordHash, Prefix, Quota,
    QuotaChoice, Result, Role, Share, ShareId, Shared, SharedId, SignIn, SignInId, Token,
    TokenHash, TokenId,
};

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// What it is filed under.
    pub id: AccountId,
    /// What it is called.
    pub name: AccountName,
    /// What its rights begin from.
    pub role: Role,
    /// How much its home may hold.
    pub quota: Quota,
    /// Its password's hash.
    pub password: Option<PasswordHash>,
    /// Whether the password is to be changed.
    pub must_change: bool,
    /// When it is made.
    pub created: Timestamp,
}

/// One change. Whatever touches an account also counts its revision up, except a new hash of the same
/// password.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Edit {
    /// Make accounts: all, or none if one name is taken.
    Add(Vec<NewAccount>),
    /// Remove an account with all its tokens, keys, grants, shares and sign-ins.
    Remove(AccountId),
    /// Change something of an account.
    Account(AccountId, AccountEdit),
    /// Keep a new hash of the same password, if the kept one is still the first of the two.
    Rehash(AccountId, PasswordHash, PasswordHash),
    /// One sign-in more, with its secret's hash, if its account has still this revision ([`Error::Busy`] if not). Those
    /// of the account that are over by then are removed.
    SignIn(SignIn, TokenHash, u64),
    /// One sign-in less.
    SignOut(AccountId, SignInId),
    /// Make a shared folder.
    AddShared(Shared),
    /// Remove a shared folder, and all grants and shares in it.
    RemoveShared(SharedId),
    /// Change how much a shared folder may hold; a limit of which nothing is said stays.
    SetSharedQuota(SharedId, QuotaChoice),
}

/// One change of one account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AccountEdit {
    /// Another name.
    Rename(AccountName),
    /// Locked or not.
    Lock(bool),
    /// Another password, and whether it is to be changed.
    Password(PasswordHash, bool),
    /// What is known of it elsewhere: the password, which need not be changed, a role if one is said, and a quota.
    Brought(PasswordHash, Option<Role>, QuotaChoice),
    /// Another quota; a limit of which nothing is said stays.
    Quota(QuotaChoice),
    /// Another role.
    Role(Role),
    /// A grant, in place of the one with the same prefix.
    Grant(Grant),
    /// No grant with this prefix any more.
    Ungrant(Prefix),
    /// One key more.
    AddKey(Key),
    /// The key with this fingerprint less.
    RemoveKey(String),
    /// One token more.
    AddToken(Token, TokenHash),
    /// One token less.
    RemoveToken(TokenId),
    /// One share more, with its password's hash.
    AddShare(Share, Option<PasswordHash>),
    /// One share less.
    RemoveShare(ShareId),
}

impl AccountEdit {
    /// Whether whoever is signed in from a browser is not any more: the password is another one, or the account
    /// is locked.
    #[must_use]
    pub const fn ends_sign_ins(&self) -> bool {
        self.sets_password() || matches!(self, Self::Lock(true))
    }

    /// Whether the password is another one.
    pub(crate) const fn sets_password(&self) -> bool {
        matches!(self, Self::Password(..) | Self::Brought(..))
    }
}

/// What a change left behind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Changed {
    /// The account as it is now.
    Account(Account),
    /// The shared folder as it is now.
    Shared(Shared),
    /// Something else than one account's current state: the accounts made or removed, or nothing of any
    /// account's.
    Nothing,
    /// Grants of any number of accounts.
    Many,
}

impl Changed {
    /// The quota of what was changed, if it has one.
    pub(crate) fn quota(&self) -> Option<Quota> {
        match self {
            Self::Account(account) => Some(account.quota),
            Self::Shared(shared) => Some(shared.quota),
            Self::Nothing | Self::Many => None,
        }
    }
}

impl Account {
    /// Whether it is an admin who can log in.
    pub(crate) fn administers(&self) -> bool {
        self.role == Role::Admin && !self.locked
    }

    /// Puts a grant in its place, in place of the one with the same prefix.
    pub(crate) fn put_grant(&mut self, grant: Grant) -> Result<()> {
        match self.grants.binary_search_by(|known| known.prefix.cmp(&grant.prefix)) {
            Ok(at) => self.grants[at] = grant,
            Err(_) if self.grants.len() >= MAX_GRANTS => {
                return Err(Error::TooMany { what: "grants", most: MAX_GRANTS });
            }
            Err(at) => self.grants.insert(at, grant),
        }
        Ok(())
    }
}
