//! Signals as a server's operator knows them: the first drains, the second stops.

use std::{
    future::{Future, pending},
    io,
};

use super::context::ServerContext;
use crate::{
    sys::signals::SignalArrivals,
    systemd::{Notifier, State},
};

/// Obeys SIGINT, SIGTERM and SIGHUP; never returns. They are caught from the call on, not only
/// from the first poll: whoever is told that the server is ready may send one at once. When this
/// is dropped they have the dispositions again that they had before.
///
/// One that comes twice within an instant came once: timeout(1) sends it to the process and to its
/// group. A second SIGINT or SIGTERM that cannot be obeyed, as a handler blocks the server's own thread,
/// ends the process; a third does so in any case.
pub(crate) fn obey(
    server: &ServerContext,
    notifier: &Notifier,
) -> io::Result<impl Future<Output = ()>> {
    let stop = SignalArrivals::insistent(&[libc::SIGTERM, libc::SIGINT])?;
    let wanted = server.reload.wanted();
    let hang_up = wanted.then(|| SignalArrivals::of(&[libc::SIGHUP])).transpose()?;
    Ok(attend(server, notifier, stop, hang_up))
}

async fn attend(
    server: &ServerContext,
    notifier: &Notifier,
    stop: SignalArrivals,
    hang_up: Option<SignalArrivals>,
) {
    loop {
        let arrived = tokio::select! {
            arrived = stop.next() => arrived,
            () = next(hang_up.as_ref()) => {
                tell(notifier, State::reloading());
                server.reload();
                tell(notifier, State::Ready);
                continue;
            }
        };
        if arrived > 1 || server.shutdown.is_draining() {
            tracing::warn!("second signal: ending every connection now");
            server.shutdown.cut();
            stop.end_by_next();
            return pending().await;
        }
        tracing::info!(
            open = server.stats().active,
            deadline_s = server.limits.drain.as_secs(),
            "draining; a second signal ends every connection at once"
        );
        server.shutdown.drain();
    }
}

async fn next(signal: Option<&SignalArrivals>) {
    match signal {
        Some(signal) => drop(signal.next().await),
        None => pending().await,
    }
}

/// Tells the service manager; a manager that cannot be told is no reason to stop.
pub(super) fn tell(notifier: &Notifier, state: State<'_>) {
    if let Err(error) = notifier.notify(&[state]) {
        tracing::warn!(%error, "the service manager was not told");
    }
}
