//! Durations and sizes as people write them: `30s`, `200ms`, `64KiB`.
//!
//! One notation for addresses, the command line and configuration files. What is
//! printed here parses back to the same value; nothing is rounded but by [`format_rough_size`] and [`format_rough_size_up`].

use std::{fmt, time::Duration};

/// The text is no duration or no size; the message says what would be.
///
/// `Debug` prints what `Display` does, as `main` shows it.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QuantityError(String);

impl fmt::Debug for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Units of time, the largest first; each with its nanoseconds.
const TIMES: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Units of size, the largest first; each with its bytes.
const SIZES: [(&str, u64); 12] = [
    ("EiB", 1 << 60),
    ("PiB", 1 << 50),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("PB", 1_000_000_000_000_000),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// How many of [`SIZES`] are binary units: the ones that rough sizes are printed in.
const BINARY_SIZES: usize = 6;

/// Reads a duration: whole numbers with the units `d`, `h`, `m`, `s`, `ms`, `us` or `ns`,
/// each at most once and the largest first, as `30s`, `200ms` or `1h30m`.
///
/// ```
/// use std::time::Duration;
/// use sockeye::quantity::parse_duration;
/// assert_eq!(parse_duration("200ms"), Ok(Duration::from_millis(200)));
/// assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
/// assert!(parse_duration("30").is_err(), "a unit is needed");
/// ```
///
/// # Errors
/// If the text is not of that form or is longer than a [`Duration`] can be.
pub fn parse_duration(text: &str) -> Result<Duration, QuantityError> {
    let mut rest = text;
    let mut total: u128 = 0;
    let mut coarser = u128::MAX;
    loop {
        let (number, unit, after) = leading_quantity(rest);
        let Some(&(_, nanos)) = TIMES.iter().find(|(name, _)| *name == unit) else {
            return Err(bad_duration(text, number, unit));
        };
        let number: u128 = number.parse().map_err(|_| bad_duration(text, number, unit))?;
        if nanos >= coarser {
            return Err(QuantityError(format!(
                "`{}` is not a duration: write the larger unit first, as 1h30m",
                text.escape_debug()
            )));
        }
        coarser = nanos;
        total = number
            .checked_mul(nanos)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| too_long(text))?;
        if after.is_empty() {
            return duration_of(total).ok_or_else(|| too_long(text));
        }
        rest = after;
    }
}

/// Reads a size in bytes: a whole number, alone or with a unit as `64KiB`, `10GiB` or
/// (powers of ten) `10MB`. Letters may be of either case.
///
/// ```
/// use sockeye::quantity::parse_size;
/// assert_eq!(parse_size("64KiB"), Ok(65_536));
/// assert_eq!(parse_size("1500"), Ok(1_500));
/// assert!(parse_size("64K").is_err(), "64KiB or 64kB?");
/// ```
///
/// # Errors
/// If the text is not of that form or does not fit in 64 bits.
pub fn parse_size(text: &str) -> Result<u64, QuantityError> {
    let (number, unit, after) = leading_quantity(text);
    let shown = text.escape_debug();
    let factor = SIZES
        .iter()
        .find(|(name, _)| after.is_empty() && name.eq_ignore_ascii_case(unit))
        .map(|&(_, factor)| factor)
        .or((unit.is_empty() && after.is_empty()).then_some(1));
    let Some(factor) = factor.filter(|_| !number.is_empty()) else {
        let one_letter = unit.len() == 1 && "kmgtpe".contains(&unit.to_ascii_lowercase());
        return Err(QuantityError(if one_letter && !number.is_empty() && after.is_empty() {
            let unit = unit.to_ascii_uppercase();
            format!("`{shown}` has no full unit: write {number}{unit}iB")
        } else {
            format!("`{shown}` is not a size: write it as 64KiB, 10MiB or a number of bytes")
        }));
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| QuantityError(format!("`{shown}` is more than 64 bits can hold")))
}

