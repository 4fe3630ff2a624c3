//! The working folder (RFC 959 §4.1.1): CWD, CDUP, PWD and their X-forms of RFC 775.

use sockeye_node::{Error, FilePath, Kind};

use super::refused::refused;
use crate::{
    control::{Answer, Dialog, Phase},
    wire::{
        path::absolute,
        reply::{Reply, quoted},
    },
};

/// CWD.
pub(crate) async fn cwd(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let path = dialog.path(argument)?;
    enter(dialog, path).await
}

/// CDUP.
pub(crate) async fn cdup(dialog: &mut Dialog, _: &[u8]) -> Answer {
    let path = dialog.path(b"..")?;
    enter(dialog, path).await
}

async fn enter(dialog: &mut Dialog, path: FilePath) -> Answer {
    let found = dialog.session()?.stat(&path).await.map_err(|error| refused(&path, &error))?;
    if found.kind != Kind::Folder {
        let error = Error::WrongKind { expected: "a folder, found a file" };
        return Err(refused(&path, &error));
    }
    let reply = told(250, &path, " is the working folder.");
    if let Phase::In { folder, .. } = &mut dialog.phase {
        *folder = path;
    }
    Ok(reply)
}

/// PWD.
pub(crate) fn pwd(dialog: &mut Dialog, _: &[u8]) -> Answer {
    Ok(told(257, dialog.user()?.1, " is the working folder."))
}

/// A reply that begins with a path between quotation marks.
pub(crate) fn told(code: u16, path: &FilePath, text: &str) -> Reply {
    Reply::new(code, [&quoted(&absolute(path))[..], text.as_bytes()].concat())
}
