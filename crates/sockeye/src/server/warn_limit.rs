//! Warnings of what lasts, said once in a while.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Least time between two warnings.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// Lets a warning through, and then none for a while.
#[derive(Debug, Default)]
pub(crate) struct WarnLimit(Mutex<Option<Instant>>);

impl WarnLimit {
    /// Whether it is time to warn again; if so, the next time is [`WARN_EVERY`] from now.
    pub(crate) fn due(&self) -> bool {
        self.due_at(Instant::now())
    }

    fn due_at(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.saturating_duration_since(last) >= WARN_EVERY);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_said_at_once_and_then_once_in_a_while() {
        let (limit, start) = (WarnLimit::default(), Instant::now());
        let times = [0, 1, 9, 10, 11, 19, 20, 45].map(Duration::from_secs);
        let said = times.map(|time| limit.due_at(start + time));
        assert_eq!(said, [true, false, false, true, false, false, true, true]);
    }
}
