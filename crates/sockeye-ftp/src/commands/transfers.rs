//! What goes over a data connection (RFC 959 §4.1.3): RETR, STOR, STOU, APPE, LIST, NLST, MLSD (RFC 3659 §7).

use std::{
    hash::{BuildHasher as _, Hasher as _},
    time::SystemTime,
};

use sockeye_node::{
    Condition, Error, FilePath, PartialId, Resource, Session, Start, Timestamp, Upload,
    UploadOptions, log::Operation,
};

use super::{
    growing,
    refused::{refused, refused_to},
};
use crate::{
    control::Dialog,
    data::{OpenError, Prepared},
    transfer::{Form, List, Receive, SendFile, Teller, Told, Transfer, Walk, What, Work},
    wire::{command::Verb, ls::Options, path::resolve, pattern::Pattern, reply::Reply},
};

type Begun = Result<Transfer, Reply>;

/// Refuses a transfer that has no data connection.
fn check_data(dialog: &Dialog) -> Result<(), Reply> {
    dialog.data_tls()?;
    match dialog.data {
        Prepared::None => Err(OpenError::None.reply()),
        _ => Ok(()),
    }
}

/// Refuses who may not write there: that helps more than to hear that there is no data connection.
async fn check_writable(dialog: &Dialog, path: &FilePath) -> Result<(), Reply> {
    let session = dialog.session()?;
    let refused = |error| refused_to(session, Operation::Write, path, &error);
    session.check_upload(path).await.map_err(refused)
}

/// Refuses a file for which there is no room, if it was said how long it is, of which so much is there already.
async fn check_allocated(dialog: &Dialog, path: &FilePath, there: u64) -> Result<(), Reply> {
    match dialog.allocated {
        Some(bytes) => {
            let missing = bytes.saturating_sub(there);
            let room = dialog.session()?.check_room(path, Some(path), missing).await;
            room.map_err(|error| refused(path, &error))
        }
        None => Ok(()),
    }
}

fn begin(dialog: &mut Dialog, verb: Verb, path: FilePath, work: Work) -> Transfer {
    let data = std::mem::take(&mut dialog.data);
    // It was asked for before, and has not changed.
    let tls = dialog.data_tls().ok().flatten();
    Transfer::begin(verb, path, data, tls, work, &dialog.shared.config.limits)
}

/// RETR.
pub(crate) async fn retr(dialog: &mut Dialog, argument: &[u8]) -> Begun {
    let path = dialog.path(argument)?;
    let coming = growing::at(dialog, &path).await;
    let session = dialog.session()?;
    let failed = |error: Error| match &coming {
        Some(coming) if matches!(error, Error::NotFound) => growing::refused(&path, coming),
        _ => refused_to(session, Operation::Read, &path, &error),
    };
    let body = match session.open(&path).await.map_err(failed)? {
        Resource::File(file) => {
            let (offset, size) = (dialog.restart, file.meta().size);
            let length = size.saturating_sub(offset);
            file.body(sockeye_node::Range { offset, length }).map_err(failed)?
        }
        Resource::Folder(_) => {
            return Err(failed(Error::WrongKind { expected: "a file, found a folder" }));
        }
    };
    // Asked for last: what is wrong with the file helps more.
    check_data(dialog)?;
    let work = Work::Send(SendFile { body, representation: dialog.representation });
    Ok(begin(dialog, Verb::Retr, path, work))
}

/// STOR.
pub(crate) async fn stor(dialog: &mut Dialog, argument: &[u8]) -> Begun {
    let path = dialog.new_path(argument)?;
    check_writable(dialog, &path).await?;
    let session = dialog.session()?;
    let failed = |error: Error| refused(&path, &error);
    let beginning = beginning(session, &path, dialog.restart).await.map_err(failed)?;
    // What was cut has its room already.
    check_allocated(dialog, &path, dialog.restart).await?;
    check_data(dialog)?;
    let upload = match beginning {
        Beginning::Cut(id) => session.resume(&path, id).await,
        Beginning::At(offset) => {
            let mut options = UploadOptions::default();
            if offset > 0 {
                options.start = Start::At(offset);
            }
            session.upload(&path, options).await
        }
    };
    let upload = upload.map_err(failed)?;
    Ok(receive(dialog, Verb::Stor, path, upload))
}

