//! What serves a listener's connections, exchangeable while it is open.

use std::{
    io,
    sync::{Arc, PoisonError, RwLock},
};

use bytes::Bytes;
use sockeye::{Conn, ConnInfo, Failure, Handler};

use super::Service;

/// The service of a listener: a connection keeps the one that it began with.
#[derive(Debug)]
pub(super) struct Current(RwLock<Arc<dyn Service>>);

impl Current {
    pub(super) fn new(service: Arc<dyn Service>) -> Self {
        Self(RwLock::new(service))
    }

    /// Connections from now on are served by this one.
    pub(super) fn replace(&self, service: Arc<dyn Service>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = service;
    }

    fn get(&self) -> Arc<dyn Service> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
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

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        self.get().failed(info, failure);
    }
}