/// Prints a duration so that [`parse_duration`] gives it back: `30s`, `1h`, `1500ms`.
pub fn format_duration(duration: Duration) -> impl fmt::Display {
    let nanos = duration.as_nanos();
    let (unit, factor) = TIMES
        .into_iter()
        .find(|(_, factor)| nanos != 0 && nanos.is_multiple_of(*factor))
        .unwrap_or(("s", 1_000_000_000));
    Quantity(nanos / factor, unit, "")
}

/// Prints a size so that [`parse_size`] gives it back, in the unit that leaves the smallest number: `64KiB`, `10GB`, `1500B`.
pub fn format_size(bytes: u64) -> impl fmt::Display {
    let whole = SIZES.into_iter().filter(|(_, factor)| bytes != 0 && bytes.is_multiple_of(*factor));
    let (unit, factor) = whole.max_by_key(|(_, factor)| *factor).unwrap_or(("B", 1));
    Quantity(u128::from(bytes / factor), unit, "")
}

/// Prints a size for people, in the unit that leaves one to four digits, rounded down: `1023B`, `1.5KiB`, `10GiB`.
///
/// ```
/// use sockeye::quantity::format_rough_size;
///
/// assert_eq!(format_rough_size(1_502_848).to_string(), "1.4MiB");
/// ```
pub fn format_rough_size(bytes: u64) -> impl fmt::Display {
    let (tenths, unit) = rough_size(bytes, |bytes, part| bytes / part);
    RoughSize { tenths, unit }
}

/// As [`format_rough_size`], rounded up: what is said to be taken or needed is then never less than it is.
///
/// ```
/// use sockeye::quantity::format_rough_size_up;
///
/// assert_eq!(format_rough_size_up(1_502_848).to_string(), "1.5MiB");
/// ```
pub fn format_rough_size_up(bytes: u64) -> impl fmt::Display {
    let (tenths, unit) = rough_size(bytes, u128::div_ceil);
    RoughSize { tenths, unit }
}

/// The tenths of a unit that are closest, and the unit that leaves the fewest digits.
fn rough_size(bytes: u64, divided: fn(u128, u128) -> u128) -> (u128, &'static str) {
    let tenfold = u128::from(bytes) * 10;
    let binary = SIZES[..BINARY_SIZES].iter().rev();
    let units = std::iter::once(&("B", 1)).chain(binary);
    let mut rough = (tenfold, "B");
    for &(unit, factor) in units {
        let factor = u128::from(factor);
        let tenths = divided(tenfold, factor);
        // From ten on, and of bytes, there are no tenths.
        let whole = tenths >= 100 || factor == 1;
        let tenths = if whole { divided(tenfold, factor * 10) * 10 } else { tenths };
        rough = (tenths, unit);
        if tenths < 10_240 {
            break;
        }
    }
    rough
}

/// A size in tenths of a unit.
struct RoughSize {
    tenths: u128,
    unit: &'static str,
}

impl fmt::Display for RoughSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenths, unit } = self;
        match (tenths / 10, tenths % 10) {
            (whole, 0) => write!(f, "{whole}{unit}"),
            (whole, rest) => write!(f, "{whole}.{rest}{unit}"),
        }
    }
}

/// Prints how many there are of something, which is called `one` if it is alone and else `many`.
///
/// ```
/// use sockeye::quantity::format_count;
///
/// assert_eq!(format_count(1, "entry", "entries").to_string(), "1 entry");
/// assert_eq!(format_count(0, "entry", "entries").to_string(), "0 entries");
/// ```
pub fn format_count(count: u64, one: &'static str, many: &'static str) -> impl fmt::Display {
    Quantity(count.into(), if count == 1 { one } else { many }, " ")
}

/// A number, what it counts, and what stands between them.
struct Quantity(u128, &'static str, &'static str);

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, unit, space) = self;
        write!(f, "{number}{space}{unit}")
    }
}

/// Splits off the leading digits and the ASCII letters that follow them.
fn leading_quantity(text: &str) -> (&str, &str, &str) {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, after) = rest.split_at(letters);
    (number, unit, after)
}

fn duration_of(nanos: u128) -> Option<Duration> {
    let secs = u64::try_from(nanos / 1_000_000_000).ok()?;
    let below = u32::try_from(nanos % 1_000_000_000).ok()?;
    Some(Duration::new(secs, below))
}

