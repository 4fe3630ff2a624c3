//! Tells the program which commit it is built from: git's, or the one that `cargo package` wrote down.
//!
//! Neither is needed: without them the version stands alone.

use std::{env, fs, path::Path, process::Command};

/// Hexadecimal digits of the commit that are shown.
const SHOWN: usize = 12;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let package = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let package = Path::new(&package);
    let commit = from_git(package).or_else(|| from_package(package)).unwrap_or_default();
    println!("cargo::rustc-env=BUILT_FROM_COMMIT={}", commit.get(..SHOWN).unwrap_or_default());
}

/// The commit of the repository that has this very file; another one around it says nothing.
fn from_git(package: &Path) -> Option<String> {
    git(package, &["ls-files", "--error-unmatch", "build.rs"])?;
    let branch = git(package, &["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        let file = git(package, &["rev-parse", "--git-path", name]).map(|path| package.join(path));
        // Watching a file that is not there would build anew each time.
        if let Some(file) = file.filter(|file| file.exists()) {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    }
    git(package, &["rev-parse", "HEAD"])
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(folder).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// What `cargo package` left: `{"git": {"sha1": "…"}, …}`.
fn from_package(package: &Path) -> Option<String> {
    let info = fs::read_to_string(package.join(".cargo_vcs_info.json")).ok()?;
    let (_, rest) = info.split_once("\"sha1\"")?;
    let digits = rest.split('"').nth(1)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| digits.to_owned())
}
