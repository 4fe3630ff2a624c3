//! Signals, awaited.
//!
//! tokio's own would make every runtime carry a part of it, which thread- and
//! process-per-connection servers would pay for at each connection.

#![expect(unsafe_code, reason = "what runs in a signal handler must be promised to be safe there")]

use std::{io, os::fd::OwnedFd, sync::Arc};

use rustix::event::{EventfdFlags, eventfd};
use signal_hook_registry::SigId;
use tokio::io::{Interest, unix::AsyncFd};

use super::registration::watch;

/// The arrivals of one signal, watched by the current runtime.
///
/// Once a process has one, the signal's default action is gone until it is set again.
#[derive(Debug)]
pub(crate) struct SignalArrivals {
    event: AsyncFd<Arc<OwnedFd>>,
    registration: SigId,
}

impl SignalArrivals {
    /// Begins to take note of `signal`.
    ///
    /// # Errors
    /// If the signal cannot be handled, or the system has no descriptor left.
    pub(crate) fn of(signal: i32) -> io::Result<Self> {
        let event = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let noted = Arc::clone(&event);
        // SAFETY: the action only writes to an eventfd, which is async-signal-safe, allocates
        // nothing, takes no lock and cannot panic.
        let registration = unsafe {
            signal_hook_registry::register(signal, move || {
                let _ = rustix::io::write(&*noted, &1_u64.to_ne_bytes());
            })
        }?;
        Ok(Self { event: watch(event, Interest::READABLE)?, registration })
    }

    /// Waits for the signal; several that arrived meanwhile count as one. Cancellation safe.
    pub(crate) async fn next(&self) {
        loop {
            let Ok(mut ready) = self.event.readable().await else {
                return std::future::pending().await;
            };
            let mut count = [0; 8];
            match ready.try_io(|event| Ok(rustix::io::read(event.get_ref(), &mut count)?)) {
                Ok(_) => return,
                Err(_would_block) => {}
            }
        }
    }
}

impl Drop for SignalArrivals {
    fn drop(&mut self) {
        signal_hook_registry::unregister(self.registration);
    }
}