fn receive(dialog: &mut Dialog, verb: Verb, path: FilePath, upload: Upload) -> Transfer {
    let (representation, close_notify) = (dialog.representation, dialog.shared.config.close_notify);
    let work = Work::Receive(Receive { upload, representation, close_notify });
    // What was cut is there already.
    let announced = dialog.allocated.unwrap_or(0).saturating_sub(dialog.restart);
    begin(dialog, verb, path, work).announced(announced)
}

/// What an upload goes on from.
enum Beginning {
    /// A file that was cut, over whichever protocol.
    Cut(PartialId),
    /// The file that is there, written over from this byte on; from the first one on, whether it is there or not.
    At(u64),
}

/// What an upload that is to begin at `offset` goes on from.
async fn beginning(session: &Session, path: &FilePath, offset: u64) -> Result<Beginning, Error> {
    if offset == 0 {
        return Ok(Beginning::At(0));
    }
    if let Some(partial) = session.partial_for(path).await?
        && partial.offset == offset
    {
        return Ok(Beginning::Cut(partial.id));
    }
    let size = session.stat(path).await?.size;
    if offset > size {
        Err(Error::BadRange { start: offset, size })
    } else {
        Ok(Beginning::At(offset))
    }
}

/// APPE: to the file that is there; else to the one that was cut, over whichever protocol.
///
/// REST before it says nothing new if it names the end, and something else than APPE if not (RFC 3659 §5.3 leaves that open).
/// The marker is gone then, so that the next attempt may succeed: 4xx.
pub(crate) async fn appe(dialog: &mut Dialog, argument: &[u8]) -> Begun {
    let path = dialog.new_path(argument)?;
    check_writable(dialog, &path).await?;
    let session = dialog.session()?;
    if dialog.restart > 0 && end_of(session, &path).await != Some(dialog.restart) {
        let text = "Can't APPE while REST points elsewhere than to the end of the file.";
        return Err(Reply::new(450, text));
    }
    check_data(dialog)?;
    let upload = appended(session, &path).await.map_err(|error| refused(&path, &error))?;
    Ok(receive(dialog, Verb::Appe, path, upload))
}

/// Where the next byte of a file would go, or of one that was cut.
async fn end_of(session: &Session, path: &FilePath) -> Option<u64> {
    match session.stat(path).await {
        Ok(meta) => Some(meta.size),
        Err(_) => Some(session.partial_for(path).await.ok()??.offset),
    }
}

async fn appended(session: &Session, path: &FilePath) -> Result<Upload, Error> {
    let mut options = UploadOptions::default();
    match session.stat(path).await {
        Ok(_) => options.start = Start::End,
        Err(Error::NotFound) => {
            if let Some(partial) = session.partial_for(path).await? {
                return session.resume(path, partial.id).await;
            }
            // Whoever makes the file meanwhile keeps what is his.
            options.condition = Condition::Absent;
        }
        Err(error) => return Err(error),
    }
    session.upload(path, options).await
}

/// STOU: the name is chosen here, behind what the client wants it to begin with; 150 tells it.
pub(crate) async fn stou(dialog: &mut Dialog, argument: &[u8]) -> Begun {
    if dialog.restart > 0 {
        return Err(Reply::new(450, "Can't STOU while REST request is pending."));
    }
    let wanted = if argument.is_empty() { b"ftp" } else { argument };
    let path = dialog.new_path(&[wanted, b".", unlikely().as_bytes()].concat())?;
    check_writable(dialog, &path).await?;
    check_allocated(dialog, &path, 0).await?;
    check_data(dialog)?;
    let mut options = UploadOptions::default();
    options.condition = Condition::Absent;
    let upload = dialog.session()?.upload(&path, options).await;
    let upload = upload.map_err(|error| refused(&path, &error))?;
    Ok(receive(dialog, Verb::Stou, path, upload))
}

/// A word that no file's name ends with; if one does all the same, the upload fails.
fn unlikely() -> String {
    let number = std::hash::RandomState::new().build_hasher().finish();
    format!("{number:016x}")
}

/// LIST.
pub(crate) async fn list(dialog: &mut Dialog, argument: &[u8]) -> Begun {
    listing(dialog, Verb::List, argument).await
}

/// NLST.
pub(crate) async fn nlst(dialog: &mut Dialog, argument: &[u8]) -> Begun {
    listing(dialog, Verb::Nlst, argument).await
}

