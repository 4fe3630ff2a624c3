//! `sockeye status`: how a running node is.

use std::time::Duration;

use jiff::{Timestamp, Unit, tz::TimeZone};
use serde::Serialize;
use sockeye::quantity::format_count;
use sockeye_node::command::{Answer, Command, ListenerStatus, MAX_SESSIONS, SessionStatus, Status};

use crate::{
    data::{self, DataArgs},
    failure::Failure,
    output::{print, print_json, short_size},
    session::{self, short_time},
};

/// Tell how a running node is
///
/// What listens, who is there and what they do, whether it can write, and how much room there is. Exit code 3 if none runs on the data folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye status
  sockeye status --json | jq .connections")]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    data: DataArgs,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// Sessions that are shown below the rest; `sockeye session list` has all.
const MOST_SHOWN: usize = 20;

/// How a node is, with the sessions there are: the first of them, as many as a page has.
#[derive(Serialize)]
struct WithWho {
    #[serde(flatten)]
    status: Status,
    who: Vec<SessionStatus>,
}

/// Asks it, and prints what it says.
pub(crate) fn run(args: &StatusArgs) -> Result<(), Failure> {
    match data::ask_running(&args.data, Command::Status)? {
        Answer::Status(status) if args.json => {
            let (who, _) = session::page(&args.data, None, None, MAX_SESSIONS)?;
            print_json([WithWho { status: *status, who }])
        }
        Answer::Status(status) => {
            let (who, more) = session::page(&args.data, None, None, MOST_SHOWN)?;
            let mut text = told(&status, Timestamp::now());
            if !who.is_empty() {
                text += &format!("\n{}", session::table(&who));
            }
            if more {
                text += "and more: `sockeye session list`\n";
            }
            print(text)
        }
        _ => Err(data::unexpected()),
    }
}

fn told(status: &Status, now: Timestamp) -> String {
    let Status { pid, version, data, phase, read_only, listeners, journal, .. } = status;
    let mut text = String::new();
    let mut row = |label: &str, value: String| {
        text += format!("{label:<9}{value}").trim_end();
        text.push('\n');
    };
    let mut state = phase.clone();
    if !status.not_open.is_empty() {
        state += "; a listener is not open";
    }
    if let Some(why) = read_only {
        state = format!("{state}; {why}");
    }
    row("State", state);
    row("Process", format!("{pid}, version {version}, since {}", since(status.seconds, now)));
    row("Data", data.display().to_string());
    if let Some(space) = status.space {
        row("Space", format!("{} free of {}", short_size(space.free), short_size(space.total)));
    }
    let closed = status.not_open.iter().map(|it| format!("{} is not open: {}", it.listen, it.why));
    let labels = ["Listens"].into_iter().chain(std::iter::repeat(""));
    for (label, listener) in labels.zip(listeners.iter().map(listening).chain(closed)) {
        row(label, listener);
    }
    row("Users", users(status));
    let lines = format_count(journal.lines, "line", "lines");
    row("Journal", format!("{lines}, {} waiting", journal.waiting));
    text
}

fn users(status: &Status) -> String {
    let homes = format_count(status.homes, "home", "homes");
    if status.sessions == 0 {
        return format!("nobody has a session, {homes} kept open");
    }
    let sessions = format_count(status.sessions, "session", "sessions");
    let accounts = format_count(status.signed_in, "account", "accounts");
    format!("{sessions} of {accounts}, {homes} kept open")
}

fn listening(listener: &ListenerStatus) -> String {
    let ListenerStatus { listen, addresses, connections, accepted } = listener;
    let connections = format_count(*connections, "connection", "connections");
    // Where it really is, if that is not what was written.
    let (protocol, written) = listen.split_once('+').unwrap_or(("", listen));
    let place = match addresses.as_slice() {
        [address] if address == written => listen.clone(),
        addresses => {
            let each = addresses.iter().map(|address| format!("{protocol}+{address}"));
            each.collect::<Vec<_>>().join(" ")
        }
    };
    format!("{place}, {connections} open, {accepted} accepted so far")
}

/// The moment on the wall's clock, and how long ago that is.
fn since(seconds: u64, now: Timestamp) -> String {
    let age = Duration::from_secs(seconds);
    let ago = short_time(seconds);
    let began = now.checked_sub(age).and_then(|began| began.round(Unit::Second));
    let began = began.map(|it| it.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S"));
    began.map_or_else(|_| format!("{ago} ago"), |began| format!("{began} ({ago} ago)"))
}
