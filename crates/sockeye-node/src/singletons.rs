//! What a protocol has once in a node, whatever the number of its listeners: it outlives what serves one, which a reload
//! replaces.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// One value of each type that was asked for.
#[derive(Debug, Default)]
pub(crate) struct Singletons(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Singletons {
    /// The value of this type, the same at each call.
    pub(crate) fn of<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = all.entry(TypeId::of::<T>()).or_insert_with(|| Arc::<T>::default());
        // It is of the type that it is kept by.
        Arc::clone(value).downcast().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

    use super::*;

    #[test]
    fn there_is_one_of_each_type() {
        let all = Singletons::default();
        all.of::<AtomicU64>().fetch_add(5, Relaxed);
        assert_eq!(all.of::<AtomicU64>().load(Relaxed), 5);
        assert_eq!(all.of::<AtomicU32>().load(Relaxed), 0);
    }
}
