//! `wire` modules turn bytes into values and back: no I/O, no clock, no runtime.
//!
//! `core::net` has the address types without the sockets. `libc` may lend its constants: to call it
//! is unsafe, which stands elsewhere.

use super::{
    assert_none,
    rust_text::{lines_with, shipped_code},
    tree,
};

const FOREIGN: &[&str] = &[
    "tokio",
    "std::io",
    "std::net",
    "std::fs",
    "std::os",
    "std::process",
    "std::thread",
    "std::env",
    "SystemTime",
    "Instant",
    "async",
    "rustix",
    "socket2",
];

/// Whether a path is in a crate's `wire`: the folder, or the file that is its whole.
fn is_wire(path: &str) -> bool {
    path.contains("/src/") && (path.contains("/wire/") || path.ends_with("/wire.rs"))
}

fn complaints(path: &str, text: &str) -> Vec<String> {
    let code = shipped_code(text).replace("::{", "::");
    let found = FOREIGN.iter().flat_map(|name| {
        lines_with(&code, name)
            .into_iter()
            .map(move |line| format!("{path}:{line} mentions {name}"))
    });
    // `use std::{fs, io}` names them one by one.
    let grouped = ["fs", "io", "net", "env", "thread", "process"].into_iter().flat_map(|module| {
        code.lines().enumerate().filter_map(move |(index, line)| {
            let list = line.trim().strip_prefix("use std::")?;
            let named = list.split([',', ' ', '{', '}', ';', ':']).any(|part| part == module);
            named.then(|| format!("{path}:{} mentions std::{module}", index + 1))
        })
    });
    found.chain(grouped).collect()
}

#[test]
fn wire_modules_do_no_io_and_read_no_clock() {
    let complaints: Vec<_> = tree::files()
        .iter()
        .filter(|file| file.is_rust() && is_wire(&file.path))
        .flat_map(|file| complaints(&file.path, &file.text))
        .collect();
    assert_none("bytes in, values out", &complaints);
}

#[test]
fn io_a_clock_or_a_runtime_in_a_wire_module_is_found() {
    assert!(is_wire("crates/sockeye-http/src/wire/path.rs"));
    assert!(is_wire("crates/sockeye-ftp/src/wire.rs"));
    assert!(!is_wire("crates/sockeye-ftp/src/wireless.rs"));
    for broken in [
        "use tokio::io::AsyncReadExt;",
        "use std::{fmt, io};",
        "use std::io::Read;",
        "let now = std::time::Instant::now();",
        "use std::time::{Duration, SystemTime};",
        "async fn read() {}",
    ] {
        assert!(!complaints("wire.rs", broken).is_empty(), "{broken}");
    }
    let clean = "//! Never tokio.\nuse std::{fmt, str};\nfn f(d: std::time::Duration) {}";
    assert_none("a clean text", &complaints("wire.rs", clean));
}
