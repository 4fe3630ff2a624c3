//! Signals as a server's operator knows them: the first drains, the second stops.

use std::{future::pending, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::context::ServerContext;
use crate::{
    sys::process::{Disposition, set_signal},
    systemd::{Notifier, State},
};

/// Obeys SIGINT, SIGTERM and SIGHUP; never returns.
///
/// After the second SIGINT or SIGTERM both have their default again, so that a third ends the
/// process even if a handler hangs.
pub(crate) async fn obey(server: &ServerContext, notifier: &Notifier) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up =
        if server.reload.wanted() { Some(signal(SignalKind::hangup())?) } else { None };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = next(&mut hang_up) => {
                tell(notifier, State::reloading());
                server.reload();
                tell(notifier, State::Ready);
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

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => pending().await,
    }
}

/// Tells the service manager; a manager that cannot be told is no reason to stop.
pub(super) fn tell(notifier: &Notifier, state: State<'_>) {
    if let Err(error) = notifier.notify(&[state]) {
        tracing::warn!(%error, "the service manager was not told");
    }
}
