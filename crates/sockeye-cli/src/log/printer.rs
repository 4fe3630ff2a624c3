//! Lines for people, in columns, and for programs, as they are.

use std::{
    borrow::Cow,
    fmt,
    io::{self, Write},
};

use anstyle::{AnsiColor, Style};
use jiff::{Timestamp, tz::TimeZone};
use sockeye_journal::{Outcome, wire::line::Entry};

use crate::{output::short_size, serve::PROTOCOLS};

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
    pub(super) fn new(json: bool, zone: TimeZone) -> Self {
        if json { Self::Json } else { Self::Table(zone) }
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
            took: "TOOK",
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
    took: &'a str,
    protocol: &'a str,
    from: &'a str,
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, user, op, outcome, size, took, protocol, from } = self;
        write!(f, "{time:20} {user:10} {op:10} {outcome:10} {size:>8} {took:>6}")?;
        write!(f, " {protocol:8} {from:15}")
    }
}

fn row(out: &mut impl Write, entry: &Entry<'_>, zone: &TimeZone) -> io::Result<()> {
    let text = |text: &Option<Cow<'_, str>>| {
        text.as_deref().map_or(Cow::Borrowed("-"), |text| harmless(text).into_owned().into())
    };
    let nothing = || "-".to_owned();
    let row = Row {
        time: &time(entry.micros, zone),
        user: &text(&entry.user),
        op: &harmless(&entry.op),
        outcome: &harmless(&entry.outcome),
        size: &entry.bytes.map_or_else(nothing, short_size),
        took: &entry.took_us.map_or_else(nothing, short_time),
        protocol: &protocol(entry),
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

/// The moment on the wall's clock, and how far that is ahead of UTC: it can be read only one way, and be said to `--since`.
fn time(micros: u64, zone: &TimeZone) -> String {
    let moment = i64::try_from(micros).ok().and_then(|it| Timestamp::from_microsecond(it).ok());
    let Some(moment) = moment else { return "-".to_owned() };
    let moment = moment.to_zoned(zone.clone());
    let form = if moment.offset().is_zero() { "%F %TZ" } else { "%F %T%:::z" };
    moment.strftime(form).to_string()
}

/// A protocol as its URLs have it, which tell whether it was under TLS.
fn protocol(entry: &Entry<'_>) -> Cow<'static, str> {
    let Some(name) = entry.protocol.as_deref() else { return "-".into() };
    let under_tls = entry.tls == Some(true);
    match PROTOCOLS.iter().find(|it| under_tls && it.schemes.0 == it.name && it.name == name) {
        Some(row) => row.schemes.1.into(),
        None if under_tls => format!("{}+tls", harmless(name)).into(),
        None => harmless(name).into_owned().into(),
    }
}

/// How long something took, to two digits or to the second.
fn short_time(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros}us"),
        1_000..1_000_000 => format!("{}ms", micros / 1_000),
        1_000_000..10_000_000 => format!("{}.{}s", micros / 1_000_000, micros / 100_000 % 10),
        10_000_000..60_000_000 => format!("{}s", micros / 1_000_000),
        60_000_000..3_600_000_000 => {
            format!("{}m{:02}s", micros / 60_000_000, micros / 1_000_000 % 60)
        }
        _ => format!("{}h{:02}m", micros / 3_600_000_000, micros / 60_000_000 % 60),
    }
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
        let at = |zone| time(1_000_000_000_000_000, &zone);
        let half = jiff::tz::offset(5).saturating_add(jiff::ToSpan::minutes(30));
        assert_eq!(at(TimeZone::UTC), "2001-09-09 01:46:40Z");
        assert_eq!(at(TimeZone::fixed(jiff::tz::offset(8))), "2001-09-09 09:46:40+08");
        assert_eq!(at(TimeZone::fixed(half)), "2001-09-09 07:16:40+05:30");
        assert_eq!(time(u64::MAX, &TimeZone::UTC), "-");
    }

    #[test]
    fn how_long_something_took_is_short() {
        for (micros, text) in [
            (0, "0us"),
            (999, "999us"),
            (1_500, "1ms"),
            (1_250_000, "1.2s"),
            (59_999_999, "59s"),
            (61_000_000, "1m01s"),
            (3_660_000_000, "1h01m"),
        ] {
            assert_eq!(short_time(micros), text);
        }
    }
}
