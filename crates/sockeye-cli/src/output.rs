//! What verbs print: columns for people, lines of JSON for programs.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    time::SystemTime,
};

use serde::Serialize;
use sockeye::quantity::{format_count, format_rough_size};
use sockeye_accounts::Timestamp;
use sockeye_node::command::{Held, Used};

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

/// A size for people.
pub(crate) fn short_size(bytes: u64) -> String {
    format_rough_size(bytes).to_string()
}

/// How long ago something was, in the largest unit: `3d ago`.
pub(crate) fn age(moment: SystemTime) -> String {
    let seconds = moment.elapsed().unwrap_or_default().as_secs();
    let units = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let (unit, name) = units.into_iter().find(|(unit, _)| seconds >= *unit).unwrap_or((1, "s"));
    format!("{}{name} ago", seconds / unit)
}

/// A path that a terminal cannot take for a command.
pub(crate) fn shown(path: &str) -> String {
    path.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// What a home holds, in one line.
pub(crate) fn held(space: &Held) -> String {
    let Held { bytes, entries, uploads, cut, trash, .. } = *space;
    let parts = [
        (uploads.saturating_sub(cut), "uploads under way"),
        (cut, "uploads that were cut"),
        (trash, "the trash"),
    ];
    let mut text = format!("{}, {}", short_size(bytes), format_count(entries, "entry", "entries"));
    for (bytes, what) in parts {
        if bytes > 0 {
            // Writing into a string does not fail.
            let _ = write!(text, "; {} of it in {what}", short_size(bytes));
        }
    }
    text
}

/// What a home holds, if that is known.
pub(crate) fn short_used(used: Option<Used>) -> String {
    used.map_or_else(|| "-".to_owned(), |used| short_size(used.bytes))
}

/// The minute of a time, in UTC.
pub(crate) fn minute(time: Timestamp) -> String {
    // RFC 3339: YYYY-MM-DDTHH:MM:SS…Z; years of more digits have a sign.
    let text = time.to_string();
    let minute = text.rsplit_once('T').and_then(|(day, rest)| Some((day, rest.get(..5)?)));
    minute.map_or(text.clone(), |(day, minute)| format!("{day} {minute}Z"))
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
    fn a_day_is_that_of_utc() {
        let moment = Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(minute(moment), "2023-11-14 22:13Z");
        assert_eq!(day(Timestamp::from_second(1_700_000_000).unwrap()), "2023-11-14");
    }
}
