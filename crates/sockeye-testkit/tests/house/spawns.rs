//! Every task and thread belongs to a tracker that drain waits for: bare spawns are a matter of the
//! framework alone. Clippy finds them; here its table is held, and that no crate turns it off.

use std::fs;

use super::{assert_none, rust_text::shipped_code, tree};

const BARE_SPAWNS: &[&str] = &[
    "tokio::spawn",
    "tokio::task::spawn",
    "tokio::task::spawn_local",
    "tokio::task::spawn_blocking",
    "std::thread::spawn",
];

fn unlisted(clippy: &str) -> Vec<String> {
    let listed = |path: &&&str| clippy.contains(&format!("path = \"{path}\""));
    BARE_SPAWNS
        .iter()
        .filter(|path| !listed(path))
        .map(|path| format!("{path} is not listed"))
        .collect()
}

fn complaints(path: &str, text: &str) -> Vec<String> {
    let code = shipped_code(text);
    code.lines()
        .enumerate()
        .filter(|(_, line)| line.contains("clippy::disallowed_methods"))
        .map(|(index, _)| format!("{path}:{} lets itself spawn without a tracker", index + 1))
        .collect()
}

#[test]
fn clippy_knows_every_bare_spawn() {
    let clippy = fs::read_to_string(tree::root().join("clippy.toml")).unwrap();
    assert_none("clippy.toml", &unlisted(&clippy));
}

#[test]
fn only_the_framework_spawns_without_a_tracker() {
    let complaints: Vec<_> = tree::shipped(|name| name != "sockeye" && name != "sockeye-testkit")
        .iter()
        .flat_map(|file| complaints(&file.path, &file.text))
        .collect();
    assert_none("spawn through the server's tracker", &complaints);
}

#[test]
fn an_unlisted_spawn_and_a_lint_turned_off_are_found() {
    let clippy = "disallowed-methods = [{ path = \"tokio::spawn\", reason = \"…\" }]";
    assert_eq!(unlisted(clippy).len(), BARE_SPAWNS.len() - 1);
    let turned_off = "#[expect(clippy::disallowed_methods, reason = \"quick\")]\nfn f() {}";
    assert_eq!(complaints("crates/sockeye-http/src/lib.rs", turned_off).len(), 1);
    let in_tests = format!("#[cfg(test)]\nmod tests {{ {turned_off} }}");
    assert_none("tests", &complaints("crates/sockeye-http/src/lib.rs", &in_tests));
}
