//! What the program tells: one line for each event, written at once, so that the lines of forked
//! children never mix.

use std::io::Write as _;

use serde_json::{Value, json};
use sockeye::Failure;

/// Writes one event. Nobody may be reading any more: that is no reason to fail.
pub(crate) fn emit(event: &Value) {
    let mut line = event.to_string();
    line.push('\n');
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

/// Tells of one failed connection or datagram.
pub(crate) fn failed(conn: Option<u64>, failure: &Failure) {
    let kind = match failure {
        Failure::Handshake(_) => "handshake",
        Failure::PeerGone(_) => "peer_gone",
        Failure::Deadline(_) => "deadline",
        Failure::Handler(_) => "handler",
        Failure::Panic(_) => "panic",
        _ => "other",
    };
    emit(&json!({
        "event": "error", "conn": conn, "kind": kind, "text": failure.to_string(),
        "pid": std::process::id(),
    }));
}
