//! Having a command of the accounts carried out, on the data folder that a verb is for.

use sockeye_accounts::{AccountAnswer, AccountCommand};
use sockeye_node::command::{Answer, Command};

use crate::{
    data::{self, DataArgs},
    failure::{Failure, Fault},
};

/// Where a verb works, and how it answers.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    #[command(flatten)]
    pub(crate) data: DataArgs,

    /// Print JSON, one line for each thing
    #[arg(long)]
    pub(crate) json: bool,
}

/// Has it carried out by the running node, or else here.
pub(crate) fn ask(target: &Target, command: AccountCommand) -> Result<AccountAnswer, Failure> {
    match data::execute(&target.data, Command::Account(command))? {
        Answer::Account(answer) => Ok(answer),
        other => Err(data::unexpected(&other)),
    }
}

/// A node of another version answered something else.
pub(crate) fn unexpected() -> Failure {
    Failure::new(Fault::Failed, "the node answered something else than was asked")
        .hint("restart the node, so that both are the same version")
}
