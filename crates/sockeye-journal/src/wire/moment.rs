//! Moments as the log writes them: `2026-11-21T16:28:49.123456Z` (RFC 3339, UTC, microseconds).
//!
//! Always 27 bytes, so that texts compare as the moments do.

/// Length of a moment's text.
pub const LENGTH: usize = 27;

/// The last moment that four digits of a year can say, in microseconds since 1970.
pub const LAST: u64 = 253_402_300_799_999_999;

const MICROS: u64 = 1_000_000;
const DAY: u64 = 86_400;

/// The text of a moment in microseconds since 1970; one after [`LAST`] is written as that.
#[must_use]
pub fn format(micros: u64) -> [u8; LENGTH] {
    let micros = micros.min(LAST);
    let (seconds, fraction) = (micros / MICROS, micros % MICROS);
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let (year, month, day) = date(seconds / DAY);
    let time = seconds % DAY;
    digits(&mut text[0..4], year);
    digits(&mut text[5..7], month);
    digits(&mut text[8..10], day);
    digits(&mut text[11..13], time / 3600);
    digits(&mut text[14..16], time / 60 % 60);
    digits(&mut text[17..19], time % 60);
    digits(&mut text[20..26], fraction);
    text
}

/// Reads a moment back: microseconds since 1970, or nothing if it is not one of ours.
#[must_use]
pub fn parse(text: &[u8]) -> Option<u64> {
    let shape = text.len() == LENGTH
        && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (26, b'Z')]
            .into_iter()
            .all(|(at, mark)| text[at] == mark);
    if !shape {
        return None;
    }
    let [year, month, day] = [&text[0..4], &text[5..7], &text[8..10]].map(number);
    let [hour, minute, second] = [&text[11..13], &text[14..16], &text[17..19]].map(number);
    let (hour, minute, second) = (hour?, minute?, second?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(year?, month?, day?)?;
    let seconds = days * DAY + hour * 3600 + minute * 60 + second;
    Some(seconds * MICROS + number(&text[20..26])?)
}

/// Formats moments that mostly lie in the same second as the one before.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    second: u64,
    text: [u8; LENGTH],
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { second: 0, text: format(0) }
    }

    pub(crate) fn format(&mut self, micros: u64) -> &[u8; LENGTH] {
        let micros = micros.min(LAST);
        if micros / MICROS == self.second {
            digits(&mut self.text[20..26], micros % MICROS);
        } else {
            self.second = micros / MICROS;
            self.text = format(micros);
        }
        &self.text
    }
}

/// Writes a number into as many places as there are.
fn digits(places: &mut [u8], mut number: u64) {
    for place in places.iter_mut().rev() {
        // A digit is below 10.
        *place = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
    })
}

/// The days before each month of a year that begins in March, so that the leap day is the last one.
const BEFORE_MONTH: [u64; 12] = [0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337];

/// Days in 400 years, after which the calendar repeats itself.
const ERA: u64 = 146_097;

/// Days from the first of March of the year 0 to the first of January 1970.
const TO_1970: u64 = 719_468;

/// The date of a day counted from 1970 (the proleptic Gregorian calendar).
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + TO_1970;
    let (era, day) = (days / ERA, days % ERA);
    // Years in this era: every fourth is longer, but for the hundredth, but for the four hundredth.
    let year = (day - day / 1460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = BEFORE_MONTH.iter().rposition(|before| *before <= day).unwrap_or(0);
    let day = day - BEFORE_MONTH[month] + 1;
    // From March to January.
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month as u64, day)
}

/// The days from 1970 to a date; nothing if there is no such date, or it is before.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let (month_of_ours, year_of_ours) = match month {
        1 | 2 => (month + 9, year.checked_sub(1)?),
        3..=12 => (month - 3, year),
        _ => return None,
    };
    let (era, in_era) = (year_of_ours / 400, year_of_ours % 400);
    let before = BEFORE_MONTH[usize::try_from(month_of_ours).ok()?];
    let days = (era * ERA + in_era * 365 + in_era / 4 - in_era / 100 + before + day)
        .checked_sub(1 + TO_1970)?;
    // A thirtieth of February is another day.
    (date(days) == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments_are_written_as_the_calendar_has_them() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (68_169_599, "1972-02-28T23:59:59.000000Z"),
            (68_169_600, "1972-02-29T00:00:00.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_000_000_000, "2001-09-09T01:46:40.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
            (253_402_300_799, "9999-12-31T23:59:59.000000Z"),
        ] {
            assert_eq!(str::from_utf8(&format(seconds * MICROS)).unwrap(), text);
            assert_eq!(parse(text.as_bytes()), Some(seconds * MICROS));
        }
        assert_eq!(format(u64::MAX), format(LAST));
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "1970-01-01T00:00:00Z",
            "1970-02-30T00:00:00.000000Z",
            "1970-13-01T00:00:00.000000Z",
            "1970-00-01T00:00:00.000000Z",
            "1970-01-00T00:00:00.000000Z",
            "1969-12-31T23:59:59.999999Z",
            "2026-01-01T24:00:00.000000Z",
            "2026-01-01T00:00:60.000000Z",
            "2026-01-01T00:00:00.00000xZ",
            "2026-01-01 00:00:00.000000Z",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_reads_back_and_texts_compare_as_moments(a in 0..=LAST, b in 0..=LAST) {
            prop_assert_eq!(parse(&format(a)), Some(a));
            prop_assert_eq!(a.cmp(&b), format(a).cmp(&format(b)));
            let mut clock = Clock::new();
            for moment in [a, a / MICROS * MICROS, b] {
                prop_assert_eq!(*clock.format(moment), format(moment));
            }
        }

        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(moment) = parse(&bytes) {
                prop_assert_eq!(&format(moment)[..], &bytes[..]);
            }
        }
    }
}
