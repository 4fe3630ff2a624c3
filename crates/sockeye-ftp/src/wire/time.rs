//! Times (RFC 3659 §2.3): `YYYYMMDDHHMMSS`, in UTC, and if need be a fraction.
//!
//! The same form is in the reply to MDTM and the `modify` fact, in the arguments of MFMT (draft-somers-ftp-mfxx) and of SITE
//! UTIME, and in that of MDTM where it sets a time, as clients did before MFMT.

use jiff::{SignedDuration, civil::DateTime, tz::Offset};
use sockeye_node::Timestamp;

use super::{command::split, digits};

/// Why an argument is no time, or has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Not fourteen digits, or no moment that there is.
    #[error("Invalid time format: a time is YYYYMMDDHHMMSS, in UTC.")]
    Form,
    /// A time without a path, or neither.
    #[error("Syntax error: a time and a path are needed.")]
    Missing,
}

/// The date and time of day of a moment, in UTC; those before the year 0 and after 9999 are at its ends.
pub(super) fn civil(at: Timestamp) -> DateTime {
    let first = jiff::Timestamp::constant(-62_167_219_200, 0);
    let seconds = at.seconds.clamp(first.as_second(), jiff::Timestamp::MAX.as_second());
    Offset::UTC.to_datetime(jiff::Timestamp::from_second(seconds).unwrap_or(first))
}

/// Appends the time without its fraction, which not every client understands.
pub fn write(out: &mut Vec<u8>, at: Timestamp) {
    let at = civil(at);
    let year = at.year().unsigned_abs();
    for value in [year / 100, year % 100] {
        digits::two(out, i8::try_from(value).unwrap_or(99));
    }
    for value in [at.month(), at.day(), at.hour(), at.minute(), at.second()] {
        digits::two(out, value);
    }
}

/// As [`write()`], with milliseconds if there are any.
pub fn write_exact(out: &mut Vec<u8>, at: Timestamp) {
    write(out, at);
    let millis = at.nanos / 1_000_000;
    if millis > 0 {
        out.extend(format!(".{millis:03}").bytes());
    }
}

/// Reads a time with or without a fraction. The 61st second of a minute is the first of the next one.
///
/// # Errors
/// [`TimeError::Form`].
pub fn parse(text: &[u8]) -> Result<Timestamp, TimeError> {
    let (whole, fraction) = match text.iter().position(|&b| b == b'.') {
        Some(point) => (&text[..point], Some(&text[point + 1..])),
        None => (text, None),
    };
    let digits = fraction.unwrap_or(b"0");
    let has_digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if whole.len() != 14 || !has_digits(whole) || !has_digits(digits) {
        return Err(TimeError::Form);
    }
    let nanos = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
    let nanos = nanos.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Ok(Timestamp { seconds: seconds(whole).ok_or(TimeError::Form)?, nanos })
}

/// Seconds since the epoch of fourteen digits.
fn seconds(digits: &[u8]) -> Option<i64> {
    let two = |at: usize| i8::try_from((digits[at] - b'0') * 10 + (digits[at + 1] - b'0')).ok();
    let year = i16::from(two(0)?) * 100 + i16::from(two(2)?);
    let second = two(12)?;
    let leap = i64::from(second == 60);
    let second = if leap == 1 { 59 } else { second };
    let at = DateTime::new(year, two(4)?, two(6)?, two(8)?, two(10)?, second, 0).ok()?;
    let at = Offset::UTC.to_timestamp(at.checked_add(SignedDuration::from_secs(leap)).ok()?);
    at.ok().map(jiff::Timestamp::as_second)
}

/// The argument of MFMT, and of MDTM where it sets a time: `TIME PATH`.
///
/// For MDTM a file of the whole name goes first, if there is one (RFC 3659 §3.1): without a time in front it
/// is an error here, and a question there.
///
/// # Errors
/// [`TimeError`].
pub fn split_time(argument: &[u8]) -> Result<(Timestamp, &[u8]), TimeError> {
    let (time, path) = split(argument);
    if path.is_empty() {
        return Err(TimeError::Missing);
    }
    Ok((parse(time)?, path))
}

/// The argument of SITE UTIME in either form that clients send: `YYYYMMDDHHMM[SS] PATH`, or `PATH ATIME MTIME CTIME UTC`, of
/// which the second time is meant.
///
/// # Errors
/// [`TimeError`].
pub fn split_utime(argument: &[u8]) -> Result<(Timestamp, &[u8]), TimeError> {
    if let Some(found) = behind_path(argument) {
        return Ok(found);
    }
    let (time, path) = split(argument);
    if path.is_empty() {
        return Err(TimeError::Missing);
    }
    let whole = if time.len() == 12 { &[time, b"00"].concat() } else { time };
    Ok((parse(whole)?, path))
}

