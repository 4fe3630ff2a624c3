//! Refusals that the session knows nothing of and somebody will ask about: TLS that is missing, data connections that do not
//! come about. The log has them in the words that the client was told.
//!
//! What a session refuses is recorded there, and a wrong password by the accounts.

use sockeye_node::FilePath;

use super::Dialog;
use crate::wire::{
    command::{Verb, trimmed},
    reply::Reply,
};

/// What a refusal is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matter {
    Login,
    Data,
}

/// What a reply to a verb refuses that is to be recorded here.
fn matter(verb: Verb, code: u16) -> Option<Matter> {
    match (code, verb) {
        (530, Verb::User) => Some(Matter::Login),
        // No port, nobody there, in plain text where that may not be, not resumed (RFC 959, RFC 4217 §9).
        (425 | 521 | 522, _) => Some(Matter::Data),
        (534 | 536, Verb::Prot) => Some(Matter::Data),
        // Active mode that is off, or leads to somebody else: behind a router, to the client's own address within.
        (501 | 502 | 504, Verb::Port | Verb::Eprt) => Some(Matter::Data),
        _ => None,
    }
}

/// Has a refusal of what a command asked for recorded.
pub(super) fn record_command(dialog: &Dialog, verb: Verb, argument: &[u8], reply: &Reply) {
    match matter(verb, reply.code()) {
        Some(Matter::Login) => {
            let name = String::from_utf8_lossy(trimmed(argument));
            let gate = &dialog.shared.gate;
            gate.login_refused(&dialog.origin, &name, &words(reply));
        }
        Some(Matter::Data) => record_data(dialog, verb, None, reply),
        None => {}
    }
}

/// Has it recorded that a transfer of `path` had no data connection, if that is what its last reply says.
pub(super) fn record_transfer(dialog: &Dialog, verb: Verb, path: &FilePath, reply: &Reply) {
    if matter(verb, reply.code()) == Some(Matter::Data) {
        record_data(dialog, verb, Some(path), reply);
    }
}

fn record_data(dialog: &Dialog, verb: Verb, path: Option<&FilePath>, reply: &Reply) {
    let why = format!("{}: {}", verb.name(), words(reply));
    match dialog.phase.session() {
        Some(session) => session.data_refused(path, &why),
        None => dialog.shared.gate.data_refused(&dialog.origin, &why),
    }
}

/// What the client was told.
fn words(reply: &Reply) -> String {
    format!("{} {}", reply.code(), String::from_utf8_lossy(reply.text()))
}
