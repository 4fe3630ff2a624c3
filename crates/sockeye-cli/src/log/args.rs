//! The arguments of `sockeye log`, as they are typed.

use clap::Subcommand;

use super::filter::FilterArgs;
use crate::data::DataArgs;

/// Show, follow or verify the log of what was done
///
/// Each operation of a node has a line: who did what, from where, over which protocol, and what came of
/// it. The log is read from the data folder, whether a server runs or not.
///
/// Lines stand in the order in which things ended, and bear that moment, in the zone of this machine (TZ, --utc);
/// TOOK is how long they took. Who has no account is `anonymous`. What is refused at the door is a `refuse`: logins,
/// connections, data connections; many of one origin are counted together. In brackets stands what else there is to say: of
/// a refusal, why.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Examples:
  sockeye log --since today                   all of today
  sockeye log --user alice --op write,remove  what alice wrote and removed
  sockeye log --path /shared/plans --json     what happened there, as JSON lines
  sockeye log --follow --outcome denied       refusals, as they come
  sockeye log --op login --tls no             who logged in in plain text
  sockeye log verify --against \"$(cat head)\"  is it whole, and the one I knew?
  sockeye log export --format csv > log.csv   all of it, as a table")]
pub(crate) struct LogArgs {
    #[command(subcommand)]
    pub(super) verb: Option<LogVerb>,

    #[command(flatten)]
    pub(super) filter: FilterArgs,

    /// Show only the last so many lines [default: all, with --follow 10; at most 10000]
    #[arg(short = 'n', long, value_name = "N")]
    pub(super) lines: Option<usize>,

    /// Go on showing lines as they come, until it is interrupted
    #[arg(short, long)]
    pub(super) follow: bool,

    /// Print the lines as they are: JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) data: DataArgs,
}

/// What else to do with the log.
#[derive(Debug, Subcommand)]
pub(super) enum LogVerb {
    Verify(VerifyArgs),
    Head(HeadArgs),
    Export(ExportArgs),
}

/// Say whether the log is whole: nothing edited, reordered, forged or cut off
///
/// Exit code 1 if it is not. Everything up to the last checkpoint is signed; a checkpoint is written each
/// second in which something happens. Who can read journal.key can write any log: a head kept on another
/// machine finds that, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye log verify
  sockeye log verify --against 42:5f0e…:9d61…    with what `sockeye log head` printed some day
  sockeye log verify --key 9d61…                 without reading journal.key")]
pub(super) struct VerifyArgs {
    /// A head that was kept elsewhere: SEQ:HASH:KEY, as `sockeye log head` prints it
    #[arg(long, value_name = "HEAD")]
    pub(super) against: Option<String>,

    /// The public key [default: that of the head, or of journal.key]
    #[arg(long, value_name = "KEY")]
    pub(super) key: Option<String>,

    /// Print one line of JSON
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) data: DataArgs,
}

/// Print how far the log has come, to be kept on another machine
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye log head                                    SEQ:HASH:KEY
  sockeye log head | ssh backup 'cat >> sockeye.heads'")]
pub(super) struct HeadArgs {
    /// Print one line of JSON
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) data: DataArgs,
}

/// Print the log for another program
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye log export --since 2026-11-01 --until 2026-12-01 > november.jsonl
  sockeye log export --format csv --user alice > alice.csv")]
pub(super) struct ExportArgs {
    #[command(flatten)]
    pub(super) filter: FilterArgs,

    /// json (one object a line) or csv
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub(super) format: String,

    #[command(flatten)]
    pub(super) data: DataArgs,
}
