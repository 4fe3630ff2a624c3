//! Whom a file is said to belong to in listings: all of a home to its account, of a shared folder to that.
//!
//! Who put a file there is not kept with it; the log knows. So what is said is the same for whoever asks.

use sockeye_node::FilePath;

/// The owner and the group of what several accounts may have.
const SHARED: &str = "shared";
const PUBLIC: &str = "public";

/// An owner and a group, which are of no system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ownership<'a> {
    pub(crate) owner: &'a str,
    pub(crate) group: &'a str,
}

impl<'a> Ownership<'a> {
    /// Of what is at `path` for an account of this name, or for who has none.
    pub(crate) fn of(path: &'a FilePath, account: Option<&'a str>) -> Self {
        let mut segments = path.segments();
        let (owner, group) = match (segments.next(), segments.next(), account) {
            (_, _, None) | (Some(b"public"), _, _) => (PUBLIC, PUBLIC),
            (Some(b"shared"), folder, _) => {
                (SHARED, folder.and_then(|name| str::from_utf8(name).ok()).unwrap_or(SHARED))
            }
            (_, _, Some(account)) => (account, account),
        };
        Self { owner, group }
    }

    /// Whether all in a folder have one ownership: not in the root, and not in the list of shared folders.
    pub(crate) fn is_one_in(folder: &FilePath) -> bool {
        let mut segments = folder.segments();
        !matches!((segments.next(), segments.next()), (None, _) | (Some(b"shared"), None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_belongs_to_nobody_who_asks() {
        for (path, account, owner, group) in [
            ("", Some("alice"), "alice", "alice"),
            ("docs/public", Some("alice"), "alice", "alice"),
            ("shared", Some("alice"), "shared", "shared"),
            ("shared/team", Some("alice"), "shared", "team"),
            ("shared/team/a/b", Some("bob"), "shared", "team"),
            ("public", Some("alice"), "public", "public"),
            ("public/a", Some("alice"), "public", "public"),
            ("a", None, "public", "public"),
            ("shared/a", None, "public", "public"),
        ] {
            let parsed = FilePath::parse(path.as_bytes()).unwrap();
            assert_eq!(Ownership::of(&parsed, account), Ownership { owner, group }, "{path}");
        }
        for (folder, is_one) in [("", false), ("shared", false), ("shared/team", true), ("a", true)]
        {
            let parsed = FilePath::parse(folder.as_bytes()).unwrap();
            assert_eq!(Ownership::is_one_in(&parsed), is_one, "{folder}");
        }
    }
}
