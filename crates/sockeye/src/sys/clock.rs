//! The system's clocks.
//!
//! By way of the C library, which knows from the start where the system lets a process read them
//! without a call: a child that was just forked has nothing to find out.
#![expect(unsafe_code, reason = "system calls that no safe crate makes by way of the C library")]

/// Which clock; both count from the same moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    /// Exact (CLOCK_MONOTONIC).
    Exact,
    /// As it stood at the system's last tick, for a fraction of the cost (CLOCK_MONOTONIC_COARSE).
    Coarse,
}

impl Clock {
    const fn id(self) -> libc::clockid_t {
        match self {
            Self::Exact => libc::CLOCK_MONOTONIC,
            Self::Coarse => libc::CLOCK_MONOTONIC_COARSE,
        }
    }

    /// The time in nanoseconds since some moment before this process (clock_gettime(2)).
    pub(crate) fn read(self) -> u64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` outlives the call, which writes nothing else.
        unsafe { libc::clock_gettime(self.id(), &raw mut time) };
        nanoseconds(time)
    }

    /// How far apart two readings are at least that differ (clock_getres(2)).
    pub(crate) fn resolution(self) -> u64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` outlives the call, which writes nothing else.
        unsafe { libc::clock_getres(self.id(), &raw mut time) };
        nanoseconds(time)
    }
}

/// Both clocks exist in every Linux, and run for less than 500 years.
const fn nanoseconds(time: libc::timespec) -> u64 {
    let (seconds, rest) = (time.tv_sec.cast_unsigned(), time.tv_nsec.cast_unsigned());
    seconds.wrapping_mul(1_000_000_000).wrapping_add(rest)
}
