//! How long something lives, as it is typed.

use std::{
    str::FromStr,
    time::{Duration, SystemTime},
};

use sockeye::quantity::parse_duration;
use sockeye_accounts::Timestamp;

use crate::failure::Failure;

/// How long; none for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetime(Option<Duration>);

impl FromStr for Lifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self(None));
        }
        let duration = time(text).map_err(|error| error + ", or never")?;
        if duration.is_zero() {
            return Err("what has ended already is of no use".to_owned());
        }
        Ok(Self(Some(duration)))
    }
}

impl Lifetime {
    /// When what begins now ends.
    pub(crate) fn end(self) -> Result<Option<Timestamp>, Failure> {
        let end = self.0.map(|lifetime| Timestamp::now().checked_add(lifetime));
        end.transpose().map_err(|_| Failure::usage("no calendar reaches that end; `never` does"))
    }
}

/// The moment that --older-than means.
pub(crate) fn before(age: &str) -> Result<SystemTime, Failure> {
    let age = time(age).map_err(|error| Failure::usage(format!("--older-than: {error}")))?;
    Ok(SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH))
}

/// A time of hours or days; the error says how those are written.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let shown = text.escape_debug();
    parse_duration(text).map_err(|_| match text.parse::<u64>() {
        Ok(number) => format!("`{shown}` has no unit: write {number}h or {number}d"),
        Err(_) => format!("`{shown}` is not a time: write it as 24h, 7d or 1h30m"),
    })
}
