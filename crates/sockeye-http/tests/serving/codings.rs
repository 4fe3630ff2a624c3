//! Contents in a coding: which, when, and never where a part or a certain state of a file is wanted.

use std::{fs, time::SystemTime};

use sockeye::Model;
use sockeye_http::Config;

use crate::{
    node::Served,
    site::{Answer, Site},
};

const ALL: &str = "Accept-Encoding: gzip, deflate, br, zstd";

fn text() -> String {
    "a line that comes again and again\n".repeat(500)
}

fn site(precompressed: bool) -> Site {
    let mut config = Config::default();
    config.precompressed = precompressed;
    Site::start(config, Model::Tasks, None)
}

fn coding(answer: &Answer) -> Option<&str> {
    answer.field("content-encoding")
}

#[test]
fn a_text_is_sent_in_the_coding_that_is_preferred() {
    let site = site(false);
    site.write("a.txt", text());
    for (accept, expected) in [
        (ALL, Some("br")),
        ("Accept-Encoding: gzip", Some("gzip")),
        ("Accept-Encoding: zstd;q=0.9, gzip;q=0.5", Some("zstd")),
        ("Accept-Encoding: deflate", None),
        ("Accept-Encoding: gzip;q=0", None),
        ("X: y", None),
    ] {
        let answer = site.ask("GET /a.txt", &[accept]);
        assert_eq!((answer.status, coding(&answer)), (200, expected), "{accept}");
        assert_eq!(answer.field("vary"), Some("accept-encoding"), "{accept}");
        assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.body.len() < 1000, expected.is_some(), "{accept}");
        let head = site.ask("HEAD /a.txt", &[accept]);
        assert_eq!((coding(&head), head.field("etag")), (expected, answer.field("etag")));
    }
}

#[test]
fn a_tag_stands_for_one_coding_and_any_of_them_for_the_file() {
    let site = Served::new();
    assert_eq!(site.put("alice", "/a.txt", text().as_bytes()).status, 201);
    let tag = |fields: &[&str]| {
        let answer = site.ask("alice", "GET /a.txt", fields, b"");
        answer.field("etag").unwrap().to_owned()
    };
    let tags = [tag(&[]), tag(&["Accept-Encoding: gzip"]), tag(&["Accept-Encoding: br"])];
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "{tags:?}");
    for (n, accept) in ["X: y", "Accept-Encoding: gzip", "Accept-Encoding: br"].iter().enumerate() {
        let none_match = format!("If-None-Match: W/{}", tags[n]);
        let answer = site.ask("alice", "GET /a.txt", &[accept, &none_match], b"");
        assert_eq!((answer.status, answer.field("etag")), (304, Some(tags[n].as_str())));
        assert_eq!(answer.field("vary"), Some("accept-encoding"));
        let other = format!("If-None-Match: {}", tags[(n + 1) % 3]);
        assert_eq!(site.ask("alice", "GET /a.txt", &[accept, &other], b"").status, 200);
        // Whoever has it in any coding has seen the file, and may change it.
        let if_match = format!("If-Match: {}", tags[n]);
        assert_eq!(site.ask("alice", "GET /a.txt", &[&if_match], b"").status, 200, "{n}");
        let refused = site.ask("alice", "PUT /a.txt", &["If-Match: \"x\""], b"");
        assert_eq!(refused.status, 412);
    }
    let if_match = format!("If-Match: {}", tags[1]);
    assert_eq!(site.ask("alice", "PUT /a.txt", &[&if_match], b"new").status, 204);
    assert_eq!(site.ask("alice", "PUT /a.txt", &[&if_match], b"newer").status, 412);
}

