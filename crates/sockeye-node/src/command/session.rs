//! Who has a session, told and ended.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sockeye_accounts::{AccountId, AccountName, Timestamp};

use super::{Commander, Refusal, RefusalKind, beginning};
use crate::{Activity, Ending, Node, Peer, Present, readable};

/// Sessions in a page at most.
pub const MAX_SESSIONS: usize = 500;

/// A command about sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SessionCommand {
    /// Lists them in the order in which they began.
    List {
        /// Those after the session of this id.
        after: Option<u64>,
        /// Those of this account alone.
        of: Option<AccountName>,
        /// So many at most, and [`MAX_SESSIONS`].
        limit: usize,
    },
    /// Ends one, with those that are one with it.
    End(u64),
    /// Ends all of an account.
    EndAll(AccountName),
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SessionAnswer {
    /// To [`SessionCommand::List`].
    Page {
        /// Those of the page.
        sessions: Vec<SessionStatus>,
        /// Whether there are more.
        more: bool,
    },
    /// To the others: how many were ended.
    Ended(u64),
}

/// A session, as an administrator is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionStatus {
    /// What it is ended by.
    pub id: u64,
    /// Whose it is; none of an anonymous visitor.
    pub account: Option<String>,
    /// Over which protocol.
    pub protocol: String,
    /// Whether that is encrypted.
    pub tls: bool,
    /// From which address; none from this machine by a socket without one.
    pub peer: Option<String>,
    /// Whether it came by a share's link of the account's.
    pub by_link: bool,
    /// Whether it goes by a sign-in, which a browser keeps.
    pub by_sign_in: bool,
    /// Since when.
    #[serde(serialize_with = "sockeye_accounts::write_to_the_second")]
    pub since: Timestamp,
    /// Seconds for which nothing was done; 0 while something is.
    pub idle: u64,
    /// The files that are being read and written: the first few.
    pub doing: Vec<ActivityStatus>,
}

/// A file that is being read or written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityStatus {
    /// What is done, as the log calls it: `read`.
    pub op: String,
    /// The path, as the log has it; of one that is very long, the beginning.
    pub path: String,
    /// Bytes that went by so far.
    pub bytes: u64,
    /// Since when.
    #[serde(serialize_with = "sockeye_accounts::write_to_the_second")]
    pub since: Timestamp,
}

fn moment(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl From<Present> for SessionStatus {
    fn from(present: Present) -> Self {
        let Present { id, account, protocol, tls, peer, sign_in, by_link, since, .. } = present;
        Self {
            id,
            account: account.map(Into::into),
            protocol: protocol.to_owned(),
            tls,
            peer: match peer {
                Peer::Ip(address) => Some(address.to_string()),
                Peer::Local => None,
            },
            by_link,
            by_sign_in: sign_in.is_some(),
            since: moment(since),
            idle: present.idle.as_secs(),
            doing: present.doing.into_iter().map(ActivityStatus::from).collect(),
        }
    }
}

impl From<Activity> for ActivityStatus {
    fn from(activity: Activity) -> Self {
        let Activity { operation, path, bytes, since } = activity;
        Self {
            op: operation.name().to_owned(),
            path: beginning(&readable(&path)),
            bytes,
            since: moment(since),
        }
    }
}

/// Carries one out.
pub(super) async fn execute(
    node: &Node,
    command: SessionCommand,
    by: &Commander,
) -> Result<SessionAnswer, Refusal> {
    let gate = node.gate();
    match command {
        SessionCommand::List { after, of, limit } => {
            let of = match &of {
                Some(name) => Some(node.accounts().find(name).await?.id),
                None => None,
            };
            Ok(page(node, after, of, limit.clamp(1, MAX_SESSIONS)))
        }
        SessionCommand::End(id) => match gate.end_all(Ending::One(id), by).await? {
            0 => Err(Refusal::new(RefusalKind::NotFound, format!("there is no session {id}"))
                .hint("`sockeye session list` has those there are")),
            ended => Ok(SessionAnswer::Ended(ended as u64)),
        },
        SessionCommand::EndAll(name) => {
            let account = node.accounts().find(&name).await?;
            let ended = gate.end_all(Ending::Of(account.id), by).await?;
            Ok(SessionAnswer::Ended(ended as u64))
        }
    }
}

/// The sessions after one, of an account if one is named.
fn page(node: &Node, mut after: Option<u64>, of: Option<AccountId>, limit: usize) -> SessionAnswer {
    let is_its = |present: &Present| of.is_none_or(|id| present.account_id == Some(id));
    let mut sessions = Vec::new();
    loop {
        let some = node.gate().present(after.unwrap_or(0), MAX_SESSIONS);
        after = some.last().map(|present| present.id);
        sessions.extend(some.into_iter().filter(is_its).map(SessionStatus::from));
        if after.is_none() || sessions.len() > limit {
            let more = sessions.len() > limit;
            sessions.truncate(limit);
            return SessionAnswer::Page { sessions, more };
        }
    }
}
