//! Accounts that come from elsewhere: another server's, with the hashes of the passwords that they have there.
//!
//! What they are read from is text ([`read`]); nothing here opens a file. Making one is one change,
//! all of it or nothing, and told as if it had been made by hand.

mod line;
mod read;

use serde::{Deserialize, Serialize};

pub use self::{
    line::Format,
    read::{FileLine, Newcomers, ReadOptions, Renamed, read},
};
use crate::{
    Account, AccountEdit, AccountId, AccountName, Accounts, Change, Edit, Error, NewAccount,
    PasswordHash, Quota, QuotaChoice, Result, Role, Secret, Subject, What, changes::now,
    password::as_text, secret::exposed,
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
    /// Its hash, which is checked until the first right login, and then replaced. Until then a wrong password takes longer
    /// than for a name that nobody has, which tells the two apart.
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
    /// [`Error::Storage`], [`Error::Busy`], if nothing came of any. What is wrong with one alone is [`Imported::Refused`],
    /// and hinders no other; if the accounts fail when something came of others, all that are left are refused.
    ///
    /// Cancellation: as all changes; those that were not begun are not made.
    pub async fn import(&self, newcomers: Vec<Newcomer>, taking: Taking) -> Result<Vec<Imported>> {
        let (all, mut imported) = (newcomers.len(), Vec::with_capacity(newcomers.len()));
        for newcomer in newcomers {
            match self.take(newcomer, taking).await {
                Ok(done) => imported.push(done),
                Err(error) if !concerns_all(&error) => {
                    imported.push(Imported::Refused(error.to_string()));
                }
                Err(error) if imported.is_empty() => return Err(error),
                Err(error) => {
                    imported.resize(all, Imported::Refused(error.to_string()));
                    break;
                }
            }
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
        match known {
            Some(account) => self.update(&account, role, quota, hash).await,
            None => self.add_brought(name, role, quota.decide(taking.usual), hash).await,
        }
    }

    async fn add_brought(
        &self,
        name: AccountName,
        role: Option<Role>,
        quota: Quota,
        hash: PasswordHash,
    ) -> Result<Imported> {
        let (id, role) = (AccountId::generate(), role.unwrap_or(Role::Member));
        let change =
            Change { subject: Subject::Account(id), name: name.to_string(), what: What::Added };
        let (password, created) = (Some(hash), now());
        let new = NewAccount { id, name, role, quota, password, must_change: false, created };
        self.change(Edit::Add(vec![new]), change).await?;
        Ok(Imported::Added)
    }

    /// All in one change: no role without the password that is to guard it.
    async fn update(
        &self,
        account: &Account,
        role: Option<Role>,
        quota: QuotaChoice,
        hash: PasswordHash,
    ) -> Result<Imported> {
        let role = role.filter(|role| *role != account.role);
        let mut whats = vec![What::PasswordSet];
        whats.extend(role.map(What::RoleSet));
        if quota != QuotaChoice::default() {
            whats.push(What::QuotaSet(quota.decide(account.quota)));
        }
        let changes = whats.into_iter().map(|what| account.says(what)).collect();
        let edit = Edit::Account(account.id, AccountEdit::Brought(hash, role, quota));
        self.change_saying_all(edit, changes).await?;
        Ok(Imported::Updated)
    }
}

/// Whether what failed would fail for every other, too.
const fn concerns_all(error: &Error) -> bool {
    matches!(error, Error::Storage(_) | Error::Busy | Error::Broken | Error::Unsupported { .. })
}
