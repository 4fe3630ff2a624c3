//! What may be asked while a transfer runs (RFC 959 §4.1.3): ABOR, STAT.

use sockeye_node::Error;

use super::{
    refused::{refused, text},
    transfers,
};
use crate::{
    control::{Answer, Dialog, Phase},
    data::Prepared,
    transfer::{Told, What},
    wire::{command::Verb, parameter::Type, path::absolute, reply::Reply},
};

/// ABOR: the transfer has its reply, and ABOR its own.
pub(crate) async fn abor(dialog: &mut Dialog, _: &[u8]) -> Answer {
    let lingered = dialog.lingering.take().is_some();
    if let Some(transfer) = dialog.transfer.take() {
        let ended = transfer.abort().await;
        dialog.say(&ended);
        return Ok(Reply::new(226, "Nothing is transferred any more."));
    }
    if lingered {
        return Ok(Reply::new(226, "What was refused is received no more."));
    }
    Ok(Reply::new(
        225,
        match std::mem::take(&mut dialog.data) {
            Prepared::None => "No transfer to abort.",
            _ => "No transfer to abort; the data connection is closed.",
        },
    ))
}

/// STAT: how things stand; or a folder, over the control connection.
pub(crate) async fn stat(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    match argument.is_empty() {
        true => Ok(standing(dialog)),
        false => listed(dialog, argument).await,
    }
}

fn standing(dialog: &Dialog) -> Reply {
    let mut lines: Vec<Vec<u8>> = vec![match &dialog.phase {
        Phase::Greeted => b"Nobody is logged in.".to_vec(),
        Phase::Named(_) => b"The password is waited for.".to_vec(),
        Phase::In { folder, name, .. } => {
            [name.as_bytes(), b" is logged in, in ", &absolute(folder)].concat()
        }
    }];
    lines.push(match dialog.representation {
        Type::Ascii => b"Files are sent as text.".to_vec(),
        Type::Image => b"Files are sent as they are.".to_vec(),
    });
    lines.push(match &dialog.transfer {
        Some(transfer) => transfer.status(),
        None => b"Nothing is transferred.".to_vec(),
    });
    Reply::lines(211, "How things stand:", lines, "That is all.")
}

async fn listed(dialog: &Dialog, argument: &[u8]) -> Answer {
    let list = transfers::look(dialog, Verb::Stat, argument).await?;
    let (teller, path) = (list.teller, dialog.path(b"").ok());
    let failed = |error: Error| match &path {
        Some(path) => refused(path, &error),
        None => Reply::new(450, text(&error)),
    };
    let (most, mut out, mut cut) = (dialog.shared.config.limits.stat, Vec::new(), false);
    match list.what {
        What::One(name, meta) => {
            let rights = teller.session.rights_at(&teller.folder).map_err(failed)?;
            teller.one(&name, &meta, rights, &mut out);
        }
        What::Folder(Told { mut listing, .. }) | What::Tree(Told { mut listing, .. }, _) => {
            let mut told = 0;
            while let Some(mut entries) = listing.next().await.map_err(failed)? {
                cut = told + entries.len() > most;
                entries.truncate(most - told);
                told += entries.len();
                teller.entries(&entries, &mut out).map_err(failed)?;
                if cut {
                    break;
                }
            }
        }
    }
    // The lines are in the client's charset already, and are so put together again.
    let lines = out.split(|&b| b == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec());
    let last = if cut { "There is more: LIST tells all." } else { "That is all." };
    Ok(Reply::lines(213, "There is:", lines, last))
}
