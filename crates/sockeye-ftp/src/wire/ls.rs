//! Listings for people (RFC 959 §4.1.3): LIST in the form of `ls -l`, NLST as names, and the options that clients put in
//! front of a path.
//!
//! No RFC says how a line of LIST looks (RFC 1123 §4.1.2.7 leaves it so); clients read that of `/bin/ls -l`. Times are in UTC.

use sockeye_node::Timestamp;

use super::{
    command::split,
    digits,
    item::{Item, ItemKind, write_name, write_word},
    time::civil,
};

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// Half of a mean year in seconds: what is older is shown with its year in place of the time of day.
const HALF_YEAR: i64 = 31_556_952 / 2;

/// So far ahead a file's clock may be: clients take what is later for last year's.
const AHEAD: i64 = 24 * 3600;

/// What `ls` would be asked for. All other options are taken and do nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `-a`, `-A`: hidden files as well.
    pub all: bool,
    /// `-l`: what is told of each file, not only its name.
    pub long: bool,
    /// `-R`: folders in it as well.
    pub recursive: bool,
    /// `-1`: only names.
    pub names: bool,
    /// `-d`: the folder itself, not what is in it.
    pub itself: bool,
}

impl Options {
    /// The options in front of a path, and the path.
    ///
    /// Options are words that begin with `-`; `--` ends them. A path that begins so is `./-a`. Without
    /// options the argument is the path as it stands, spaces included.
    #[must_use]
    pub fn parse(argument: &[u8]) -> (Self, &[u8]) {
        let (mut options, mut rest) = (Self::default(), argument);
        loop {
            let (word, behind) = split(rest.trim_ascii_start());
            match word {
                b"--" => return (options, behind),
                [b'-', letters @ ..] if !letters.is_empty() => {
                    letters.iter().for_each(|&letter| options.add(letter));
                    rest = behind;
                }
                _ => return (options, rest),
            }
        }
    }

    fn add(&mut self, letter: u8) {
        match letter {
            b'a' | b'A' => self.all = true,
            b'l' => (self.long, self.names) = (true, false),
            b'R' => self.recursive = true,
            b'1' => (self.names, self.long) = (true, false),
            b'd' => self.itself = true,
            _ => {}
        }
    }
}

/// Appends a line of LIST; `now` decides between time of day and year.
///
/// ```
/// use sockeye_ftp::wire::{item::{Item, ItemKind}, ls};
/// use sockeye_node::{Rights, Timestamp};
/// let modified = Timestamp { seconds: 951_782_400, nanos: 0 };
/// let item = Item {
///     name: b"plan.txt",
///     kind: ItemKind::File,
///     size: 25_730,
///     modified,
///     unique: None,
///     mode: 0o640,
///     owner: "shared",
///     group: "team",
///     rights: Rights::ALL,
/// };
/// let mut out = Vec::new();
/// ls::write_line(&mut out, &item, modified);
/// assert_eq!(out, b"-rw-r-----    1 shared   team            25730 Feb 29 00:00 plan.txt\r\n");
/// ```
pub fn write_line(out: &mut Vec<u8>, item: &Item<'_>, now: Timestamp) {
    out.push(match item.kind {
        ItemKind::File => b'-',
        ItemKind::Link => b'l',
        ItemKind::CurrentFolder | ItemKind::ParentFolder | ItemKind::Folder => b'd',
    });
    for shift in (0..9).rev() {
        let is_set = item.mode >> shift & 1 == 1;
        out.push(if is_set { b"xwr"[shift % 3] } else { b'-' });
    }
    digits::decimal(out, if item.kind.is_folder() { 2 } else { 1 }, 5);
    for word in [item.owner, item.group] {
        out.push(b' ');
        let start = out.len();
        write_word(out, word);
        let width = (start + 8).max(out.len());
        out.resize(width, b' ');
    }
    out.push(b' ');
    digits::decimal(out, item.size, 12);
    out.push(b' ');
    write_date(out, item.modified, now);
    out.push(b' ');
    write_name(out, item.name);
    out.extend(b"\r\n");
}

/// `Feb 29 13:01`, or `Feb 29  2024`.
fn write_date(out: &mut Vec<u8>, at: Timestamp, now: Timestamp) {
    let date = civil(at);
    let month = usize::try_from(date.month() - 1).unwrap_or_default();
    out.extend_from_slice(MONTHS[month % MONTHS.len()]);
    out.push(b' ');
    digits::decimal(out, u64::from(date.day().unsigned_abs()), 2);
    out.push(b' ');
    let age = now.seconds.saturating_sub(at.seconds);
    if (-AHEAD..HALF_YEAR).contains(&age) {
        digits::two(out, date.hour());
        out.push(b':');
        digits::two(out, date.minute());
    } else {
        digits::decimal(out, u64::from(date.year().unsigned_abs()), 5);
    }
}

