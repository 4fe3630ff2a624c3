//! Taking the next piece of an upload.

use ::http::StatusCode;
use futures_util::future::{Either, select};
use sockeye_node::{Error, FilePath, Progress, Session, Upload, UploadKey};
use std::{pin::pin, time::SystemTime};

use super::{Trouble, key, pending, progress, refused, set, set_expiry, sum::Sum, turn::Held};
use crate::{
    answer::Answerer,
    content::{Content, Cut},
    own::Asked,
    reply::{Reply, empty},
    wire::{
        head::Head,
        tus::{self, Checksum, FieldError},
    },
};

/// What the protocol has for a piece that is not what it was announced to be.
const MISMATCH: u16 = 460;

/// Why no more of a piece was taken.
pub(super) enum Ended {
    /// It did not come.
    Cut(Cut),
    /// It has another checksum than was announced.
    Mismatch,
    /// More came than may.
    TooLarge(u64),
    /// The request was silent, and another wants to go on.
    Superseded,
    /// The session would not take it.
    Failed(Error),
}

impl Ended {
    /// As an answer tells it.
    pub(super) fn told(self, session: &Session, path: &FilePath) -> Trouble {
        match self {
            Self::Cut(cut) => Trouble::Cut(cut),
            Self::Mismatch => {
                let why = "the checksum of what came is another; send it again";
                refused(StatusCode::from_u16(MISMATCH).unwrap_or(StatusCode::BAD_REQUEST), why)
            }
            Self::TooLarge(most) => too_large(most),
            Self::Superseded => Trouble::Cut(Cut::Slow),
            Self::Failed(error) => Trouble::Failed(session.clone(), path.clone(), error),
        }
    }
}

fn too_large(most: u64) -> Trouble {
    refused(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {most} bytes are taken"))
}

/// Refuses a file that is larger than any may be.
pub(super) fn check_size(answerer: &Answerer<'_>, length: u64) -> Result<(), Trouble> {
    match answerer.config.limits.upload {
        Some(most) if length > most => Err(too_large(most)),
        _ => Ok(()),
    }
}

/// Refuses what is no piece of a file.
pub(super) fn check_media_type(head: &Head<'_>) -> Result<(), Trouble> {
    let sent = head.fields.get("content-type").one().unwrap_or_default();
    if sent.eq_ignore_ascii_case(tus::MEDIA_TYPE) {
        return Ok(());
    }
    let why = "a piece of a file comes as application/offset+octet-stream";
    Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, why))
}

/// Takes a piece.
pub(super) async fn take(
    answerer: &Answerer<'_>,
    asked: &Asked<'_>,
    content: &mut impl Content,
) -> Result<Reply, Trouble> {
    let fields = &asked.head.fields;
    let session = answerer.session(asked.head).await?;
    let key = key(asked)?;
    check_media_type(asked.head)?;
    let offset = tus::number(fields, "upload-offset")?;
    let offset = offset.ok_or(FieldError::Number("upload-offset"))?;
    let length = tus::number(fields, "upload-length")?;
    let checksum = tus::checksum(fields)?;
    if let Some(length) = length {
        check_size(answerer, length)?;
    }
    // Whose last answer was lost asks again whether that was all.
    if content.is_at_end()
        && matches!(progress(&session, &key).await?, Progress::Committed(all) if all == offset)
    {
        return Ok(taken(offset, None));
    }
    let pending = pending(&session, &key).await?;
    let path = pending.path.clone();
    let failed = |error| Trouble::Failed(session.clone(), path.clone(), error);
    let (mut upload, held) = enter(answerer, &session, &key).await.map_err(failed)?;
    if upload.offset() != offset {
        let there = upload.offset();
        upload.pause().await.map_err(failed)?;
        return Err(Trouble::Elsewhere(there));
    }
    if let Some(length) = length
        && let Err(error) = upload.announce(length).await
    {
        upload.pause().await.map_err(failed)?;
        return Err(failed(error));
    }
    let result = receive(answerer, &mut upload, content, checksum.as_ref(), Some(&held)).await;
    let offset = upload.offset();
    match result {
        Ok(()) => {
            let is_whole = upload.length() == Some(offset);
            settle(upload).await.map_err(failed)?;
            let kept_for = pending.expires.duration_since(pending.modified).unwrap_or_default();
            let expires = SystemTime::now().checked_add(kept_for).filter(|_| !is_whole);
            Ok(taken(offset, expires))
        }
        Err(ended) => {
            // What was written stays; if the disk was full, but for its end.
            let _ = match &ended {
                Ended::Cut(_) => upload.keep().await,
                _ => upload.pause().await,
            };
            Err(ended.told(&session, &path))
        }
    }
}

