//! A handle on a running server, for its handlers and for other threads.

use std::sync::Arc;

use super::{Stats, context::ServerContext, registry::OpenConnection};
use crate::{Addr, Model};

/// A handle on a server: stop it, read its counters. Cheap to clone.
///
/// It works before, while and after the server runs, and from a handler in a child process.
#[derive(Clone, Debug)]
pub struct ServerHandle {
    server: Arc<ServerContext>,
}

impl ServerHandle {
    pub(crate) const fn new(server: Arc<ServerContext>) -> Self {
        Self { server }
    }

    /// Begins the drain: listeners close once their backlog is empty, handlers are told, and
    /// connections have [`Limits::drain`](super::Limits::drain) to finish. Returns at once.
    pub fn drain(&self) {
        match self.server.ask_drain.get() {
            // One byte always fits; a pipe that is gone means that the server is, too.
            Some(pipe) => drop(rustix::io::write(pipe, b"d")),
            None => self.server.shutdown.drain(),
        }
    }

    /// Ends every connection now. Returns at once. In a child process it drains instead.
    pub fn stop(&self) {
        if self.server.ask_drain.get().is_some() {
            self.drain();
        } else {
            self.server.shutdown.cut();
        }
    }

    /// Calls the server's reload hook: here at once, in its other processes before their next
    /// connection.
    pub fn reload(&self) {
        self.server.reload();
    }

    /// Sets how many connections at once one address may have, in place of
    /// [`Limits::max_per_ip`](super::Limits::max_per_ip), for connections to come. Those that were let in while there was no
    /// limit do not count. In this process alone: workers that it has forked go on as they are.
    pub fn set_max_per_ip(&self, max: Option<usize>) {
        self.server.set_max_per_site(max);
    }

    /// Whether the drain has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.server.shutdown.is_draining()
    }

    /// Whether the model now runs as many connections as it can: see
    /// [`Conn::at_capacity`](crate::Conn::at_capacity).
    #[must_use]
    pub fn at_capacity(&self) -> bool {
        self.server.at_capacity()
    }

    /// The counters now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.server.stats()
    }

    /// The addresses that the server listens on, with their real ports.
    #[must_use]
    pub fn addrs(&self) -> &[Addr] {
        &self.server.addrs
    }

    /// The connections open now, the oldest first. In a child of `fork`: its own alone.
    #[must_use]
    pub fn connections(&self) -> Vec<OpenConnection> {
        if !matches!(self.server.model, Model::Prefork(_)) {
            return self.server.registry.open();
        }
        let mut open = self.server.cells.open();
        open.sort_by_key(|conn| conn.id);
        open
    }
}
