//! Changes to the tree (RFC 959 §4.1.3): DELE, RMD, MKD, RNFR, RNTO.

use sockeye_node::{Error, FilePath, Kind, Noted, Overwrite, RESERVED, Recursive, log::Operation};

use super::{
    facts::known,
    folders::told,
    growing,
    refused::{denied, refused, refused_to},
};
use crate::{
    control::{Answer, Dialog},
    wire::{
        path::{PathError, absolute},
        reply::Reply,
    },
};

/// DELE: a file, to the trash, and what is left of the account's uploads of it that were cut, but for those that go on in
/// pieces over HTTP: a mirror may remove what it replaces. SIZE tells of all, so that they can be removed as well where there is
/// no file.
pub(crate) async fn dele(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let path = dialog.path(argument)?;
    let coming = growing::at(dialog, &path).await;
    let session = dialog.session()?;
    match (session.stat(&path).await, coming) {
        (Ok(meta), _) if meta.kind == Kind::Folder => {
            Err(said(550, &path, ": Is a directory; RMD removes those."))
        }
        (Ok(_), _) => {
            let removed = remove(dialog, &path).await?;
            // The file is gone: of what is left of another upload SITE QUOTA tells.
            let _ = session.drop_uploads_of(&path, Noted::Stay).await;
            Ok(removed)
        }
        (Err(Error::NotFound), Some(coming)) => Err(growing::refused(&path, &coming)),
        (Err(Error::NotFound), None) => match session.drop_uploads_of(&path, Noted::Go).await {
            Ok(1..) => Ok(said(250, &path, " is removed; it was an upload that had been cut.")),
            _ => Err(refused(&path, &Error::NotFound)),
        },
        (Err(error), _) => Err(refused(&path, &error)),
    }
}

/// RMD: a folder that is empty.
pub(crate) async fn rmd(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let (path, meta) = known(dialog, argument).await?;
    if meta.kind != Kind::Folder {
        return Err(said(550, &path, ": Not a directory; DELE removes files."));
    }
    if path.is_root() {
        return Err(Reply::new(550, "Can't remove root directory."));
    }
    remove(dialog, &path).await
}

async fn remove(dialog: &Dialog, path: &FilePath) -> Answer {
    let session = dialog.session()?;
    let done = session.remove(path, Recursive::No).await;
    done.map_err(|error| refused_to(session, Operation::Remove, path, &error))?;
    Ok(said(250, path, " is removed."))
}

/// MKD.
pub(crate) async fn mkd(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let path = dialog.new_path(argument).map_err(taken)?;
    let session = dialog.session()?;
    let done = session.mkdir(&path).await;
    done.map_err(|error| match error {
        // Where there is a folder of that name for this client, it is there already.
        Error::NotFound if RESERVED.iter().any(|name| name.as_bytes() == path.as_bytes()) => {
            said(550, &path, " is a name that the server keeps for itself.")
        }
        error => refused_to(session, Operation::MakeFolder, &path, &error),
    })?;
    Ok(told(257, &path, " is made."))
}

/// The root, which cannot be made, is there.
fn taken(reply: Reply) -> Reply {
    if reply.text() == format!("{}.", PathError::Root).as_bytes() {
        return Reply::new(550, "The root folder is there already.");
    }
    reply
}

/// RNFR: what is there, to be renamed by the next command.
pub(crate) async fn rnfr(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let (path, _) = known(dialog, argument).await?;
    if path.is_root() {
        return Err(Reply::new(550, "Can't rename home directory."));
    }
    dialog.renaming = Some(path);
    Ok(Reply::new(350, "Its new name is told by RNTO."))
}

/// RNTO: a file gives way to what gets its name, as clients expect of a rename; a folder does not.
pub(crate) async fn rnto(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let Some(from) = dialog.renaming.take() else {
        return Err(Reply::new(503, "Bad sequence of commands: use RNFR first."));
    };
    let to = dialog.new_path(argument)?;
    let session = dialog.session()?;
    let overwrite = match session.stat(&to).await {
        Ok(there) if there.kind == Kind::Folder => Overwrite::No,
        _ => Overwrite::Yes,
    };
    let done = session.rename(&from, &to, overwrite).await;
    done.map_err(|error| match error {
        Error::Denied => denied(session.lacking(Operation::Rename, &from, Some(&to)), &to),
        error => refused(&to, &error),
    })?;
    Ok(said(250, &to, " is its name now."))
}

fn said(code: u16, path: &FilePath, text: &str) -> Reply {
    Reply::new(code, [&absolute(path)[..], text.as_bytes()].concat())
}
