//! The home that a command is about.

use std::fmt;

use serde::{Deserialize, Serialize};
use sockeye_accounts::{Account, AccountId, AccountName, SharedName, Who};
use sockeye_store::Home;

use super::Refusal;
use crate::{Gate, Node, Owner};

/// A home, by its owner's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// An account's.
    Account(AccountName),
    /// A shared folder.
    Shared(SharedName),
    /// The public tree.
    Public,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => write!(f, "the home of {name}"),
            Self::Shared(name) => write!(f, "/shared/{name}"),
            Self::Public => f.write_str("/public"),
        }
    }
}

impl Node {
    /// The home that is meant, open.
    ///
    /// # Errors
    /// If nobody has that name, or the home cannot be opened.
    pub(crate) async fn home_of(&self, whose: &Whose) -> Result<Home, Refusal> {
        Ok(match whose {
            Whose::Account(name) => self.account_home(name).await?.1,
            Whose::Shared(name) => {
                self.accounts().find_shared(name).await?;
                self.gate().shared_home(name).await?
            }
            Whose::Public => self.gate().public_home().await?,
        })
    }

    /// An account and its home.
    ///
    /// # Errors
    /// As [`Node::home_of`].
    pub(crate) async fn account_home(
        &self,
        who: impl Into<Who>,
    ) -> Result<(Account, Home), Refusal> {
        let account = self.accounts().find(who).await?;
        let home = home_of_account(self.gate(), account.id).await?;
        Ok((account, home))
    }
}

/// The home of an account, with the quota of this moment.
pub(super) async fn home_of_account(gate: &Gate, id: AccountId) -> Result<Home, Refusal> {
    let quota = || async { Ok(gate.accounts().find(id).await?.quota) };
    gate.homes().open_now(Owner::Account(id), quota).await
}
