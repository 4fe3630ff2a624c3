//! Names and paths: the only way to say which file is meant.
//!
//! A path here is relative to its home, has no empty segment, no `.` or `..`, no NUL, and no segment
//! longer than the filesystem takes. Nothing else can be built, so nothing later has to check again.
//! Names are bytes, as on the disk; see [`readable`] for showing them.

use std::{
    borrow::Cow,
    ffi::{CStr, CString},
    fmt,
};

/// Longest name of one file or folder, in bytes (Linux's `NAME_MAX`).
pub const MAX_NAME: usize = 255;

/// Longest path, in bytes (Linux's `PATH_MAX`, less the NUL).
pub const MAX_PATH: usize = 4095;

/// Why some bytes are not a name or a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing at all.
    #[error("a name cannot be empty")]
    Empty,
    /// `.` or `..`.
    #[error("`.` and `..` are not names")]
    Dots,
    /// A NUL or a slash.
    #[error("a name cannot contain a slash or a NUL")]
    Byte,
    /// Longer than [`MAX_NAME`] or [`MAX_PATH`].
    #[error("the name is longer than the filesystem takes")]
    TooLong,
}

/// The name of one file or folder, without its path.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Box<[u8]>);

impl Name {
    /// Takes `bytes` as a name.
    ///
    /// # Errors
    /// If they are empty, `.`, `..`, too long, or contain a slash or a NUL.
    pub fn parse(bytes: &[u8]) -> Result<Self, NameError> {
        check(bytes)?;
        Ok(Self(bytes.into()))
    }

    /// The name as it stands on the disk.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", readable(&self.0))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&readable(&self.0))
    }
}

/// A file's or folder's path within its home; the home itself is the root.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FilePath(CString);

impl FilePath {
    /// The home itself.
    #[must_use]
    pub fn root() -> Self {
        Self(CString::default())
    }

    /// Takes `bytes`, names separated by single slashes, as a path; nothing at all is the root.
    ///
    /// # Errors
    /// If one of the names cannot be one, or the whole is longer than [`MAX_PATH`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NameError> {
        let mut builder = PathBuilder::with_capacity(bytes.len());
        if !bytes.is_empty() {
            for segment in bytes.split(|&b| b == b'/') {
                builder.push(segment)?;
            }
        }
        Ok(builder.finish())
    }

    /// The path of `name` within this folder.
    ///
    /// # Errors
    /// If the whole becomes longer than [`MAX_PATH`].
    pub fn join(&self, name: &Name) -> Result<Self, NameError> {
        let mut builder = PathBuilder::with_capacity(self.as_bytes().len() + name.0.len() + 1);
        builder.0.extend_from_slice(self.as_bytes());
        builder.push(&name.0)?;
        Ok(builder.finish())
    }

    /// Whether this is the home itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path's bytes, without a slash at either end; empty for the root.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The names from the home down; none for the root.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.as_bytes().split(|&b| b == b'/').filter(|s| !s.is_empty())
    }

    /// Whether one of the names begins with a dot, as a file's that its owner wants out of sight.
    ///
    /// `.well-known` in the home itself is not meant (RFC 8615 §3): what is in there is for everybody.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        let mut segments = self.segments().enumerate();
        segments.any(|(depth, name)| name[0] == b'.' && (depth, name) != (0, b".well-known"))
    }

    /// The last name; `None` for the root.
    #[must_use]
    pub fn file_name(&self) -> Option<&[u8]> {
        self.segments().next_back()
    }

    /// The folder that this lies in; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let above = self.as_bytes().len() - self.file_name()?.len();
        // A part of what has no NUL; without the slash before the name, if there is one.
        let parent = &self.as_bytes()[..above.saturating_sub(1)];
        Some(Self(CString::new(parent).unwrap_or_default()))
    }

    /// The path of the `number`th file of this name: `plan.txt`, `plan (2).txt`, `plan (3).txt`. A name that would
    /// become too long is shortened in front of the number.
    ///
    /// ```
    /// # use sockeye_store::FilePath;
    /// let path = FilePath::parse(b"docs/plan.txt").unwrap();
    /// assert_eq!(path.numbered(2).as_bytes(), b"docs/plan (2).txt");
    /// ```
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let (Some(name), Some(parent)) = (self.file_name(), self.parent()) else {
            return self.clone();
        };
        if number < 2 {
            return self.clone();
        }
        // A dot in front makes a hidden file, not an ending.
        let dot =
            name.iter().rposition(|&b| b == b'.').filter(|&at| at > 0 && name.len() - at <= 32);
        let (stem, ending) = name.split_at(dot.unwrap_or(name.len()));
        let mark = format!(" ({number})");
        let room = MAX_NAME.saturating_sub(mark.len() + ending.len()).min(stem.len());
        let whole = (0..=room).rev().find(|&at| stem.get(at).is_none_or(|b| b & 0xc0 != 0x80));
        let name = [&stem[..whole.unwrap_or(room)], mark.as_bytes(), ending].concat();
        // Only a path of the greatest length can become too long.
        Name::parse(&name).and_then(|name| parent.join(&name)).unwrap_or_else(|_| self.clone())
    }

    /// Whether `other` is this or lies in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other
            .as_bytes()
            .strip_prefix(self.as_bytes())
            .is_some_and(|rest| self.is_root() || rest.is_empty() || rest[0] == b'/')
    }

    /// The last name as the kernel is asked for it; `None` for the root.
    pub(crate) fn last_c_str(&self) -> Option<&CStr> {
        let length = self.file_name()?.len();
        let bytes = self.0.as_bytes_with_nul();
        CStr::from_bytes_with_nul(&bytes[bytes.len() - 1 - length..]).ok()
    }

    /// What the kernel is asked for.
    pub(crate) fn as_c_str(&self) -> &CStr {
        if self.is_root() { c"." } else { &self.0 }
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilePath(/{})", readable(self.as_bytes()))
    }
}

