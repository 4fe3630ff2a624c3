//! Kinds of values: how each is read, and how it is printed so that it is read back.
//!
//! A kind is a Rust type; nothing here knows which key it is for, nor where the text stood.

use std::{fmt, path::PathBuf, time::Duration};

use sockeye::{
    Model,
    quantity::{format_duration, format_size, parse_duration, parse_size},
};
use sockeye_journal::Kind;
use sockeye_store::Name;

use crate::listeners::Listen;

/// Where a site is found over TLS: `https://HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecureUrl(pub String);

/// What stands for “no limit”, and for “not set”.
const NONE: &str = "none";

/// A value as it was found, before anything is known of what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    /// A string of the file.
    Text(String),
    /// A whole number of the file, in decimal digits.
    Number(String),
    /// `true` or `false` of the file.
    Switch(bool),
    /// An array of the file.
    List(Vec<Self>),
    /// Anything else of the file: what it is called.
    Other(&'static str),
    /// A word of the environment or of the command line, of which nothing says what it is.
    Word(String),
}

impl Raw {
    /// The text, if it may be one.
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Word(text) => Some(text),
            _ => None,
        }
    }

    /// The digits, if it may be a whole number.
    fn digits(&self) -> Option<&str> {
        match self {
            Self::Number(text) | Self::Word(text) => Some(text),
            _ => None,
        }
    }
}

/// What was found, for a message.
impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Word(text) => write!(f, "{text:?}"),
            Self::Number(digits) => write!(f, "the number {digits}"),
            Self::Switch(on) => write!(f, "{on}"),
            Self::List(_) => f.write_str("a list"),
            Self::Other(kind) => f.write_str(kind),
        }
    }
}

/// A kind of value.
pub(super) trait Value: Sized {
    /// What is expected, with an example, for messages and the default file.
    fn expected() -> String;

    /// Reads it; the error says what is wrong with it.
    fn read(raw: &Raw) -> Result<Self, String>;

    /// Prints it as TOML.
    fn print(&self) -> String;

    fn unlike(raw: &Raw) -> String {
        format!("expected {}, found {raw}", Self::expected())
    }
}

/// A size in bytes, or bytes a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        format_size(self.0).fmt(f)
    }
}

/// A whole number within bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Within<const LEAST: u32, const MOST: u32>(u32);

impl<const LEAST: u32, const MOST: u32> Within<LEAST, MOST> {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number, as a count of things in memory.
    #[must_use]
    pub const fn count(self) -> usize {
        self.0 as usize
    }
}

/// When a write counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When it is on the disk: file, folder and journal are synced before the answer.
    Sync,
    /// When the file has its name; a power failure may take the last seconds.
    Rename,
}

/// Who runs the connections of a node: a model that needs no process of its own for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeModel {
    /// A task for each connection, on so many threads; on as many as there are processors if that is not said.
    Tasks(Option<Within<1, 1024>>),
    /// So many threads, each with its own runtime and listeners.
    PerCore(Within<1, 1024>),
}

impl NodeModel {
    /// The framework's model.
    #[must_use]
    pub const fn model(self) -> Model {
        match self {
            Self::Tasks(_) => Model::Tasks,
            Self::PerCore(cores) => Model::PerCore(cores.count()),
        }
    }

    /// Threads of the runtime that all listeners share under `tasks`, if their number is set.
    #[must_use]
    pub fn workers(self) -> Option<usize> {
        match self {
            Self::Tasks(workers) => workers.map(Within::count),
            Self::PerCore(_) => Some(1),
        }
    }
}

impl fmt::Display for NodeModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tasks(None) => f.write_str("tasks"),
            Self::Tasks(Some(workers)) => write!(f, "tasks:{}", workers.0),
            Self::PerCore(cores) => write!(f, "percore:{}", cores.0),
        }
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // A quoted string has no control characters as they are (TOML 1.0, “String”).
            c if c.is_control() => out.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl Value for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Switch(on) => Ok(*on),
            Raw::Word(word) => match &*word.to_ascii_lowercase() {
                "true" | "on" | "yes" | "1" => Ok(true),
                "false" | "off" | "no" | "0" => Ok(false),
                _ => Err(Self::unlike(raw)),
            },
            _ => Err(Self::unlike(raw)),
        }
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl Value for Duration {
    fn expected() -> String {
        "a time, as \"30s\" or \"2h\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let digits = if let Raw::Number(digits) = raw { Some(&**digits) } else { None };
        let text = raw.text().or(digits).ok_or_else(|| Self::unlike(raw))?;
        parse_duration(text).map_err(|error| error.to_string())
    }

    fn print(&self) -> String {
        quoted(&format_duration(*self).to_string())
    }
}

