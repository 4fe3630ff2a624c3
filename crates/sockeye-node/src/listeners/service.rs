//! What serves a listener's connections, exchangeable while it is open.

use std::{
    io,
    sync::{Arc, PoisonError, RwLock},
};

use bytes::Bytes;
use sockeye::{Conn, ConnInfo, Failure, Handler};

use super::Service;
use crate::{Gate, Origin, Peer};

/// Why a connection is refused that is one too many of its address.
const TOO_MANY: &str = "limits.per-address: its address has as many connections as it may have";

/// The service of a listener: a connection keeps the one that it began with.
#[derive(Debug)]
pub(super) struct Current {
    service: RwLock<Arc<dyn Service>>,
    gate: Arc<Gate>,
    /// What the log calls its protocol.
    protocol: &'static str,
}

impl Current {
    /// This one, at a listener of this protocol; what is refused there is recorded at `gate`.
    pub(super) fn new(service: Arc<dyn Service>, gate: Arc<Gate>, protocol: &'static str) -> Self {
        Self { service: RwLock::new(service), gate, protocol }
    }

    /// Connections from now on are served by this one.
    pub(super) fn replace(&self, service: Arc<dyn Service>) {
        *self.service.write().unwrap_or_else(PoisonError::into_inner) = service;
    }

    fn get(&self) -> Arc<dyn Service> {
        Arc::clone(&self.service.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Handler for Current {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let service = self.get();
        service.serve(conn).await
    }

    fn verify(&self, info: &ConnInfo) -> bool {
        self.get().admits(info)
    }

    fn refusal(&self) -> Bytes {
        self.get().words_for_refused()
    }

    fn on_refused(&self, info: &ConnInfo) {
        let tls = info.listener().tls;
        let origin = Origin { tls, ..Origin::new(self.protocol, Peer::from(info.peer())) };
        self.gate.connection_refused(&origin, TOO_MANY);
        self.get().refused(info);
    }

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        self.get().failed(info, failure);
    }
}
