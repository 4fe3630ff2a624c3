//! How things are sent (RFC 959 §4.1.2), and what is merely noted: TYPE, MODE, STRU, REST, ALLO, OPTS, CLNT, NOOP.

use crate::{
    control::{Answer, Dialog},
    wire::{
        charset::Charset,
        command::{OptsVerb, split, trimmed},
        facts::Facts,
        parameter::{self, Type},
        reply::Reply,
    },
};

use super::{digests, refused::refused};

/// TYPE.
pub(crate) fn representation(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    dialog.representation = parameter::parse_type(argument)?;
    Ok(Reply::new(
        200,
        match dialog.representation {
            Type::Ascii => "Files are sent as text.",
            Type::Image => "Files are sent as they are.",
        },
    ))
}

/// MODE.
pub(crate) fn mode(_: &mut Dialog, argument: &[u8]) -> Answer {
    parameter::parse_mode(argument)?;
    Ok(Reply::new(200, "Data is sent as a stream."))
}

/// STRU.
pub(crate) fn structure(_: &mut Dialog, argument: &[u8]) -> Answer {
    parameter::parse_structure(argument)?;
    Ok(Reply::new(200, "Files have no structure."))
}

/// REST (RFC 3659 §5). It holds until the next transfer, as some clients ask for the data connection in between.
pub(crate) fn rest(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let offset = parameter::parse_offset(argument)?;
    // What was counted in CR LF is nowhere in the file.
    if offset > 0 && dialog.representation == Type::Ascii {
        return Err(Reply::new(501, "Resuming is not allowed in ASCII mode; TYPE I first."));
    }
    dialog.restart = offset;
    Ok(Reply::new(350, format!("The next transfer begins at byte {offset}.")))
}

/// ALLO: whether there is room is looked at now, and again before the file is taken.
pub(crate) async fn allo(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let bytes = parameter::parse_allocation(argument)?;
    dialog.allocated = Some(bytes);
    let (session, folder, _) = dialog.user()?;
    let room = session.check_room(folder, None, bytes).await;
    room.map_err(|error| refused(folder, &error))?;
    Ok(Reply::new(200, "There is room."))
}

/// OPTS (RFC 2389 §4).
pub(crate) fn opts(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let (name, options) = split(trimmed(argument));
    match OptsVerb::named(name) {
        Some(OptsVerb::Utf8) => utf8(dialog, trimmed(options)),
        Some(OptsVerb::Mlst) => {
            dialog.facts = Facts::parse(options)?;
            Ok(Reply::new(200, dialog.facts.chosen()))
        }
        Some(OptsVerb::Hash) => digests::choose(dialog, trimmed(options)),
        None => {
            Err(Reply::new(501, "Unsupported command: options are there for UTF8, MLST and HASH."))
        }
    }
}

/// OPTS UTF8: with it names are in UTF-8, without in the charset of the listener.
fn utf8(dialog: &mut Dialog, option: &[u8]) -> Answer {
    dialog.charset = match option.to_ascii_uppercase()[..] {
        [] | [b'O', b'N'] => Charset::UTF_8,
        [b'O', b'F', b'F'] => dialog.shared.config.charset,
        _ => return Err(Reply::new(501, "Use OPTS UTF8 ON or OPTS UTF8 OFF.")),
    };
    Ok(Reply::new(200, format!("Names are in {}.", dialog.charset.name())))
}

/// CLNT.
pub(crate) fn clnt(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let client = String::from_utf8_lossy(argument);
    tracing::debug!(peer = ?dialog.origin.peer, client = ?client, "an FTP client named its program");
    Ok(Reply::new(200, "Noted."))
}

/// NOOP.
pub(crate) fn noop(_: &mut Dialog, _: &[u8]) -> Answer {
    Ok(Reply::new(200, "Nothing was done."))
}

/// A verb that is known and not done.
pub(crate) fn not_done(_: &mut Dialog, _: &[u8]) -> Answer {
    Err(Reply::new(502, "Not done here."))
}
