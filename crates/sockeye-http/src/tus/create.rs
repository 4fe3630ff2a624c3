//! Making an upload, with its first piece if that comes along.

use ::http::StatusCode;
use sockeye_node::{Condition, Error, FilePath, Kind, Progress, Session, UploadOptions};

use super::{
    Trouble,
    piece::{self, Ended},
    set, set_expiry,
};
use crate::{
    answer::Answerer,
    content::Content,
    reply::{Reply, empty},
    wire::{head::Head, target::url_path, tus},
};

/// What came of an upload whose making was cut is kept from this size on: nobody was told where to go on with it,
/// but another protocol finds it by its path.
const WORTH_KEEPING: u64 = 1024 * 1024;

/// Makes an upload.
pub(super) async fn create(
    answerer: &Answerer<'_>,
    head: &Head<'_>,
    content: &mut impl Content,
) -> Result<Reply, Trouble> {
    let fields = &head.fields;
    let session = answerer.session(head).await?;
    let length = tus::length(fields)?;
    let metadata = tus::metadata(fields)?;
    let checksum = tus::checksum(fields)?;
    if let Some(length) = length {
        piece::check_size(answerer, length)?;
    }
    let has_piece = !content.is_at_end();
    if has_piece {
        piece::check_media_type(head)?;
    }
    let path = metadata.path;
    let failed = |error| Trouble::Failed(session.clone(), path.clone(), error);
    check_parent(&session, &path).await.map_err(failed)?;
    let mut options = UploadOptions::default();
    options.length = length;
    options.modified = metadata.modified;
    options.condition = if metadata.overwrite { Condition::Any } else { Condition::Absent };
    let mut upload = session.upload(&path, options).await.map_err(failed)?;
    upload.annotate(&metadata.text).await.map_err(failed)?;
    let key = session.upload_key(&path, upload.id()).map_err(failed)?;
    if has_piece {
        let taken = piece::receive(answerer, &mut upload, content, checksum.as_ref(), None).await;
        if let Err(ended) = taken {
            let cut = matches!(ended, Ended::Cut(_));
            let _ = match cut && upload.offset() >= WORTH_KEEPING {
                true => upload.keep().await.map(drop),
                false => upload.abort().await,
            };
            return Err(ended.told(&session, &path));
        }
    }
    let offset = upload.offset();
    piece::settle(upload).await.map_err(failed)?;
    let mut reply = empty(StatusCode::CREATED);
    let address = FilePath::parse(format!("-/tus/{key}").as_bytes());
    reply.head.location = address.ok().map(|address| url_path(&address, false).into_bytes());
    if has_piece {
        set(&mut reply, "upload-offset", &offset.to_string());
    }
    if let Ok(Progress::Pending(pending)) = session.upload_progress(&key).await {
        set_expiry(&mut reply, pending.expires);
    }
    Ok(reply)
}

/// Finds what would keep the file from its place before its content comes.
async fn check_parent(session: &Session, path: &FilePath) -> Result<(), Error> {
    let Some(parent) = path.parent() else { return Err(Error::IntoItself) };
    match session.stat(&parent).await {
        Ok(meta) if meta.kind == Kind::Folder => Ok(()),
        Ok(_) | Err(Error::NotFound) => Err(Error::NoParent),
        // Who may only write there may not look.
        Err(Error::Denied) => Ok(()),
        Err(error) => Err(error),
    }
}
