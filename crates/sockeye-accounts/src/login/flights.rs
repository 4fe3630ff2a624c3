//! Bounds on logins that are being verified: so many in all, so many of one origin, and the same
//! credentials once.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::cache::CredentialKey;

/// How many there may be, counted for each of some keys.
#[derive(Debug)]
pub(crate) struct Shares<K: Eq + Hash> {
    counts: Mutex<HashMap<K, usize>>,
    most: usize,
}

impl<K: Copy + Eq + Hash> Shares<K> {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { counts: Mutex::default(), most })
    }

    /// One more of `key`, until it is dropped; `None` if there are as many as there may be.
    pub(crate) fn take(self: &Arc<Self>, key: K) -> Option<Share<K>> {
        let mut counts = self.counts();
        let count = counts.entry(key).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Share { shares: Arc::clone(self), key })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of as many as there may be.
#[derive(Debug)]
pub(crate) struct Share<K: Copy + Eq + Hash> {
    shares: Arc<Shares<K>>,
    key: K,
}

impl<K: Copy + Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut counts = self.shares.counts();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

/// The credentials that are being verified: whoever brings the same waits for the first to be done, and
/// then finds them verified.
#[derive(Debug, Default)]
pub(crate) struct Flights(Mutex<HashMap<CredentialKey, Weak<Turn>>>);

/// Whose turn it is to verify some credentials.
type Turn = tokio::sync::Mutex<()>;

/// A place in the queue for some credentials.
#[derive(Debug)]
pub(crate) struct Flight<'a> {
    flights: &'a Flights,
    key: CredentialKey,
    turn: Arc<Turn>,
}

impl Flights {
    pub(crate) fn join(&self, key: CredentialKey) -> Flight<'_> {
        let mut flights = self.lock();
        let turn = flights.get(&key).and_then(Weak::upgrade).unwrap_or_else(|| {
            let turn = Arc::new(Turn::default());
            flights.insert(key, Arc::downgrade(&turn));
            turn
        });
        Flight { flights: self, key, turn }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CredentialKey, Weak<Turn>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight<'_> {
    /// Waits for the turn. Cancellation: safe; the place is given up.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        // Joining takes the lock, too: if this is the last one, nobody can become another.
        if Arc::strong_count(&self.turn) == 1 {
            flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_share_and_gives_it_back() {
        let shares = Shares::new(2);
        let (one, two) = (shares.take('a').unwrap(), shares.take('a').unwrap());
        assert!(shares.take('a').is_none());
        assert!(shares.take('b').is_some());
        drop(one);
        assert!(shares.take('a').is_some());
        drop(two);
        assert!(shares.counts().is_empty(), "nothing is kept of those that are gone");
    }

    #[tokio::test]
    async fn the_same_credentials_wait_for_each_other_and_leave_nothing() {
        let flights = Flights::default();
        let (first, second) = (flights.join([1; 32]), flights.join([1; 32]));
        let turn = first.turn().await;
        assert!(second.turn.try_lock().is_err());
        drop(turn);
        drop(second.turn().await);
        drop(first);
        assert_eq!(flights.lock().len(), 1);
        drop(second);
        assert!(flights.lock().is_empty());
    }
}
