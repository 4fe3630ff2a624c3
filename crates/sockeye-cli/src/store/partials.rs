//! `sockeye store partials`: uploads that were begun and are no files yet, listed or destroyed.

use std::io::{self, Write};

use clap::Subcommand;
use serde::Serialize;
use sockeye::quantity::format_count;
use sockeye_accounts::{Timestamp, write_to_the_second};
use sockeye_node::command::{Answer, Command, PartialsAnswer, PartialsCommand, Unfinished, Whose};

use crate::{
    data::{self, DataArgs},
    failure::{Failure, ignore_broken_pipe},
    lifetime::before,
    output::{age, print, short_size, shown},
    trash::TargetArgs,
};

/// List or destroy what is left of uploads that were cut
///
/// It counts towards the quota until somebody goes on with it, the file comes whole, its room is needed, or partials.keep is over.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye store partials list --user alice
  sockeye store partials purge 01JD7YV3W8Z6T1Q2R4S5K9X0AB --user alice
  sockeye store partials purge --older-than 1d --shared team
  sockeye store partials purge --all --user alice")]
pub(super) struct PartialsArgs {
    #[command(subcommand)]
    verb: PartialsVerb,
}

/// What to do with them.
#[derive(Debug, Subcommand)]
enum PartialsVerb {
    /// List uploads that are no files yet, the oldest first
    List {
        #[command(flatten)]
        target: TargetArgs,
        #[command(flatten)]
        data: DataArgs,
        /// Print one JSON object for each
        #[arg(long)]
        json: bool,
    },
    /// Destroy what came of uploads that nobody is at
    Purge {
        /// Which, by the id that the list has
        #[arg(conflicts_with_all = ["older_than", "all"])]
        id: Option<String>,
        /// What nobody has written to for longer, as 1d
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
    by: Option<&'a str>,
    #[serde(serialize_with = "write_to_the_second")]
    written: Timestamp,
    #[serde(serialize_with = "write_to_the_second")]
    expires: Timestamp,
    bytes: u64,
    length: Option<u64>,
    in_use: bool,
}

/// Lists or destroys.
pub(super) fn run(args: &PartialsArgs) -> Result<(), Failure> {
    match &args.verb {
        PartialsVerb::List { target, data, json } => list(&target.whose()?, data, *json),
        PartialsVerb::Purge { id, older_than, all, target, data } => {
            let command = match (id, older_than, all) {
                (Some(id), ..) => PartialsCommand::Purge { id: id.clone() },
                (None, Some(age), _) => PartialsCommand::PurgeBefore(before(age)?),
                (None, None, true) => PartialsCommand::PurgeAll,
                (None, None, false) => {
                    return Err(Failure::usage("nothing says what is to be destroyed").hint(
                        "name an id that `sockeye store partials list` has, --older-than TIME, \
                         or --all",
                    ));
                }
            };
            match ask(data, &target.whose()?, command)? {
                PartialsAnswer::Purged { bytes, entries } => print(format!(
                    "destroyed {}, {}\n",
                    format_count(entries, "upload", "uploads"),
                    short_size(bytes)
                )),
                _ => Err(data::unexpected()),
            }
        }
    }
}

fn ask(data: &DataArgs, of: &Whose, what: PartialsCommand) -> Result<PartialsAnswer, Failure> {
    match data::execute(data, Command::Partials { of: of.clone(), what })? {
        Answer::Partials(answer) => Ok(answer),
        _ => Err(data::unexpected()),
    }
}

/// Prints page by page.
fn list(of: &Whose, data: &DataArgs, json: bool) -> Result<(), Failure> {
    let mut none = true;
    let page = |after| match ask(data, of, PartialsCommand::List { after })? {
        PartialsAnswer::Page { entries, more } => Ok((entries, more)),
        _ => Err(data::unexpected()),
    };
    data::each_page(
        page,
        |entry| entry.id.clone(),
        |entries| {
            let mut text = Vec::new();
            if none && !entries.is_empty() && !json {
                writeln!(text, "{:26}  {:>9}  {:>8}  {:>8}  PATH", "ID", "WRITTEN", "SIZE", "OF")?;
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
        return print(format!("no upload to {of} was cut\n"));
    }
    Ok(())
}

fn row(out: &mut impl Write, entry: &Unfinished, json: bool) -> io::Result<()> {
    let Unfinished { id, path, by, written, expires, bytes, length, in_use } = entry;
    if json {
        let moment = |at| Timestamp::try_from(at).unwrap_or(Timestamp::UNIX_EPOCH);
        let (written, expires, by) = (moment(*written), moment(*expires), by.as_deref());
        let (bytes, length, in_use) = (*bytes, *length, *in_use);
        let row = Row { id, path, by, written, expires, bytes, length, in_use };
        serde_json::to_writer(&mut *out, &row)?;
        return writeln!(out);
    }
    let written = if *in_use { "under way".to_owned() } else { age(*written) };
    let (size, of) = (short_size(*bytes), length.map_or_else(|| "-".to_owned(), short_size));
    let (path, by) =
        (shown(path), by.as_deref().map(|by| format!("  by {by}")).unwrap_or_default());
    writeln!(out, "{id}  {written:>9}  {size:>8}  {of:>8}  {path}{by}")
}
