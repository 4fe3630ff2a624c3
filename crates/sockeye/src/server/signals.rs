//! Signals as a server's operator knows them: the first drains, the second stops.

use std::{
    future::{Future, pending},
    io,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use super::context::ServerContext;
use crate::{
    sys::signals::SignalArrivals,
    systemd::{Notifier, State},
};

/// What an operator asks for by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// SIGINT or SIGTERM: no more connections, and let those finish that are open.
    Drain,
    /// One of them again: end now.
    Stop,
    /// SIGHUP: read again what was configured.
    Reload,
}

/// The orders that arrive by signals, for a program that runs several servers; one alone obeys by itself.
///
/// They are caught for as long as this lives, and have the dispositions again afterwards that they had before.
/// One that comes twice within an instant came once: timeout(1) sends it to the process and to its group.
#[derive(Debug)]
pub struct Orders {
    stop: SignalArrivals,
    hang_up: Option<SignalArrivals>,
    drained: AtomicBool,
}

impl Orders {
    /// Catches SIGINT, SIGTERM and SIGHUP from now on; on a runtime.
    ///
    /// A second SIGINT or SIGTERM that nobody takes up, as the runtime's thread is blocked, ends the process;
    /// after [`Order::Stop`] the next one does in any case.
    ///
    /// # Errors
    /// If a signal cannot be caught, or too many watch.
    pub fn catch() -> io::Result<Self> {
        Self::new(true)
    }

    fn new(reload: bool) -> io::Result<Self> {
        let stop = SignalArrivals::insistent(&[libc::SIGTERM, libc::SIGINT])?;
        let hang_up = reload.then(|| SignalArrivals::of(&[libc::SIGHUP])).transpose()?;
        Ok(Self { stop, hang_up, drained: AtomicBool::new(false) })
    }

    /// Waits for the next order. Cancellation safe.
    pub async fn next(&self) -> Order {
        let hang_up = async {
            match &self.hang_up {
                Some(signal) => drop(signal.next().await),
                None => pending().await,
            }
        };
        tokio::select! {
            arrived = self.stop.next() => {
                if arrived > 1 || self.drained.swap(true, Relaxed) {
                    self.stop.end_by_next();
                    return Order::Stop;
                }
                Order::Drain
            }
            () = hang_up => Order::Reload,
        }
    }

    /// From now on the next SIGINT or SIGTERM ends the process: all that was to be done for one is done.
    pub fn end_by_next(&self) {
        self.stop.end_by_next();
    }
}

/// Obeys SIGINT, SIGTERM and SIGHUP; never returns. They are caught from the call on, not only
/// from the first poll: whoever is told that the server is ready may send one at once.
pub(crate) fn obey(
    server: &ServerContext,
    notifier: &Notifier,
) -> io::Result<impl Future<Output = ()>> {
    Ok(attend(server, notifier, Orders::new(server.reload.wanted())?))
}

async fn attend(server: &ServerContext, notifier: &Notifier, orders: Orders) {
    loop {
        match orders.next().await {
            Order::Reload => {
                tell(notifier, State::reloading());
                server.reload();
                tell(notifier, State::Ready);
            }
            // Not if something else has begun the drain before.
            Order::Drain if !server.shutdown.is_draining() => {
                let stats = server.stats();
                tracing::info!(
                    open = stats.active + stats.packets_active,
                    deadline_s = server.limits.drain.as_secs(),
                    "draining; a second signal ends every connection at once"
                );
                server.shutdown.drain();
            }
            Order::Drain | Order::Stop => {
                tracing::warn!("second signal: ending every connection now");
                server.shutdown.cut();
                orders.end_by_next();
                return pending().await;
            }
        }
    }
}

/// Tells the service manager; a manager that cannot be told is no reason to stop.
pub(super) fn tell(notifier: &Notifier, state: State<'_>) {
    if let Err(error) = notifier.notify(&[state]) {
        tracing::warn!(%error, "the service manager was not told");
    }
}