#[test]
fn parts_and_digests_are_of_the_file_as_it_is() {
    let site = site(true);
    site.write("a.txt", text());
    site.write("a.txt.gz", "not looked at");
    for fields in [
        &[ALL, "Range: bytes=0-3"][..],
        &[ALL, "Range: bytes=0-3,10-11"],
        &[ALL, "Range: bytes=999999-"],
        &[ALL, "If-Match: *"],
        &[ALL, "Want-Repr-Digest: sha-256=1"],
    ] {
        let answer = site.ask("GET /a.txt", fields);
        assert_eq!(coding(&answer), None, "{fields:?}");
    }
    let part = site.ask("GET /a.txt", &[ALL, "Range: bytes=0-3"]);
    assert_eq!((part.status, part.text().as_str()), (206, "a li"));
    // A range that is asked for on the word of a coding's tag is not of that coding.
    let coded = site.ask("GET /a.txt", &["Accept-Encoding: br"]);
    let if_range = format!("If-Range: {}", coded.field("etag").unwrap());
    let whole = site.ask("GET /a.txt", &[ALL, "Range: bytes=0-3", &if_range]);
    assert_eq!((whole.status, whole.text()), (200, text()));
}

#[test]
fn what_would_not_get_smaller_or_is_too_large_is_sent_as_it_is() {
    let site = site(false);
    site.write("small.txt", "x".repeat(1000));
    site.write("large.txt", "x".repeat(3 << 20));
    site.write("a.png", "x".repeat(5000));
    site.write("unknown", "x".repeat(5000));
    for target in ["/small.txt", "/large.txt", "/a.png", "/unknown"] {
        let answer = site.ask(&format!("GET {target}"), &[ALL]);
        assert_eq!((coding(&answer), answer.field("vary")), (None, None), "{target}");
    }
}

#[test]
fn what_somebody_made_smaller_before_is_sent_if_it_is_not_older() {
    let site = site(true);
    site.write("big.js", "x".repeat(3 << 20));
    site.write("big.js.gz", "made by gzip");
    site.write("big.js.zst", "made by zstd");
    let answer = site.ask("GET /big.js", &[ALL]);
    assert_eq!((coding(&answer), answer.text().as_str()), (Some("zstd"), "made by zstd"));
    assert_eq!(answer.field("content-type"), Some("text/javascript; charset=utf-8"));
    let gzip = site.ask("GET /big.js", &["Accept-Encoding: gzip"]);
    assert_eq!(gzip.text(), "made by gzip");
    assert_ne!(gzip.field("etag"), site.get("/big.js.gz").field("etag"));
    let none_match = format!("If-None-Match: {}", gzip.field("etag").unwrap());
    let again = site.ask("GET /big.js", &["Accept-Encoding: gzip", &none_match]);
    assert_eq!(again.status, 304);
    let old = fs::File::options().write(true).open(site.folder().join("big.js.zst")).unwrap();
    old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(coding(&site.ask("GET /big.js", &[ALL])), Some("gzip"));
    assert_eq!(coding(&site.ask("GET /big.js", &["Accept-Encoding: br"])), None);
    let off = self::site(false);
    off.write("a.txt", "x".repeat(3 << 20));
    off.write("a.txt.gz", "made by gzip");
    assert_eq!(coding(&off.ask("GET /a.txt", &[ALL])), None);
}

#[test]
fn listings_are_made_smaller_and_what_is_secret_is_not() {
    let site = Served::new();
    for n in 0..100 {
        site.put("alice", &format!("/file-{n}"), b"");
    }
    for accept in ["Accept: text/html", "Accept: application/json"] {
        let answer = site.ask("alice", "GET /", &[accept, "Accept-Encoding: gzip"], b"");
        assert_eq!((answer.status, coding(&answer)), (200, Some("gzip")), "{accept}");
        assert_eq!(answer.field("vary"), Some("accept, accept-encoding, accept-language"));
        let head = site.ask("alice", "HEAD /", &[accept, "Accept-Encoding: gzip"], b"");
        assert_eq!((coding(&head), head.field("content-length")), (Some("gzip"), None));
    }
    let form = site.ask("", "GET /-/login", &["Accept-Encoding: gzip"], b"");
    assert_eq!((form.status, coding(&form)), (200, None));
}

#[test]
fn it_can_be_turned_off() {
    let mut config = Config::default();
    config.compress = false;
    let site = Site::start(config, Model::Tasks, None);
    site.write("a.txt", text());
    let answer = site.ask("GET /a.txt", &[ALL]);
    assert_eq!((coding(&answer), answer.field("vary"), answer.text()), (None, None, text()));
}
