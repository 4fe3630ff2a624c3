//! Signals as a server's operator knows them: the first drains, the second stops.

use std::{
    future::{Future, pending},
    io,
};

use super::context::ServerContext;
use crate::{
    sys::{
        process::{Disposition, set_signal},
        signals::SignalArrivals,
    },
    systemd::{Notifier, State},
};

/// Obeys SIGINT, SIGTERM and SIGHUP; never returns. They are caught from the call on, not only
/// from the first poll: whoever is told that the server is ready may send one at once.
///
/// After the second SIGINT or SIGTERM both have their default again, so that a third ends the
/// process even if a handler hangs.
pub(crate) fn obey(
    server: &ServerContext,
    notifier: &Notifier,
) -> io::Result<impl Future<Output = ()>> {
    let interrupt = SignalArrivals::of(libc::SIGINT)?;
    let terminate = SignalArrivals::of(libc::SIGTERM)?;
    let wanted = server.reload.wanted();
    let hang_up = wanted.then(|| SignalArrivals::of(libc::SIGHUP)).transpose()?;
    Ok(attend(server, notifier, interrupt, terminate, hang_up))
}

async fn attend(
    server: &ServerContext,
    notifier: &Notifier,
    interrupt: SignalArrivals,
    terminate: SignalArrivals,
    hang_up: Option<SignalArrivals>,
) {
    loop {
        tokio::select! {
            () = interrupt.next() => {}
            () = terminate.next() => {}
            () = next(hang_up.as_ref()) => {
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

async fn next(signal: Option<&SignalArrivals>) {
    match signal {
        Some(signal) => signal.next().await,
        None => pending().await,
    }
}

/// Tells the service manager; a manager that cannot be told is no reason to stop.
pub(super) fn tell(notifier: &Notifier, state: State<'_>) {
    if let Err(error) = notifier.notify(&[state]) {
        tracing::warn!(%error, "the service manager was not told");
    }
}
