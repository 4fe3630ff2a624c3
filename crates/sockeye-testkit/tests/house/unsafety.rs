//! `unsafe` stands in the framework's `sys` module alone, and nowhere else is it allowed to.

use super::{
    assert_none,
    rust_text::{lines_with, without_prose},
    tree,
};

fn is_sys(path: &str) -> bool {
    path.starts_with("crates/sockeye/src/sys/") || path == "crates/sockeye/src/sys.rs"
}

fn complaints(path: &str, text: &str) -> Vec<String> {
    if is_sys(path) {
        return Vec::new();
    }
    let code = without_prose(text);
    let lines = lines_with(&code, "unsafe").into_iter();
    let mut complaints: Vec<_> = lines.map(|line| format!("{path}:{line} is unsafe")).collect();
    // The lint may be lowered where the module is declared, nowhere else.
    for (index, line) in code.lines().enumerate() {
        let lowered = line.contains("allow(") || line.contains("expect(");
        let declares_sys = code.lines().skip(index).take(4).any(|next| next.contains("mod sys;"));
        if lowered && line.contains("unsafe_code") && !declares_sys {
            complaints.push(format!("{path}:{} allows unsafe code", index + 1));
        }
    }
    complaints
}

#[test]
fn unsafe_stands_in_the_sys_module_alone() {
    let complaints: Vec<_> = tree::files()
        .iter()
        .filter(|file| file.is_rust())
        .flat_map(|file| complaints(&file.path, &file.text))
        .collect();
    assert_none("unsafe belongs in sockeye::sys", &complaints);
}

#[test]
fn unsafe_elsewhere_is_found() {
    let block = "let fd = unsafe { OwnedFd::from_raw_fd(3) };";
    assert_eq!(complaints("crates/sockeye/src/server/mod.rs", block).len(), 1);
    assert_eq!(complaints("crates/sockeye/src/system.rs", block).len(), 1);
    assert_none("sys", &complaints("crates/sockeye/src/sys/fork.rs", block));
    assert_none("a comment", &complaints("crates/sockeye/src/lib.rs", "// nothing unsafe here"));
    let lowered = "#![allow(unsafe_code)]\nfn f() {}";
    assert_eq!(complaints("crates/sockeye/src/lib.rs", lowered).len(), 1);
    let declared = "#[allow(unsafe_code, reason = \"the one place\")]\npub(crate) mod sys;";
    assert_none("the declaration", &complaints("crates/sockeye/src/lib.rs", declared));
}