/// MLSD.
pub(crate) async fn mlsd(dialog: &mut Dialog, argument: &[u8]) -> Begun {
    let path = dialog.path(argument)?;
    check_data(dialog)?;
    let coming = growing::within(dialog, &path).await;
    let session = dialog.session()?;
    let listing = session.list(&path).await.map_err(|error| match error {
        // The code that the standard has for it (RFC 3659 §7.2.1).
        Error::WrongKind { .. } => Reply::new(501, "That is a file; MLST tells its facts."),
        error => refused_to(session, Operation::List, &path, &error),
    })?;
    let teller = teller(dialog, Form::Facts(dialog.facts), path.clone(), None)?;
    let told = Told { listing: listing.showing(coming), dots: None };
    let work = List { teller, what: What::Folder(told) };
    Ok(begin(dialog, Verb::Mlsd, path, Work::List(work)))
}

async fn listing(dialog: &mut Dialog, verb: Verb, argument: &[u8]) -> Begun {
    let list = look(dialog, verb, argument).await?;
    check_data(dialog)?;
    let path = list.teller.folder.clone();
    Ok(begin(dialog, verb, path, Work::List(list)))
}

/// What LIST, NLST or STAT is to tell.
pub(super) async fn look(dialog: &Dialog, verb: Verb, argument: &[u8]) -> Result<List, Reply> {
    let (options, argument) = Options::parse(argument);
    let (session, working, _) = dialog.user()?;
    let decoded = dialog.charset.decode(argument)?;
    let whole = resolve(working, &decoded)?;
    // Asked for first: meanwhile they may be put in their place.
    let (coming, mut growing) =
        (growing::at(dialog, &whole).await, growing::within(dialog, &whole).await);
    let found = session.find(&whole).await;
    let last = decoded.iter().rposition(|&b| b == b'/').map_or(0, |slash| slash + 1);
    let (path, pattern, before) = match (&found, Pattern::parse(&decoded[last..])) {
        // A file may be called like a pattern.
        (Ok(None), Some(pattern)) => {
            (resolve(working, &decoded[..last])?, Some(pattern), &decoded[..last])
        }
        _ => (whole, None, &decoded[..]),
    };
    let failed = |error: Error| refused_to(session, Operation::List, &path, &error);
    let found = match pattern {
        Some(_) => {
            growing = growing::within(dialog, &path).await;
            session.find(&path).await
        }
        None => found,
    };
    let resource = found.map_err(failed)?;
    let names = (verb == Verb::Nlst && !options.long) || options.names;
    let is_inside = matches!(resource, Some(Resource::Folder(_))) && !options.itself;
    let is_tree = is_inside && options.recursive && verb != Verb::Stat;
    let form = match names {
        true if is_inside && !is_tree => Form::Names(behind(before)),
        true => Form::Names(Box::default()),
        false => Form::Long,
    };
    let what = match (resource, coming) {
        (Some(Resource::Folder(folder)), _) if is_inside => {
            let dots = (options.all && pattern.is_none()).then(|| *folder.meta());
            let told = Told { listing: folder.list().showing(growing), dots };
            let walk = || Walk::new(before, options.all, &dialog.shared.config.limits);
            if is_tree { What::Tree(told, walk()) } else { What::Folder(told) }
        }
        (Some(Resource::Folder(folder)), _) => What::One(own_name(before), *folder.meta()),
        (Some(Resource::File(file)), _) => What::One(own_name(before), *file.meta()),
        (None, Some(coming)) => What::One(own_name(before), coming),
        (None, None) => return Err(failed(Error::NotFound)),
    };
    let teller = teller(dialog, form, path, pattern)?;
    Ok(List { teller, what })
}

/// What stands in front of each name of NLST, so that it can be asked for from the working folder.
fn behind(folder: &[u8]) -> Box<[u8]> {
    match folder {
        b"" | b"." => Box::default(),
        folder if folder.ends_with(b"/") => folder.into(),
        folder => [folder, b"/"].concat().into(),
    }
}

fn own_name(argument: &[u8]) -> Box<[u8]> {
    if argument.is_empty() { b".".as_slice().into() } else { argument.into() }
}

fn teller(
    dialog: &Dialog,
    form: Form,
    folder: FilePath,
    pattern: Option<Pattern>,
) -> Result<Teller, Reply> {
    let session = dialog.session()?;
    let config = &dialog.shared.config;
    Ok(Teller {
        form,
        charset: dialog.charset,
        account: dialog.account().cloned(),
        now: Timestamp::from(SystemTime::now()),
        session: session.clone(),
        folder,
        pattern,
        sorted: config.limits.sorted,
        growing: config.growing,
    })
}