fn bad_duration(text: &str, number: &str, unit: &str) -> QuantityError {
    let shown = text.escape_debug();
    QuantityError(if unit.is_empty() && number == text && !number.is_empty() {
        format!("`{shown}` has no unit: write {number}s or {number}ms")
    } else {
        format!("`{shown}` is not a duration: write it as 30s, 200ms or 1h30m")
    })
}

fn too_long(text: &str) -> QuantityError {
    QuantityError(format!("`{}` is longer than a duration can be", text.escape_debug()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read() {
        let cases = [
            ("0s", 0),
            ("7ns", 7),
            ("3us", 3_000),
            ("200ms", 200_000_000),
            ("30s", 30_000_000_000),
            ("2m", 120_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1d", 86_400_000_000_000),
            ("1s500ms", 1_500_000_000),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn a_duration_that_is_none_is_refused_with_the_right_form() {
        let wrong = [
            ("", "30s, 200ms"),
            ("30", "write 30s or 30ms"),
            ("s", "30s, 200ms"),
            ("-1s", "30s, 200ms"),
            ("1.5s", "30s, 200ms"),
            ("1 s", "30s, 200ms"),
            ("30m1h", "larger unit first"),
            ("1s1s", "larger unit first"),
            ("1y", "30s, 200ms"),
            ("99999999999999999999d", "longer than a duration"),
            ("999999999999999999999999999999999999999999s", "30s, 200ms"),
        ];
        for (text, expected) in wrong {
            let message = parse_duration(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
        let error = parse_duration("30").unwrap_err();
        assert_eq!(format!("{error:?}"), error.to_string());
    }

    #[test]
    fn sizes_are_read() {
        let cases = [
            ("0", 0),
            ("1500", 1_500),
            ("12B", 12),
            ("64KiB", 65_536),
            ("64kib", 65_536),
            ("10GiB", 10 << 30),
            ("3kB", 3_000),
            ("2MB", 2_000_000),
            ("15EiB", 15 << 60),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn a_size_that_is_none_is_refused_with_the_right_form() {
        let wrong = [
            ("", "write it as 64KiB"),
            ("64k", "write 64KiB"),
            ("64M", "write 64MiB"),
            ("KiB", "write it as 64KiB"),
            ("k", "write it as 64KiB"),
            ("1KiB2", "write it as 64KiB"),
            ("-1", "write it as 64KiB"),
            ("16EiB", "64 bits"),
            ("99999999999999999999", "64 bits"),
        ];
        for (text, expected) in wrong {
            let message = parse_size(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn a_size_is_printed_in_the_unit_that_it_was_likely_written_in() {
        for text in ["0B", "1500B", "64KiB", "10GB", "10GiB", "15EiB", "3kB"] {
            assert_eq!(format_size(parse_size(text).unwrap()).to_string(), text);
        }
    }

    #[test]
    fn sizes_for_people_are_short() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1KiB"),
            (1536, "1.5KiB"),
            (10 << 10, "10KiB"),
            ((1 << 20) - 1, "1023KiB"),
            (1 << 20, "1MiB"),
            (u64::MAX, "15EiB"),
        ] {
            assert_eq!(format_rough_size(bytes).to_string(), text);
        }
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1025, "1.1KiB"),
            ((10 << 10) - 1, "10KiB"),
            ((10 << 10) + 1, "11KiB"),
            ((1 << 20) - 1, "1MiB"),
            (u64::MAX, "16EiB"),
        ] {
            assert_eq!(format_rough_size_up(bytes).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn a_printed_duration_is_read_back(secs: u64, nanos in 0u32..1_000_000_000) {
            let duration = Duration::new(secs, nanos);
            prop_assert_eq!(parse_duration(&format_duration(duration).to_string()), Ok(duration));
        }

        #[test]
        fn a_printed_size_is_read_back(bytes: u64, shift in 0u32..64) {
            let bytes = bytes >> shift << shift;
            prop_assert_eq!(parse_size(&format_size(bytes).to_string()), Ok(bytes));
        }

        #[test]
        fn any_text_is_answered(text: String) {
            let _ = parse_duration(&text);
            let _ = parse_size(&text);
        }
    }
}
