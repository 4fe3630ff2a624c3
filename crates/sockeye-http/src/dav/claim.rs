//! The If header of a request (RFC 4918 §10.4): whether it holds, and the lock tokens that it submits.

use ::http::StatusCode;
use sockeye_node::{Error, FilePath, Kind, Session};

use super::authority;
use crate::{
    refused::failed,
    reply::{Reply, error},
    wire::{
        condition::ETag,
        head::{Head, Once},
        if_header::{self, List, State},
        target::Resource,
        webdav::destination,
    },
};

/// Why a request with an If header is not carried out.
#[derive(Debug)]
pub(crate) enum Unmet {
    /// It is no If header, or there are several.
    Malformed,
    /// None of its lists holds.
    Failed,
    /// What it asks about could not be looked at.
    Session(Error),
}

impl Unmet {
    pub(crate) fn reply(&self, session: &Session, head: &Head<'_>, path: &FilePath) -> Reply {
        match self {
            Self::Malformed => {
                error(StatusCode::BAD_REQUEST, Some(&"the If header is malformed"), Some(head))
            }
            Self::Failed => error(
                StatusCode::PRECONDITION_FAILED,
                Some(&"what the If header expects is not so"),
                Some(head),
            ),
            Self::Session(failure) => failed(session, head, path, failure),
        }
    }
}

/// The session for a request that submits lock tokens, if it has an If header, which then holds.
pub(crate) async fn submitting(
    session: &Session,
    head: &Head<'_>,
    wanted: &Resource<'_>,
) -> Result<Option<Session>, Unmet> {
    let text = match head.fields.get("if") {
        Once::Missing => return Ok(None),
        Once::One(text) => text,
        Once::Several => return Err(Unmet::Malformed),
    };
    let lists = if_header::parse(text).map_err(|_| Unmet::Malformed)?;
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
            holds = is_so(session, &path, list).await.map_err(Unmet::Session)?;
        }
    }
    if !holds {
        return Err(Unmet::Failed);
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
