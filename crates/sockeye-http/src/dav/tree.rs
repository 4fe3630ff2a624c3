//! MKCOL, COPY and MOVE (RFC 4918 §9.3, §9.8, §9.9).

use ::http::StatusCode;
use sockeye_node::{Error, FilePath, Kind, Overwrite, PropertyChange, Recursive, Session};

use super::{Asked, done, malformed};
use crate::{
    refused::Unanswered,
    reply::Reply,
    wire::webdav::{Depth, destination, overwrite},
};

/// Makes a folder.
pub(super) async fn make(asked: &Asked<'_>) -> Result<Reply, Unanswered> {
    if !asked.content.is_empty() {
        let why = "a folder is made without a content";
        return Err(Unanswered::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    match asked.session.mkdir(&asked.wanted.path).await {
        Ok(()) => Ok(done(true)),
        Err(Error::Exists) => {
            let why = "something of that name is there already";
            Err(Unanswered::refused(StatusCode::METHOD_NOT_ALLOWED, why))
        }
        Err(error) => Err(error.into()),
    }
}

/// Copies a file, or a folder with or without what is in it.
pub(super) async fn copy(asked: &Asked<'_>) -> Result<Reply, Unanswered> {
    let (session, from) = (asked.session, &asked.wanted.path);
    let (to, overwrite) = target(asked)?;
    match asked.depth()? {
        Depth::One => return Err(malformed("a COPY's Depth is 0 or infinity")),
        Depth::Zero if session.stat(from).await?.kind == Kind::Folder => {
            return Ok(done(!copy_alone(session, from, &to, overwrite).await?));
        }
        Depth::Zero | Depth::Infinity => {}
    }
    Ok(done(!session.copy(from, &to, overwrite).await?.replaced))
}

/// Moves a file or a folder.
pub(super) async fn rename(asked: &Asked<'_>) -> Result<Reply, Unanswered> {
    let (to, overwrite) = target(asked)?;
    if asked.depth()? != Depth::Infinity
        && asked.session.stat(&asked.wanted.path).await?.kind == Kind::Folder
    {
        return Err(malformed("a folder is moved with all that is in it: Depth is infinity"));
    }
    Ok(done(!asked.session.rename(&asked.wanted.path, &to, overwrite).await?))
}

/// Where it goes, and whether what is there gives way.
fn target(asked: &Asked<'_>) -> Result<(FilePath, Overwrite), Unanswered> {
    let text = asked.field("destination")?.ok_or_else(|| malformed("Destination is missing"))?;
    let to = destination(text, asked.host())?;
    // What is below `/-/` is the site's own.
    if to.is_own() || to.path == asked.wanted.path {
        let why = "the destination is where it is already, or not for files";
        return Err(Unanswered::refused(StatusCode::FORBIDDEN, why));
    }
    let gives_way = match asked.field("overwrite")? {
        None => true,
        Some(text) => overwrite(text).ok_or_else(|| malformed("Overwrite is T or F"))?,
    };
    Ok((to.path, if gives_way { Overwrite::Yes } else { Overwrite::No }))
}

/// Makes a folder like another, empty, in place of what is there; whether something was.
async fn copy_alone(
    session: &Session,
    from: &FilePath,
    to: &FilePath,
    overwrite: Overwrite,
) -> Result<bool, Error> {
    if to.covers(from) {
        return Err(Error::IntoItself);
    }
    let replaced = match session.mkdir(to).await {
        Err(Error::Exists) if overwrite == Overwrite::Yes => {
            session.remove(to, Recursive::Yes).await?;
            session.mkdir(to).await?;
            true
        }
        made => made.map(|()| false)?,
    };
    let properties = session.properties(from).await?;
    if !properties.is_empty() {
        let set = properties.into_iter().map(PropertyChange::Set).collect();
        session.set_properties(to, set).await?;
    }
    Ok(replaced)
}
