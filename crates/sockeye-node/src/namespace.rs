//! The one namespace: which tree a path lies in, and where in it.
//!
//! `/` is the account's home, `/shared/NAME` a shared folder, `/public` the public tree, and below `/-/` lies the
//! site itself. The same path is the same file in every protocol. Nothing here looks at a disk.

use std::{borrow::Cow, fmt, ops::Deref, str::FromStr};

use sockeye_accounts::SharedName;

use crate::{FilePath, PathBuilder, Result, seat::Seat};

/// Names at a home's root that no file there can have: the namespace has them.
pub const RESERVED: [&str; 3] = ["shared", "public", "-"];

/// A tree of the namespace, each with a home of its own. As text it is `home`, `public` or `shared/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TreeName {
    /// The session's own; the public one for who has none.
    Own,
    Public,
    Shared(SharedName),
}

/// Where a path lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// In this tree, at this path within it.
    Tree(TreeName, FilePath),
    /// The list of shared folders.
    SharedFolders,
    /// In the site's own pages, which are no files.
    Site,
    /// Beneath a name that no shared folder can have.
    Nowhere,
}

/// A path of an account's namespace. What a session is asked for is turned into one by [`Seat::reached`] before
/// anything is asked of it: who came by a link says paths that begin where the share is rooted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reached<'a>(Cow<'a, FilePath>);

impl Zone {
    /// The zone of `path`, which is one of an account's namespace.
    pub(crate) fn of(path: &FilePath) -> Self {
        let mut segments = path.as_bytes().splitn(3, |&byte| byte == b'/');
        let (first, second, rest) = (segments.next(), segments.next(), segments.next());
        match (first, second) {
            (Some(b"shared"), None) => Self::SharedFolders,
            (Some(b"shared"), Some(name)) => match shared_name(name) {
                Some(name) => Self::Tree(TreeName::Shared(name), part(rest)),
                None => Self::Nowhere,
            },
            (Some(b"public"), _) => {
                Self::Tree(TreeName::Public, part(path.as_bytes().get(b"public/".len()..)))
            }
            (Some(b"-"), _) => Self::Site,
            _ => Self::Tree(TreeName::Own, path.clone()),
        }
    }
}

impl TreeName {
    /// The tree that `path` lies in, and where in it.
    pub(crate) fn of(path: &FilePath) -> Option<(Self, FilePath)> {
        match Zone::of(path) {
            Zone::Tree(tree, within) => Some((tree, within)),
            Zone::SharedFolders | Zone::Site | Zone::Nowhere => None,
        }
    }

    /// The tree that `path` is the root of.
    pub(crate) fn rooted_at(path: &FilePath) -> Option<Self> {
        Self::of(path).filter(|(_, within)| within.is_root()).map(|(tree, _)| tree)
    }

    /// What is at `path` in this tree; none if it is too long to be asked for in the namespace.
    pub(crate) fn within(&self, path: &FilePath) -> Option<Reached<'static>> {
        let mut whole = PathBuilder::with_capacity(path.as_bytes().len() + 64);
        let above: &[&[u8]] = match self {
            Self::Own => &[],
            Self::Public => &[b"public"],
            Self::Shared(name) => &[b"shared", name.as_str().as_bytes()],
        };
        for name in above.iter().copied().chain(path.segments()) {
            whole.push(name).ok()?;
        }
        Some(Reached(Cow::Owned(whole.finish())))
    }
}

impl fmt::Display for TreeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("home"),
            Self::Public => f.write_str("public"),
            Self::Shared(name) => write!(f, "shared/{}", name.as_str()),
        }
    }
}

impl FromStr for TreeName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once('/') {
            None if text == "home" => Ok(Self::Own),
            None if text == "public" => Ok(Self::Public),
            Some(("shared", name)) => name.parse().map(Self::Shared).map_err(drop),
            _ => Err(()),
        }
    }
}

impl Seat {
    /// What a path of the session is in the account's namespace: a share's begin where it is rooted.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) if nothing can have so long a path.
    pub(crate) fn reached<'a>(&self, path: &'a FilePath) -> Result<Reached<'a>> {
        Ok(Reached(match self.visit() {
            None => Cow::Borrowed(path),
            Some(visit) => Cow::Owned(visit.reached(path)?),
        }))
    }
}

impl Reached<'_> {
    /// The same, for whoever outlives the path that was asked for.
    pub(crate) fn into_owned(self) -> Reached<'static> {
        Reached(Cow::Owned(self.0.into_owned()))
    }

    /// The folder that it lies in.
    pub(crate) fn above(&self) -> Option<Reached<'static>> {
        self.0.parent().map(|parent| Reached(Cow::Owned(parent)))
    }

    pub(crate) fn into_path(self) -> FilePath {
        self.0.into_owned()
    }

    /// As grants and the log have it.
    pub(crate) fn absolute(&self) -> Vec<u8> {
        absolute(self)
    }
}

impl Deref for Reached<'_> {
    type Target = FilePath;

    fn deref(&self) -> &FilePath {
        &self.0
    }
}

/// The path with a slash in front, as grants and the log have it.
pub(crate) fn absolute(path: &FilePath) -> Vec<u8> {
    let mut absolute = Vec::with_capacity(path.as_bytes().len() + 1);
    absolute.push(b'/');
    absolute.extend_from_slice(path.as_bytes());
    absolute
}

fn shared_name(name: &[u8]) -> Option<SharedName> {
    std::str::from_utf8(name).ok()?.parse().ok()
}

/// A part of a path, which is one itself.
fn part(bytes: Option<&[u8]>) -> FilePath {
    FilePath::parse(bytes.unwrap_or_default()).unwrap_or_else(|_| FilePath::root())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> FilePath {
        FilePath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_first_names_of_a_path_say_whose_it_is() {
        let tree = |tree: &str, within| Zone::Tree(tree.parse().unwrap(), path(within));
        for (text, zone) in [
            ("", tree("home", "")),
            ("a/shared/b", tree("home", "a/shared/b")),
            ("sharedx", tree("home", "sharedx")),
            ("--", tree("home", "--")),
            ("shared", Zone::SharedFolders),
            ("shared/team", tree("shared/team", "")),
            ("shared/team/a/b", tree("shared/team", "a/b")),
            ("shared/a:b/c", Zone::Nowhere),
            ("public", tree("public", "")),
            ("public/a/b", tree("public", "a/b")),
            ("-", Zone::Site),
            ("-/api/v1", Zone::Site),
        ] {
            assert_eq!(Zone::of(&path(text)), zone, "{text}");
        }
    }

    #[test]
    fn a_tree_knows_its_paths_and_its_name() {
        for (text, tree, within) in [
            ("", "home", ""),
            ("a/b", "home", "a/b"),
            ("public/a", "public", "a"),
            ("shared/team/a/b", "shared/team", "a/b"),
        ] {
            let (name, rest) = TreeName::of(&path(text)).unwrap();
            assert_eq!((name.to_string().as_str(), &rest), (tree, &path(within)));
            assert_eq!(tree.parse(), Ok(name.clone()));
            assert_eq!(name.within(&rest).unwrap().into_path(), path(text));
            assert_eq!(TreeName::rooted_at(&path(text)), Some(name).filter(|_| within.is_empty()));
        }
        assert_eq!(TreeName::of(&path("shared")), None);
        let longest = path(&vec!["a".repeat(255); 16].join("/"));
        assert!(TreeName::Own.within(&longest).is_some());
        assert_eq!(TreeName::Public.within(&longest), None);
    }
}
