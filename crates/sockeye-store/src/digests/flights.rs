//! Who reads a file now for its digest or its CRC-32, so that nobody else reads it for the same meanwhile.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::{Algorithm, Version, keep::locked};

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sum {
    Digest(Algorithm),
    Crc32,
}

/// Held by who computes it.
type Turn = AsyncMutex<()>;

/// What is being computed of which file. As many as compute now, and those who wait for them.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<(Version, Sum), Weak<Turn>>>);

impl Flights {
    /// Waits until nobody else computes this. It may be known by then.
    ///
    /// Cancellation: safe.
    pub(super) async fn enter(&self, version: Version, sum: Sum) -> OwnedMutexGuard<()> {
        let lock = {
            let mut flights = locked(&self.0);
            flights.retain(|_, lock| lock.strong_count() > 0);
            let known = flights.get(&(version, sum)).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let lock = Arc::default();
                flights.insert((version, sum), Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::Timestamp;

    #[test]
    fn the_same_is_computed_by_one_at_a_time_and_nothing_is_kept_of_it() {
        let of = |inode| {
            let modified = Timestamp { seconds: 0, nanos: 0 };
            Version { device: 1, inode, size: 1, modified }
        };
        let flights = Flights::default();
        let mut context = Context::from_waker(Waker::noop());
        let sha256 = Sum::Digest(Algorithm::Sha256);
        let Poll::Ready(first) = Box::pin(flights.enter(of(1), sha256)).as_mut().poll(&mut context)
        else {
            panic!("waits for nobody")
        };
        let mut second = Box::pin(flights.enter(of(1), sha256));
        assert!(second.as_mut().poll(&mut context).is_pending());
        for (inode, sum) in [(2, sha256), (1, Sum::Crc32)] {
            let mut other = Box::pin(flights.enter(of(inode), sum));
            assert!(other.as_mut().poll(&mut context).is_ready(), "{sum:?} of {inode}");
        }
        drop(first);
        assert!(second.as_mut().poll(&mut context).is_ready());
        drop(second);
        drop(Box::pin(flights.enter(of(3), sha256)).as_mut().poll(&mut context));
        assert_eq!(locked(&flights.0).len(), 1);
    }
}
