//! How often what was done, with what outcome: counted at the gate, whether or not it is recorded.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sockeye_journal::{Operation, Outcome};

/// Counts operations by kind and outcome.
#[derive(Debug)]
pub(crate) struct Operations(Box<[AtomicU64]>);

impl Operations {
    pub(crate) fn new() -> Self {
        let counters = Operation::all().count() * Outcome::all().count();
        Self((0..counters).map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn count(&self, operation: Operation, outcome: Outcome) {
        let at = operation as usize * Outcome::all().count() + outcome as usize;
        if let Some(counter) = self.0.get(at) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// The names of operation and outcome, and how often; what never was is left out.
    pub(crate) fn counted(&self) -> Vec<(&'static str, &'static str, u64)> {
        let kinds = Operation::all().flat_map(|operation| {
            Outcome::all().map(move |outcome| (operation.name(), outcome.name()))
        });
        let counts = kinds
            .zip(&self.0)
            .map(|((operation, outcome), counter)| (operation, outcome, counter.load(Relaxed)));
        counts.filter(|(.., count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_outcome_has_a_counter_of_its_own() {
        let operations = Operations::new();
        for operation in Operation::all() {
            for outcome in Outcome::all() {
                operations.count(operation, outcome);
            }
        }
        operations.count(Operation::Write, Outcome::OverQuota);
        let counted = operations.counted();
        assert_eq!(counted.len(), Operation::all().count() * Outcome::all().count());
        for (operation, outcome, count) in counted {
            let twice = (operation, outcome) == ("write", "over-quota");
            assert_eq!(count, 1 + u64::from(twice), "{operation} {outcome}");
        }
    }
}
