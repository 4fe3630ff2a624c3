//! Who is told of changes and refusals, to write them into a log.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Attempt, Commander, Grant, Prefix, Quota, Refused, Role, ShareId, SharedId,
    SignInId, TokenId,
};

/// Is told what happens to accounts. It is called where it happens and must not wait for long.
pub trait Observer: Send + Sync {
    /// A login was refused. `name` is what was given and may be anything; it is empty for a token.
    fn refused(&self, name: &str, attempt: &Attempt<'_>, refused: &Refused) {
        let _ = (name, attempt, refused);
    }

    /// Something was changed at somebody's command, and running sessions know of it already.
    fn changed(&self, change: &Change, by: &Commander) {
        let _ = (change, by);
    }
}

/// Tells nobody.
impl Observer for () {}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What was changed.
    pub subject: Subject,
    /// Its name; after a rename the new one.
    pub name: String,
    /// What of it.
    pub what: What,
}

/// What a change was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An account.
    Account(AccountId),
    /// A shared folder.
    Shared(SharedId),
}

/// What was changed; no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// It was made.
    Added,
    /// It was removed; its files are no longer anybody's.
    Removed,
    /// It was called otherwise before.
    Renamed {
        /// So.
        from: String,
    },
    /// It can no longer log in.
    Locked,
    /// It can log in again.
    Unlocked,
    /// It has another password.
    PasswordSet,
    /// It has another quota.
    QuotaSet(Quota),
    /// It has another role.
    RoleSet(Role),
    /// It has other rights somewhere.
    Granted(Grant),
    /// It has its role's rights again there.
    Ungranted(Prefix),
    /// It has one key more, of this fingerprint.
    KeyAdded(String),
    /// It has one key less.
    KeyRemoved(String),
    /// It has one token more.
    TokenCreated(TokenId),
    /// It has one token less.
    TokenRevoked(TokenId),
    /// It shares something more: what, and by which share.
    ShareAdded(ShareId, Prefix),
    /// It has one share less.
    ShareRevoked(ShareId),
    /// It was signed in to from a browser.
    SignedIn(SignInId),
    /// A sign-in of it was ended.
    SignedOut(SignInId),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.subject {
            Subject::Account(_) => "account",
            Subject::Shared(_) => "shared folder",
        };
        write!(f, "{kind} {}: ", self.name)?;
        match &self.what {
            What::Added => f.write_str("added"),
            What::Removed => f.write_str("removed"),
            What::Renamed { from } => write!(f, "renamed from {from}"),
            What::Locked => f.write_str("locked"),
            What::Unlocked => f.write_str("unlocked"),
            What::PasswordSet => f.write_str("password set"),
            What::QuotaSet(quota) => write!(f, "quota set to {quota}"),
            What::RoleSet(role) => write!(f, "role set to {role}"),
            What::Granted(grant) => write!(f, "granted {grant}"),
            What::Ungranted(prefix) => write!(f, "grant on {prefix} removed"),
            What::KeyAdded(fingerprint) => write!(f, "key {fingerprint} added"),
            What::KeyRemoved(fingerprint) => write!(f, "key {fingerprint} removed"),
            What::TokenCreated(id) => write!(f, "token {id} created"),
            What::TokenRevoked(id) => write!(f, "token {id} revoked"),
            What::ShareAdded(id, path) => write!(f, "share {id} of {path} added"),
            What::ShareRevoked(id) => write!(f, "share {id} revoked"),
            What::SignedIn(id) => write!(f, "sign-in {id} made"),
            What::SignedOut(id) => write!(f, "sign-in {id} ended"),
        }
    }
}
