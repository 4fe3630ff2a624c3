//! LOCK and UNLOCK (RFC 4918 §9.10, §9.11).

use std::time::Duration;

use ::http::{HeaderName, HeaderValue, StatusCode};
use sockeye_node::{Error, Kind, Lock, LockWish, MAX_LOCK_OWNER};

use super::{Asked, locked, malformed, xml};
use crate::{
    refused::Unanswered,
    reply::{Reply, empty},
    wire::{
        if_header::lock_token,
        multistatus::lock_discovery,
        target::url_path,
        webdav::{LockInfo, lock_depth, timeout},
    },
};

/// How long a lock holds whose client does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3600);

/// Answers a LOCK: one that is new, or with no content, one that begins anew.
pub(super) async fn lock(asked: &Asked<'_>) -> Result<Reply, Unanswered> {
    let (session, path) = (asked.session, &asked.wanted.path);
    let wanted = asked.field("timeout")?.and_then(timeout);
    let Some(info) = LockInfo::parse(&asked.content, MAX_LOCK_OWNER)? else {
        return match session.refresh(path, wanted).await {
            Ok(lock) => Ok(discovered(asked, StatusCode::OK, &lock)),
            Err(Error::NoSuchLock) => {
                let inner = "<D:lock-token-matches-request-uri/>";
                Err(Unanswered::Unmet(StatusCode::PRECONDITION_FAILED, inner))
            }
            Err(error) => Err(error.into()),
        };
    };
    let depth =
        lock_depth(asked.depth()?).ok_or_else(|| malformed("a lock's Depth is 0 or infinity"))?;
    let too_long = Error::TooManyMarks { what: "the lock's owner is too long" };
    let owner = info.owner.ok_or(too_long)?.into();
    if asked.wanted.folder && session.stat(path).await?.kind != Kind::Folder {
        return Err(Error::NotFound.into());
    }
    let timeout = wanted.unwrap_or(DEFAULT_TIMEOUT);
    let wish = LockWish { scope: info.scope, depth, owner, timeout };
    match session.lock(path, wish).await {
        Ok((lock, is_new)) => {
            let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
            let mut reply = discovered(asked, status, &lock);
            // A token has no character that a field cannot have.
            if let Ok(token) = HeaderValue::try_from(format!("<{}>", lock.token)) {
                reply.head.more.add(HeaderName::from_static("lock-token"), token);
            }
            Ok(reply)
        }
        Err(Error::Locked { root }) => {
            let href = url_path(path, asked.wanted.folder);
            Ok(locked(&href, "no-conflicting-lock", &root))
        }
        Err(error) => Err(error.into()),
    }
}

fn discovered(asked: &Asked<'_>, status: StatusCode, lock: &Lock) -> Reply {
    let href = url_path(&asked.wanted.path, asked.wanted.folder);
    let mut text =
        String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:prop xmlns:D=\"DAV:\">");
    lock_discovery(&mut text, &href, std::slice::from_ref(lock));
    text.push_str("</D:prop>\n");
    xml(status, text)
}

/// Answers an UNLOCK.
pub(super) async fn unlock(asked: &Asked<'_>) -> Result<Reply, Unanswered> {
    let no_such = Unanswered::Unmet(StatusCode::CONFLICT, "<D:lock-token-matches-request-uri/>");
    let text = asked.field("lock-token")?;
    let text = text.ok_or_else(|| malformed("an UNLOCK has a Lock-Token"))?;
    // A token of somebody else's making is of no lock here.
    let Some(token) = lock_token(text) else { return Err(no_such) };
    match asked.session.unlock(&asked.wanted.path, token).await {
        Ok(()) => Ok(empty(StatusCode::NO_CONTENT)),
        Err(Error::NoSuchLock) => Err(no_such),
        Err(error) => Err(error.into()),
    }
}
