//! The operation log: its last records, and those to come.

use std::{io, ops::ControlFlow, sync::Arc, time::Duration};

use ::http::StatusCode;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use sockeye_node::accounts::Timestamp;
use sockeye_node::log::{Event, Follow, Found, Query, Reader};
use sockeye_node::{Node, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::super::{
    Call, Problem,
    answer::{self, Answered},
    path_of,
};
use crate::payload::StreamBody;

/// Records in an answer, if nothing is said, and at most.
const PAGE: (usize, usize) = (100, 5000);

/// Most that follow the log at once: each takes one of the threads that wait for the disk, now and then.
const FOLLOWERS: usize = 4;

/// How long a follower waits for a record before it says that it is still there.
const PATIENCE: Duration = Duration::from_secs(2);

/// Most records that one look gives to a follower.
const MOST_AT_ONCE: usize = 500;

/// The places of those who follow the log; clones share them.
#[derive(Clone, Debug)]
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
    if call.asked("follow").is_some_and(|follow| follow != "false") {
        return follow(call, &node, query).await;
    }
    let limit = call.limit(PAGE.0, PAGE.1)?;
    let folder = node.folder().journal();
    let reading = node.pool().run(move || {
        let mut records = Vec::new();
        let scanned = Reader::open(&folder)?.last(&query, limit, |found| {
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
    follow: Follow,
    pool: Pool,
    _place: OwnedSemaphorePermit,
}

/// The records to come, as server-sent events (<https://html.spec.whatwg.org/#server-sent-events>).
async fn follow(call: &Call<'_>, node: &Arc<Node>, query: Query) -> Answered {
    let places = Arc::clone(&call.answerer.config.followers.0);
    let place = places.try_acquire_owned().map_err(|_| {
        let why = format!("at most {FOLLOWERS} follow the log at once");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, why)
    })?;
    let (folder, pool) = (node.folder().journal(), node.pool().clone());
    let opening = node.pool().run(move || {
        let reader = Reader::open(&folder)?;
        let last = reader.last(&query, 0, |_| ControlFlow::Continue(()))?;
        reader.follow(&query, last.position)
    });
    let follow =
        opening.await.map_err(|_| Problem::from(sockeye_node::Error::Busy))?.map_err(failed)?;
    let follower = Follower { follow, pool, _place: place };
    let session = call.session.clone();
    let pieces = stream::try_unfold((follower, session), |(follower, session)| async move {
        // Whoever is no administrator any more follows no further.
        let is_admin = session
            .account()
            .ok()
            .flatten()
            .is_some_and(|account| account.role == sockeye_node::Role::Admin);
        if !is_admin || session.is_ended() {
            return Ok(None);
        }
        let (piece, follower) = follower.look().await?;
        Ok::<_, io::Error>(Some((piece, (follower, session))))
    });
    Ok(answer::stream("text/event-stream", StreamBody::new(None, pieces)))
}

impl Follower {
    /// What came, or a word that nothing did.
    async fn look(self) -> io::Result<(Bytes, Self)> {
        let Self { mut follow, pool, _place } = self;
        let looking = pool.run(move || {
            let mut text = String::new();
            let mut left = MOST_AT_ONCE;
            for _ in 0..2 {
                let _ = follow.pass(|found| {
                    if let Some(record) = record(found) {
                        text.push_str(&format!("data: {record}\n\n"));
                        left -= 1;
                    }
                    if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                })?;
                if !text.is_empty() {
                    break;
                }
                let _ = follow.wait(PATIENCE, None)?;
            }
            Ok::<_, sockeye_node::log::Error>((text, follow))
        });
        let (mut text, follow) =
            looking.await.map_err(io::Error::other)?.map_err(io::Error::other)?;
        if text.is_empty() {
            // Also finds out whether anybody still listens.
            text.push_str(": nothing yet\n\n");
        }
        Ok((text.into(), Self { follow, pool, _place }))
    }
}
