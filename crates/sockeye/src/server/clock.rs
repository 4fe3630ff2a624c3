//! Moments, as deadlines are measured by.

use std::{sync::OnceLock, time::Duration};

use crate::sys::clock::Clock;

/// Nanoseconds since some moment before this process, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) u64);

impl Time {
    /// So many nanoseconds later.
    pub(crate) const fn after(self, nanoseconds: u64) -> Self {
        Self(self.0.saturating_add(nanoseconds))
    }

    /// How long it is until then; zero if that is past.
    pub(crate) const fn until(self, then: Self) -> Duration {
        Duration::from_nanos(then.0.saturating_sub(self.0))
    }
}

/// The time now.
pub(crate) fn exact() -> Time {
    Time(Clock::Exact.read().max(1))
}

/// The time now or a few milliseconds ago.
pub(crate) fn coarse() -> Time {
    Time(Clock::Coarse.read().max(1))
}

/// How many nanoseconds `coarse` may be behind.
pub(crate) fn coarse_tick() -> u64 {
    static TICK: OnceLock<u64> = OnceLock::new();
    *TICK.get_or_init(|| Clock::Coarse.resolution())
}
