//! The operation log: its last records, and those to come.

use std::{io, ops::ControlFlow, pin::pin, sync::Arc, time::Duration};

use ::http::StatusCode;
use bytes::Bytes;
use futures_util::{future::select, stream};
use serde_json::{Value, json};
use sockeye::DrainSignal;
use sockeye_node::accounts::Timestamp;
use sockeye_node::log::{Event, Follow, Found, Query, Reader};
use sockeye_node::{Node, Role, Session};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep},
};

use super::super::{
    Call, Kind, Problem,
    answer::{self, Answered},
    path_of,
};
use crate::payload::StreamBody;

/// Records in an answer, if nothing is said, and at most.
const PAGE: (usize, usize) = (100, 5000);

/// Most that follow the log at once: each has a watch of its folder, of which the system has few.
const FOLLOWERS: usize = 16;

/// How long nothing may come before a follower says that it is still there.
const PATIENCE: Duration = Duration::from_secs(2);

/// The time between two looks at how many records there are.
const PAUSE: Duration = Duration::from_millis(200);

/// Most records that one look gives to a follower.
const MOST_AT_ONCE: usize = 500;

/// The places of those who follow the log.
#[derive(Debug)]
pub(crate) struct Followers(Arc<Semaphore>);

impl Default for Followers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(FOLLOWERS)))
    }
}

/// `GET admin/log`
pub(in super::super) async fn show(call: &Call<'_>) -> Answered {
    let node = Arc::clone(call.node()?);
    let query = query(call)?;
    if call.asked_as("follow")?.unwrap_or(false) {
        return follow(call, &node, query).await;
    }
    let limit = call.limit(PAGE.0, PAGE.1)?;
    let folder = node.folder().journal();
    let reading = node.pool().run(move || {
        let mut records = Vec::new();
        let scanned = Reader::of_open(&folder).last(&query, limit, |found| {
            records.extend(record(found));
            ControlFlow::Continue(())
        })?;
        Ok::<_, sockeye_node::log::Error>((records, scanned.broken))
    });
    let (records, broken) =
        reading.await.map_err(|_| Problem::from(sockeye_node::Error::Busy))?.map_err(failed)?;
    answer::json(&json!({ "records": records, "unreadable": broken }))
}

fn query(call: &Call<'_>) -> Result<Query, Problem> {
    let mut query = Query { account: call.asked("account"), ..Query::default() };
    query.protocol = call.asked("protocol");
    if let Some(operations) = call.asked("operation") {
        let names = operations.split(',').map(str::trim).filter(|name| !name.is_empty());
        let events = names.map(|name| name.parse::<Event>().map_err(Problem::wrong));
        query.events = events.collect::<Result<_, _>>()?;
    }
    if let Some(path) = call.asked("path") {
        query.path = Some([b"/", path_of(&path)?.as_bytes()].concat());
    }
    if let Some(outcome) = call.asked("outcome") {
        query.outcome = Some(outcome.parse().map_err(Problem::wrong)?);
    }
    let moment = |name: &str| call.asked_as::<Timestamp>(name).map(|it| it.map(Into::into));
    query.since = moment("since")?;
    query.until = moment("until")?;
    Ok(query)
}

/// A record as it is shown; none of what cannot be read.
fn record(found: Found<'_>) -> Option<Value> {
    let Found::Entry(entry, _) = found else { return None };
    let time = Timestamp::from_microsecond(i64::try_from(entry.micros).ok()?).ok()?;
    Some(json!({
        "seq": entry.seq,
        "time": time,
        "operation": entry.op,
        "outcome": entry.outcome,
        "account": entry.user,
        "protocol": entry.protocol,
        "tls": entry.tls,
        "from": entry.from,
        "path": entry.path,
        "to": entry.to,
        "bytes": entry.bytes,
        "took_us": entry.took_us,
        "detail": entry.detail,
    }))
}

fn failed(error: sockeye_node::log::Error) -> Problem {
    tracing::error!(%error, "the log cannot be read");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the log cannot be read; the server's log says why",
    )
}

