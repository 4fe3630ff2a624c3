//! When a file was changed: MDTM (RFC 3659 §3), MFMT and MFF (draft-somers-ftp-mfxx).

use sockeye_node::{FilePath, Timestamp};

use super::{facts::known, refused::refused};
use crate::{
    control::{Answer, Dialog},
    wire::{command::split, path::absolute, reply::Reply, time},
};

/// MDTM: when a file was changed; with a time in front that is set, as clients did before MFMT. A file that is called like
/// that goes first.
pub(crate) async fn mdtm(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    match known(dialog, argument).await {
        Ok((_, meta)) => Ok(Reply::new(213, written(meta.modified))),
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
    let path = dialog.path(name)?;
    let done = dialog.session()?.set_modified(&path, at).await;
    done.map_err(|error| refused(&path, &error))?;
    Ok(Reply::new(213, fact(&[b"Modify=", &written(at)[..], b";"].concat(), &path)))
}

/// MFF: facts that can be set, each with its semicolon, and the path.
pub(crate) async fn mff(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let (facts, name) = split(argument);
    let path = dialog.path(name)?;
    let session = dialog.session()?;
    let mut told = Vec::new();
    // All are read before the first is set.
    let mut wanted = (None, None);
    for fact in facts.split(|&b| b == b';').filter(|fact| !fact.is_empty()) {
        let (key, value) =
            fact.split_at(fact.iter().position(|&b| b == b'=').unwrap_or(fact.len()));
        let value = value.strip_prefix(b"=").unwrap_or_default();
        match key.to_ascii_lowercase()[..] {
            [b'm', b'o', b'd', b'i', b'f', b'y'] => wanted.0 = Some(time::parse(value)?),
            _ if key.eq_ignore_ascii_case(b"UNIX.mode") => wanted.1 = Some(mode(value)?),
            _ => return Err(Reply::new(504, "Only modify and UNIX.mode can be set.")),
        }
    }
    if name.is_empty() || wanted == (None, None) {
        return Err(Reply::new(501, "Syntax: MFF modify=YYYYMMDDHHMMSS;UNIX.mode=0644; PATH"));
    }
    if let Some(mode) = wanted.1 {
        let done = session.set_mode(&path, mode).await;
        done.map_err(|error| refused(&path, &error))?;
        told.extend(format!("UNIX.mode={mode:04o};").bytes());
    }
    if let Some(at) = wanted.0 {
        let done = session.set_modified(&path, at).await;
        done.map_err(|error| refused(&path, &error))?;
        told.extend([b"Modify=", &written(at)[..], b";"].concat());
    }
    Ok(Reply::new(213, fact(&told, &path)))
}

/// Permissions in octal.
pub(super) fn mode(digits: &[u8]) -> Result<u32, Reply> {
    let text = str::from_utf8(digits).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let mode = text.and_then(|text| u32::from_str_radix(text, 8).ok());
    // What lies above is nobody's to give.
    mode.map(|mode| mode & 0o777)
        .ok_or_else(|| Reply::new(501, "Permissions are octal digits, as in 644."))
}

fn fact(facts: &[u8], path: &FilePath) -> Vec<u8> {
    [facts, b" ", &absolute(path)].concat()
}

fn written(at: Timestamp) -> Vec<u8> {
    let mut written = Vec::new();
    time::write(&mut written, at);
    written
}
