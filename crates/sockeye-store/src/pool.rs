//! The bounded pool for file operations that would wait for a disk.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Semaphore;

use crate::{Error, Result};

/// How much may wait for the disk at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// Operations running at the same time, each on a thread; 16 by default.
    pub running: usize,
    /// Operations waiting for a thread; 1024 by default. More are refused as [`Error::Busy`].
    pub waiting: usize,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self { running: 16, waiting: 1024 }
    }
}

/// A bounded pool of threads for what would block; clones share its bounds.
///
/// The threads are the runtime's blocking threads and live as long as it: a runtime that is shut down
/// waits for what runs. An operation whose caller has gone is carried to its end and its result dropped.
#[derive(Clone, Debug)]
pub struct Pool(Arc<State>);

#[derive(Debug)]
struct State {
    permits: Semaphore,
    waiting: AtomicUsize,
    limits: PoolLimits,
}

impl Pool {
    /// A pool with these limits; at least one operation can always run.
    #[must_use]
    pub fn new(limits: PoolLimits) -> Self {
        let permits = limits.running.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(State {
            permits: Semaphore::new(permits),
            waiting: AtomicUsize::new(0),
            limits,
        }))
    }

    /// Runs `work` on a thread where it may block.
    ///
    /// # Errors
    /// [`Error::Busy`] if too many wait already; the work's own error; [`Error::Io`] if it panicked.
    ///
    /// Cancellation: dropping the future before the work began drops the work; afterwards the work
    /// ends by itself.
    pub async fn run<T, W>(&self, work: W) -> Result<T>
    where
        W: FnOnce() -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let place = Waiting::enter(&self.0)?;
        let state = Arc::clone(&self.0);
        // The semaphore is never closed.
        let permit = self.0.permits.acquire().await.map_err(io::Error::other)?;
        drop(place);
        permit.forget();
        let held = Held(state);
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where file work leaves the async threads: bounded by the \
                      semaphore, and the runtime waits for blocking threads when it shuts down"
        )]
        let handle = tokio::task::spawn_blocking(move || {
            let _held = held;
            work()
        });
        handle.await.map_err(io::Error::other)?
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new(PoolLimits::default())
    }
}

/// A place in the queue, given back when the wait ends or is given up.
struct Waiting<'a>(&'a State);

impl<'a> Waiting<'a> {
    fn enter(state: &'a State) -> Result<Self> {
        let ahead = state.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(state);
        if ahead >= state.limits.waiting.saturating_add(state.permits.available_permits()) {
            return Err(Error::Busy);
        }
        Ok(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to run, given back when the work ends, even by a panic.
struct Held(Arc<State>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.permits.add_permits(1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_full_pool_refuses_instead_of_queueing_without_bound() {
        let pool = Pool::new(PoolLimits { running: 1, waiting: 1 });
        let (release, gate) = mpsc::channel::<()>();
        let (started, running) = tokio::sync::oneshot::channel();
        let first = pool.run(move || {
            let _ = started.send(());
            let _ = gate.recv();
            Ok(1)
        });
        let second = pool.run(|| Ok(2));
        let third = async {
            running.await.unwrap();
            // `second` waits by now, as join! polls in order.
            let refused = pool.run(|| Ok(3)).await;
            release.send(()).unwrap();
            refused
        };
        let (first, second, third) = tokio::join!(first, second, third);
        assert_eq!((first.unwrap(), second.unwrap()), (1, 2));
        assert!(matches!(third, Err(Error::Busy)));
    }

    #[tokio::test]
    async fn a_panic_in_the_work_gives_its_place_back() {
        let pool = Pool::new(PoolLimits { running: 1, waiting: 0 });
        let failed = pool.run(|| -> Result<()> { panic!("on purpose") }).await;
        assert!(matches!(failed, Err(Error::Io(_))));
        assert_eq!(pool.run(|| Ok(1)).await.unwrap(), 1);
    }
}
