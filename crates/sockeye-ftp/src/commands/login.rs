//! Coming and going (RFC 959 §4.1.1): USER, PASS, ACCT, REIN, QUIT; HOST (RFC 7151).

use std::sync::Arc;

use sockeye_node::{Credentials, FilePath, LoginError, Owner, Refused, Session};

use crate::{
    config::Security,
    control::{Answer, Dialog, Phase, Then},
    data::{Client, Prepared},
    wire::{command::trimmed, reply::Reply},
};

/// The names of who has none (RFC 1635).
const ANONYMOUS: [&str; 2] = ["anonymous", "ftp"];

fn is_anonymous(name: &str) -> bool {
    ANONYMOUS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// USER: whoever was in is so no more; a transfer under way goes on under the rights that it began with (RFC 959 §4.1.1).
pub(crate) fn user(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let name = String::from_utf8_lossy(trimmed(argument)).into_owned();
    if dialog.tls.is_none() && dialog.shared.config.security != Security::Allowed {
        // At once, as vsftpd does: behind a 331 the password would come in plain text. What dials anew after it for some time, as
        // ncftp, does so after every code but that.
        return Err(Reply::new(530, "Nobody logs in here without TLS: AUTH TLS first."));
    }
    let open = is_anonymous(&name) && dialog.shared.gate.public();
    leave(dialog);
    dialog.phase = Phase::Named(name);
    // The same for every name: whether there is such an account is nobody's business.
    Ok(Reply::new(
        331,
        match open {
            true => "No account is needed; send anything as the password.",
            false => "Send the password.",
        },
    ))
}

/// PASS.
pub(crate) async fn pass(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let name = match &dialog.phase {
        Phase::Named(name) => name,
        Phase::Greeted => return Err(Reply::new(503, "Login with USER first.")),
        Phase::In { .. } => return Err(Reply::new(503, "User already authenticated.")),
    };
    let gate = Arc::clone(&dialog.shared.gate);
    if is_anonymous(name) {
        let Some(session) = gate.anonymous(dialog.origin.clone()) else {
            let why = "Nobody is let in here without an account.";
            gate.login_refused(&dialog.origin, name, &format!("{why} (public = false)"));
            dialog.phase = Phase::Greeted;
            return Err(Reply::new(530, why));
        };
        return Ok(enter(dialog, session, "ftp"));
    }
    // What is no text is no password: no account can have it.
    let secret = String::from_utf8_lossy(argument).into_owned();
    let credentials = Credentials::password(name.clone(), secret);
    let login = gate.login(&credentials, dialog.origin.clone()).await;
    match login {
        Ok(session) => {
            let account = session.account().ok().flatten();
            let name = account.map_or_else(|| "ftp".to_owned(), |it| it.name.as_str().to_owned());
            Ok(enter(dialog, session, &name))
        }
        Err(error) => {
            dialog.phase = Phase::Greeted;
            Err(not_in(&error))
        }
    }
}

fn enter(dialog: &mut Dialog, session: Session, name: &str) -> Reply {
    if let Some(neighbour) = &dialog.neighbour {
        neighbour.is(client(&session));
    }
    let folder = FilePath::root();
    dialog.phase = Phase::In { session, folder, name: name.into() };
    Reply::new(230, format!("{name} is logged in."))
}

/// Whose sessions of TLS count as this one's.
fn client(session: &Session) -> Client {
    let account = session.account().ok().flatten().filter(|_| session.is_by_password());
    account.map_or(Client::Other, |account| Client::Account(Owner::Account(account.id)))
}

fn not_in(error: &LoginError) -> Reply {
    match error {
        LoginError::Refused(Refused::Busy { .. } | Refused::Failed(_)) => {
            Reply::new(421, format!("Not now: {error}."))
        }
        LoginError::Refused(_) => Reply::new(530, format!("Authentication failed: {error}.")),
        LoginError::TooMany { .. } => Reply::new(421, format!("Not now: {error}.")),
        LoginError::Home(cause) => {
            tracing::warn!(error = %cause, "a home cannot be opened");
            Reply::new(421, "The home cannot be opened; the server's log says why.")
        }
        _ => Reply::new(530, "Authentication failed."),
    }
}

/// Forgets who it was, and what was of them.
fn leave(dialog: &mut Dialog) {
    dialog.phase = Phase::Greeted;
    dialog.data = Prepared::None;
    if let Some(neighbour) = &dialog.neighbour {
        neighbour.is(Client::Unknown);
    }
    (dialog.restart, dialog.allocated, dialog.renaming) = (0, None, None);
}

/// ACCT.
pub(crate) fn acct(_: &mut Dialog, _: &[u8]) -> Answer {
    Ok(Reply::new(202, "Not needed here."))
}

/// REIN: all as it was at the beginning, but that a transfer under way comes to its end; TLS cannot be ended (RFC 4217 §13 would
/// have the rest go on in plain text).
pub(crate) fn rein(dialog: &mut Dialog, _: &[u8]) -> Answer {
    if dialog.tls.is_some() {
        return Err(Reply::new(502, "Not under TLS; connect again."));
    }
    leave(dialog);
    dialog.set_defaults();
    Ok(Reply::new(220, "Ready for another user."))
}

/// QUIT: the connection closes once a transfer under way has its reply.
pub(crate) fn quit(dialog: &mut Dialog, _: &[u8]) -> Answer {
    dialog.then = Then::Close;
    Ok(Reply::new(221, "Goodbye."))
}

/// HOST: whatever it is called, there is one server here (RFC 7151 §3).
pub(crate) fn host(dialog: &mut Dialog, _: &[u8]) -> Answer {
    match dialog.phase {
        Phase::Greeted => Ok(Reply::new(220, "There is one server here, whatever it is called.")),
        _ => Err(Reply::new(503, "HOST comes before USER.")),
    }
}
