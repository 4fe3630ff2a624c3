//! How long nothing has passed.

use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

/// A clock that starts anew whenever something passes.
#[derive(Debug)]
pub(super) struct Silence {
    since: Cell<Instant>,
}

impl Silence {
    pub(super) fn new() -> Self {
        Self { since: Cell::new(Instant::now()) }
    }

    /// Something has passed.
    pub(super) fn broken(&self) {
        self.since.set(Instant::now());
    }

    /// Returns once nothing has passed for so long; never without a limit.
    pub(super) async fn lasts(&self, limit: Option<Duration>) {
        let Some(limit) = limit else { return std::future::pending().await };
        loop {
            let end = self.since.get() + limit;
            if Instant::now() >= end {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }
}
