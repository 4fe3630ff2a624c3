//! A bounded pool of threads for work that would block, such as waiting for a disk.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Semaphore;

/// How much work may block at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// Pieces of work running at the same time, each on a thread; 16 by default.
    pub running: usize,
    /// Pieces waiting for a thread; 1024 by default. More are refused: [`PoolError::Full`].
    pub waiting: usize,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self { running: 16, waiting: 1024 }
    }
}

/// Why a pool did not bring a piece of work to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// As much waits already as the pool admits.
    #[error("too much work waits for a thread already; try again shortly")]
    Full,
    /// The work panicked, or the runtime is shutting down.
    #[error("the work on the pool's thread did not come to its end")]
    Broken,
}

/// A bounded pool of threads for what would block; clones share its bounds.
///
/// The threads are the runtime's blocking threads and live as long as it: a runtime that is shut down
/// waits for what runs. Work whose caller has gone is carried to its end, and its result dropped.
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

    /// Pieces of work that wait for a thread now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// Runs `work` on a thread where it may block.
    ///
    /// # Errors
    /// [`PoolError::Full`] if too much waits already; [`PoolError::Broken`] if the work panicked.
    ///
    /// Cancellation: dropping the future before the work began drops the work; afterwards the work
    /// ends by itself.
    pub async fn run<T, W>(&self, work: W) -> Result<T, PoolError>
    where
        W: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let place = Waiting::enter(&self.0)?;
        let state = Arc::clone(&self.0);
        // The semaphore is never closed.
        let permit = self.0.permits.acquire().await.map_err(|_| PoolError::Broken)?;
        drop(place);
        permit.forget();
        let held = Held(state);
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where work leaves the async threads: the semaphore bounds it, \
                      and a runtime that shuts down waits for its blocking threads"
        )]
        let handle = tokio::task::spawn_blocking(move || {
            let _held = held;
            work()
        });
        handle.await.map_err(|_| PoolError::Broken)
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
    fn enter(state: &'a State) -> Result<Self, PoolError> {
        let ahead = state.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(state);
        if ahead >= state.limits.waiting.saturating_add(state.permits.available_permits()) {
            return Err(PoolError::Full);
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
            1
        });
        let second = pool.run(|| 2);
        let third = async {
            running.await.unwrap();
            // `second` waits by now, as join! polls in order.
            let refused = pool.run(|| 3).await;
            release.send(()).unwrap();
            refused
        };
        let (first, second, third) = tokio::join!(first, second, third);
        assert_eq!((first, second, third), (Ok(1), Ok(2), Err(PoolError::Full)));
    }

    #[tokio::test]
    async fn a_panic_in_the_work_gives_its_place_back() {
        let pool = Pool::new(PoolLimits { running: 1, waiting: 0 });
        let failed = pool.run(|| panic!("on purpose")).await;
        assert_eq!(failed, Err::<(), _>(PoolError::Broken));
        assert_eq!(pool.run(|| 1).await, Ok(1));
    }
}