/// With a leading slash, made [`readable`].
impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", readable(self.as_bytes()))
    }
}

/// A path being put together, name by name.
#[derive(Debug, Default)]
pub struct PathBuilder(Vec<u8>);

impl PathBuilder {
    /// An empty path with room for about `bytes` bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes.min(MAX_PATH) + 1))
    }

    /// Goes down into `segment`.
    ///
    /// # Errors
    /// If it cannot be a name, or the whole becomes longer than [`MAX_PATH`].
    pub fn push(&mut self, segment: &[u8]) -> Result<(), NameError> {
        check(segment)?;
        if self.0.len() + segment.len() + 1 > MAX_PATH {
            return Err(NameError::TooLong);
        }
        if !self.0.is_empty() {
            self.0.push(b'/');
        }
        self.0.extend_from_slice(segment);
        Ok(())
    }

    /// The path.
    #[must_use]
    pub fn finish(self) -> FilePath {
        // `push` refused every NUL, so this never takes the default.
        FilePath(CString::new(self.0).unwrap_or_default())
    }
}

fn check(segment: &[u8]) -> Result<(), NameError> {
    match segment {
        [] => Err(NameError::Empty),
        b"." | b".." => Err(NameError::Dots),
        s if s.len() > MAX_NAME => Err(NameError::TooLong),
        s if s.iter().any(|&b| b == b'/' || b == 0) => Err(NameError::Byte),
        _ => Ok(()),
    }
}

/// A name for people: valid UTF-8 as it is, other bytes and control characters as `\xHH`.
///
/// For display only: two different names can read alike, as a backslash is left alone.
#[must_use]
pub fn readable(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes)
        && !text.chars().any(char::is_control)
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                escape(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes())
            } else {
                out.push(c)
            }
        }
        escape(&mut out, chunk.invalid());
    }
    Cow::Owned(out)
}

fn escape(out: &mut String, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for b in bytes {
        out.push_str("\\x");
        out.push(char::from(HEX[usize::from(b >> 4)]));
        out.push(char::from(HEX[usize::from(b & 15)]));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        for (bytes, error) in [
            (&b""[..], NameError::Empty),
            (b".", NameError::Dots),
            (b"..", NameError::Dots),
            (b"a/b", NameError::Byte),
            (b"a\0", NameError::Byte),
            (&[b'a'; 256], NameError::TooLong),
        ] {
            assert_eq!(Name::parse(bytes).unwrap_err(), error);
        }
        assert_eq!(Name::parse(b"...").unwrap().as_bytes(), b"...");
    }

    #[test]
    fn a_path_is_made_of_names() {
        assert!(FilePath::parse(b"").unwrap().is_root());
        assert_eq!(FilePath::parse(b"a/b").unwrap().file_name(), Some(&b"b"[..]));
        for bad in [&b"/a"[..], b"a/", b"a//b", b"a/../b", b"a/./b", b"a\0b"] {
            assert!(FilePath::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(FilePath::parse(&[b'a'; 5000]).unwrap_err(), NameError::TooLong);
    }

    #[test]
    fn a_path_knows_where_it_lies() {
        let path = |text: &str| FilePath::parse(text.as_bytes()).unwrap();
        assert_eq!(path("a/b/c").parent(), Some(path("a/b")));
        assert_eq!(path("a").parent(), Some(FilePath::root()));
        assert_eq!(FilePath::root().parent(), None);
        assert_eq!(path("a/bc").last_c_str(), Some(c"bc"));
        assert_eq!(FilePath::root().last_c_str(), None);
        for (folder, within) in [("", "a"), ("a", "a"), ("a", "a/b"), ("", "")] {
            assert!(path(folder).covers(&path(within)), "{folder} {within}");
        }
        for (folder, beside) in [("a", "ab"), ("a/b", "a"), ("a", "")] {
            assert!(!path(folder).covers(&path(beside)), "{folder} {beside}");
        }
    }

    #[test]
    fn strange_names_are_readable() {
        assert_eq!(readable("报告.txt".as_bytes()), "报告.txt");
        assert_eq!(readable(b"a\xff\nb"), "a\\xFF\\x0Ab");
    }

    #[test]
    fn a_numbered_name_keeps_its_ending_and_fits() {
        let numbered = |text: &str| FilePath::parse(text.as_bytes()).unwrap().numbered(12);
        for (text, expected) in [
            ("plan.txt", "plan (12).txt"),
            ("a/b/plan", "a/b/plan (12)"),
            (".profile", ".profile (12)"),
            ("a.tar.gz", "a.tar (12).gz"),
        ] {
            assert_eq!(numbered(text).as_bytes(), expected.as_bytes());
        }
        let long = numbered(&format!("{}.txt", "文".repeat(83)));
        let name = long.file_name().unwrap();
        assert!(name.len() <= MAX_NAME && name.ends_with(b" (12).txt"), "{}", name.len());
        assert!(str::from_utf8(name).is_ok(), "no letter is cut in two");
    }

    proptest! {
        #[test]
        fn a_path_never_holds_a_step_up(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(path) = FilePath::parse(&bytes) {
                prop_assert!(path.segments().all(|s| s != b".." && s != b"." && !s.is_empty()));
                prop_assert!(!path.as_bytes().contains(&0));
                prop_assert_eq!(path.as_bytes(), &bytes[..]);
            }
        }

        #[test]
        fn readable_text_has_no_control_characters(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(!readable(&bytes).chars().any(char::is_control));
        }
    }
}
