//! Counters that protocols keep in the node: they outlive what serves a listener, which a reload replaces.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
};

/// Counters by the name of who counts.
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<BTreeMap<&'static str, Arc<[AtomicU64]>>>);

impl Counters {
    /// The `number` counters called `name`, the same at each call; what is beyond those of the first call is
    /// not there.
    pub(crate) fn of(&self, name: &'static str, number: usize) -> Arc<[AtomicU64]> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counters =
            all.entry(name).or_insert_with(|| (0..number).map(|_| AtomicU64::new(0)).collect());
        Arc::clone(counters)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    #[test]
    fn the_same_name_has_the_same_counters() {
        let counters = Counters::default();
        counters.of("http", 2)[1].fetch_add(5, Relaxed);
        assert_eq!(counters.of("http", 2)[1].load(Relaxed), 5);
        assert_eq!(counters.of("ftp", 2)[1].load(Relaxed), 0);
    }
}