/// Somebody who follows the log.
struct Follower {
    node: Arc<Node>,
    session: Session,
    drain: DrainSignal,
    follow: Follow,
    /// The number of the log's last record when it was looked through last.
    seen: u64,
    /// What is told first.
    missed: String,
    _place: OwnedSemaphorePermit,
}

/// The records to come, as server-sent events (<https://html.spec.whatwg.org/#server-sent-events>). Whoever comes back
/// after a break is also told what came meanwhile, the last [`MOST_AT_ONCE`] of it.
async fn follow(call: &Call<'_>, node: &Arc<Node>, query: Query) -> Answered {
    let places = Arc::clone(&call.answerer.config.node_wide.followers.0);
    let place = places.try_acquire_owned().map_err(|_| {
        let why = format!("at most {FOLLOWERS} follow the log at once");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, why).of_kind(Kind::TooManyFollow)
    })?;
    let told = call.head.fields.get("last-event-id").one();
    let told = told.and_then(|id| str::from_utf8(id).ok()?.parse::<u64>().ok());
    let folder = node.folder().journal();
    let opening = node.pool().run(move || {
        let reader = Reader::of_open(&folder);
        let mut missed = String::new();
        let last = reader.last(&query, told.map_or(0, |_| MOST_AT_ONCE), |found| {
            missed.extend(event(found, told.unwrap_or(u64::MAX)));
            ControlFlow::Continue(())
        })?;
        Ok::<_, sockeye_node::log::Error>((reader.follow(&query, last.position)?, missed))
    });
    let (follow, missed) =
        opening.await.map_err(|_| Problem::from(sockeye_node::Error::Busy))?.map_err(failed)?;
    let follower = Follower {
        node: Arc::clone(node),
        session: call.session.clone(),
        drain: call.answerer.link.drain.clone(),
        follow,
        seen: 0,
        missed,
        _place: place,
    };
    let pieces = stream::try_unfold(follower, Follower::next);
    Ok(answer::stream("text/event-stream", StreamBody::new(None, pieces)))
}

/// A record as an event, if its number is beyond `told`.
fn event(found: Found<'_>, told: u64) -> Option<String> {
    let record = record(found)?;
    let number = record["seq"].as_u64().filter(|number| *number > told)?;
    Some(format!("id: {number}\ndata: {record}\n\n"))
}

impl Follower {
    /// What came, or a word that nothing did; `None` at the end.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let until = Instant::now() + PATIENCE;
        while self.goes_on() {
            if !self.missed.is_empty() {
                return Ok(Some((std::mem::take(&mut self.missed).into(), self)));
            }
            if self.node.journal().written() != self.seen {
                let text;
                (text, self) = self.look().await?;
                if !text.is_empty() {
                    return Ok(Some((text.into(), self)));
                }
            }
            if Instant::now() >= until {
                // Also finds out whether anybody still listens.
                return Ok(Some((Bytes::from_static(b": nothing yet\n\n"), self)));
            }
            select(pin!(sleep(PAUSE)), pin!(self.drain.wait())).await;
        }
        Ok(None)
    }

    /// Whoever is no administrator any more follows no further, and nobody keeps a server from its end.
    fn goes_on(&self) -> bool {
        let account = self.session.account().ok().flatten();
        account.is_some_and(|account| account.role == Role::Admin)
            && !self.session.is_ended()
            && !self.drain.is_draining()
    }

    /// Looks through what was written since the last look.
    async fn look(self) -> io::Result<(String, Self)> {
        let Self { node, session, drain, mut follow, seen, missed, _place } = self;
        let written = node.journal().written();
        let looking = node.pool().run(move || {
            let mut text = String::new();
            let mut left = MOST_AT_ONCE;
            let flow = follow.pass(|found| {
                if let Some(event) = event(found, 0) {
                    text.push_str(&event);
                    left -= 1;
                }
                if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            Ok::<_, sockeye_node::log::Error>((text, follow, flow.is_continue()))
        });
        let (text, follow, is_all) =
            looking.await.map_err(io::Error::other)?.map_err(io::Error::other)?;
        let seen = if is_all { written } else { seen };
        Ok((text, Self { node, session, drain, follow, seen, missed, _place }))
    }
}
