//! What is below `/-/` of a node: never a file.

use crate::{node::Served, site::Site};
use std::fs;

#[test]
fn what_nobody_answers_below_the_sites_own_prefix_is_not_found() {
    let site = Served::new();
    site.put("alice", "/a", b"");
    fs::create_dir(site.file("alice", "-")).unwrap();
    fs::write(site.file("alice", "-/a"), "no file of the site's").unwrap();
    for who in ["alice", ""] {
        for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH", "PROPFIND"] {
            for target in ["/-/a", "/-", "/-/", "/%2d/a", "/-/login/a"] {
                let answer = site.ask(who, &format!("{method} {target}"), &[], b"");
                assert_eq!(answer.status, 404, "{method} {target}");
                assert!(answer.field("www-authenticate").is_none());
            }
        }
    }
    assert_eq!(fs::read(site.file("alice", "-/a")).unwrap(), b"no file of the site's");
}

#[test]
fn a_folder_that_is_only_shared_has_nothing_of_its_own() {
    let site = Site::new();
    site.write("-/a", "a file");
    assert_eq!(site.get("/-/a").text(), "a file");
}

#[test]
fn methods_that_are_not_taken_are_refused_with_those_that_are() {
    let site = Served::new();
    site.put("alice", "/a", b"");
    for (method, target, allowed) in [
        (
            "POST",
            "/a",
            "GET, HEAD, OPTIONS, PUT, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK",
        ),
        ("PATCH", "/", "GET, HEAD, OPTIONS, PROPFIND, PROPPATCH, LOCK, UNLOCK"),
        (
            "TRACE",
            "/a",
            "GET, HEAD, OPTIONS, PUT, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK",
        ),
        (
            "PUT",
            "/a/",
            "GET, HEAD, OPTIONS, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK",
        ),
    ] {
        let answer = site.ask("alice", &format!("{method} {target}"), &[], b"");
        assert_eq!(
            (answer.status, answer.field("allow")),
            (405, Some(allowed)),
            "{method} {target}"
        );
    }
}
