//! Accounts: names, roles, rights, quotas, passwords, tokens and keys, and the login that a flood cannot
//! exhaust.
//!
//! - What there is: [`Account`], [`Grant`], [`Quota`], [`Shared`], [`Token`], [`Key`]. Each is parsed
//!   from text once and cannot be built otherwise.
//! - Where it is kept: a [`Source`]. [`Sqlite`] is the first; [`Memory`] forgets.
//!
//! This crate knows no files and no protocol. It reads no environment and prints nothing; no secret is
//! ever in a `Debug` text, an error or a log line.

#![expect(dead_code, unused_imports, reason = "the login that uses the rest comes next")]

mod account;
mod error;
mod id;
mod key;
mod name;
mod password;
mod prefix;
mod protocol;
mod random;
mod rights;
mod secret;
pub mod source;
mod token;

pub use account::{Account, Grant, MAX_GRANTS, Quota, Shared};
pub use error::{Error, ErrorKind, Result, StorageError, StorageFault};
pub use id::{AccountId, IdError, SharedId, TokenId};
pub use jiff::Timestamp;
pub use key::{Key, KeyError, MAX_KEYS, PublicKey};
pub use name::{AccountName, MAX_ACCOUNT_NAME, MAX_SHARED_NAME, NameError, SharedName};
pub use password::{
    HashCost, HashCostError, MAX_LANES, MAX_MEMORY, MAX_PASSES, PasswordHash, PasswordHashError,
};
pub use prefix::{MAX_PREFIX, Prefix, PrefixError};
pub use protocol::{Protocols, ProtocolsError};
pub use rights::{Rights, RightsError, Role, RoleError};
pub use secret::{MAX_SECRET, MIN_PASSWORD, PasswordError, Secret};
pub use source::{
    AccountEdit, AccountQuery, Changed, Edit, MAX_PAGE, Memory, NewAccount, Page, Record, Source,
    Sqlite, Who,
};
pub use token::{MAX_LABEL, MAX_TOKENS, TOKEN_START, Token, TokenHash};
