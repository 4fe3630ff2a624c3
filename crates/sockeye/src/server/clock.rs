//! The clocks that deadlines are measured by: one exact, one cheap and a few milliseconds behind.

use std::{sync::OnceLock, time::Duration};

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

/// Nanoseconds since some moment before this process, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) u64);

impl Time {
    pub(crate) fn after(self, duration: Duration) -> Self {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanoseconds))
    }

    /// How long it is until then; zero if that is past.
    pub(crate) const fn until(self, then: Self) -> Duration {
        Duration::from_nanos(then.0.saturating_sub(self.0))
    }
}

/// The time now (CLOCK_MONOTONIC).
pub(crate) fn exact() -> Time {
    Time(nanoseconds(clock_gettime(ClockId::Monotonic)).max(1))
}

/// The time at the last tick of the system, for a fraction of the cost (CLOCK_MONOTONIC_COARSE).
pub(crate) fn coarse() -> Time {
    Time(nanoseconds(clock_gettime(ClockId::MonotonicCoarse)).max(1))
}

/// How far the coarse clock may be behind.
pub(crate) fn coarse_tick() -> Duration {
    static TICK: OnceLock<Duration> = OnceLock::new();
    *TICK.get_or_init(|| Duration::from_nanos(nanoseconds(clock_getres(ClockId::MonotonicCoarse))))
}

fn nanoseconds(time: Timespec) -> u64 {
    let (seconds, rest) = (time.tv_sec.cast_unsigned(), time.tv_nsec.cast_unsigned());
    seconds.wrapping_mul(1_000_000_000).wrapping_add(rest)
}
