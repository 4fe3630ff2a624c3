//! Kinds of values: how each is read, and how it is printed so that it is read back.
//!
//! A kind is a Rust type; nothing here knows which key it is for, nor where the text stood.

mod basic;
mod choice;
mod model;
mod number;
mod parsed;
mod ports;
mod several;
mod url;

use std::fmt;

pub use choice::{CloseNotify, DataTls, Durability};
pub use model::NodeModel;
pub use number::{Bytes, Within};
pub use ports::PortRange;
pub use url::{SecureUrl, SiteUrl};

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    pub(super) fn text(text: &str) -> Raw {
        Raw::Text(text.to_owned())
    }

    fn word(word: &str) -> Raw {
        Raw::Word(word.to_owned())
    }

    #[test]
    fn a_word_of_the_environment_may_be_of_any_kind() {
        assert_eq!(bool::read(&word("on")), Ok(true));
        assert_eq!(Within::<1, 9>::read(&word("7")).map(Within::get), Ok(7));
        for (size, bytes) in [("2KiB", 2048), ("2k", 2048), ("5G", 5 << 30), ("5GB", 5_000_000_000)]
        {
            assert_eq!(Bytes::read(&word(size)), Ok(Bytes(bytes)));
        }
        assert_eq!(Duration::read(&word("2s")), Ok(Duration::from_secs(2)));
        assert_eq!(
            Vec::<String>::read(&word("a, b c")),
            Ok(["a", "b", "c"].map(str::to_owned).into())
        );
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
            (
                Bytes::read(&text("64 K")).map(|_| true),
                "`64 K` is not a size: write it as 64KiB, 10MiB or a number of bytes",
            ),
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
