//! The node itself: whether it is well, what it listens on, who is there, and its configuration read again.

use sockeye_node::{
    accounts::{Timestamp, to_the_second},
    command::{Answer, Command, SessionStatus, Status},
};

use super::super::{
    Call, Problem,
    answer::{Answered, done, json},
};

/// Sessions in a page, if nothing is said, and at most.
const PAGE: (usize, usize) = (500, 1000);

async fn status(call: &Call<'_>) -> Result<Status, Problem> {
    match call.node()?.command(Command::Status, call.commander()?).await? {
        Answer::Status(status) => Ok(*status),
        _ => Err(Problem::NOT_FOUND),
    }
}

/// `GET admin/health`
pub(in super::super) async fn health(call: &Call<'_>) -> Answered {
    let status = status(call).await?;
    let started = Timestamp::now()
        .checked_sub(std::time::Duration::from_secs(status.seconds))
        .unwrap_or(Timestamp::UNIX_EPOCH);
    json(&serde_json::json!({
        "phase": status.phase,
        "writable": status.read_only.is_none(),
        "read_only": status.read_only,
        "version": status.version,
        "pid": status.pid,
        "started": to_the_second(started),
        "connections": status.connections,
        "sessions": status.sessions,
        "signed_in": status.signed_in,
        "homes": status.homes,
        "log_lines": status.journal.lines,
        "log_waiting": status.journal.waiting,
        "disk_space": status.space.map(|space| space.total),
        "disk_free": status.space.map(|space| space.free),
    }))
}

/// `GET admin/listeners`
pub(in super::super) async fn listeners(call: &Call<'_>) -> Answered {
    let Status { listeners, not_open, .. } = status(call).await?;
    let listeners = listeners.into_iter().flat_map(|listener| {
        let protocol = listener.listen.split('+').next().unwrap_or_default().to_owned();
        let (connections, accepted) = (listener.connections, listener.accepted);
        let listen = listener.listen;
        listener.addresses.into_iter().map(move |address| {
            serde_json::json!({
                "protocol": protocol,
                "address": address,
                "listen": listen,
                "connections": connections,
                "accepted": accepted,
            })
        })
    });
    let listeners: Vec<_> = listeners.collect();
    json(&serde_json::json!({ "listeners": listeners, "not_open": not_open }))
}

/// `POST admin/reload`
pub(in super::super) async fn reload(call: &Call<'_>) -> Answered {
    match call.node()?.command(Command::Reload, call.commander()?).await? {
        Answer::Reloaded(reloaded) => json(&reloaded),
        _ => Err(Problem::NOT_FOUND),
    }
}

/// `GET admin/sessions`
pub(in super::super) async fn sessions(call: &Call<'_>) -> Answered {
    let after = call.asked_as("after")?.unwrap_or(0);
    let limit = call.limit(PAGE.0, PAGE.1)?;
    let all = call.gate.present(after, limit + 1);
    let next = (all.len() > limit).then(|| all[limit - 1].id);
    let shown: Vec<_> = all.into_iter().take(limit).map(SessionStatus::from).collect();
    json(&serde_json::json!({ "sessions": shown, "next": next }))
}

/// `DELETE admin/sessions/*`
pub(in super::super) async fn end_session(call: &Call<'_>) -> Answered {
    let id = call.named(0, "session")?;
    let ended = call.gate.end_present(id, &call.commander()?).await?;
    ended.map_or(Err(Problem::NOT_FOUND), |_| done())
}
