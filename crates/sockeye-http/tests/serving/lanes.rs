//! Both lanes of a connection answer alike.

use crate::site::{Answer, Site};
use sockeye_http::Config;

const TARGETS: [&str; 17] = [
    "/",
    "/a.txt",
    "/empty",
    "/big.bin",
    "/folder",
    "/folder/",
    "/site/",
    "/missing",
    "/a.txt/",
    "/..",
    "/%zz",
    "/%2f",
    "/%00",
    "//folder//",
    "/?sort=size&order=desc",
    "*",
    "/folder?x=y",
];

const FIELDS: [&[&str]; 16] = [
    &[],
    &["Accept: text/html", "Accept-Language: zh"],
    &["Accept: application/json"],
    &["Range: bytes=0-1"],
    &["Range: bytes=-2"],
    &["Range: bytes=0-0,200-300"],
    &["Range: bytes=999999999-"],
    &["Range: bytes=x"],
    &["If-None-Match: *"],
    &["If-None-Match: \"x\""],
    &["If-Match: \"x\""],
    &["If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT"],
    &["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"],
    &["Range: bytes=0-1", "If-Range: \"x\""],
    &["Cookie: a=b", "X-Unknown: y"],
    &["Connection: close"],
];

/// What differs by chance: the time, and the boundary of a multipart body.
fn settle(mut answer: Answer) -> Answer {
    answer.fields.retain(|(name, _)| name != "date" && name != "connection");
    for (name, value) in &mut answer.fields {
        if let (true, Some((_, boundary))) = (name == "content-type", value.split_once("boundary="))
        {
            let text = String::from_utf8_lossy(&answer.body).replace(boundary, "boundary");
            answer.body = text.into_bytes();
            *value = "multipart/byteranges".into();
        }
    }
    answer.fields.sort();
    answer
}

#[test]
fn the_same_request_gets_the_same_answer_in_both_lanes() {
    let mut config = Config::default();
    config.limits.sorted_entries = 50;
    let site = Site::with(config);
    site.write("a.txt", "hello, world");
    site.write("empty", "");
    site.write("big.bin", vec![3; 200_000]);
    site.write("site/index.html", "<p>index");
    for i in 0..60 {
        site.write(&format!("folder/{i}"), "x");
    }
    for target in TARGETS {
        for method in ["GET", "HEAD"] {
            for fields in FIELDS {
                let line = format!("{method} {target}");
                let fast = settle(site.ask(&line, fields));
                // A length is what the fast lane does not treat.
                let unusual: Vec<_> = fields.iter().copied().chain(["Content-Length: 0"]).collect();
                let full = settle(site.ask(&line, &unusual));
                assert_eq!(fast, full, "{line} {fields:?}");
            }
        }
    }
}

#[test]
fn hosts_and_forms_are_judged_alike() {
    let site = Site::new();
    site.write("a.txt", "hello");
    for (target, host) in [
        ("/a.txt", "localhost"),
        ("/a.txt", "evil.example"),
        ("/a.txt", "a b"),
        ("http://localhost/a.txt", "evil.example"),
        ("http://evil.example/a.txt", "localhost"),
        ("http://localhost", "localhost"),
    ] {
        let ask = |extra: &str| {
            let request = format!(
                "GET {target} HTTP/1.1\r\nHost: {host}\r\n{extra}Connection: close\r\n\r\n"
            );
            settle(Answer::parse(&site.talk(request), false).0)
        };
        assert_eq!(ask(""), ask("Content-Length: 0\r\n"), "{target} {host}");
    }
}
