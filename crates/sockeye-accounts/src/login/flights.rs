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
    counts: Mutex<Counts<K>>,
    most: usize,
    crowd: usize,
}

#[derive(Debug)]
struct Counts<K> {
    of: HashMap<K, usize>,
    total: usize,
}

impl<K: Copy + Eq + Hash> Shares<K> {
    /// At most so many of each key.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Self::fair(most, usize::MAX)
    }

    /// At most so many of each key, and from `crowd` in all on only one: whoever has none yet finds room.
    pub(crate) fn fair(most: usize, crowd: usize) -> Arc<Self> {
        let counts = Mutex::new(Counts { of: HashMap::new(), total: 0 });
        Arc::new(Self { counts, most, crowd })
    }

    /// One more of `key`, until it is dropped; `None` if there are as many as there may be.
    pub(crate) fn take(self: &Arc<Self>, key: K) -> Option<Share<K>> {
        let mut counts = self.counts();
        let most = if counts.total < self.crowd { self.most } else { 1 };
        let count = counts.of.entry(key).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        counts.total += 1;
        drop(counts);
        Some(Share { shares: Arc::clone(self), key })
    }

    fn counts(&self) -> MutexGuard<'_, Counts<K>> {
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
        if let Some(count) = counts.of.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.of.remove(&self.key);
            }
            counts.total -= 1;
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
        assert!(shares.counts().of.is_empty(), "nothing is kept of those that are gone");
        assert_eq!(shares.counts().total, 0);
    }

    #[test]
    fn in_a_crowd_each_key_has_one() {
        let shares = Shares::fair(3, 4);
        let mut crowd: Vec<_> = "aaab".chars().map(|key| shares.take(key).unwrap()).collect();
        assert!(shares.take('b').is_none());
        crowd.extend("cdefg".chars().map(|key| shares.take(key).unwrap()));
        assert!(shares.take('c').is_none());
        drop(crowd);
        let _two = [shares.take('c').unwrap(), shares.take('c').unwrap()];
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
