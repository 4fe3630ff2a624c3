//! Moments as people say them: how long ago, a time of today, a date, or all of it.

use std::time::SystemTime;

use jiff::{
    Timestamp, ToSpan as _, Zoned,
    civil::{DateTime, Time},
};
use sockeye::quantity::parse_duration;

use crate::failure::Failure;

/// Reads a moment. Times without a zone are those of the clock on the wall, as `now` has it.
pub(super) fn parse(text: &str, now: &Zoned) -> Result<SystemTime, Failure> {
    relative(text, now)
        .or_else(|| text.parse::<Timestamp>().ok())
        .or_else(|| {
            let civil = civil(text, now.datetime())?;
            Some(civil.to_zoned(now.time_zone().clone()).ok()?.timestamp())
        })
        .map(SystemTime::from)
        .ok_or_else(|| {
            Failure::usage(format!("`{}` is no moment", text.escape_debug())).hint(
                "write 2h (ago), today, yesterday, 14:30, 2026-11-21, \"2026-11-21 14:30\" or \
                 2026-11-21T14:30:00Z",
            )
        })
}

/// So long ago.
fn relative(text: &str, now: &Zoned) -> Option<Timestamp> {
    let ago = parse_duration(text.strip_suffix(" ago").unwrap_or(text)).ok()?;
    now.timestamp().checked_sub(ago).ok()
}

/// A day, which begins at midnight, a time of today, or both.
fn civil(text: &str, now: DateTime) -> Option<DateTime> {
    match text {
        "now" => Some(now),
        "today" => Some(now.date().to_datetime(Time::midnight())),
        "yesterday" => {
            let yesterday = now.date().checked_sub(1.day()).ok()?;
            Some(yesterday.to_datetime(Time::midnight()))
        }
        _ if text.contains('-') => text.parse().ok(),
        _ => text.parse::<Time>().ok().map(|time| now.date().to_datetime(time)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn read(text: &str) -> Option<String> {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let now = "2026-03-01T10:00:00".parse::<DateTime>().unwrap().to_zoned(zone).unwrap();
        let moment = parse(text, &now).ok()?;
        Some(Timestamp::try_from(moment).unwrap().to_string())
    }

    #[test]
    fn moments_are_read_as_people_write_them() {
        for (text, moment) in [
            ("2h", "2026-03-01T00:00:00Z"),
            ("1h30m ago", "2026-03-01T00:30:00Z"),
            ("now", "2026-03-01T02:00:00Z"),
            ("today", "2026-02-28T16:00:00Z"),
            ("yesterday", "2026-02-27T16:00:00Z"),
            ("14:30", "2026-03-01T06:30:00Z"),
            ("14:30:05", "2026-03-01T06:30:05Z"),
            ("2026-11-21", "2026-11-20T16:00:00Z"),
            ("2026-11-21 14:30", "2026-11-21T06:30:00Z"),
            ("2026-11-21T14:30:00", "2026-11-21T06:30:00Z"),
            ("2026-11-21T14:30:00Z", "2026-11-21T14:30:00Z"),
            ("2026-11-21T14:30:00.5+01:00", "2026-11-21T13:30:00.5Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(moment), "{text}");
        }
        for text in ["", "2", "noon", "2026-13-01", "25:00", "2026-02-30", "-2h"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
