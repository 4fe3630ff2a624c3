//! Lines for people, in columns, and for programs, as they are.

use std::{
    borrow::Cow,
    fmt,
    io::{self, Write},
};

use anstyle::{AnsiColor, Style};
use jiff::{Timestamp, tz::TimeZone};
use sockeye_journal::{Outcome, wire::line::Entry};

use crate::output::short_size;

const HEADING: Style = Style::new().bold();
const DENIED: Style = AnsiColor::Yellow.on_default();
const FAILED: Style = AnsiColor::Red.on_default();
const ASIDE: Style = Style::new().dimmed();

/// Prints lines.
pub(super) enum Printer {
    /// As they are.
    Json,
    /// In columns, with times in this zone.
    Table(TimeZone),
}

impl Printer {
    pub(super) fn new(json: bool) -> Self {
        if json { Self::Json } else { Self::Table(TimeZone::system()) }
    }

    /// The names of the columns.
    pub(super) fn heading(&self, out: &mut impl Write) -> io::Result<()> {
        let Self::Table(_) = self else { return Ok(()) };
        let row = Row {
            time: "TIME",
            user: "USER",
            op: "OPERATION",
            outcome: "OUTCOME",
            size: "SIZE",
            protocol: "PROTOCOL",
            from: "FROM",
        };
        writeln!(out, "{HEADING}{row} WHAT{HEADING:#}")
    }

    pub(super) fn line(
        &self,
        out: &mut impl Write,
        entry: &Entry<'_>,
        line: &[u8],
    ) -> io::Result<()> {
        match self {
            Self::Json => {
                out.write_all(line)?;
                out.write_all(b"\n")
            }
            Self::Table(zone) => row(out, entry, zone),
        }
    }
}

/// The columns up to the last one, which may be as long as it is.
struct Row<'a> {
    time: &'a str,
    user: &'a str,
    op: &'a str,
    outcome: &'a str,
    size: &'a str,
    protocol: &'a str,
    from: &'a str,
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, user, op, outcome, size, protocol, from } = self;
        write!(f, "{time:19} {user:10} {op:10} {outcome:10} {size:>8} {protocol:8} {from:15}")
    }
}

fn row(out: &mut impl Write, entry: &Entry<'_>, zone: &TimeZone) -> io::Result<()> {
    let text = |text: &Option<Cow<'_, str>>| {
        text.as_deref().map_or(Cow::Borrowed("-"), |text| harmless(text).into_owned().into())
    };
    let size = entry.bytes.map_or_else(|| "-".to_owned(), short_size);
    let row = Row {
        time: &time(entry.micros, zone),
        user: &text(&entry.user),
        op: &harmless(&entry.op),
        outcome: &harmless(&entry.outcome),
        size: &size,
        protocol: &text(&entry.protocol),
        from: &text(&entry.from),
    }
    .to_string();
    let style = match entry.outcome() {
        Some(Outcome::Ok) => Style::new(),
        Some(Outcome::Failed | Outcome::NoSpace) | None => FAILED,
        Some(_) => DENIED,
    };
    write!(out, "{style}{row}{style:#}")?;
    if let Some(path) = &entry.path {
        write!(out, " {}", harmless(path))?;
    }
    if let Some(to) = &entry.to {
        write!(out, " → {}", harmless(to))?;
    }
    if let Some(detail) = &entry.detail {
        write!(out, " {ASIDE}({}){ASIDE:#}", harmless(detail))?;
    }
    writeln!(out)
}

/// The moment on the wall's clock.
fn time(micros: u64, zone: &TimeZone) -> String {
    let moment = i64::try_from(micros).ok().and_then(|it| Timestamp::from_microsecond(it).ok());
    moment.map_or_else(
        || "-".to_owned(),
        |moment| moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// A text without what a terminal would obey, or what would make it read otherwise than it is.
fn harmless(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
    };
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_act_on_the_terminal() {
        assert_eq!(harmless("报告.txt"), "报告.txt");
        assert_eq!(harmless("a\x1b[2Jb\u{202e}c\n"), "a\\u{1b}[2Jb\\u{202e}c\\u{a}");
    }

    #[test]
    fn times_are_those_of_the_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        assert_eq!(time(1_000_000_000_000_000, &zone), "2001-09-09 09:46:40");
        assert_eq!(time(u64::MAX, &zone), "-");
    }
}
