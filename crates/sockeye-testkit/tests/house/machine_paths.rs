//! No file names a place that exists on somebody's machine alone.

use super::{assert_none, tree};

/// Folders of developers' machines and of build machines, without their first slash so that this
/// file does not name them itself.
const FOREIGN_ROOTS: &[&str] = &["work", "root", "Users", "builds", "mnt/c"];

fn complaints(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for (at, _) in line.match_indices('/') {
            let before = line[..at].chars().next_back();
            // A slash within a longer path, or the second one of `//`, starts no absolute path.
            if before.is_some_and(|c| c.is_alphanumeric() || "/._-*~})>$]".contains(c)) {
                continue;
            }
            let rest = &line[at + 1..];
            let foreign = FOREIGN_ROOTS
                .iter()
                .find(|root| rest.strip_prefix(**root).is_some_and(|tail| tail.starts_with('/')));
            if let Some(root) = foreign {
                complaints.push(format!("{path}:{} names a path under “{root}”", index + 1));
            }
        }
    }
    complaints
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    let complaints: Vec<_> =
        tree::files().iter().flat_map(|file| complaints(&file.path, &file.text)).collect();
    assert_none("machine paths", &complaints);
}

#[test]
fn a_path_of_one_machine_is_found() {
    for foreign in [["cd /wo", "rk/main"], ["path = \"/ro", "ot/.cargo\""], ["(/Us", "ers/me)"]] {
        assert_eq!(complaints("README.md", &foreign.concat()).len(), 1, "{foreign:?}");
    }
    for fine in [
        "bench/built/a",
        "https://example.org/root/a",
        "see [x](docs/root/a)",
        concat!("../wo", "rk/x"),
    ] {
        assert_none(fine, &complaints("README.md", fine));
    }
}
