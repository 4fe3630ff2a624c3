//! By which protocols something may be used: names alone, as this crate knows none of them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest name of a protocol, in bytes.
const MAX_NAME: usize = 16;

/// What stands for every protocol, and so cannot be the name of one.
const ANY: &str = "any";

/// Most protocols in one list.
const MAX_PROTOCOLS: usize = 16;

/// The text is no list of protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("protocols are written as http,ftp (lower case, {MAX_PROTOCOLS} at most), or as `any`")]
pub struct ProtocolsError;

/// A set of protocols by name, or any; printed and parsed as `http,ftp` or `any`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Protocols(Option<Box<[Box<str>]>>);

impl Protocols {
    /// Every protocol, also those to come.
    pub const ANY: Self = Self(None);

    /// Their names; none for every protocol.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(|name| &**name)
    }

    /// Whether the protocol called `name` is among them.
    #[must_use]
    pub fn contain(&self, name: &str) -> bool {
        match &self.0 {
            None => true,
            Some(names) => names.iter().any(|known| **known == *name),
        }
    }
}

impl fmt::Display for Protocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.pad(ANY),
            Some(names) => f.pad(&names.join(",")),
        }
    }
}

impl FromStr for Protocols {
    type Err = ProtocolsError;

    fn from_str(text: &str) -> Result<Self, ProtocolsError> {
        if text.trim() == ANY {
            return Ok(Self::ANY);
        }
        // A protocol of that name would be printed as every protocol, and read back as such.
        let fits = |name: &str| {
            name != ANY
                && (1..=MAX_NAME).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let mut names: Vec<_> = text.split(',').map(str::trim).take(MAX_PROTOCOLS + 1).collect();
        if names.len() > MAX_PROTOCOLS || !names.iter().all(|name| fits(name)) {
            return Err(ProtocolsError);
        }
        names.sort_unstable();
        names.dedup();
        Ok(Self(Some(names.into_iter().map(Box::from).collect())))
    }
}

impl TryFrom<String> for Protocols {
    type Error = ProtocolsError;

    fn try_from(text: String) -> Result<Self, ProtocolsError> {
        text.parse()
    }
}

impl From<Protocols> for String {
    fn from(protocols: Protocols) -> Self {
        protocols.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_contains_what_it_names_and_any_contains_all() {
        let some: Protocols = "http, ftp,http".parse().unwrap();
        assert_eq!(some.to_string(), "ftp,http");
        assert!(some.contain("ftp") && !some.contain("ssh"));
        assert!(Protocols::ANY.contain("ssh"));
        assert_eq!("any".parse(), Ok(Protocols::ANY));
        assert_eq!("\r\r any ".parse(), Ok(Protocols::ANY));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["", "HTTP", "http,", "a b", "any,http", "any, any", "averyveryverylongname"] {
            assert_eq!(text.parse::<Protocols>(), Err(ProtocolsError), "{text:?}");
        }
    }
}
