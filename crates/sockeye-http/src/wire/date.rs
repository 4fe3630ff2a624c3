//! Dates: HTTP's (RFC 9110 §5.6.7) and, for listings and logs, ISO 8601's.

use std::time::{Duration, UNIX_EPOCH};

use jiff::{civil::DateTime, tz::Offset};
use sockeye_node::Timestamp;

/// Length of an HTTP date.
pub const HTTP_DATE: usize = 29;

const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// The date and the time of day of a moment, UTC; held within the years 1970–9999.
pub(super) fn civil(seconds: i64) -> DateTime {
    let seconds = seconds.clamp(0, jiff::Timestamp::MAX.as_second());
    Offset::UTC.to_datetime(jiff::Timestamp::from_second(seconds).unwrap_or_default())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, from seconds since the epoch.
#[must_use]
pub fn http_date(seconds: i64) -> [u8; HTTP_DATE] {
    let at = civil(seconds);
    let mut out = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    out[..3].copy_from_slice(DAYS[index(at.weekday().to_monday_zero_offset())]);
    two(&mut out[5..7], at.day());
    out[8..11].copy_from_slice(month(at));
    let year = at.year().unsigned_abs();
    for (place, value) in [(12, year / 100), (14, year % 100)] {
        two(&mut out[place..place + 2], i8::try_from(value).unwrap_or(99));
    }
    two(&mut out[17..19], at.hour());
    two(&mut out[20..22], at.minute());
    two(&mut out[23..25], at.second());
    out
}

/// Reads an HTTP date in any of its three forms, as seconds since the epoch.
#[must_use]
pub fn parse_http_date(text: &[u8]) -> Option<i64> {
    let time = httpdate::parse_http_date(str::from_utf8(text).ok()?).ok()?;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).ok()
}

/// Reads seconds since the epoch, with up to nine decimals.
#[must_use]
pub fn moment(text: &[u8]) -> Option<Timestamp> {
    let text = str::from_utf8(text).ok()?;
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let magnitude = whole.strip_prefix('-').unwrap_or(whole);
    if !digits(magnitude) || !digits(decimals) || decimals.len() > 9 {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let places = u32::try_from(decimals.len()).ok()?;
    let nanos = decimals.parse::<u32>().ok()? * 10_u32.pow(9 - places);
    match (whole.starts_with('-'), nanos) {
        // Nanoseconds count forward, also before the epoch.
        (true, 1..) => {
            Some(Timestamp { seconds: seconds.checked_sub(1)?, nanos: 1_000_000_000 - nanos })
        }
        _ => Some(Timestamp { seconds, nanos }),
    }
}

/// `2026-11-21T09:03:00Z`.
#[must_use]
pub fn iso(seconds: i64) -> String {
    format!("{}Z", civil(seconds))
}

/// `21/Nov/2026:09:03:00 +0000`, as access logs have it.
#[must_use]
pub fn log_date(seconds: i64) -> String {
    let at = civil(seconds);
    let month = String::from_utf8_lossy(month(at));
    format!("{:02}/{month}/{:04}:{} +0000", at.day(), at.year(), at.time())
}

fn month(at: DateTime) -> &'static [u8; 3] {
    MONTHS[index(at.month() - 1)]
}

fn index(value: i8) -> usize {
    usize::from(value.unsigned_abs())
}

fn two(out: &mut [u8], value: i8) {
    let value = value.unsigned_abs();
    out[0] = b'0' + value / 10;
    out[1] = b'0' + value % 10;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_those_of_the_standard() {
        assert_eq!(&http_date(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(&http_date(0), b"Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(&http_date(951_782_400), b"Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(&http_date(-5), &http_date(0));
        assert_eq!(&http_date(i64::MAX), b"Thu, 30 Dec 9999 22:00:00 GMT");
        assert_eq!(iso(784_111_777), "1994-11-06T08:49:37Z");
        assert_eq!(log_date(784_111_777), "06/Nov/1994:08:49:37 +0000");
    }

    #[test]
    fn all_three_forms_are_read() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse_http_date(text.as_bytes()), Some(784_111_777), "{text}");
        }
        assert_eq!(parse_http_date(b"yesterday"), None);
    }

    proptest! {
        #[test]
        fn a_date_is_read_back(seconds in 0..=jiff::Timestamp::MAX.as_second()) {
            prop_assert_eq!(parse_http_date(&http_date(seconds)), Some(seconds));
        }

        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse_http_date(&bytes);
        }
    }

    #[test]
    fn times_are_counted_forward() {
        let at = |seconds, nanos| Some(Timestamp { seconds, nanos });
        for (text, expected) in [
            ("0", at(0, 0)),
            ("1763754311.5", at(1_763_754_311, 500_000_000)),
            ("1.000000001", at(1, 1)),
            ("-1", at(-1, 0)),
            ("-1.25", at(-2, 750_000_000)),
            ("-0.5", at(-1, 500_000_000)),
            ("1.", None),
            (".5", None),
            ("1.0000000001", None),
            ("1e3", None),
            ("+1", None),
            ("", None),
            ("9223372036854775808", None),
        ] {
            assert_eq!(moment(text.as_bytes()), expected, "{text}");
        }
    }
}
