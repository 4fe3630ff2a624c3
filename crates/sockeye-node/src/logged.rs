//! The one way of a record into the journal; and how often what was done, with what outcome, whether or not it is recorded.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use sockeye_journal::{Journal, Operation, Outcome, Record, Ticket};

/// The journal, and the count of what was done. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    journal: Journal,
    operations: Arc<Operations>,
}

impl Log {
    pub(crate) fn new(journal: Journal) -> Self {
        Self { journal, operations: Arc::new(Operations::new()) }
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(crate) fn operations(&self) -> &Operations {
        &self.operations
    }

    /// Counts an operation and writes its record. One of a change has a ticket to wait for. What changes nothing is
    /// carried out also if it cannot be recorded, and the journal told so.
    pub(crate) fn record(&self, record: &Record<'_>) -> Option<Ticket> {
        self.operations.count(record.operation, record.outcome);
        match self.journal.append(record) {
            Ok(ticket) => Some(ticket),
            Err(stalled) => {
                tracing::debug!(%stalled, "an operation is counted and not recorded");
                self.journal.unrecorded(record.operation);
                None
            }
        }
    }
}

/// Counts operations by kind and outcome.
#[derive(Debug)]
pub(crate) struct Operations(Box<[AtomicU64]>);

impl Operations {
    fn new() -> Self {
        let counters = Operation::all().count() * Outcome::all().count();
        Self((0..counters).map(|_| AtomicU64::new(0)).collect())
    }

    fn count(&self, operation: Operation, outcome: Outcome) {
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
