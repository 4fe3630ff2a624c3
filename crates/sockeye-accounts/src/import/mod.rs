//! Accounts that come from elsewhere: another server's, with the hashes of the passwords that they have there.
//!
//! What they are read from is text ([`read`]); nothing here opens a file. Making them is one change each, as if each had
//! been added by hand.

mod line;
mod read;

use serde::{Deserialize, Serialize};

pub use self::{
    line::Format,
    read::{FileLine, Newcomers, ReadOptions, Renamed, read},
};
use crate::{
    AccountEdit, AccountId, AccountName, Accounts, Change, Edit, Error, NewAccount, PasswordHash,
    Quota, QuotaChoice, Result, Role, Secret, Subject, What, changes::now, password::as_text,
    secret::exposed,
};

/// An account that is to come, and what was said of it elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Newcomer {
    /// What it is called.
    pub name: AccountName,
    /// Its role, if that was said; a new one is a member.
    pub role: Option<Role>,
    /// How much its home may hold; a limit of which nothing was said is the usual one, or stays.
    pub quota: QuotaChoice,
    /// Its password.
    pub password: Brought,
}

/// What is known of a password elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Brought {
    /// Its hash, which is checked until the first right login, and then replaced.
    Hash(#[serde(with = "as_text")] PasswordHash),
    /// The password itself.
    Plain(#[serde(with = "exposed")] Secret),
}

/// What became of a newcomer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Imported {
    /// It is an account now.
    Added,
    /// There was an account of this name, which has its password now, and what else was said.
    Updated,
    /// There was an account of this name, which stayed as it was.
    Kept,
    /// It could not be; why.
    Refused(String),
}

/// How newcomers are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taking {
    /// Whether an account that is there gets what was said elsewhere.
    pub update: bool,
    /// Whether it is only told what would become of each.
    pub dry_run: bool,
    /// The quota of a new account of which nothing was said.
    pub usual: Quota,
}

impl Accounts {
    /// Takes accounts from elsewhere, one after the other; what became of each, in their order. What is told of a change
    /// is that of [`Accounts::add`] or of the single changes.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Busy`]: those before it were taken. What is wrong with one alone is
    /// [`Imported::Refused`], and hinders no other.
    ///
    /// Cancellation: as all changes; those that were not begun are not made.
    pub async fn import(&self, newcomers: Vec<Newcomer>, taking: Taking) -> Result<Vec<Imported>> {
        let mut imported = Vec::with_capacity(newcomers.len());
        for newcomer in newcomers {
            imported.push(match self.take(newcomer, taking).await {
                Err(
                    error @ (Error::Storage(_)
                    | Error::Busy
                    | Error::Broken
                    | Error::Unsupported { .. }),
                ) => return Err(error),
                Err(error) => Imported::Refused(error.to_string()),
                Ok(done) => done,
            });
        }
        Ok(imported)
    }

    async fn take(&self, newcomer: Newcomer, taking: Taking) -> Result<Imported> {
        let Newcomer { name, role, quota, password } = newcomer;
        let known = match self.find(&name).await {
            Ok(account) => Some(account),
            Err(Error::NoAccount(_)) => None,
            Err(error) => return Err(error),
        };
        if known.is_some() && !taking.update {
            return Ok(Imported::Kept);
        }
        if let Brought::Plain(secret) = &password {
            secret.check_password(name.as_str())?;
        }
        if !quota.decide(taking.usual).is_keepable() {
            return Err(Error::Invalid("a quota is at most 8EiB - 1, and as many files"));
        }
        if taking.dry_run {
            return Ok(if known.is_some() { Imported::Updated } else { Imported::Added });
        }
        let hash = match password {
            Brought::Hash(hash) => hash,
            Brought::Plain(secret) => self.inner().hasher.hash(&secret).await?,
        };
        let Some(account) = known else {
            let (id, created) = (AccountId::generate(), now());
            let (role, quota) = (role.unwrap_or(Role::Member), quota.decide(taking.usual));
            let change =
                Change { subject: Subject::Account(id), name: name.to_string(), what: What::Added };
            let new = NewAccount {
                id,
                name,
                role,
                quota,
                password: Some(hash),
                must_change: false,
                created,
            };
            self.change(Edit::Add(vec![new]), change).await?;
            return Ok(Imported::Added);
        };
        if let Some(role) = role.filter(|role| *role != account.role) {
            self.set_role(account.id, role).await?;
        }
        if quota != QuotaChoice::default() {
            self.set_quota(account.id, quota).await?;
        }
        let change = account.says(What::PasswordSet);
        self.edit_saying(&account, AccountEdit::Password(hash, false), change).await?;
        Ok(Imported::Updated)
    }
}