/// Appends a line of NLST, of `ls -1`, or the heading of a folder under `-R`: `text` and the end of the line.
pub fn write_name_line(out: &mut Vec<u8>, text: &[u8]) {
    write_name(out, text);
    out.extend(b"\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sockeye_node::Rights;

    use super::*;

    /// 2026-11-21 12:00:00.
    const NOW: Timestamp = Timestamp { seconds: 1_795_262_400, nanos: 0 };

    const FILE: Item<'static> = Item {
        name: b"a  b",
        kind: ItemKind::File,
        size: 7,
        modified: NOW,
        unique: None,
        mode: 0o644,
        owner: "alice",
        group: "alice",
        rights: Rights::ALL,
    };

    fn line(item: &Item<'_>) -> String {
        let mut out = Vec::new();
        write_line(&mut out, item, NOW);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_those_of_ls() {
        assert_eq!(
            line(&FILE),
            "-rw-r--r--    1 alice    alice               7 Nov 21 12:00 a  b\r\n"
        );
        let folder = Item {
            kind: ItemKind::Folder,
            mode: 0o40_751,
            owner: "a-long-name",
            group: "team",
            ..FILE
        };
        assert_eq!(
            line(&folder),
            "drwxr-x--x    2 a-long-name team                7 Nov 21 12:00 a  b\r\n"
        );
        let large = Item {
            kind: ItemKind::Link,
            size: u64::MAX,
            mode: 0o777,
            owner: "",
            group: "",
            ..FILE
        };
        assert_eq!(
            line(&large),
            "lrwxrwxrwx    1 ?        ?        18446744073709551615 Nov 21 12:00 a  b\r\n"
        );
    }

    #[test]
    fn a_year_stands_where_the_time_of_day_would_mislead() {
        let date = |seconds: i64| {
            let modified = Timestamp { seconds: NOW.seconds + seconds, nanos: 0 };
            let line = line(&Item { modified, ..FILE });
            line.split("7 ").last().unwrap()[..12].to_owned()
        };
        assert_eq!(date(-60), "Nov 21 11:59");
        assert_eq!(date(-HALF_YEAR + 1), "May 22 21:05");
        assert_eq!(date(-HALF_YEAR), "May 22  2026");
        assert_eq!(date(3600), "Nov 21 13:00");
        assert_eq!(date(AHEAD + 1), "Nov 22  2026");
        assert_eq!(date(12 * 86_400), "Dec  3  2026");
        assert_eq!(date(-NOW.seconds), "Jan  1  1970");
    }

    #[test]
    fn options_stand_before_the_path() {
        let none = Options::default();
        let all_long = Options { all: true, long: true, ..none };
        for (argument, options, path) in [
            ("", none, ""),
            ("-la", all_long, ""),
            ("-a -l dir", all_long, "dir"),
            ("-al  a b ", all_long, " a b "),
            ("  a", none, "  a"),
            ("-", none, "-"),
            ("-- -a", none, "-a"),
            ("-F -t dir", none, "dir"),
            ("dir -a", none, "dir -a"),
            ("-dR1", Options { itself: true, recursive: true, names: true, ..none }, ""),
            ("-1l", Options { long: true, ..none }, ""),
        ] {
            assert_eq!(
                Options::parse(argument.as_bytes()),
                (options, path.as_bytes()),
                "{argument}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_line_is_one_line_of_nine_fields(
            name in proptest::collection::vec(any::<u8>(), 1..40),
            owner in ".{0,12}",
            seconds in any::<i64>(),
            (size, mode) in any::<(u64, u32)>(),
        ) {
            let modified = Timestamp { seconds, nanos: 0 };
            let mut out = Vec::new();
            write_line(&mut out, &Item { name: &name, owner: &owner, group: &owner, modified, size, mode, ..FILE }, NOW);
            let line = out.strip_suffix(b"\r\n").unwrap();
            prop_assert!(!line.iter().any(|b| b"\r\n".contains(b)));
            let text = String::from_utf8_lossy(&line[..line.len() - name.len()]).into_owned();
            let fields: Vec<_> = text.split(' ').filter(|field| !field.is_empty()).collect();
            prop_assert_eq!(fields.len(), 8, "{}", text);
            prop_assert_eq!(fields[4], size.to_string());
        }

        #[test]
        fn a_path_is_the_end_of_the_argument(argument in proptest::collection::vec(any::<u8>(), 0..40)) {
            let (_, path) = Options::parse(&argument);
            prop_assert!(argument.ends_with(path));
        }
    }
}
