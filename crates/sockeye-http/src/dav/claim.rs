//! The If header of a request (RFC 4918 §10.4): whether it holds, and the lock tokens that it submits.

use ::http::StatusCode;
use sockeye_node::{Error, FilePath, Kind, Session};

use super::authority;
use crate::{
    refused::Unanswered,
    wire::{
        condition::ETag,
        head::{Head, Once},
        if_header::{self, BadIf, List, State},
        target::Resource,
        webdav::destination,
    },
};

impl From<BadIf> for Unanswered {
    fn from(bad: BadIf) -> Self {
        Self::refused(StatusCode::BAD_REQUEST, bad.to_string())
    }
}

/// The session for a request that submits lock tokens, if it has an If header, which then holds.
pub(crate) async fn submitting(
    session: &Session,
    head: &Head<'_>,
    wanted: &Resource<'_>,
) -> Result<Option<Session>, Unanswered> {
    let text = match head.fields.get("if") {
        Once::Missing => return Ok(None),
        Once::One(text) => text,
        Once::Several => return Err(BadIf.into()),
    };
    let lists = if_header::parse(text)?;
    let mut holds = false;
    for list in &lists {
        let about = match list.resource {
            None => Some(wanted.path.clone()),
            // What is elsewhere is in no state that is known here.
            Some(url) => destination(url, authority(head, wanted)).ok().map(|it| it.path),
        };
        if let Some(path) = about
            && !holds
        {
            holds = is_so(session, &path, list).await?;
        }
    }
    if !holds {
        let why = "what the If header expects is not so";
        return Err(Unanswered::refused(StatusCode::PRECONDITION_FAILED, why));
    }
    let states = lists.iter().flat_map(|list| &list.conditions).map(|it| it.state);
    let tokens = states.filter_map(|state| match state {
        State::Token(token) => token,
        State::Tag(_) => None,
    });
    Ok(Some(session.submitting(tokens.collect())))
}

/// Whether all of a list is so of what is at `path`.
async fn is_so(session: &Session, path: &FilePath, list: &List<'_>) -> Result<bool, Error> {
    let locks = match session.locks_at(path).await {
        Err(Error::NotFound | Error::Denied) => Vec::new(),
        locks => locks?,
    };
    let tag = match session.stat(path).await {
        Ok(meta) if meta.kind == Kind::File => Some(ETag::of(&meta)),
        Ok(_) | Err(Error::NotFound | Error::Denied) => None,
        Err(error) => return Err(error),
    };
    Ok(list.conditions.iter().all(|condition| {
        let is = match condition.state {
            State::Token(Some(token)) => locks.iter().any(|lock| lock.token == token),
            State::Token(None) => false,
            State::Tag(expected) => tag.is_some_and(|tag| tag.as_bytes() == expected),
        };
        is != condition.negated
    }))
}
