//! TLS: AUTH (RFC 4217 §4), PBSZ and PROT (§9), CCC (§5), all of RFC 2228 §3.

use crate::{
    config::Security,
    control::{Answer, Dialog, Protection, Then},
    wire::{
        command::Verb,
        protection::{self, Level, Mechanism},
        reply::Reply,
    },
};

/// AUTH: the connection goes on in TLS behind the reply.
pub(crate) fn auth(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    if dialog.shared.config.tls.is_none() {
        return Err(Reply::new(502, "There is no TLS here."));
    }
    if dialog.tls.is_some() {
        return Err(Reply::new(503, "Already using TLS."));
    }
    // Whoever asks for the older SSL takes data to be encrypted as well.
    let with_data = protection::parse_auth(argument)? == Mechanism::TlsAndData;
    dialog.protection = if with_data { Protection::Private } else { Protection::Clear };
    dialog.takes_tickets = with_data;
    dialog.then = Then::StartTls;
    Ok(Reply::new(234, "Begin TLS."))
}

fn check_tls(dialog: &Dialog, verb: Verb) -> Result<(), Reply> {
    let plain = || format!("{} not allowed on insecure control connection.", verb.name());
    match dialog.tls {
        Some(_) => Ok(()),
        None => Err(Reply::new(503, plain())),
    }
}

/// PBSZ: with TLS there is nothing to agree on (RFC 4217 §9).
pub(crate) fn pbsz(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    check_tls(dialog, Verb::Pbsz)?;
    protection::parse_pbsz(argument)?;
    if dialog.protection == Protection::Clear {
        dialog.protection = Protection::Ready;
    }
    Ok(Reply::new(200, "PBSZ=0 successful."))
}

/// PROT: `P`, or `C` where that may be.
pub(crate) fn prot(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    check_tls(dialog, Verb::Prot)?;
    if dialog.protection == Protection::Clear {
        return Err(Reply::new(503, "PBSZ 0 first."));
    }
    dialog.protection = match protection::parse_prot(argument)? {
        Level::Private => Protection::Private,
        Level::Clear if dialog.shared.config.security == Security::Allowed => Protection::Ready,
        Level::Clear => return Err(Reply::new(534, "Data is not sent in plain text here.")),
    };
    Ok(Reply::new(
        200,
        match dialog.protection {
            Protection::Private => "Data is encrypted.",
            _ => "Data is sent in plain text.",
        },
    ))
}

/// CCC: what was protected stays so; who serves may refuse it (RFC 2228 §3).
pub(crate) fn ccc(_: &mut Dialog, _: &[u8]) -> Answer {
    Err(Reply::new(534, "The control connection stays as it is."))
}

/// What FEAT says of a verb where there is a certificate.
pub(crate) fn feature(dialog: &Dialog, line: &str) -> Option<String> {
    dialog.shared.config.tls.as_ref().map(|_| line.to_owned())
}
