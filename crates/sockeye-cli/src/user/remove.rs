//! `sockeye user remove`.

use sockeye_accounts::{Account, AccountCommand, AccountName};

use super::change::change;
use crate::{
    data::{Target, ask_accounts},
    failure::Failure,
    prompt::confirm,
};

/// Remove an account with its keys, tokens and grants, and end its sessions
///
/// Its files stay on the disk, under the id that is printed, until `sockeye store purge-orphans`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sockeye user remove bob --yes")]
pub(super) struct RemoveArgs {
    /// Which
    name: AccountName,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    target: Target,
}

/// Removes it.
pub(super) fn run(args: RemoveArgs) -> Result<(), Failure> {
    let RemoveArgs { name, yes, target } = args;
    if !yes {
        // Nobody is asked about what is not there.
        ask_accounts(&target, AccountCommand::Show(name.clone()))?;
    }
    confirm(yes, &format!("Remove the account {name}?"))?;
    let done = |account: &Account| {
        format!("{}: removed; its files stay in homes/{}", account.name, account.id)
    };
    change(&target, AccountCommand::Remove(name), done)
}
