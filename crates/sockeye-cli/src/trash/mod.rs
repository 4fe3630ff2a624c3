//! `sockeye trash`: what was deleted or replaced in a home, restored or destroyed.

mod target;

use std::io::{self, Write};

use clap::Subcommand;
use serde::Serialize;
use sockeye::quantity::format_count;
use sockeye_accounts::{Timestamp, write_to_the_second};
use sockeye_node::command::{Answer, Command, Removed, TrashAnswer, TrashCommand, Whose};

pub(crate) use target::TargetArgs;

use crate::{
    data::{self, DataArgs},
    failure::{Failure, ignore_broken_pipe},
    lifetime::before,
    output::{age, print, short_size, shown},
};

/// List, restore or destroy what was deleted or replaced
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye trash list --user alice
  sockeye trash restore 01JD7YV3W8Z6T1Q2R4S5K9X0AB --user alice
  sockeye trash restore 01JD7YV3W8Z6T1Q2R4S5K9X0AB --user alice --to /found/plan.txt
  sockeye trash purge --older-than 7d --shared team
  sockeye trash purge --all --public")]
pub(crate) struct TrashArgs {
    #[command(subcommand)]
    verb: TrashVerb,
}

/// What to do with it.
#[derive(Debug, Subcommand)]
enum TrashVerb {
    /// List what was deleted or replaced, the oldest first
    List {
        #[command(flatten)]
        target: TargetArgs,
        #[command(flatten)]
        data: DataArgs,
        /// Print one JSON object for each
        #[arg(long)]
        json: bool,
    },
    /// Put something back where it was
    Restore {
        /// What, by the id that the list has
        id: String,
        /// Where to, in place of where it was
        #[arg(long, value_name = "PATH")]
        to: Option<String>,
        #[command(flatten)]
        target: TargetArgs,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Destroy something for good
    Purge {
        /// What, by the id that the list has
        #[arg(conflicts_with_all = ["older_than", "all"])]
        id: Option<String>,
        /// What was deleted longer ago, as 7d
        #[arg(long, value_name = "TIME", conflicts_with = "all")]
        older_than: Option<String>,
        /// Everything
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        target: TargetArgs,
        #[command(flatten)]
        data: DataArgs,
    },
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    id: &'a str,
    path: &'a str,
    #[serde(serialize_with = "write_to_the_second")]
    deleted: Timestamp,
    folder: bool,
    bytes: u64,
    entries: u64,
}

/// Lists, restores or destroys.
pub(crate) fn run(args: &TrashArgs) -> Result<(), Failure> {
    match &args.verb {
        TrashVerb::List { target, data, json } => list(&target.whose()?, data, *json),
        TrashVerb::Restore { id, to, target, data } => {
            let command = TrashCommand::Restore { id: id.clone(), to: to.clone() };
            match ask(data, &target.whose()?, command)? {
                TrashAnswer::Restored(path) => print(format!("restored to {path}\n")),
                _ => Err(data::unexpected()),
            }
        }
        TrashVerb::Purge { id, older_than, all, target, data } => {
            let command = match (id, older_than, all) {
                (Some(id), ..) => TrashCommand::Purge { id: id.clone() },
                (None, Some(age), _) => TrashCommand::PurgeBefore(before(age)?),
                (None, None, true) => TrashCommand::PurgeAll,
                (None, None, false) => {
                    return Err(Failure::usage("nothing says what is to be destroyed").hint(
                        "name an id that `sockeye trash list` has, --older-than TIME, or --all",
                    ));
                }
            };
            match ask(data, &target.whose()?, command)? {
                TrashAnswer::Purged { bytes, entries } => print(format!(
                    "destroyed {}, {}\n",
                    format_count(entries, "entry", "entries"),
                    short_size(bytes)
                )),
                _ => Err(data::unexpected()),
            }
        }
    }
}

fn ask(data: &DataArgs, of: &Whose, what: TrashCommand) -> Result<TrashAnswer, Failure> {
    match data::execute(data, Command::Trash { of: of.clone(), what })? {
        Answer::Trash(answer) => Ok(answer),
        _ => Err(data::unexpected()),
    }
}

/// Prints page by page: a trash may be larger than memory.
fn list(of: &Whose, data: &DataArgs, json: bool) -> Result<(), Failure> {
    let mut none = true;
    let page = |after| match ask(data, of, TrashCommand::List { after })? {
        TrashAnswer::Page { entries, more } => Ok((entries, more)),
        _ => Err(data::unexpected()),
    };
    data::each_page(
        page,
        |entry| entry.id.clone(),
        |entries| {
            let mut text = Vec::new();
            if none && !entries.is_empty() && !json {
                writeln!(text, "{:26}  {:>8}  {:>10}  PATH", "ID", "DELETED", "SIZE")?;
            }
            none &= entries.is_empty();
            entries.iter().try_for_each(|entry| row(&mut text, entry, json))?;
            // Who reads no more needs no more pages.
            match io::stdout().write_all(&text) {
                Ok(()) => Ok(true),
                Err(error) => Ok(ignore_broken_pipe(error).map(|()| false)?),
            }
        },
    )?;
    if none && !json {
        return print(format!("nothing was deleted from {of}\n"));
    }
    Ok(())
}

fn row(out: &mut impl Write, entry: &Removed, json: bool) -> io::Result<()> {
    let Removed { id, path, deleted, folder, bytes, entries } = entry;
    if json {
        let deleted = Timestamp::try_from(*deleted).unwrap_or(Timestamp::UNIX_EPOCH);
        let (folder, bytes, entries) = (*folder, *bytes, *entries);
        let row = Row { id, path, deleted, folder, bytes, entries };
        serde_json::to_writer(&mut *out, &row)?;
        return writeln!(out);
    }
    let (age, size, path) = (age(*deleted), short_size(*bytes), shown(path));
    let slash = if *folder { "/" } else { "" };
    writeln!(out, "{id}  {age:>8}  {size:>10}  {path}{slash}")
}
