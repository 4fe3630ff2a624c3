//! Names of accounts and of shared folders, and the rules for them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest name of an account, in bytes (which are letters).
pub const MAX_ACCOUNT_NAME: usize = 32;

/// Longest name of a shared folder, in bytes of UTF-8.
pub const MAX_SHARED_NAME: usize = 64;

/// Names that no account can have: they mean something else in one of the protocols.
const RESERVED: [&str; 9] =
    ["all", "anonymous", "chanserv", "everyone", "ftp", "nickserv", "public", "shared", "system"];

/// Why a text cannot name an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing at all.
    #[error("a name cannot be empty")]
    Empty,
    /// Longer than [`MAX_ACCOUNT_NAME`] or [`MAX_SHARED_NAME`].
    #[error("a name has at most {0} bytes")]
    TooLong(usize),
    /// It begins with something else than a letter.
    #[error("an account's name begins with a letter from a to z, as it is also a nick{}", instead(.meant))]
    Start {
        /// The name that is nearest to it.
        meant: Option<AccountName>,
    },
    /// It holds something else than letters, digits, `-` and `_`.
    #[error(
        "an account's name is made of letters from a to z, digits, `-` and `_`: it is also a nick \
         and the left side of an address{}", instead(.meant)
    )]
    Letter {
        /// The name that is nearest to it.
        meant: Option<AccountName>,
    },
    /// One that means something else.
    #[error("this name is reserved: it means something else in one of the protocols")]
    Reserved,
    /// A shared folder's name with a slash, a control character, or a dot or space at an end.
    #[error(
        "a shared folder's name holds no slash, backslash, colon or control character, begins with \
         no dot, and neither begins nor ends with a space"
    )]
    NotAFolder,
}

fn instead(meant: &Option<AccountName>) -> String {
    meant.as_ref().map(|name| format!("; write {name}")).unwrap_or_default()
}

/// The name of an account: also a nick, and the left side of an address.
///
/// A letter from `a` to `z`, then letters, digits, `-` and `_`, [`MAX_ACCOUNT_NAME`] at most. Letters of
/// either case are the same and are kept in lower case. A few names are reserved.
///
/// ```
/// use sockeye_accounts::AccountName;
/// assert_eq!("Alice".parse::<AccountName>()?.as_str(), "alice");
/// assert!("alice.smith".parse::<AccountName>().is_err());
/// # Ok::<(), sockeye_accounts::NameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(Box<str>);

impl AccountName {
    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AccountName {
    /// The name that is nearest to a text that is none: `john-doe` for `John.Doe`, `u4711` for `4711`. None where letters
    /// would be lost, or where it would be too long or reserved.
    #[must_use]
    pub fn nearest(text: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !text.is_ascii()
            || !text.contains(is_plain)
            || text.contains(|c: char| c.is_ascii_control())
        {
            return None;
        }
        let words: Vec<_> =
            text.split(|c: char| !is_plain(c)).filter(|word| !word.is_empty()).collect();
        let mut name = words.join("-");
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            name.insert(0, 'u');
        }
        name.parse().ok()
    }
}

impl FromStr for AccountName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() > MAX_ACCOUNT_NAME {
            return Err(NameError::TooLong(MAX_ACCOUNT_NAME));
        }
        let first = text.bytes().next().ok_or(NameError::Empty)?;
        if !first.is_ascii_alphabetic() {
            return Err(NameError::Start { meant: Self::nearest(text) });
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(NameError::Letter { meant: Self::nearest(text) });
        }
        let name = text.to_ascii_lowercase();
        if RESERVED.contains(&name.as_str()) {
            return Err(NameError::Reserved);
        }
        Ok(Self(name.into()))
    }
}

/// The name of a shared folder: its members find it at `/shared/NAME`.
///
/// Any UTF-8 that every client can have as a folder: [`MAX_SHARED_NAME`] bytes at most, without slash,
/// backslash, colon or control character, no dot in front, no space at either end. Two names that differ
/// only by case cannot both exist, as some clients take them for one; a path says the name as it is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SharedName(Box<str>);

impl SharedName {
    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its case: what has to be unique.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for SharedName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > MAX_SHARED_NAME {
            return Err(NameError::TooLong(MAX_SHARED_NAME));
        }
        let odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':');
        if text.starts_with('.') || text.trim() != text || text.contains(odd) {
            return Err(NameError::NotAFolder);
        }
        Ok(Self(text.into()))
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into()
            }
        }
    )*};
}

as_text!(AccountName, SharedName);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account(text: &str) -> Result<String, NameError> {
        text.parse().map(|name: AccountName| name.to_string())
    }

    fn shared(text: &str) -> Result<String, NameError> {
        text.parse().map(|name: SharedName| name.to_string())
    }

    #[test]
    fn an_accounts_name_is_kept_in_lower_case() {
        assert_eq!(account("Alice"), Ok("alice".to_owned()));
        assert_eq!(account("a-1_b"), Ok("a-1_b".to_owned()));
        assert_eq!("ALICE".parse::<AccountName>(), "alice".parse());
    }

    fn name(text: &str) -> AccountName {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_that_is_none_is_answered_with_the_nearest_that_is_one() {
        for (text, expected) in [
            (
                "john.doe",
                "an account's name is made of letters from a to z, digits, `-` and `_`: it is also a nick and \
              the left side of an address; write john-doe",
            ),
            (
                "4711",
                "an account's name begins with a letter from a to z, as it is also a nick; write u4711",
            ),
        ] {
            assert_eq!(account(text).unwrap_err().to_string(), expected);
        }
        for text in ["", "...", "é.f", &"a.".repeat(40), "f.t.p\n", ".ftp."] {
            assert_eq!(AccountName::nearest(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_a_nick_is_no_account() {
        let long = "a".repeat(MAX_ACCOUNT_NAME + 1);
        for (text, fault) in [
            ("", NameError::Empty),
            (long.as_str(), NameError::TooLong(MAX_ACCOUNT_NAME)),
            ("1alice", NameError::Start { meant: Some(name("u1alice")) }),
            ("-alice", NameError::Start { meant: Some(name("alice")) }),
            ("小明", NameError::Start { meant: None }),
            ("Alice.Smith", NameError::Letter { meant: Some(name("alice-smith")) }),
            ("alice@east.org", NameError::Letter { meant: Some(name("alice-east-org")) }),
            ("alice\0", NameError::Letter { meant: None }),
            ("Anonymous", NameError::Reserved),
        ] {
            assert_eq!(account(text), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn a_shared_folder_may_have_any_readable_name() {
        for name in ["Team", "项目 2026", "a.b", "été"] {
            assert_eq!(shared(name), Ok(name.to_owned()));
        }
        for name in [".hidden", "..", "a/b", "a\\b", "c:", " a", "a ", "a\nb", "a\0"] {
            assert_eq!(shared(name), Err(NameError::NotAFolder), "{name:?}");
        }
        assert_eq!(shared(&"é".repeat(33)), Err(NameError::TooLong(MAX_SHARED_NAME)));
    }

    proptest! {
        #[test]
        fn a_name_that_is_taken_is_read_back_as_itself(text in "\\PC{0,40}") {
            let _ = AccountName::nearest(&text);
            if let Ok(name) = text.parse::<AccountName>() {
                prop_assert_eq!(name.to_string().parse(), Ok(name));
            }
            if let Ok(name) = text.parse::<SharedName>() {
                prop_assert_eq!(name.as_str(), text);
            }
        }
    }
}