fn taken(offset: u64, expires: Option<SystemTime>) -> Reply {
    let mut reply = empty(StatusCode::NO_CONTENT);
    set(&mut reply, "upload-offset", &offset.to_string());
    if let Some(expires) = expires {
        set_expiry(&mut reply, expires);
    }
    reply
}

/// Takes up an upload; from somebody who is silent, if need be.
async fn enter(
    answerer: &Answerer<'_>,
    session: &Session,
    key: &UploadKey,
) -> Result<(Upload, Held), Error> {
    let turns = &answerer.config.node_wide.uploads;
    let upload = match session.resume_upload(key).await {
        Err(Error::InUse) if turns.ask(key.id()).await => session.resume_upload(key).await?,
        upload => upload?,
    };
    Ok((upload, turns.take(key.id())))
}

/// Writes a piece. What is checked counts only once it was found right; where it is not, or did not come to its end, the
/// upload is as it was before.
pub(super) async fn receive(
    answerer: &Answerer<'_>,
    upload: &mut Upload,
    content: &mut impl Content,
    checksum: Option<&Checksum>,
    held: Option<&Held>,
) -> Result<(), Ended> {
    let Some(checksum) = checksum else {
        return write(answerer, upload, content, held, |_| {}).await;
    };
    upload.hold().await.map_err(Ended::Failed)?;
    let mut sum = Sum::new(checksum.algorithm);
    let written = write(answerer, upload, content, held, |bytes| sum.update(bytes)).await;
    let checked = written.and_then(|()| match sum.is(checksum) {
        true => Ok(()),
        false => Err(Ended::Mismatch),
    });
    let settled = if checked.is_ok() { upload.count().await } else { upload.forget().await };
    checked.and(settled.map_err(Ended::Failed))
}

async fn write(
    answerer: &Answerer<'_>,
    upload: &mut Upload,
    content: &mut impl Content,
    held: Option<&Held>,
    mut look: impl FnMut(&[u8]),
) -> Result<(), Ended> {
    let most = answerer.config.limits.upload.unwrap_or(u64::MAX);
    while let Some(bytes) = next(content, held).await? {
        if upload.offset().saturating_add(bytes.len() as u64) > most {
            return Err(Ended::TooLarge(most));
        }
        look(bytes);
        upload.write(bytes).await.map_err(Ended::Failed)?;
        if let Some(held) = held {
            held.hear();
        }
    }
    Ok(())
}

/// The next bytes, unless another wants to go on.
async fn next<'c>(
    content: &'c mut impl Content,
    held: Option<&Held>,
) -> Result<Option<&'c [u8]>, Ended> {
    let Some(held) = held else { return content.next().await.map_err(Ended::Cut) };
    match select(pin!(content.next()), pin!(held.asked_to_leave())).await {
        Either::Left((bytes, _)) => bytes.map_err(Ended::Cut),
        Either::Right(_) => Err(Ended::Superseded),
    }
}

/// Puts a file in its place of which all came already.
pub(super) async fn finish(
    answerer: &Answerer<'_>,
    session: &Session,
    key: &UploadKey,
) -> Result<(), Error> {
    let (upload, _held) = enter(answerer, session, key).await?;
    settle(upload).await
}

/// Puts the file in its place if all of it is there, and else keeps what is.
pub(super) async fn settle(upload: Upload) -> Result<(), Error> {
    match upload.length() == Some(upload.offset()) {
        true => upload.commit().await.map(drop),
        false => upload.pause().await.map(drop),
    }
}
