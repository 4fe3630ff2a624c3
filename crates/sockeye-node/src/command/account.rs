//! Commands about accounts and shared folders, which the accounts carry out.

use sockeye_accounts::{AccountAnswer, AccountCommand, Commander, ErrorKind, Taking};

use super::{Refusal, RefusalKind};
use crate::{Node, node::FIRST_ADMIN};

impl Node {
    /// Carries out a command about accounts that is given from within, as [`Node::command`] does, and tells what is
    /// refused as the accounts do.
    ///
    /// # Errors
    /// As the method of [`Accounts`](sockeye_accounts::Accounts) that the command names.
    ///
    /// # Cancel safety
    /// As all changes of accounts.
    pub async fn account_command(
        &self,
        command: AccountCommand,
        by: Commander,
    ) -> sockeye_accounts::Result<AccountAnswer> {
        let usual = self.config().settings.quota();
        let command = match command {
            AccountCommand::Add { name, role, quota, password } => {
                let quota = quota.decide(usual).into();
                AccountCommand::Add { name, role, quota, password }
            }
            AccountCommand::Import { accounts, taking } => {
                let taking = Taking { usual, ..taking };
                AccountCommand::Import { accounts, taking }
            }
            other => other,
        };
        let first = matches!(
            &command,
            AccountCommand::Passwd { name, .. } | AccountCommand::Remove(name)
                if name.as_str() == FIRST_ADMIN
        );
        let answer = self.accounts().commanded_by(by).execute(command).await?;
        if first {
            // What is in it is no longer right.
            let _ = std::fs::remove_file(self.folder().initial_password());
        }
        self.recorder().settle().await;
        Ok(answer)
    }
}

impl From<sockeye_accounts::Error> for Refusal {
    fn from(error: sockeye_accounts::Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::NotFound => RefusalKind::NotFound,
            ErrorKind::Invalid => RefusalKind::Usage,
            ErrorKind::Denied => RefusalKind::Denied,
            ErrorKind::NoSpace => RefusalKind::NoSpace,
            _ => RefusalKind::Failed,
        };
        Self::new(kind, error)
    }
}
