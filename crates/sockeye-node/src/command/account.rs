//! Commands about accounts and shared folders, which the accounts carry out.

use sockeye_accounts::{AccountAnswer, AccountCommand, Commander, ErrorKind};

use super::{Refusal, RefusalKind};
use crate::{Node, node::FIRST_ADMIN};

/// Carries out a command about accounts.
pub(super) async fn execute(
    node: &Node,
    command: AccountCommand,
    by: Commander,
) -> Result<AccountAnswer, Refusal> {
    let usual = node.config().settings.quota();
    let command = match command {
        AccountCommand::Add { name, role, quota, password } => {
            let quota = quota.decide(usual).into();
            AccountCommand::Add { name, role, quota, password }
        }
        other => other,
    };
    let first = matches!(
        &command,
        AccountCommand::Passwd { name, .. } | AccountCommand::Remove(name)
            if name.as_str() == FIRST_ADMIN
    );
    let answer = node.accounts().commanded_by(by).execute(command).await?;
    if first {
        // What is in it is no longer right.
        let _ = std::fs::remove_file(node.folder().initial_password());
    }
    Ok(answer)
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
