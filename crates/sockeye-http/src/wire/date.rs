//! Dates: HTTP's (RFC 9110 §5.6.7) and, for listings and logs, ISO 8601's.

use std::time::{Duration, UNIX_EPOCH};

use sockeye_node::Timestamp;

/// Length of an HTTP date.
pub const HTTP_DATE: usize = 29;

/// The last second of the year 9999, beyond which no four-digit year exists.
const LAST: i64 = 253_402_300_799;

const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// A date and a time of day, UTC.
pub(super) struct Civil {
    pub(super) year: u16,
    /// 0–11.
    pub(super) month: usize,
    pub(super) day: u8,
    /// 0 is a Thursday.
    weekday: usize,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
}

/// Takes seconds since the epoch, held within the years 1970–9999.
#[expect(clippy::cast_possible_truncation, reason = "each value is a remainder that fits")]
pub(super) fn civil(seconds: i64) -> Civil {
    let seconds = seconds.clamp(0, LAST).unsigned_abs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Years that begin in March end with the leap day; 400 of them have 146,097 days.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12;
    let year = era * 400 + year_of_era + u64::from(month < 2);
    Civil {
        year: year as u16,
        month: month as usize,
        day: day as u8,
        weekday: (days % 7) as usize,
        hour: (rest / 3600) as u8,
        minute: (rest / 60 % 60) as u8,
        second: (rest % 60) as u8,
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, from seconds since the epoch.
#[must_use]
pub fn http_date(seconds: i64) -> [u8; HTTP_DATE] {
    let at = civil(seconds);
    let mut out = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    out[..3].copy_from_slice(DAYS[at.weekday]);
    two(&mut out[5..7], at.day);
    out[8..11].copy_from_slice(MONTHS[at.month]);
    four(&mut out[12..16], at.year);
    two(&mut out[17..19], at.hour);
    two(&mut out[20..22], at.minute);
    two(&mut out[23..25], at.second);
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
    let at = civil(seconds);
    let (month, day) = (at.month + 1, at.day);
    format!("{:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", at.year, at.hour, at.minute, at.second)
}

/// `21/Nov/2026:09:03:00 +0000`, as access logs have it.
#[must_use]
pub fn log_date(seconds: i64) -> String {
    let at = civil(seconds);
    let month = String::from_utf8_lossy(MONTHS[at.month]);
    let (day, year) = (at.day, at.year);
    format!("{day:02}/{month}/{year:04}:{:02}:{:02}:{:02} +0000", at.hour, at.minute, at.second)
}

fn two(out: &mut [u8], value: u8) {
    out[0] = b'0' + value / 10;
    out[1] = b'0' + value % 10;
}

fn four(out: &mut [u8], value: u16) {
    let [high, low] = [value / 100, value % 100].map(|v| u8::try_from(v).unwrap_or(99));
    two(&mut out[..2], high);
    two(&mut out[2..4], low);
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
        assert_eq!(&http_date(i64::MAX), b"Fri, 31 Dec 9999 23:59:59 GMT");
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
        fn a_date_is_read_back(seconds in 0..=LAST) {
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
