//! Times as JSON has them: RFC 3339, in UTC and to the second. More is kept, and nobody who reads needs it.

use jiff::Timestamp;
use serde::{Serialize as _, Serializer};

/// The second in which a time is.
#[must_use]
pub fn to_the_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Writes a time, or none, to the second: `2026-11-22T03:05:00Z`.
///
/// # Errors
/// The serializer's.
pub fn write_to_the_second<T, S>(time: &T, to: S) -> Result<S::Ok, S::Error>
where
    T: Copy + Into<Option<Timestamp>>,
    S: Serializer,
{
    let time: Option<Timestamp> = (*time).into();
    time.map(to_the_second).serialize(to)
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Times {
        #[serde(serialize_with = "write_to_the_second")]
        made: Timestamp,
        #[serde(serialize_with = "write_to_the_second")]
        used: Option<Timestamp>,
        #[serde(serialize_with = "write_to_the_second")]
        ends: Option<Timestamp>,
    }

    #[test]
    fn times_are_written_to_the_second() {
        let made = Timestamp::from_millisecond(1_795_314_406_999).unwrap();
        let times = Times { made, used: Some(made), ends: None };
        let text = r#"{"made":"2026-11-22T02:26:46Z","used":"2026-11-22T02:26:46Z","ends":null}"#;
        assert_eq!(serde_json::to_string(&times).unwrap(), text);
    }
}
