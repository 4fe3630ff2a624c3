//! How long work waits for a thread or a process that cannot be had now.

use std::time::Duration;

/// First pause.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// Once the pauses, each twice as long as the one before, are longer than this, work is refused.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What is left of the patience with one piece of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    next: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { next: FIRST_PAUSE }
    }
}

impl Patience {
    /// How long to pause before the next try; `None` when there was a try too many.
    pub(crate) fn pause(&mut self) -> Option<Duration> {
        let pause = self.next;
        self.next = pause * 2;
        (pause <= LONGEST_PAUSE).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_lasts_for_about_a_second() {
        let mut patience = Patience::default();
        let pauses: Vec<_> = std::iter::from_fn(|| patience.pause()).collect();
        assert_eq!((pauses[0], pauses[1]), (FIRST_PAUSE, 2 * FIRST_PAUSE));
        let total: Duration = pauses.into_iter().sum();
        assert!((1000..1500).contains(&total.as_millis()), "{total:?}");
    }
}
