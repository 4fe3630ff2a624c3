//! One line of a file of accounts, of whichever format.

use std::{fmt, str::FromStr};

use crate::{Limit, QuotaChoice, Role};

/// What a file of accounts is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `NAME:HASH`, and what follows is passed over: htpasswd's.
    Htpasswd,
    /// The nine fields of `/etc/shadow`.
    Shadow,
    /// The fields of pure-ftpd's `pureftpd.passwd`, with quotas.
    PureFtpd,
    /// `NAME,HASH,ROLE,QUOTA,FILES`, of which what is missing is the usual.
    Csv,
    /// The same, with tabs.
    Tsv,
}

const FORMATS: &[(&str, Format)] = &[
    ("htpasswd", Format::Htpasswd),
    ("shadow", Format::Shadow),
    ("pure-ftpd", Format::PureFtpd),
    ("csv", Format::Csv),
    ("tsv", Format::Tsv),
];

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = FORMATS.iter().find(|(name, _)| *name == text);
        found.map(|(_, format)| *format).ok_or_else(|| {
            let names: Vec<_> = FORMATS.iter().map(|(name, _)| *name).collect();
            format!("`{text}` is no format; there are {}", names.join(", "))
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = FORMATS.iter().find(|(_, format)| format == self);
        f.pad(name.map_or("", |(name, _)| name))
    }
}

/// What a line says, as it stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) hash: &'a str,
    pub(super) role: Option<Role>,
    pub(super) quota: QuotaChoice,
    /// Whether it says more that has no counterpart here: rates, addresses, times.
    pub(super) says_more: bool,
    /// Whether what follows would be the rest of a password with a colon in it, if this is no hash.
    pub(super) may_be_cut: bool,
}

/// Fields of `/etc/shadow`, and those of a line of pure-ftpd at least.
const OF_SHADOW: usize = 9;
const OF_PURE_FTPD: usize = 13;

/// Of what format a line is.
pub(super) fn guess(line: &str) -> Format {
    match line.chars().find(|c| matches!(c, ':' | ',' | '\t')) {
        Some(',') => Format::Csv,
        Some('\t') => Format::Tsv,
        _ => match line.split(':').count() {
            OF_SHADOW => Format::Shadow,
            OF_PURE_FTPD.. => Format::PureFtpd,
            _ => Format::Htpasswd,
        },
    }
}

impl<'a> Line<'a> {
    /// Takes a line apart; the error says what is wrong with it, by the column: what stands there may be the piece of a
    /// password that has a separator in it.
    pub(super) fn parse(text: &'a str, format: Format) -> Result<Self, String> {
        match format {
            Format::Csv => Self::separated(text, ','),
            Format::Tsv => Self::separated(text, '\t'),
            Format::PureFtpd => Self::of_pure_ftpd(text),
            Format::Htpasswd | Format::Shadow => {
                let mut fields = text.split(':');
                let (name, hash) = (fields.next().unwrap_or_default(), fields.next());
                let hash = hash.ok_or("there is no hash: write NAME:HASH")?;
                let may_be_cut = fields.next().is_some();
                Ok(Self { name, hash, may_be_cut, ..Self::default() })
            }
        }
    }

    /// pure-ftpd's own order: see its README.Virtual-Users.
    fn of_pure_ftpd(text: &'a str) -> Result<Self, String> {
        let fields: Vec<_> = text.split(':').collect();
        let [name, hash, uid, gid, _gecos, _home, rest @ ..] = fields.as_slice() else {
            return Err(
                "pure-ftpd has more fields in a line: NAME:HASH:UID:GID:GECOS:HOME:…".to_owned()
            );
        };
        let field = |at: usize| rest.get(at).copied().unwrap_or_default();
        let limit = |text: &str, what: &str| match text {
            "" | "0" => Ok(Limit::Usual),
            text => match text.parse() {
                Ok(limit) => Ok(Limit::Of(limit)),
                Err(_) => Err(format!("its quota of {what} is no number")),
            },
        };
        // Rates up and down, ratios, sessions; files, bytes; addresses and times.
        let quota =
            QuotaChoice { entries: limit(field(5), "files")?, bytes: limit(field(6), "bytes")? };
        let mut others = (0..rest.len()).filter(|at| !matches!(at, 5 | 6));
        let says_more = others.any(|at| !matches!(field(at).trim(), "" | "0"));
        // A colon in a password moves all others.
        let may_be_cut = [uid, gid].iter().any(|id| id.parse::<u32>().is_err());
        Ok(Self { name, hash, quota, says_more, may_be_cut, role: None })
    }

