//! `sockeye user passwd`.

use sockeye_accounts::{AccountAnswer, AccountCommand, AccountName};

use super::{add::tell, password::PasswordArgs};
use crate::{
    data::{Target, ask_accounts, unexpected},
    failure::Failure,
};

/// Give an account another password
///
/// On a terminal it is asked for. The old one is refused from now on; sessions that run go on.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye user passwd admin
  sockeye user passwd bob --initial              made up, printed once, to be changed by bob
  echo \"$NEW\" | sockeye user passwd carol --password-stdin")]
pub(super) struct PasswdArgs {
    /// Whose
    name: AccountName,

    #[command(flatten)]
    password: PasswordArgs,

    /// Its owner is to change it
    #[arg(long, conflicts_with = "initial")]
    must_change: bool,

    #[command(flatten)]
    target: Target,
}

/// Sets it.
pub(super) fn run(args: PasswdArgs) -> Result<(), Failure> {
    let PasswdArgs { name, password, must_change, target } = args;
    // Nobody types a password twice, or is asked where it comes from, to hear that it is nobody's.
    ask_accounts(&target, AccountCommand::Show(name.clone()))?;
    let password = password.choice(name.as_str(), must_change)?;
    match ask_accounts(&target, AccountCommand::Passwd { name, password })? {
        AccountAnswer::WithPassword { account, initial } => {
            tell(&target, &account, initial.as_ref(), "password set")
        }
        _ => Err(unexpected()),
    }
}
