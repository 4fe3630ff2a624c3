//! `sockeye store check`: are homes what they are said to be? `sockeye store purge-orphans`: those of nobody go. `sockeye
//! store partials`: what is left of uploads that were cut.

mod partials;

use clap::Subcommand;
use sockeye::quantity::format_count;
use sockeye_node::command::{Answer, Checked, Command, Orphans};

use crate::{
    data::{self, DataArgs},
    failure::{Failure, Fault},
    output::{print, short_size},
    prompt::confirm,
    trash::TargetArgs,
};

/// Check the homes on the disk
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye store check                        every home: is what is counted what is recorded?
  sockeye store check --repair               and mend what is not
  sockeye store check --user alice           one home
  sockeye store partials list --user alice   what is left of uploads that were cut
  sockeye store purge-orphans                destroy the files of accounts that were removed")]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    verb: StoreVerb,
}

/// What to do with them.
#[derive(Debug, Subcommand)]
enum StoreVerb {
    /// Count again what homes hold, and find what crashes left behind
    ///
    /// Exit code 1 if anything is to be mended. A home that a crash left uncounted is counted by this, and needs no more.
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
    Partials(partials::PartialsArgs),
    /// Destroy the files of accounts and shared folders that were removed, for good
    PurgeOrphans {
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Checks, or destroys.
pub(crate) fn run(args: &StoreArgs) -> Result<(), Failure> {
    match &args.verb {
        StoreVerb::Check { repair, target, data, json } => check(*repair, target, data, *json),
        StoreVerb::Partials(args) => partials::run(args),
        StoreVerb::PurgeOrphans { yes, data } => purge_orphans(*yes, data),
    }
}

/// Shows what would go, asks, and has it destroyed.
fn purge_orphans(yes: bool, data: &DataArgs) -> Result<(), Failure> {
    let found = orphans(data, false)?;
    if found.folders.is_empty() {
        return print("every home belongs to somebody\n");
    }
    let count = format_count(found.folders.len() as u64, "home", "homes");
    if !yes {
        let each = found.folders.iter().map(|folder| format!("{}\n", folder.display()));
        print(each.collect::<String>())?;
    }
    confirm(yes, &format!("Destroy {count} with all files?"))?;
    let destroyed = orphans(data, true)?;
    let each = destroyed.folders.iter().map(|folder| format!("{}: destroyed\n", folder.display()));
    print(each.collect::<String>())?;
    match destroyed.more {
        true => Err(Failure::new(Fault::Partly, "there are more").hint("do the same again")),
        false => Ok(()),
    }
}

fn orphans(data: &DataArgs, destroy: bool) -> Result<Orphans, Failure> {
    match data::execute(data, Command::Orphans { destroy })? {
        Answer::Orphans(orphans) => Ok(orphans),
        _ => Err(data::unexpected()),
    }
}

fn check(repair: bool, target: &TargetArgs, data: &DataArgs, json: bool) -> Result<(), Failure> {
    let answer = data::execute(data, Command::Check { of: target.any()?, repair })?;
    let Answer::Checked(checked) = answer else { return Err(data::unexpected()) };
    let text = if json { serde_json::to_string(&checked)? + "\n" } else { told(&checked) };
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
    let Checked { homes, bytes, entries, faults, orphans, counted_anew, repaired, .. } = checked;
    let mut text = String::new();
    for whose in counted_anew {
        text += &format!(
            "{whose}: it was not closed, as after a crash or in a copy of a running node; \
             it was counted, and nothing is lost\n"
        );
    }
    let mended = if *repaired { ", mended" } else { "" };
    for fault in faults {
        text += &format!("{}: {}{mended}\n", fault.whose, fault.what);
    }
    for orphan in orphans {
        text += &format!("{orphan}: belongs to nobody any more\n");
    }
    if !orphans.is_empty() {
        text += "`sockeye store purge-orphans` destroys what belongs to nobody any more\n";
    }
    let (homes, size) = (format_count(*homes, "home", "homes"), short_size(*bytes));
    let entries = format_count(*entries, "file or folder", "files and folders");
    text + &format!("{homes} checked: {entries}, {size}\n")
}