    fn separated(text: &'a str, separator: char) -> Result<Self, String> {
        let (name, rest) = text.split_once(separator).unwrap_or((text, ""));
        let rest = rest.trim_start();
        // The hashes of Argon2 have commas of their own, in front of the last dollar sign.
        let within = if rest.starts_with('$') { rest.rfind('$').unwrap_or_default() } else { 0 };
        let end = rest[within..].find(separator).map_or(rest.len(), |at| within + at);
        let (hash, rest) = rest.split_at(end);
        let mut fields = rest.split(separator).skip(1).map(bare);
        let mut next = || fields.next().filter(|field| !field.is_empty());
        let role = next().map(|role| role.parse::<Role>().map_err(|error| error.to_string()));
        let bytes = limit(next(), |text| {
            sockeye::quantity::parse_size(text)
                .map_err(|_| "its QUOTA is no size, such as 5GiB, or `none`")
        });
        let entries = limit(next(), |text| {
            text.parse().map_err(|_| "its FILES is no number of files, or `none`")
        });
        let quota = QuotaChoice { bytes: bytes?, entries: entries? };
        if fields.next().is_some() {
            return Err("there is more in it than NAME, HASH, ROLE, QUOTA, FILES".to_owned());
        }
        Ok(Self {
            name: bare(name),
            hash: bare(hash),
            role: role.transpose()?,
            quota,
            ..Self::default()
        })
    }
}

/// A field without what is around it.
fn bare(field: &str) -> &str {
    let field = field.trim();
    field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).unwrap_or(field)
}

fn limit(
    field: Option<&str>,
    read: impl FnOnce(&str) -> Result<u64, &'static str>,
) -> Result<Limit, String> {
    match field {
        None => Ok(Limit::Usual),
        Some("none" | "unlimited") => Ok(Limit::None),
        Some(text) => Ok(Limit::Of(read(text)?)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ARGON2: &str =
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA$4T/QYdPTZ7Mmz7cVgXMC2kXXWBEQ";

    fn parsed(text: &str) -> Result<Line<'_>, String> {
        Line::parse(text, guess(text))
    }

    #[test]
    fn a_line_of_each_format_is_known_by_what_it_looks_like() {
        for (text, format) in [
            ("alice:$6$s$h", Format::Htpasswd),
            ("alice:$6$s$h:19700:0:99999:7:::", Format::Shadow),
            ("alice:$6$s$h:1:1::/srv/alice/./::::::10:1048576:::::::", Format::PureFtpd),
            ("alice,$6$s$h,guest", Format::Csv),
            ("alice\t$6$s$h", Format::Tsv),
            (&format!("alice:{ARGON2}"), Format::Htpasswd),
        ] {
            assert_eq!(guess(text), format, "{text}");
            assert_eq!(format.to_string().parse(), Ok(format));
            let line = parsed(text).unwrap();
            assert_eq!(line.name, "alice", "{text}");
            assert!(line.hash.starts_with('$') && !line.hash.contains(':'), "{text}");
        }
    }

    #[test]
    fn quotas_and_roles_are_read_and_what_has_no_counterpart_is_noticed() {
        let line = parsed("alice:$6$s$h:1:1::/srv/alice:1000::::::10:1048576::::::").unwrap();
        assert!(line.says_more, "a rate");
        let line = parsed("bob:$6$s$h:1:1::/srv/bob::::::10:1048576::::::").unwrap();
        assert_eq!(line.quota, QuotaChoice { bytes: Limit::Of(1 << 20), entries: Limit::Of(10) });
        assert!(!line.says_more);
        let text = format!("\"carol\", {ARGON2} ,guest, 5GiB,none");
        let line = parsed(&text).unwrap();
        assert_eq!((line.name, line.hash, line.role), ("carol", ARGON2, Some(Role::Guest)));
        assert_eq!(line.quota, QuotaChoice { bytes: Limit::Of(5 << 30), entries: Limit::None });
        let line = parsed("dora\tpass word\t\t\t7").unwrap();
        assert_eq!((line.hash, line.quota.entries), ("pass word", Limit::Of(7)));
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        for (text, expected) in [
            ("alice", "there is no hash: write NAME:HASH"),
            ("alice,$6$s$h,boss", "a role is admin, member or guest"),
            ("alice,$6$s$h,,5 apples", "its QUOTA is no size"),
            ("alice,$6$s$h,,,many", "its FILES is no number"),
            ("alice,$6$s$h,,,1,more", "there is more in it than"),
            ("a:b:1:1::/srv::::::x:1::::::", "its quota of files is no number"),
            ("bob,correct,horse", "a role is admin, member or guest"),
            ("bob,correct,,horse,battery", "its QUOTA is no size"),
            ("bob,correct,,,1,battery,horse", "there is more in it than"),
        ] {
            let error = parsed(text).unwrap_err();
            let pieces = ["apples", "many", "`more`", "horse", "battery", "`x`"];
            assert!(!pieces.iter().any(|piece| error.contains(piece)), "{text}: {error}");
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_answered(text in "[a-z:,\t$\"0-9 ]{0,60}") {
            for (_, format) in FORMATS {
                let _ = Line::parse(&text, *format);
            }
            let _ = parsed(&text);
        }
    }
}
