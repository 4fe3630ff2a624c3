//! `sockeye session`: who has a session on a running node, over whichever protocol, and ending one.

use clap::Subcommand;
use sockeye::quantity::format_count;
use sockeye_accounts::AccountName;
use sockeye_node::command::{
    ActivityStatus, Answer, Command, MAX_SESSIONS, SessionAnswer, SessionCommand, SessionStatus,
};

use crate::{
    data::{self, DataArgs},
    failure::{Failure, Fault},
    output::{Columns, print, print_json, short_size},
};

/// List who has a session on a running node, and end sessions
///
/// Over FTP each connection is a session; over HTTP all connections of an account from one address are one, as long as one of
/// them is open.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye session list                 who is there, from where, and what they do
  sockeye session list --user alice
  sockeye session end 12               FTP is told 421, HTTP connections close
  sockeye session end --user alice     all of alice's; `sockeye user lock` keeps her out")]
pub(crate) struct SessionArgs {
    #[command(subcommand)]
    verb: SessionVerb,
}

/// What to do with them.
#[derive(Debug, Subcommand)]
enum SessionVerb {
    /// List them, the oldest first
    List {
        /// Those of this account alone
        #[arg(long, value_name = "NAME")]
        user: Option<AccountName>,
        #[command(flatten)]
        data: DataArgs,
        /// Print one JSON object for each
        #[arg(long)]
        json: bool,
    },
    /// End some; whoever knows the password can begin another
    End {
        /// Which, by the ids that the list has
        #[arg(value_name = "ID", required_unless_present = "user", conflicts_with = "user")]
        ids: Vec<u64>,
        /// All of this account
        #[arg(long, value_name = "NAME")]
        user: Option<AccountName>,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Lists or ends.
pub(crate) fn run(args: &SessionArgs) -> Result<(), Failure> {
    match &args.verb {
        SessionVerb::List { user, data, json } => list(user.as_ref(), data, *json),
        SessionVerb::End { user: Some(user), data, .. } => {
            let ended = end(data, SessionCommand::EndAll(user.clone()))?;
            print(format!("{user}: ended {}\n", format_count(ended, "session", "sessions")))
        }
        SessionVerb::End { ids, user: None, data } => end_each(ids, data),
    }
}

fn ask(data: &DataArgs, command: SessionCommand) -> Result<SessionAnswer, Failure> {
    match data::ask_running(data, Command::Session(command))? {
        Answer::Session(answer) => Ok(answer),
        _ => Err(data::unexpected()),
    }
}

fn end(data: &DataArgs, command: SessionCommand) -> Result<u64, Failure> {
    match ask(data, command)? {
        SessionAnswer::Ended(ended) => Ok(ended),
        _ => Err(data::unexpected()),
    }
}

/// Ends as many as can be.
fn end_each(ids: &[u64], data: &DataArgs) -> Result<(), Failure> {
    let (mut ended, mut failed) = (0, None);
    for id in ids {
        match end(data, SessionCommand::End(*id)) {
            Ok(_) => {
                ended += 1;
                print(format!("ended session {id}\n"))?;
            }
            Err(failure) => failed = failed.or(Some(failure)),
        }
    }
    match failed {
        Some(failure) if ended > 0 => Err(failure.being(Fault::Partly)),
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// A page of the sessions there are, and whether there are more.
pub(crate) fn page(
    data: &DataArgs,
    after: Option<u64>,
    of: Option<&AccountName>,
    limit: usize,
) -> Result<(Vec<SessionStatus>, bool), Failure> {
    match ask(data, SessionCommand::List { after, of: of.cloned(), limit })? {
        SessionAnswer::Page { sessions, more } => Ok((sessions, more)),
        _ => Err(data::unexpected()),
    }
}

fn list(user: Option<&AccountName>, data: &DataArgs, json: bool) -> Result<(), Failure> {
    let mut none = true;
    data::each_page(
        |after| page(data, after, user, MAX_SESSIONS),
        |session| session.id,
        |sessions| {
            none &= sessions.is_empty();
            match json {
                true => print_json(&sessions)?,
                false if sessions.is_empty() => {}
                false => print(table(&sessions))?,
            }
            Ok(true)
        },
    )?;
    match (none && !json, user) {
        (false, _) => Ok(()),
        (true, Some(user)) => print(format!("{user} has no session\n")),
        (true, None) => print("nobody has a session\n"),
    }
}

/// Rows for people.
pub(crate) fn table(sessions: &[SessionStatus]) -> String {
    let mut columns = Columns::headed(["ID", "USER", "PROTOCOL", "FROM", "FOR", "DOES"]);
    let now = sockeye_accounts::Timestamp::now();
    for session in sessions {
        let since = now.duration_since(session.since).as_secs();
        columns.row([
            session.id.to_string(),
            who(session),
            format!("{}{}", session.protocol, if session.tls { ", TLS" } else { "" }),
            session.peer.clone().unwrap_or_else(|| "this machine".to_owned()),
            short_time(u64::try_from(since).unwrap_or(0)),
            does(session),
        ]);
    }
    columns.text()
}

fn who(session: &SessionStatus) -> String {
    match &session.account {
        Some(account) if session.by_link => format!("by a link of {account}"),
        Some(account) => account.clone(),
        None => "anonymous".to_owned(),
    }
}

/// What it does now, or for how long it has done nothing.
fn does(session: &SessionStatus) -> String {
    let Some(ActivityStatus { op, path, bytes, .. }) = session.doing.first() else {
        return format!("idle for {}", short_time(session.idle));
    };
    let more = match session.doing.len() {
        1 => String::new(),
        several => format!("; and {} more", several - 1),
    };
    format!("{op} {path}, {} so far{more}", short_size(*bytes))
}

/// A time that has passed, in its largest two units.
pub(crate) fn short_time(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h {}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_who_does_what() {
        let now = sockeye_accounts::Timestamp::now();
        let doing = |path: &str| ActivityStatus {
            op: "write".to_owned(),
            path: path.to_owned(),
            bytes: 2048,
            since: now,
        };
        let mut session = SessionStatus {
            id: 7,
            account: Some("alice".to_owned()),
            protocol: "ftp".to_owned(),
            tls: true,
            peer: Some("192.0.2.1".to_owned()),
            by_link: false,
            by_sign_in: false,
            since: now,
            idle: 75,
            doing: Vec::new(),
        };
        assert_eq!((who(&session), does(&session)), ("alice".into(), "idle for 1m".into()));
        assert!(table(&[session.clone()]).contains("7   alice  ftp, TLS  192.0.2.1  0s   idle"));
        session.doing = vec![doing("/a"), doing("/b")];
        assert_eq!(does(&session), "write /a, 2KiB so far; and 1 more");
        (session.account, session.by_link) = (None, true);
        assert_eq!(who(&session), "anonymous");
    }

    #[test]
    fn a_time_is_told_in_its_largest_units() {
        let told = [0, 59, 61, 3_700, 90_000].map(short_time);
        assert_eq!(told, ["0s", "59s", "1m", "1h 1m", "1d 1h"]);
    }
}
