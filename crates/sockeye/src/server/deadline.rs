//! How long an operation may wait for the peer.

use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::time::Sleep;

use super::failure::DeadlineError;

/// The time since the last progress of one direction, bounded.
///
/// The timer is made at the first wait and then left running: progress costs nothing, and a
/// timer that fires too early is set anew. A wait that is cancelled and begun again goes on
/// counting; only progress ends it.
#[derive(Debug)]
pub(crate) struct Deadline {
    what: &'static str,
    limit: Option<Duration>,
    waiting_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    pub(crate) const fn new(what: &'static str, limit: Option<Duration>) -> Self {
        Self { what, limit, waiting_since: None, timer: None }
    }

    pub(crate) fn set_limit(&mut self, limit: Option<Duration>) {
        *self = Self::new(self.what, limit);
    }

    /// Notes that the peer did something.
    pub(crate) const fn progress(&mut self) {
        self.waiting_since = None;
    }

    /// Called when the operation must wait: an error when the peer has had its time.
    pub(crate) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(limit) = self.limit else { return Poll::Pending };
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        loop {
            ready!(timer.as_mut().poll(cx));
            let left = limit.saturating_sub(since.elapsed());
            if left.is_zero() {
                let error = DeadlineError { what: self.what, limit };
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, error));
            }
            timer.as_mut().reset(tokio::time::Instant::now() + left);
        }
    }

    /// Runs one operation under the deadline.
    pub(crate) async fn guard<T>(
        &mut self,
        operation: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        let mut operation = pin!(operation);
        let result = poll_fn(|cx| match operation.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => self.poll_expired(cx).map(Err),
        })
        .await;
        if result.is_ok() {
            self.progress();
        }
        result
    }
}
