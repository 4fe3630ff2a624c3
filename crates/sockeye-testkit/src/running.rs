//! A server that runs in a thread of the test's own process, for handlers that a test writes itself.
//!
//! Signals are left alone, and the process models want a [`Program`](crate::program::Program): a
//! test has more than one thread.

use std::{sync::mpsc, thread};

use sockeye::{Addr, Error, Report, Server, ServerHandle};

use crate::program::PATIENCE;

/// A server that runs beside the test; dropped, it is stopped.
#[derive(Debug)]
pub struct Running {
    handle: ServerHandle,
    ended: mpsc::Receiver<Result<Report, Error>>,
}

impl Running {
    /// Prepares and runs a server.
    ///
    /// # Panics
    /// If it cannot be prepared.
    #[track_caller]
    #[must_use]
    pub fn start(server: Server) -> Self {
        let prepared = server.signals(false).prepare().expect("a server");
        let handle = prepared.handle();
        let (end, ended) = mpsc::channel();
        let run = move || drop(end.send(prepared.run()));
        thread::Builder::new().name("server".to_owned()).spawn(run).expect("a thread");
        Self { handle, ended }
    }

    /// The handle on it.
    #[must_use]
    pub const fn handle(&self) -> &ServerHandle {
        &self.handle
    }

    /// Its first address.
    ///
    /// # Panics
    /// If it has none.
    #[must_use]
    pub fn addr(&self) -> &Addr {
        &self.handle.addrs()[0]
    }

    /// The port of its first address.
    ///
    /// # Panics
    /// If that has none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.addr().port().expect("an address with a port")
    }

    /// Drains it and waits for its end.
    ///
    /// # Panics
    /// If it does not end in time, or ends with an error.
    #[track_caller]
    pub fn drain(self) -> Report {
        self.handle.drain();
        self.end().expect("a report")
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// What the server ended with.
    ///
    /// # Panics
    /// If it does not end in time.
    #[track_caller]
    pub fn end(self) -> Result<Report, Error> {
        self.ended.recv_timeout(PATIENCE).expect("the server's end")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.stop();
    }
}
