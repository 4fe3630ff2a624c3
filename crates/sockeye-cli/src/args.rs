//! The command line as clap sees it: the verbs, and what holds for all of them.
//!
//! What the values mean is resolved by each verb's plan, so that an error can say what to do.

use clap::{ArgAction, Parser, Subcommand};

use crate::{
    backup::{BackupArgs, RestoreArgs},
    completions::CompletionsArgs,
    config::ConfigArgs,
    dial::DialArgs,
    log::LogArgs,
    reload::ReloadArgs,
    serve::ServeArgs,
    session::SessionArgs,
    share::ShareArgs,
    shared::SharedArgs,
    status::StatusArgs,
    store::StoreArgs,
    trash::TrashArgs,
    user::UserArgs,
};

/// The version and the commit that it was built from, if that is known.
const VERSION: &str = const {
    match env!("BUILT_FROM_COMMIT").is_empty() {
        true => env!("CARGO_PKG_VERSION"),
        false => concat!(env!("CARGO_PKG_VERSION"), " (", env!("BUILT_FROM_COMMIT"), ")"),
    }
};

const ABOUT: &str = "A team's own server in one program";

const EXAMPLES: &str = "\
Examples:
  sockeye serve                            a team's server, on http://127.0.0.1:8080/
  sockeye serve ~/photos --listen [::]:80  one folder, shared with everybody for reading
  sockeye user add alice --quota 10GiB     an account on it
  sockeye dial tls+tcp://example.org:443   a line to a server

Environment:
  NO_COLOR      no colours, also on a terminal
  SOCKEYE_DATA  the data folder, where no --data is given
  SOCKEYE_LOG   what is said on standard error, as debug or sockeye::client=debug,warn
  SOCKEYE_…     keys of a node's configuration: SOCKEYE_TRASH_KEEP sets trash.keep

Exit codes:
  0 done · 1 failed · 2 usage · 3 not found · 4 denied · 5 no space or over quota · 6 network ·
  7 partly done";

/// Everything that was said.
#[derive(Debug, Parser)]
#[command(name = "sockeye", version = VERSION, about = ABOUT, after_help = EXAMPLES)]
#[command(arg_required_else_help = true, disable_help_subcommand = false, max_term_width = 100)]
pub(crate) struct Args {
    /// Say more on standard error; twice or three times for more still
    #[arg(short, long, action = ArgAction::Count, global = true, display_order = 900)]
    pub(crate) verbose: u8,

    /// Say nothing but errors; twice for only what ends the program
    #[arg(short, long, action = ArgAction::Count, global = true, display_order = 900)]
    #[arg(conflicts_with = "verbose")]
    pub(crate) quiet: u8,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Serve(ServeArgs),
    User(UserArgs),
    Shared(SharedArgs),
    Share(ShareArgs),
    Config(ConfigArgs),
    Status(StatusArgs),
    Session(SessionArgs),
    Reload(ReloadArgs),
    Trash(TrashArgs),
    Store(StoreArgs),
    Backup(BackupArgs),
    Restore(RestoreArgs),
    Log(LogArgs),
    Dial(DialArgs),
    Completions(CompletionsArgs),
}
