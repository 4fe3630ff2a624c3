//! Signals as a server's operator knows them: the first drains, the second stops.

use std::{future::pending, io};

use tokio::signal::unix::{SignalKind, signal};

use super::{context::ServerContext, settings::Hook};
use crate::sys::process::{Disposition, set_signal};

/// Obeys SIGINT, SIGTERM and SIGHUP; never returns.
///
/// After the second SIGINT or SIGTERM both have their default again, so that a third ends the
/// process even if a handler hangs.
pub(crate) async fn obey(server: &ServerContext, hangup: Option<&Hook>) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = match hangup {
        Some(hook) => Some((signal(SignalKind::hangup())?, hook)),
        None => None,
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            hook = next_hangup(&mut hang_up) => {
                hook();
                continue;
            }
        }
        if server.shutdown.is_draining() {
            tracing::warn!("second signal: ending every connection now");
            server.shutdown.cut();
            set_signal(libc::SIGINT, Disposition::Default);
            set_signal(libc::SIGTERM, Disposition::Default);
            return pending().await;
        }
        tracing::info!(
            open = server.registry.open().len(),
            deadline_s = server.limits.drain.as_secs(),
            "draining; a second signal ends every connection at once"
        );
        server.shutdown.drain();
    }
}

async fn next_hangup<'a>(
    hang_up: &mut Option<(tokio::signal::unix::Signal, &'a Hook)>,
) -> &'a Hook {
    match hang_up {
        Some((signal, hook)) => {
            signal.recv().await;
            hook
        }
        None => pending().await,
    }
}