impl Value for Bytes {
    fn expected() -> String {
        "a size, as \"64KiB\" or \"10GiB\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().or(raw.digits()).ok_or_else(|| Self::unlike(raw))?;
        parse_size(text).map(Self).map_err(|error| error.to_string())
    }

    fn print(&self) -> String {
        quoted(&self.to_string())
    }
}

impl<const LEAST: u32, const MOST: u32> Value for Within<LEAST, MOST> {
    fn expected() -> String {
        format!("a whole number from {LEAST} to {MOST}")
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let digits = raw.digits().ok_or_else(|| Self::unlike(raw))?;
        let number = digits.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
        number.map(Self).ok_or_else(|| Self::unlike(raw))
    }

    fn print(&self) -> String {
        self.0.to_string()
    }
}

impl<T: Value> Value for Option<T> {
    fn expected() -> String {
        format!("{}, or {NONE:?}", T::expected())
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        if raw.text() == Some(NONE) {
            return Ok(None);
        }
        match raw {
            Raw::Other(_) | Raw::List(_) => Err(Self::unlike(raw)),
            _ => T::read(raw).map(Some),
        }
    }

    fn print(&self) -> String {
        self.as_ref().map_or_else(|| quoted(NONE), T::print)
    }
}

/// A list; one value stands for a list of one, and in the environment spaces and commas separate.
impl<T: Value> Value for Vec<T> {
    fn expected() -> String {
        format!("a list in [brackets], each being {}", T::expected())
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::List(items) => items.iter().map(T::read).collect(),
            Raw::Text(_) => Ok(vec![T::read(raw)?]),
            Raw::Word(words) => {
                let words = words.split([' ', ',', '\t', '\n']).filter(|word| !word.is_empty());
                words.map(|word| T::read(&Raw::Word(word.to_owned()))).collect()
            }
            _ => Err(Self::unlike(raw)),
        }
    }

    fn print(&self) -> String {
        let items: Vec<_> = self.iter().map(T::print).collect();
        format!("[{}]", items.join(", "))
    }
}

impl Value for String {
    fn expected() -> String {
        "a text in \"quotes\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        raw.text().map(str::to_owned).ok_or_else(|| Self::unlike(raw))
    }

    fn print(&self) -> String {
        quoted(self)
    }
}

impl Value for PathBuf {
    fn expected() -> String {
        "a path in \"quotes\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().filter(|text| !text.is_empty() && !text.contains('\0'));
        text.map(Self::from).ok_or_else(|| Self::unlike(raw))
    }

