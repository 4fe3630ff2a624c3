//! The one namespace: which home a path lies in, and where in it.
//!
//! `/` is the account's home, `/shared/NAME` a shared folder, `/public` the public tree, and below `/-/` lies the
//! site itself. The same path is the same file in every protocol. Nothing here looks at a disk.

use crate::FilePath;

/// Names at a home's root that no file there can have: the namespace has them.
pub const RESERVED: [&str; 3] = ["shared", "public", "-"];

/// Where a path lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// In the account's own home, at this path.
    Own(FilePath),
    /// The list of shared folders.
    SharedFolders,
    /// In the shared folder of this name, at this path.
    Shared(Vec<u8>, FilePath),
    /// In the public tree, at this path.
    Public(FilePath),
    /// In the site's own pages, which are no files.
    Site,
}

impl Zone {
    /// The zone of `path`.
    pub(crate) fn of(path: &FilePath) -> Self {
        let mut segments = path.as_bytes().splitn(3, |&byte| byte == b'/');
        let (first, second, rest) = (segments.next(), segments.next(), segments.next());
        match (first, second) {
            (Some(b"shared"), None) => Self::SharedFolders,
            (Some(b"shared"), Some(name)) => Self::Shared(name.to_owned(), part(rest)),
            (Some(b"public"), _) => Self::Public(part(path.as_bytes().get(b"public/".len()..))),
            (Some(b"-"), _) => Self::Site,
            _ => Self::Own(path.clone()),
        }
    }
}

/// The path with a slash in front, as grants and the log have it.
pub(crate) fn absolute(path: &FilePath) -> Vec<u8> {
    let mut absolute = Vec::with_capacity(path.as_bytes().len() + 1);
    absolute.push(b'/');
    absolute.extend_from_slice(path.as_bytes());
    absolute
}

/// A part of a path, which is one itself.
fn part(bytes: Option<&[u8]>) -> FilePath {
    FilePath::parse(bytes.unwrap_or_default()).unwrap_or_else(|_| FilePath::root())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_names_of_a_path_say_whose_it_is() {
        let path = |text: &str| FilePath::parse(text.as_bytes()).unwrap();
        let shared = |name: &str, rest| Zone::Shared(name.as_bytes().to_vec(), path(rest));
        for (text, zone) in [
            ("", Zone::Own(path(""))),
            ("a/shared/b", Zone::Own(path("a/shared/b"))),
            ("sharedx", Zone::Own(path("sharedx"))),
            ("--", Zone::Own(path("--"))),
            ("shared", Zone::SharedFolders),
            ("shared/team", shared("team", "")),
            ("shared/team/a/b", shared("team", "a/b")),
            ("public", Zone::Public(path(""))),
            ("public/a/b", Zone::Public(path("a/b"))),
            ("-", Zone::Site),
            ("-/api/v1", Zone::Site),
        ] {
            assert_eq!(Zone::of(&path(text)), zone, "{text}");
        }
    }
}
