//! When a file was changed: MDTM (RFC 3659 §3), MFMT and MFF (draft-somers-ftp-mfxx).

use sockeye_node::{Timestamp, log::Operation};

use super::{
    facts::{Seen, known, seen},
    refused::refused_to,
};
use crate::{
    control::{Answer, Dialog},
    wire::{
        change::{self, Changes},
        path::absolute,
        reply::Reply,
        time,
    },
};

/// MDTM: when a file was changed; with a time in front that is set, as clients did before MFMT. A file that is called like
/// that goes first.
pub(crate) async fn mdtm(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    match seen(dialog, argument).await {
        Ok(Seen::There(_, meta) | Seen::Coming(_, meta)) => {
            Ok(Reply::new(213, written(meta.modified)))
        }
        Err(refusal) => match time::split_time(argument) {
            Ok((at, name)) if known(dialog, name).await.is_ok() => set(dialog, at, name).await,
            _ => Err(refusal),
        },
    }
}

/// MFMT.
pub(crate) async fn mfmt(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let (at, name) = time::split_time(argument)?;
    set(dialog, at, name).await
}

/// Sets when a file was changed, and tells it.
pub(super) async fn set(dialog: &Dialog, at: Timestamp, name: &[u8]) -> Answer {
    carry_out(dialog, Changes { modified: Some(at), mode: None }, name).await
}

/// MFF: facts that can be set, each with its semicolon, and the path.
pub(crate) async fn mff(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let (changes, name) = change::parse_mff(argument)?;
    carry_out(dialog, changes, name).await
}

/// Changes what is known of a file, and tells it.
async fn carry_out(dialog: &Dialog, mut changes: Changes, name: &[u8]) -> Answer {
    let path = dialog.path(name)?;
    let session = dialog.session()?;
    let failed = |error| refused_to(session, Operation::Set, &path, &error);
    if let Some(mode) = changes.mode {
        let set = session.set_mode(&path, mode).await.map_err(failed)?;
        // As far as clients may set it.
        changes.mode = Some(set.mode & 0o777);
    }
    if let Some(at) = changes.modified {
        session.set_modified(&path, at).await.map_err(failed)?;
    }
    let mut told = Vec::new();
    changes.write(&mut told, &absolute(&path));
    Ok(Reply::new(213, told))
}

fn written(at: Timestamp) -> Vec<u8> {
    let mut written = Vec::new();
    time::write(&mut written, at);
    written
}
