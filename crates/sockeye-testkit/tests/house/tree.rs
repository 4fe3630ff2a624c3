//! The files of the project: what git tracks, and what is new and not ignored.

use std::{fs, path::Path, process::Command};

/// A file's path from the project's root, with `/` between its parts, and its text.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// The crate it belongs to: `crates/NAME/…`.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split_once('/').map(|(name, _)| name)
    }

    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }

    /// Whether it is code that ships: under `src/`, and not a file of unit tests.
    pub(crate) fn is_shipped_rust(&self) -> bool {
        self.is_rust() && self.path.contains("/src/") && !self.path.ends_with("/tests.rs")
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The paths of all files of the project.
pub(crate) fn paths() -> Vec<String> {
    let output = Command::new("git")
        // A checkout that belongs to somebody else, as CI's often does, is only read here.
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .args(["--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git ls-files: {errors}");
    let names = String::from_utf8(output.stdout).expect("paths are UTF-8");
    let paths: Vec<_> = names.split_terminator('\0').map(str::to_owned).collect();
    assert!(paths.len() > 20, "git ls-files lists only {paths:?}");
    paths
}

/// All files that are text; one that was deleted and is still in the index is left out.
pub(crate) fn files() -> Vec<File> {
    paths()
        .into_iter()
        .filter_map(|path| {
            let text = fs::read_to_string(root().join(&path)).ok()?;
            Some(File { path, text })
        })
        .collect()
}

/// The files whose code ships, of the crates that `wanted` picks.
pub(crate) fn shipped(wanted: impl Fn(&str) -> bool) -> Vec<File> {
    let files: Vec<_> = files()
        .into_iter()
        .filter(|file| file.is_shipped_rust() && file.crate_name().is_some_and(&wanted))
        .collect();
    assert!(!files.is_empty(), "no such crate: the rule would hold for nothing");
    files
}

#[test]
fn the_tree_lists_this_very_file() {
    let files = files();
    let this = files.iter().find(|file| file.path.ends_with("tests/house/tree.rs")).unwrap();
    assert_eq!(this.crate_name(), Some("sockeye-testkit"));
    assert!(this.is_rust() && !this.is_shipped_rust());
}
