//! How long a connection may keep its place: shorter while others may be waiting for it.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

use super::Link;

/// The least time between two looks at the server, whatever is configured.
const LEAST_STEP: Duration = Duration::from_millis(1);

/// A wait that ends at its time, or earlier while the server is full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    look: Instant,
    end: Instant,
    step: Duration,
}

impl Patience {
    /// Ends `all` after `since`; looks every `crowded` whether the server is full, and ends then.
    pub(crate) fn new(since: Instant, all: Duration, crowded: Duration) -> Self {
        let (end, step) = (since + all, crowded.max(LEAST_STEP));
        Self { look: (since + step).min(end), end, step }
    }

    /// Ends `all` after `since`, neither earlier nor later.
    pub(super) fn firm(since: Instant, all: Duration) -> Self {
        Self::new(since, all, all)
    }

    /// When to ask [`is_over`](Self::is_over) next.
    pub(super) fn look(&self) -> Instant {
        self.look
    }

    /// Whether it ends at the look that has come; otherwise the next look is later.
    pub(super) fn is_over(&mut self, link: &Link<'_>) -> bool {
        if self.look >= self.end || !link.may_stay() {
            return true;
        }
        self.look = (self.look + self.step).min(self.end);
        false
    }

    /// Resolves when it is over. Cancellation safe.
    pub(crate) async fn run_out(mut self, link: &Link<'_>) {
        loop {
            tokio::time::sleep_until(self.look).await;
            if self.is_over(link) {
                return;
            }
        }
    }
}

/// A timer for deadlines that are mostly put off: it is set rarely, left to run out early, and only
/// then set anew.
#[derive(Debug, Default)]
pub(super) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Resolves at `at`.
    pub(super) fn poll(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if timer.deadline() > at {
            timer.as_mut().reset(at);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at);
        }
        Poll::Pending
    }
}
