//! The requests of one HTTP/2 connection, run within the connection's own task.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use futures_util::{StreamExt, stream::FuturesUnordered};

type Stream<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Takes the futures that hyper wants to be run. They are not spawned: they live and end with the
/// connection, so that a drain that waits for the connection waits for them.
#[derive(Clone, Default)]
pub(super) struct Spawner<'a>(Arc<Mutex<Vec<Stream<'a>>>>);

impl<'a, F: Future<Output = ()> + Send + 'a> hyper::rt::Executor<F> for Spawner<'a> {
    fn execute(&self, future: F) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(future));
    }
}

/// The futures taken by a [`Spawner`].
pub(super) struct Streams<'a> {
    spawner: Spawner<'a>,
    running: FuturesUnordered<Stream<'a>>,
}

impl<'a> Streams<'a> {
    pub(super) fn new(spawner: Spawner<'a>) -> Self {
        Self { spawner, running: FuturesUnordered::new() }
    }

    /// Runs what there is; never ready.
    pub(super) fn run(&mut self, cx: &mut Context<'_>) {
        loop {
            let new =
                std::mem::take(&mut *self.spawner.0.lock().unwrap_or_else(PoisonError::into_inner));
            self.running.extend(new);
            match self.running.poll_next_unpin(cx) {
                Poll::Ready(Some(())) => {}
                Poll::Ready(None) | Poll::Pending => {
                    if self.spawner.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                        return;
                    }
                }
            }
        }
    }

    /// Whether no request is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }
}
