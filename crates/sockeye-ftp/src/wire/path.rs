//! Path names (RFC 959 §5.3.1, RFC 3659 §6): the argument of a command becomes a path in the home.
//!
//! The folders are those of a Unix tree: `/` separates and leads, `.` and `..` are the folder and the one
//! above it, and above the root is the root. Names are bytes: what is no UTF-8 comes through as it is. Whether
//! something is there is not asked here; `..` goes up in the text, not through a link.

use sockeye_node::{FilePath, NameError, PathBuilder};

/// Why an argument is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A NUL, which no name can have.
    #[error("a name cannot contain a NUL")]
    Nul,
    /// A name or the whole path is longer than the filesystem takes.
    #[error("too long: a name has at most 255 bytes, a path 4095")]
    TooLong,
    /// A control character in a name that is to be given.
    #[error("a new name cannot contain control characters such as line ends or tabs")]
    Control,
    /// The root, where a new name is wanted.
    #[error("the root folder is there already and cannot be given a name")]
    Root,
}

impl From<NameError> for PathError {
    fn from(error: NameError) -> Self {
        match error {
            // Empty names and dots have been taken out, slashes separate: a NUL is all that is left.
            NameError::TooLong => Self::TooLong,
            _ => Self::Nul,
        }
    }
}

/// The path that `argument` means in the working folder `folder`; nothing at all is the folder itself.
///
/// A path that begins with a slash leads from the root, and so does one that begins with `~`, as every account's root is its
/// home. Double slashes and one at the end say nothing.
///
/// # Errors
/// [`PathError::Nul`], [`PathError::TooLong`].
pub fn resolve(folder: &FilePath, argument: &[u8]) -> Result<FilePath, PathError> {
    let home = argument.strip_prefix(b"~").filter(|rest| rest.is_empty() || rest[0] == b'/');
    let is_absolute = home.is_some() || argument.starts_with(b"/");
    let mut names: Vec<&[u8]> = if is_absolute { Vec::new() } else { folder.segments().collect() };
    for name in home.unwrap_or(argument).split(|&b| b == b'/') {
        match name {
            b"" | b"." => {}
            b".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    let mut path = PathBuilder::with_capacity(folder.as_bytes().len() + argument.len() + 1);
    names.into_iter().try_for_each(|name| path.push(name))?;
    Ok(path.finish())
}

/// As [`resolve`], of a file or folder that is to be made or to get this name.
///
/// Its own name has no control character: nobody could ask for it again by typing it, and a line end
/// would break what lists it. The folders on the way may have such names, from elsewhere.
///
/// # Errors
/// [`PathError`].
pub fn resolve_new(folder: &FilePath, argument: &[u8]) -> Result<FilePath, PathError> {
    let path = resolve(folder, argument)?;
    let name = path.file_name().ok_or(PathError::Root)?;
    if name.iter().any(u8::is_ascii_control) {
        return Err(PathError::Control);
    }
    Ok(path)
}

/// The whole path with the slash in front, as PWD tells it and every command takes it.
#[must_use]
pub fn absolute(path: &FilePath) -> Vec<u8> {
    [b"/", path.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(folder: &str, argument: &str) -> Result<String, PathError> {
        let folder = FilePath::parse(folder.as_bytes()).unwrap();
        let path = resolve(&folder, argument.as_bytes())?;
        Ok(String::from_utf8(absolute(&path)).unwrap())
    }

    #[test]
    fn a_path_is_meant_from_the_root_or_from_the_folder() {
        for (folder, argument, path) in [
            ("", "", "/"),
            ("a/b", "", "/a/b"),
            ("a/b", "c", "/a/b/c"),
            ("a/b", "/c", "/c"),
            ("a/b", "/", "/"),
            ("a/b", ".", "/a/b"),
            ("a/b", "..", "/a"),
            ("a/b", "../..", "/"),
            ("a/b", "../../../../etc", "/etc"),
            ("a", "/../x", "/x"),
            ("a/b", "./c/../d/.", "/a/b/d"),
            ("a", "b//c///", "/a/b/c"),
            ("a", "//c", "/c"),
            ("a/b", "~", "/"),
            ("a/b", "~/c", "/c"),
            ("a", "~bob/c", "/a/~bob/c"),
            ("a", "~$plan.docx", "/a/~$plan.docx"),
            ("a", "./~", "/a/~"),
            ("a", "b/~", "/a/b/~"),
            ("", " a ", "/ a "),
            ("", "...", "/..."),
            ("", "a\\..\\b", "/a\\..\\b"),
            ("文", "文/é", "/文/文/é"),
        ] {
            assert_eq!(at(folder, argument).as_deref(), Ok(path), "{folder} {argument}");
        }
    }

    #[test]
    fn what_is_no_name_is_told() {
        assert_eq!(at("", "a\0b"), Err(PathError::Nul));
        assert_eq!(at("", &"a".repeat(256)), Err(PathError::TooLong));
        assert_eq!(at("", &"a/".repeat(2048)), Ok(format!("/{}a", "a/".repeat(2047))));
        assert_eq!(at("b", &"a/".repeat(2048)), Err(PathError::TooLong));
        // What a path leads out of again is not looked at.
        assert_eq!(at("", &format!("{}/../b", "a".repeat(256))).as_deref(), Ok("/b"));
    }

    #[test]
    fn only_new_names_are_without_control_characters() {
        let folder = FilePath::parse(b"a\tb").unwrap();
        assert!(resolve(&folder, b"c\nd").is_ok());
        assert!(resolve_new(&folder, b"c").is_ok());
        for name in [&b"c\nd"[..], b"c\r", b"\x1b[2J", b"\x7f"] {
            assert_eq!(resolve_new(&folder, name), Err(PathError::Control));
        }
        for root in [&b"/"[..], b"~", b".."] {
            assert_eq!(resolve_new(&folder, root), Err(PathError::Root));
        }
        assert_eq!(resolve_new(&folder, b"\xc4\xe3/").unwrap().as_bytes(), b"a\tb/\xc4\xe3");
    }

    proptest! {
        #[test]
        fn no_path_leads_above_the_root(
            argument in proptest::collection::vec(prop_oneof!["[./~a\0]".prop_map(|s| s.as_bytes()[0]), any::<u8>()], 0..60),
        ) {
            let folder = FilePath::parse(b"x/y").unwrap();
            if let Ok(path) = resolve(&folder, &argument) {
                prop_assert!(path.segments().all(|name| name != b".." && name != b"." && !name.contains(&0)));
                // What PWD tells leads to the same place from everywhere.
                prop_assert_eq!(resolve(&folder, &absolute(&path)), Ok(path));
            }
        }
    }
}
