//! `sockeye store check`: are homes what they are said to be?

use clap::Subcommand;
use sockeye::quantity::format_count;
use sockeye_node::command::{Answer, Checked, Command};

use crate::{
    data::{self, DataArgs},
    failure::{Failure, Fault},
    output::{print, short_size},
    trash::TargetArgs,
};

/// Check the homes on the disk
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye store check                 every home: is what is counted what is recorded?
  sockeye store check --repair        and mend what is not
  sockeye store check --user alice    one home")]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    verb: StoreVerb,
}

/// What to do with them.
#[derive(Debug, Subcommand)]
enum StoreVerb {
    /// Count again what homes hold, and find what crashes left behind; exit code 1 if anything is
    Check {
        /// Mend what is found: believe the count, remove leftovers
        #[arg(long)]
        repair: bool,
        #[command(flatten)]
        target: TargetArgs,
        #[command(flatten)]
        data: DataArgs,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
}

/// Checks.
pub(crate) fn run(args: &StoreArgs) -> Result<(), Failure> {
    let StoreVerb::Check { repair, target, data, json } = &args.verb;
    let answer = data::execute(data, Command::Check { of: target.any()?, repair: *repair })?;
    let Answer::Checked(checked) = answer else { return Err(data::unexpected()) };
    let text = if *json { serde_json::to_string(&checked)? + "\n" } else { told(&checked) };
    print(text)?;
    if checked.faulty == 0 || checked.repaired {
        return Ok(());
    }
    let message = format!(
        "of {}, {} to be mended",
        format_count(checked.homes, "home", "homes"),
        checked.faulty
    );
    Err(Failure::new(Fault::Failed, message).hint("`sockeye store check --repair` mends it"))
}

fn told(checked: &Checked) -> String {
    let Checked { homes, bytes, entries, faults, orphans, repaired, .. } = checked;
    let mut text = String::new();
    let mended = if *repaired { ", mended" } else { "" };
    for fault in faults {
        text += &format!("{}: {}{mended}\n", fault.whose, fault.what);
    }
    for orphan in orphans {
        text += &format!("{orphan}: belongs to nobody any more\n");
    }
    let (homes, size) = (format_count(*homes, "home", "homes"), short_size(*bytes));
    let entries = format_count(*entries, "file or folder", "files and folders");
    text + &format!("{homes} checked: {entries}, {size}\n")
}