    fn print(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

impl Value for Name {
    fn expected() -> String {
        "a file's name, without its folder".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        Self::parse(text.as_bytes()).map_err(|error| format!("{text:?}: {error}"))
    }

    fn print(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for Kind {
    fn expected() -> String {
        "\"read\", \"list\", \"login\" or \"refusal\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        text.parse().map_err(|error: sockeye_journal::Error| error.to_string())
    }

    fn print(&self) -> String {
        quoted(self.name())
    }
}

impl Value for Listen {
    fn expected() -> String {
        "a listener, as \"http+tcp://127.0.0.1:8080\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        Self::parse(text).map_err(|error| error.to_string())
    }

    fn print(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for SecureUrl {
    fn expected() -> String {
        "an address as \"https://files.example.org\", without a path".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        let text = text.strip_suffix('/').unwrap_or(text);
        let authority = text.strip_prefix("https://").ok_or_else(|| Self::unlike(raw))?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        match !authority.is_empty() && authority.bytes().all(fits) {
            true => Ok(Self(text.to_owned())),
            false => Err(Self::unlike(raw)),
        }
    }

    fn print(&self) -> String {
        quoted(&self.0)
    }
}

impl Value for Durability {
    fn expected() -> String {
        "\"sync\" or \"rename\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        match raw.text() {
            Some("sync") => Ok(Self::Sync),
            Some("rename") => Ok(Self::Rename),
            _ => Err(Self::unlike(raw)),
        }
    }

    fn print(&self) -> String {
        quoted(match self {
            Self::Sync => "sync",
            Self::Rename => "rename",
        })
    }
}

impl Value for NodeModel {
    fn expected() -> String {
        "\"tasks\", \"tasks:N\", \"percore\" or \"percore:N\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        let number = number.map(|digits| Within::read(&Raw::Number(digits.to_owned())));
        match (name, number.transpose()?) {
            ("tasks", workers) => Ok(Self::Tasks(workers)),
            ("percore", Some(cores)) => Ok(Self::PerCore(cores)),
            ("percore", None) => {
                let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
                Ok(Self::PerCore(Within(u32::try_from(cores).unwrap_or(1).min(1024))))
            }
            _ if text.parse::<Model>().is_ok() => Err(format!(
                "a node does not run {text}: write {}; `sockeye serve DIR` runs every model",
                Self::expected()
            )),
            _ => Err(Self::unlike(raw)),
        }
    }

    fn print(&self) -> String {
        quoted(&self.to_string())
    }
}

/// Where a site is reached from outside: `https://files.example.org/`, always with a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteUrl(Box<str>);

impl SiteUrl {
    /// The URL's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for SiteUrl {
    fn expected() -> String {
        "a URL, as \"https://files.example.org/\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        let authority = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let authority = authority.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._~:[]%".contains(c);
        match authority {
            Some(authority) if !authority.is_empty() && authority.chars().all(fits) => {
                Ok(Self(format!("{}/", text.trim_end_matches('/')).into()))
            }
            Some(authority) if authority.contains('/') => {
                Err(format!("{text} has a path: a site is at the root of its host"))
            }
            _ => Err(Self::unlike(raw)),
        }
    }

    fn print(&self) -> String {
        quoted(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Raw {
        Raw::Text(text.to_owned())
    }

    fn word(word: &str) -> Raw {
        Raw::Word(word.to_owned())
    }

    #[test]
    fn a_word_of_the_environment_may_be_of_any_kind() {
        assert_eq!(bool::read(&word("on")), Ok(true));
        assert_eq!(Within::<1, 9>::read(&word("7")).map(Within::get), Ok(7));
        assert_eq!(Bytes::read(&word("2KiB")), Ok(Bytes(2048)));
        assert_eq!(Duration::read(&word("2s")), Ok(Duration::from_secs(2)));
        assert_eq!(
            Vec::<String>::read(&word("a, b c")),
            Ok(["a", "b", "c"].map(str::to_owned).into())
        );
    }

    #[test]
    fn a_sites_url_is_a_scheme_and_a_host_with_one_slash() {
        for url in ["https://files.example.org", "http://[::1]:8080", "http://127.0.0.1:80"] {
            for end in ["", "/"] {
                let read = SiteUrl::read(&text(&format!("{url}{end}"))).unwrap();
                assert_eq!(read.as_str(), format!("{url}/"));
            }
        }
        for wrong in
            ["", "files.example.org", "ftp://a/", "https://", "https://a/b/", "https://a b/"]
        {
            assert!(SiteUrl::read(&text(wrong)).is_err(), "{wrong}");
        }
        assert!(SiteUrl::read(&text("https://a/?x")).is_err());
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_answered_with_the_right_one() {
        for (message, expected) in [
            (bool::read(&text("on")), "expected true or false, found \"on\""),
            (
                Within::<1, 9>::read(&Raw::Number("10".into())).map(|_| true),
                "expected a whole number from 1 to 9, found the number 10",
            ),
            (
                Duration::read(&Raw::Number("30".into())).map(|_| true),
                "`30` has no unit: write 30s or 30ms",
            ),
            (Bytes::read(&text("64K")).map(|_| true), "`64K` has no full unit: write 64KiB"),
            (
                Option::<Bytes>::read(&Raw::List(Vec::new())).map(|_| true),
                "expected a size, as \"64KiB\" or \"10GiB\", or \"none\", found a list",
            ),
            (
                NodeModel::read(&text("fork:4")).map(|_| true),
                "a node does not run fork:4: write \"tasks\", \"tasks:N\", \"percore\" or \
                 \"percore:N\"; `sockeye serve DIR` runs every model",
            ),
        ] {
            assert_eq!(message.unwrap_err(), expected);
        }
    }

    #[test]
    fn what_is_printed_is_toml() {
        assert_eq!(quoted("a\"b\\c\n"), "\"a\\\"b\\\\c\\U0000000A\"");
        assert_eq!(Option::<Bytes>::None.print(), "\"none\"");
        assert_eq!(vec![true, false].print(), "[true, false]");
        assert_eq!(Duration::from_secs(90).print(), "\"90s\"");
    }
}
