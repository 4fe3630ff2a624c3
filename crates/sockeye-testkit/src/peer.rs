//! Finding the real programs that tests talk to: `openssl`, `curl`, `python3`, ….
//!
//! A test that needs one asks [`require`] for it. A missing peer is a visible skip on a developer's
//! machine and a failure where the environment variable `CI` is set, so that no test can stay
//! silently skipped for ever. This module starts nothing and installs nothing.

use std::{
    env,
    ffi::OsStr,
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
};

/// Gives the path of a program that a test needs, or `None` if this machine lacks it and the test
/// is to be skipped.
///
/// The skip is written to the real standard error, past the test runner's capture.
///
/// ```no_run
/// # fn main() {
/// let Some(openssl) = sockeye_testkit::peer::require("openssl") else { return };
/// let output = std::process::Command::new(openssl).arg("version").output();
/// # let _ = output;
/// # }
/// ```
///
/// # Panics
/// If the program is missing and the environment variable `CI` is set and not empty: there,
/// every peer has to be installed.
#[track_caller]
#[must_use = "`None` asks the test to return early"]
pub fn require(program: &str) -> Option<PathBuf> {
    let search_path = env::var_os("PATH").unwrap_or_default();
    let found = find(program, &search_path);
    if found.is_none() {
        skip(&format!("`{program}` is not in PATH"));
    }
    found
}

/// Gives the folder of Node's modules that `scripts/peers` has installed, if the module is in it; else the test is to be
/// skipped, as [`require`] has it.
///
/// # Panics
/// As [`require`].
#[track_caller]
#[must_use = "`None` asks the test to return early"]
pub fn require_module(name: &str) -> Option<PathBuf> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/node_modules");
    if modules.join(name).is_dir() {
        return Some(modules);
    }
    skip(&format!("the module `{name}` is not in target/peers"));
    None
}

/// Gives a program in Python that `scripts/peers` has installed; else the test is to be skipped, as [`require`] has it.
///
/// # Panics
/// As [`require`].
#[track_caller]
#[must_use = "`None` asks the test to return early"]
pub fn require_tool(name: &str) -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/python/bin");
    let tool = tools.join(name);
    if is_executable(&tool) {
        return Some(tool);
    }
    skip(&format!("`{name}` is not in target/peers"));
    None
}

/// Gives the folder with the source of a program, `NAME-VERSION`, that `scripts/peers` has fetched; else the test is to be
/// skipped, as [`require`] has it.
///
/// # Panics
/// As [`require`].
#[track_caller]
#[must_use = "`None` asks the test to return early"]
pub fn require_source(name: &str) -> Option<PathBuf> {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/sources").join(name);
    if source.is_dir() {
        return Some(source);
    }
    skip(&format!("the source of `{name}` is not in target/peers"));
    None
}

/// Says that a test is skipped, where that may be, past the test runner's capture.
///
/// # Panics
/// As [`require`].
#[track_caller]
pub fn skip(why: &str) {
    let ci = env::var_os("CI").is_some_and(|value| !value.is_empty());
    let caller = std::panic::Location::caller();
    let mut message = why.to_owned();
    let _ = write!(message, " (needed by {}:{})", caller.file(), caller.line());
    assert!(!ci, "{message}: install it, as CI skips no test");
    // Not eprintln!, which the test runner swallows for a test that passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {message}");
}

/// The first executable file of that name in a `PATH`-like list; a name with a slash is itself.
fn find(program: &str, search_path: &OsStr) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| is_executable(path));
    }
    env::split_paths(search_path)
        .map(|folder| folder.join(program))
        .find(|path| is_executable(path))
}

fn is_executable(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_in_the_path_is_found() {
        let shell = find("sh", OsStr::new("/nonexistent:/bin:/usr/bin")).unwrap();
        assert!(shell.ends_with("sh"));
        assert!(find("/bin/sh", OsStr::new("")).is_some());
    }

    #[test]
    fn a_missing_program_and_a_plain_file_are_not() {
        assert_eq!(find("no-such-program", OsStr::new("/bin:/usr/bin")), None);
        assert_eq!(find("passwd", OsStr::new("/etc")), None);
        assert_eq!(find("/etc/passwd", OsStr::new("/etc")), None);
    }
}
