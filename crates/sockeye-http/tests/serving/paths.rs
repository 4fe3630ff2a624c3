//! Paths that try to leave the folder, and files that try to hold the server up.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, os::unix::fs::symlink};

use crate::site::Site;
use rustix::fs::{CWD, FileType, Mode};

#[test]
fn no_spelling_of_a_step_up_leads_out() {
    let site = Site::new();
    site.write("a/b", "inside");
    let depth = site.folder().components().count();
    let up = |step: &str| step.repeat(depth);
    for path in [
        up("/.."),
        up("/%2e%2e"),
        up("/.%2e"),
        up("/..%2f"),
        up("/..%5c"),
        up("/..\\"),
        up("/%252e%252e"),
        up("/%c0%ae%c0%ae"),
        up("/%e0%80%ae%e0%80%ae"),
        up("/..;"),
        up("/..%00"),
        up("/.../."),
        format!("/a{}", up("/..")),
        format!("//{}", up("/..")),
    ] {
        let target = format!("{path}/etc/passwd");
        let answer = site.get(&target);
        assert!([400, 404].contains(&answer.status), "{target}: {}", answer.status);
        assert!(!answer.text().contains("root:"), "{target}");
    }
    assert_eq!(site.get("/a/b").text(), "inside");
}

#[test]
fn what_is_badly_encoded_is_refused() {
    let site = Site::new();
    site.write("a", "");
    for target in
        ["/%", "/%4", "/%zz", "/a%00", "/%00", "/a%2f", "/a#b", "/\x7f", "a", "://", "/./a"]
    {
        let answer = site.get(target);
        assert_eq!(answer.status, 400, "{target:?}");
        assert_eq!(answer.field("connection"), Some("close"));
    }
    assert_eq!(site.get(&format!("/{}", "n".repeat(256))).status, 404);
    assert_eq!(site.get(&format!("/{}", "n/".repeat(3000))).status, 404);
}

#[test]
fn names_that_are_merely_strange_are_served() {
    let site = Site::new();
    for name in ["a b", "100%", "a#b?c", "a\\b", "文件", "~", "a\nb", "x...", "x..", ":", "q=\"1\""]
    {
        site.write(name, name);
        let target: String = name.bytes().map(|b| format!("%{b:02x}")).collect();
        assert_eq!(site.get(&format!("/{target}")).text(), name);
    }
    // These are hidden.
    for name in ["...", "..x"] {
        site.write(name, name);
        assert_eq!(site.get(&format!("/{name}")).status, 404, "{name}");
    }
    fs::write(site.folder().join(OsStr::from_bytes(b"latin\xe9")), "latin").unwrap();
    assert_eq!(site.get("/latin%E9").text(), "latin");
    assert!(site.ask("GET /", &["Accept: text/html"]).text().contains("href=\"latin%E9\""));
    // Unencoded bytes beyond ASCII are taken as they are.
    assert_eq!(site.get("/文件").text(), "文件");
}

#[test]
fn links_within_work_and_links_out_are_not_found() {
    let site = Site::new();
    site.write("real/file", "inside");
    symlink("real/file", site.folder().join("link")).unwrap();
    symlink("../real", site.folder().join("real/again")).unwrap();
    symlink("/etc", site.folder().join("etc")).unwrap();
    symlink("../../../../../../etc/passwd", site.folder().join("passwd")).unwrap();
    assert_eq!(site.get("/link").text(), "inside");
    assert_eq!(site.get("/real/again/again/file").text(), "inside");
    for target in ["/etc/passwd", "/etc/", "/passwd"] {
        assert_eq!(site.get(target).status, 404, "{target}");
    }
}

#[test]
fn special_files_are_refused_at_once() {
    let site = Site::new();
    rustix::fs::mknodat(CWD, site.folder().join("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(site.folder().join("socket")).unwrap();
    for target in ["/fifo", "/socket"] {
        assert_eq!(site.get(target).status, 403, "{target}");
    }
}

#[test]
fn a_foreign_host_is_misdirected() {
    let site = Site::new();
    site.write("a", "secret");
    let ask = |host: &str| {
        let request = format!("GET /a HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        crate::site::Answer::parse(&site.talk(request), false).0
    };
    for host in ["evil.example", "evil.example:80", "localhost.evil.example"] {
        assert_eq!(ask(host).status, 421, "{host}");
    }
    for host in ["localhost", "127.0.0.1", "[::1]:1", "x.localhost"] {
        assert_eq!(ask(host).status, 200, "{host}");
    }
    assert_eq!(ask("a b").status, 400);
    assert_eq!(site.get("http://evil.example/a").status, 421);
}