/// `PATH ATIME MTIME CTIME UTC`, read from the end, as a path may have spaces.
fn behind_path(argument: &[u8]) -> Option<(Timestamp, &[u8])> {
    let mut words = argument.rsplitn(5, |&b| b == b' ');
    let zone = words.next()?;
    let (created, modified, accessed) = (words.next()?, words.next()?, words.next()?);
    let path = words.next().filter(|path| !path.is_empty())?;
    let are_times = parse(created).is_ok() && parse(accessed).is_ok();
    let modified = parse(modified).ok()?;
    (zone.eq_ignore_ascii_case(b"UTC") && are_times).then_some((modified, path))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    fn written(at: Timestamp) -> String {
        let mut out = Vec::new();
        write_exact(&mut out, at);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (text, seconds) in [
            ("19700101000000", 0),
            ("19691231235959", -1),
            ("19980615100045", 897_904_845),
            ("20000229000000", 951_782_400),
            ("00000101000000", -62_167_219_200),
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(at(seconds)), "{text}");
            assert_eq!(written(at(seconds)), text);
        }
        assert_eq!(parse(b"20161231235960"), parse(b"20170101000000"));
        assert_eq!(written(at(i64::MIN)), "00000101000000");
        assert!(written(at(i64::MAX)).starts_with("99991230"));
    }

    #[test]
    fn a_fraction_counts_as_far_as_it_can_be_kept() {
        let exact = |nanos| Timestamp { seconds: 0, nanos };
        assert_eq!(parse(b"19700101000000.5"), Ok(exact(500_000_000)));
        assert_eq!(parse(b"19700101000000.1234567891"), Ok(exact(123_456_789)));
        assert_eq!(written(exact(7_000_000)), "19700101000000.007");
        let mut out = Vec::new();
        write(&mut out, exact(7_000_000));
        assert_eq!(out, b"19700101000000");
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "2017092101341",
            "201709210134100",
            "B017092101341A",
            "20170921",
            "20170921013410.",
            "20170921013410.x",
            "20170921013410.1.2",
            "20171321013410",
            "20170229000000",
            "20170921240000",
            "20170921016000",
            "20170921013461",
            "+2017092101341",
            "99991231235960",
        ] {
            assert_eq!(parse(text.as_bytes()), Err(TimeError::Form), "{text}");
        }
    }

    #[test]
    fn a_time_goes_before_a_path() {
        let time = at(897_904_845);
        assert_eq!(split_time(b"19980615100045 a b"), Ok((time, &b"a b"[..])));
        assert_eq!(split_time(b"19980615100045"), Err(TimeError::Missing));
        assert_eq!(split_time(b"19980615100045 "), Err(TimeError::Missing));
        assert_eq!(split_time(b"plan for 2017"), Err(TimeError::Form));
    }

    #[test]
    fn utime_is_understood_in_both_forms() {
        let time = at(897_904_845);
        for (argument, expected) in [
            ("19980615100045 a b", Ok((time, "a b"))),
            ("199806151000 a", Ok((at(897_904_800), "a"))),
            ("a b 20200101000000 19980615100045 20200101000000 UTC", Ok((time, "a b"))),
            ("a", Err(TimeError::Missing)),
            ("a 20200101000000", Err(TimeError::Form)),
            (" 20200101000000 19980615100045 20200101000000 UTC", Err(TimeError::Form)),
        ] {
            let expected = expected.map(|(time, path)| (time, path.as_bytes()));
            assert_eq!(split_utime(argument.as_bytes()), expected, "{argument}");
        }
    }

    proptest! {
        #[test]
        fn a_time_reads_back(seconds in -62_167_219_200i64..=253_402_207_200, millis in 0u32..1000) {
            let at = Timestamp { seconds, nanos: millis * 1_000_000 };
            prop_assert_eq!(parse(written(at).as_bytes()), Ok(at));
        }

        #[test]
        fn nothing_makes_it_panic(text in "[0-9. UTCa]{0,80}", bytes in proptest::collection::vec(any::<u8>(), 0..30)) {
            let _ = (parse(&bytes), split_time(&bytes), split_utime(&bytes));
            let _ = (parse(text.as_bytes()), split_time(text.as_bytes()), split_utime(text.as_bytes()));
        }
    }
}
