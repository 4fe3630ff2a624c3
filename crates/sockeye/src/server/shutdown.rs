//! The way from running to stopped, which every connection can watch.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

/// Two steps, each taken once: drain, then cut.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shutdown(Arc<Steps>);

#[derive(Debug, Default)]
struct Steps {
    draining: CancellationToken,
    cut: CancellationToken,
}

impl Shutdown {
    /// Begins the drain: listeners close, handlers are told.
    pub(crate) fn drain(&self) {
        self.0.draining.cancel();
    }

    /// Ends every connection now.
    pub(crate) fn cut(&self) {
        self.0.draining.cancel();
        self.0.cut.cancel();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.0.cut.is_cancelled()
    }

    pub(crate) async fn draining(&self) {
        self.0.draining.cancelled().await;
    }

    pub(crate) async fn cut_now(&self) {
        self.0.cut.cancelled().await;
    }

    /// Waits for the drain and cuts when it has lasted `limit`.
    pub(crate) async fn enforce(&self, limit: Duration) {
        self.draining().await;
        let _ = tokio::time::timeout(limit, self.cut_now()).await;
        self.cut();
    }

    pub(crate) fn signal(&self) -> DrainSignal {
        DrainSignal(self.0.draining.clone())
    }
}

/// Tells a handler that the server is draining: finish what you are at, then return.
///
/// Cheap to clone, and independent of the connection, so that it can be awaited beside a read.
#[derive(Clone, Debug)]
pub struct DrainSignal(CancellationToken);

impl DrainSignal {
    /// Whether the drain has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Returns when the drain begins, at once if it has. Cancellation safe.
    pub async fn wait(&self) {
        self.0.cancelled().await;
    }
}
