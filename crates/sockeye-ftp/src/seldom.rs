//! Warnings that a client could cause at will: told once in a while, with how many there were since.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long one that was told stands for all others.
const WHILE: Duration = Duration::from_secs(60);

/// One kind of warning.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    /// Those that were not told since.
    since: u64,
}

impl Seldom {
    /// Whether there is something to be told now, and then how often that happened since it was told last, this time
    /// included.
    pub(crate) fn due(&self) -> Option<u64> {
        self.due_at(Instant::now())
    }

    fn due_at(&self, now: Instant) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.since += 1;
        if told.last.is_some_and(|last| now < last + WHILE) {
            return None;
        }
        told.last = Some(now);
        Some(std::mem::take(&mut told.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_often_is_told_once_in_a_while_with_its_number() {
        let (seldom, now) = (Seldom::default(), Instant::now());
        assert_eq!([now; 3].map(|now| seldom.due_at(now)), [Some(1), None, None]);
        assert_eq!([now + WHILE; 2].map(|now| seldom.due_at(now)), [Some(3), None]);
    }
}
