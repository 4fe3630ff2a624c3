//! What tests ask of a session: a file's content, a folder's names.

use sockeye_node::{Error, FilePath, Range, Session};

/// The path that `text` is, with or without slashes at its ends.
///
/// # Panics
/// If it can be no path.
#[must_use]
pub fn path(text: &str) -> FilePath {
    FilePath::parse(text.trim_matches('/').as_bytes()).expect("a path")
}

/// Reads a file, or a stretch of it, to its end, as a protocol does.
///
/// # Errors
/// What the session does not allow, or cannot.
///
/// # Panics
/// If it is larger than memory can be.
pub async fn read(
    session: &Session,
    file: &FilePath,
    range: Option<Range>,
) -> Result<Vec<u8>, Error> {
    let mut body = session.read(file, range).await?;
    body.begin().await?;
    let mut content = vec![0; usize::try_from(body.remaining()).expect("a file that fits")];
    let mut filled = 0;
    while body.remaining() > 0 {
        filled += body.read(&mut content[filled..]).await?;
    }
    Ok(content)
}

/// The names in a folder, sorted.
///
/// # Errors
/// What the session does not allow, or cannot.
pub async fn names(session: &Session, folder: &FilePath) -> Result<Vec<String>, Error> {
    let mut listing = session.list(folder).await?;
    let mut names = Vec::new();
    while let Some(entries) = listing.next().await? {
        names.extend(entries.iter().map(|entry| entry.name.to_string()));
    }
    names.sort();
    Ok(names)
}
