//! Paths of the one namespace, as far as rights depend on them.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest prefix, in bytes.
pub const MAX_PREFIX: usize = 1024;

/// Why a text is no prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrefixError {
    /// It does not begin with a slash.
    #[error("a path begins with a slash: /docs, /shared/team, or / for everything")]
    Relative,
    /// It has `.`, `..` or a control character in it.
    #[error("a path of a grant has no `.`, `..` or control character in it")]
    Segment,
    /// Longer than [`MAX_PREFIX`].
    #[error("a path of a grant has at most {MAX_PREFIX} bytes")]
    TooLong,
}

/// A folder of the namespace with all that is beneath it: what a grant or a token is for.
///
/// Absolute and normal: `/`, or names with a single slash before each. Doubled slashes and one at the
/// end are dropped when it is parsed; `.` and `..` are refused.
///
/// ```
/// use sockeye_accounts::Prefix;
/// let docs: Prefix = "/docs/".parse()?;
/// assert_eq!(docs.as_str(), "/docs");
/// assert!(docs.covers("/docs/a.txt") && !docs.covers("/docs2"));
/// # Ok::<(), sockeye_accounts::PrefixError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prefix(Box<str>);

impl Prefix {
    /// The whole namespace.
    #[must_use]
    pub fn root() -> Self {
        Self("/".into())
    }

    /// The path's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `path`, which is absolute and normal, is this folder or beneath it.
    #[must_use]
    pub fn covers(&self, path: impl AsRef<[u8]>) -> bool {
        let path = path.as_ref();
        let prefix = self.0.as_bytes();
        match path.strip_prefix(prefix) {
            Some(rest) => prefix == b"/" || rest.is_empty() || rest[0] == b'/',
            None => false,
        }
    }

    /// The first name of a path in the account's own home; none for the home itself, and for what is no home.
    #[must_use]
    pub fn first_in_home(&self) -> Option<&str> {
        let first = self.0[1..].split('/').next()?;
        (!matches!(first, "" | "-" | "public" | "shared")).then_some(first)
    }

    /// The name of the shared folder that this is or is in, as the text says it.
    #[must_use]
    pub fn shared_folder(&self) -> Option<&str> {
        self.0.strip_prefix("/shared/")?.split('/').next()
    }
}

/// A path, or another text, as a shell takes it for one word.
#[must_use]
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.into(),
        false => format!("'{}'", text.replace('\'', r"'\''")).into(),
    }
}

/// Whether `path` is absolute and has no empty name, `.` or `..`: only then can rights be told from it.
pub(crate) fn is_normal(path: &[u8]) -> bool {
    match path {
        b"/" => true,
        [b'/', names @ ..] => {
            names.split(|&b| b == b'/').all(|name| !matches!(name, b"" | b"." | b".."))
        }
        _ => false,
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        if !text.starts_with('/') {
            return Err(PrefixError::Relative);
        }
        if text.len() > MAX_PREFIX {
            return Err(PrefixError::TooLong);
        }
        let mut path = String::with_capacity(text.len());
        for name in text.split('/').filter(|name| !name.is_empty()) {
            if matches!(name, "." | "..") || name.contains(char::is_control) {
                return Err(PrefixError::Segment);
            }
            path.push('/');
            path.push_str(name);
        }
        if path.is_empty() {
            path.push('/');
        }
        Ok(Self(path.into()))
    }
}

impl AsRef<[u8]> for Prefix {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix({})", self.0)
    }
}

impl TryFrom<String> for Prefix {
    type Error = PrefixError;

    fn try_from(text: String) -> Result<Self, PrefixError> {
        text.parse()
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> Self {
        prefix.0.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn a_word_can_be_pasted_into_a_shell() {
        assert_eq!(shell_word("/shared/项目-1"), "/shared/项目-1");
        assert_eq!(shell_word("/shared/Team Müller"), "'/shared/Team Müller'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
    }

    #[test]
    fn slashes_too_many_are_dropped() {
        assert_eq!(prefix("//a///b/").as_str(), "/a/b");
        assert_eq!(prefix("///").as_str(), "/");
    }

    #[test]
    fn what_could_lead_elsewhere_is_refused() {
        for (text, fault) in [
            ("", PrefixError::Relative),
            ("a", PrefixError::Relative),
            ("/a/../b", PrefixError::Segment),
            ("/.", PrefixError::Segment),
            ("/a\nb", PrefixError::Segment),
            ("/a\0", PrefixError::Segment),
        ] {
            assert_eq!(text.parse::<Prefix>(), Err(fault), "{text:?}");
        }
        let long = format!("/{}", "a".repeat(MAX_PREFIX));
        assert_eq!(long.parse::<Prefix>(), Err(PrefixError::TooLong));
    }

    #[test]
    fn a_prefix_covers_whole_names_only() {
        assert!(prefix("/").covers("/anything/at/all"));
        assert!(prefix("/a").covers("/a") && prefix("/a").covers("/a/b"));
        assert!(!prefix("/a").covers("/ab") && !prefix("/a/b").covers("/a"));
    }

    #[test]
    fn the_shared_folder_of_a_path_is_known() {
        assert_eq!(prefix("/shared/team/x").shared_folder(), Some("team"));
        assert_eq!(prefix("/shared").shared_folder(), None);
        assert_eq!(prefix("/home/shared/x").shared_folder(), None);
    }

    proptest! {
        #[test]
        fn what_is_parsed_is_normal_and_read_back(text in "/[a./\\\\ é\n]{0,12}") {
            if let Ok(prefix) = text.parse::<Prefix>() {
                prop_assert!(is_normal(prefix.as_ref()));
                prop_assert_eq!(prefix.as_str().parse(), Ok(prefix.clone()));
            }
        }
    }
}
