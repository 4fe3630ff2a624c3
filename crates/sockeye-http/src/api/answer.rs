//! What rows answer with: JSON, and what is made while it is sent.

use ::http::StatusCode;
use bytes::Bytes;
use serde::Serialize;

use super::problem::Problem;
use crate::{
    payload::{Payload, StreamBody},
    reply::{Reply, empty},
};

/// What comes of a call.
pub(super) type Answered = Result<Reply, Problem>;

/// A value.
pub(super) fn json(value: &impl Serialize) -> Answered {
    with_status(StatusCode::OK, value)
}

/// What was made.
pub(super) fn created(value: &impl Serialize) -> Answered {
    with_status(StatusCode::CREATED, value)
}

/// A value, with this status.
pub(super) fn with_status(status: StatusCode, value: &impl Serialize) -> Answered {
    let text = serde_json::to_vec(value).map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the answer: {error}"))
    })?;
    let mut reply = text_of("application/json", text.into());
    reply.head.status = status;
    Ok(reply)
}

/// That it was done.
pub(super) fn done() -> Answered {
    let mut reply = empty(StatusCode::NO_CONTENT);
    reply.head.cache_control = Some("no-store".into());
    Ok(reply)
}

/// A text of this kind.
pub(super) fn text(media: &'static str, content: Bytes) -> Reply {
    text_of(media, content)
}

fn text_of(media: &'static str, content: Bytes) -> Reply {
    let mut reply = empty(StatusCode::OK);
    reply.head.content_type = Some(media.into());
    reply.head.length = Some(content.len() as u64);
    // What one may see, another who asks the same proxy may not.
    reply.head.cache_control = Some("no-store".into());
    reply.payload = Payload::Page(content);
    reply
}

/// What is made while it is sent, piece by piece.
pub(super) fn stream(media: &'static str, pieces: StreamBody) -> Reply {
    let mut reply = empty(StatusCode::OK);
    reply.head.content_type = Some(media.into());
    reply.head.length = None;
    reply.head.cache_control = Some("no-store".into());
    reply.payload = Payload::Stream(pieces);
    reply
}
