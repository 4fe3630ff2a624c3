//! Accounts: names, roles, rights, quotas, passwords, tokens and keys, and the login that a flood cannot
//! exhaust.
//!
//! - What there is: [`Account`], [`Grant`], [`Quota`], [`Shared`], [`Share`], [`Token`], [`SignIn`], [`Key`]. Each is parsed
//!   from text once and cannot be built otherwise.
//! - Where it is kept: a [`Source`]. [`Sqlite`] is the first; [`Memory`] forgets.
//! - What a server has of them: [`Accounts`]. It finds, lists and changes; [`Accounts::login`] turns
//!   [`Credentials`] into a [`Login`], whose [`Live`] account changes under a running session. An
//!   [`Observer`] is told of each change and each refusal.
//!
//! ```
//! use sockeye_accounts::*;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let accounts = Accounts::new(Memory::new(), Settings::default(), ());
//! let password = NewPassword::Chosen(Secret::new("correct horse battery"));
//! accounts.add("alice".parse()?, Role::Member, Quota::NONE, password).await?;
//!
//! let attempt = Attempt { address: None, protocol: "http", tls: false, now: Timestamp::now() };
//! let credentials = Credentials::password("Alice", "correct horse battery");
//! let login = accounts.login(&credentials, &attempt).await?;
//! assert!(login.rights_at("/docs/plan.txt").contains(Rights::WRITE));
//! assert!(!login.rights_at("/shared/team").contains(Rights::READ));
//!
//! accounts.add("root".parse()?, Role::Admin, Quota::NONE, NewPassword::None).await?;
//! accounts.remove(&"alice".parse::<AccountName>()?).await?;
//! assert!(login.is_ended());
//! # Ok(())
//! # }
//! ```
//!
//! This crate knows no files and no protocol. It reads no environment and prints nothing; no secret is
//! ever in a `Debug` text, an error or a log line.

mod account;
mod changes;
mod command;
mod commander;
mod error;
mod id;
mod import;
mod key;
mod link;
mod live;
mod login;
mod moment;
mod name;
mod observer;
mod password;
mod prefix;
mod protocol;
mod random;
mod rights;
mod secret;
mod service;
mod share;
mod sign_in;
pub mod source;
mod token;

pub use account::{Account, Grant, Limit, MAX_GRANTS, Quota, QuotaChoice, Shared};
pub use changes::{NewPassword, NewToken};
pub use command::{AccountAnswer, AccountCommand, PasswordChoice};
pub use commander::Commander;
pub use error::{Error, ErrorKind, Result, StorageError, StorageFault};
pub use id::{AccountId, IdError, ShareId, SharedId, SignInId, TokenId};
pub use import::{
    Brought, FileLine, Format, Imported, Newcomer, Newcomers, ReadOptions, Renamed, Taking,
    read as read_newcomers,
};
pub use jiff::Timestamp;
pub use key::{Key, KeyError, MAX_KEYS, PublicKey};
pub use link::LinkKey;
pub use live::Live;
pub use login::{
    Attempt, BackOff, CacheSettings, Credentials, Login, Reason, Refused, ShareProof, Via,
};
pub use moment::{to_the_second, write_to_the_second};
pub use name::{AccountName, MAX_ACCOUNT_NAME, MAX_SHARED_NAME, NameError, SharedName};
pub use observer::{Change, Observer, Subject, What};
pub use password::{
    HashCost, HashCostError, MAX_BCRYPT_COST, MAX_BROUGHT_WORK, MAX_LANES, MAX_MEMORY, MAX_PASSES,
    MAX_ROUNDS, PasswordHash, PasswordHashError,
};
pub use prefix::{MAX_PREFIX, Prefix, PrefixError, shell_word};
pub use protocol::{Protocols, ProtocolsError};
pub use rights::{Rights, RightsError, Role, RoleError};
pub use secret::{MAX_SECRET, MIN_PASSWORD, PasswordError, Secret};
pub use service::{Accounts, LoginCounts, Settings};
pub use share::{MAX_SHARES, NewShare, Share, ShareKind};
pub use sign_in::{MAX_AGENT, MAX_SIGN_INS, SignIn, csrf_token, is_csrf_token};
pub use source::{
    AccountEdit, AccountQuery, Changed, Edit, MAX_PAGE, Memory, NewAccount, Page, Record, Source,
    Sqlite, Who,
};
pub use token::{MAX_LABEL, MAX_TOKENS, TOKEN_START, Token, TokenHash};
