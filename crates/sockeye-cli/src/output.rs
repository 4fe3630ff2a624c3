//! What verbs print: columns for people, lines of JSON for programs.

use std::io::{self, Write as _};

use serde::Serialize;
use sockeye_accounts::Timestamp;

use crate::failure::{Failure, ignore_broken_pipe};

/// Rows whose cells stand below each other; the last cell of a row is as long as it likes.
#[derive(Debug)]
pub(crate) struct Columns<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Columns<N> {
    /// With these headings.
    pub(crate) fn headed(headings: [&str; N]) -> Self {
        Self { rows: vec![headings.map(str::to_owned)] }
    }

    /// One more row.
    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    /// All rows as text, each with its line's end.
    pub(crate) fn text(&self) -> String {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (width, cell) in widths.iter().zip(row) {
                line.push_str(cell);
                let pad = width + 2 - cell.chars().count();
                line.extend(std::iter::repeat_n(' ', pad));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A size for people, in the unit that leaves one to four digits.
pub(crate) fn short_size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut unit = None;
    // Tenths of the unit.
    let mut tenths = u128::from(bytes) * 10;
    for next in UNITS {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1024;
        unit = Some(next);
    }
    match unit {
        None => format!("{bytes}B"),
        Some(unit) if tenths < 100 => format!("{}.{}{unit}", tenths / 10, tenths % 10),
        Some(unit) => format!("{}{unit}", tenths / 10),
    }
}

/// The day of a time, in UTC.
pub(crate) fn day(time: Timestamp) -> String {
    // RFC 3339: the date is what stands before the T.
    time.to_string().split('T').next().unwrap_or_default().to_owned()
}

/// Prints to standard output; a reader that went away is no failure.
pub(crate) fn print(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let written = io::stdout().write_all(text.as_ref()).or_else(ignore_broken_pipe);
    written.map_err(|error| Failure::from(error).about("standard output"))
}

/// Says on standard error what is worth knowing beside the answer, unless --quiet was said.
pub(crate) fn note(text: &str) {
    if tracing::enabled!(tracing::Level::WARN) {
        // Where nobody can read it, nobody misses it.
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// Prints a line of JSON for each of these.
pub(crate) fn print_json<T: Serialize>(values: impl IntoIterator<Item = T>) -> Result<(), Failure> {
    let mut text = Vec::new();
    for value in values {
        serde_json::to_writer(&mut text, &value).map_err(io::Error::from)?;
        text.push(b'\n');
    }
    print(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_below_each_other_and_nothing_trails() {
        let mut columns = Columns::headed(["NAME", "ROLE"]);
        columns.row(["alice".to_owned(), "member".to_owned()]);
        columns.row(["项目".to_owned(), String::new()]);
        assert_eq!(columns.text(), "NAME   ROLE\nalice  member\n项目\n");
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.0KiB"),
            (1536, "1.5KiB"),
            (10 << 10, "10KiB"),
            ((1 << 20) - 1, "1023KiB"),
            (1 << 20, "1.0MiB"),
            (u64::MAX, "15EiB"),
        ] {
            assert_eq!(short_size(bytes), text);
        }
    }

    #[test]
    fn a_day_is_that_of_utc() {
        assert_eq!(day(Timestamp::from_second(1_700_000_000).unwrap()), "2023-11-14");
    }
}
