//! What is known of a file: MLST (RFC 3659 §7), SIZE (§4), and of the room: AVBL.

use sockeye_node::{Error, FilePath, Kind, Meta, Resource, Session, log::Operation};

use super::{
    growing,
    refused::{refused, refused_to},
};
use crate::{
    control::{Answer, Dialog},
    transfer::{Ownership, Transfer, item},
    verbs::Outcome,
    wire::{ascii::Length, command::Verb, parameter::Type, path::absolute, reply::Reply},
};

/// Bytes read at once to be counted.
const PIECE: u64 = 64 * 1024;

/// What is known of the file or folder that an argument names.
pub(super) async fn known(dialog: &Dialog, argument: &[u8]) -> Result<(FilePath, Meta), Reply> {
    match seen(dialog, argument).await? {
        Seen::There(path, meta) => Ok((path, meta)),
        Seen::Coming(path, meta) => Err(growing::refused(&path, &meta)),
    }
}

/// What an argument names.
pub(super) enum Seen {
    /// A file or folder.
    There(FilePath, Meta),
    /// A file that is still coming.
    Coming(FilePath, Meta),
}

/// As [`known`], also of what may only be seen.
pub(super) async fn seen(dialog: &Dialog, argument: &[u8]) -> Result<Seen, Reply> {
    let path = dialog.path(argument)?;
    let coming = growing::at(dialog, &path).await;
    match (dialog.session()?.stat(&path).await, coming) {
        (Ok(meta), _) => Ok(Seen::There(path, meta)),
        (Err(Error::NotFound), Some(coming)) => Ok(Seen::Coming(path, coming)),
        (Err(error), _) => Err(refused(&path, &error)),
    }
}

/// MLST: the facts of one file, with its whole path.
pub(crate) async fn mlst(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let (Seen::There(path, meta) | Seen::Coming(path, meta)) = seen(dialog, argument).await?;
    let rights = dialog.session()?.rights_at(&path).map_err(|error| refused(&path, &error))?;
    let ownership = Ownership::of(&path, dialog.account().map(|name| &**name));
    let (name, mut line) = (absolute(&path), Vec::new());
    dialog.facts.write(&mut line, &item(&name, &meta, ownership, rights));
    Ok(Reply::lines(250, "Its facts:", [line], "That is all."))
}

/// SIZE: how long a file is as it would be sent. Of a file that was cut while it came, how much of it is there, so that
/// the client knows where to go on.
pub(crate) async fn size(dialog: &mut Dialog, argument: &[u8]) -> Result<Outcome, Reply> {
    let path = dialog.path(argument)?;
    let failed = |error: &Error| refused(&path, error);
    let coming = growing::at(dialog, &path).await;
    let session = dialog.session()?;
    let meta = match (session.stat(&path).await, coming) {
        (Ok(meta), _) => meta,
        (Err(Error::NotFound), Some(coming)) => {
            return match dialog.representation {
                Type::Image => Ok(told(coming.size).into()),
                Type::Ascii => Err(growing::refused(&path, &coming)),
            };
        }
        // What was counted in CR LF is nowhere in the file.
        (Err(Error::NotFound), None) if dialog.representation == Type::Image => {
            return match session.partial_for(&path).await {
                Ok(Some(partial)) => Ok(told(partial.offset).into()),
                _ => Err(failed(&Error::NotFound)),
            };
        }
        (Err(error), _) => return Err(failed(&error)),
    };
    if meta.kind != Kind::File {
        return Err(failed(&Error::WrongKind { expected: "a file, found a folder" }));
    }
    match dialog.representation {
        Type::Image => Ok(told(meta.size).into()),
        Type::Ascii if meta.size > dialog.shared.config.limits.text => {
            Err(Reply::new(550, "That is too long to be counted as text; TYPE I first."))
        }
        Type::Ascii => {
            let (session, of) = (session.clone(), path.clone());
            let counting = Transfer::compute(Verb::Size, path, async move {
                let counted = as_text(&session, &of).await;
                counted
                    .map_or_else(|error| refused_to(&session, Operation::Read, &of, &error), told)
            });
            Ok(counting.into())
        }
    }
}

fn told(bytes: u64) -> Reply {
    Reply::new(213, bytes.to_string())
}

/// How long a file is as text.
async fn as_text(session: &Session, path: &FilePath) -> Result<u64, Error> {
    let Resource::File(file) = session.open(path).await? else { return Err(Error::NotFound) };
    let length = file.meta().size;
    let mut body = file.body(sockeye_node::Range { offset: 0, length })?;
    // At most `PIECE`.
    let mut piece = vec![0; usize::try_from(length.min(PIECE)).unwrap_or(0)];
    let mut counted = Length::default();
    while body.remaining() > 0 {
        let n = body.read(&mut piece).await?;
        counted.add(&piece[..n]);
        tokio::task::coop::consume_budget().await;
    }
    Ok(counted.get())
}

/// AVBL.
pub(crate) async fn avbl(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let path = dialog.path(argument)?;
    let session = dialog.session()?;
    let failed = |error| refused_to(session, Operation::List, &path, &error);
    let space = session.space(&path).await.map_err(failed)?;
    match space.available_bytes() {
        Some(bytes) => Ok(told(bytes)),
        None => Err(Reply::new(550, "There is no quota here: no limit but the disk.")),
    }
}
