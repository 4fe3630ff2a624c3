//! The time of day, and the Date header that is made of it once a second.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::wire::date::{self, HTTP_DATE};

/// Whole seconds since the epoch; 0 where the clock is set before it.
pub(crate) fn seconds_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A connection's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    seconds: i64,
    date: [u8; HTTP_DATE],
}

impl Clock {
    pub(crate) fn new() -> Self {
        let mut clock = Self { seconds: 0, date: date::http_date(0) };
        clock.tick();
        clock
    }

    /// Looks at the time; gives seconds since the epoch.
    pub(crate) fn tick(&mut self) -> i64 {
        let now = seconds_now();
        if now != self.seconds {
            self.seconds = now;
            self.date = date::http_date(now);
        }
        now
    }

    /// Seconds since the epoch, as of the last tick.
    pub(crate) fn seconds(&self) -> i64 {
        self.seconds
    }

    /// The Date header as of the last tick.
    pub(crate) fn date(&self) -> &[u8; HTTP_DATE] {
        &self.date
    }
}
