//! The content of a PUT: how it comes, how it does not, and what becomes of it then.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use sockeye_http::Config;
use sockeye_testkit::node::TempNode;

use crate::{
    node::Served,
    site::{Answer, connect, end_of_requests, talk},
};

const EMPTY: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const HELLO: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";

fn files(site: &Served) -> Vec<String> {
    let Ok(folder) = fs::read_dir(site.node.home("alice")) else { return Vec::new() };
    folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Reads until the server closes, and takes the answers apart.
fn answers(stream: &mut TcpStream) -> Vec<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let (mut rest, mut answers) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        let (answer, more) = Answer::parse(rest, false);
        answers.push(answer);
        rest = more;
    }
    answers
}

fn statuses(stream: &mut TcpStream) -> Vec<u16> {
    answers(stream).iter().map(|answer| answer.status).collect()
}

#[test]
fn contents_of_every_size_and_framing_come_whole() {
    let site = Served::new();
    let sizes = [0, 1, 4096, 8000, 65_536, 262_143, 262_144, 262_145, 1_048_577, 3_000_000];
    for size in sizes {
        let content: Vec<u8> = (0..size).map(|i: u32| u8::try_from(i % 251).unwrap()).collect();
        assert!(site.put("alice", "/plain", &content).status < 300);
        let mut chunks = Vec::new();
        for chunk in content.chunks(50_000) {
            chunks.extend_from_slice(format!("{:x};x=y\r\n", chunk.len()).as_bytes());
            chunks.extend_from_slice(chunk);
            chunks.extend_from_slice(b"\r\n");
        }
        chunks.extend_from_slice(b"0\r\nTrailer: x\r\n\r\n");
        let chunked = ["Transfer-Encoding: chunked"];
        assert!(site.ask("alice", "PUT /chunked", &chunked, &chunks).status < 300);
        for name in ["plain", "chunked"] {
            assert!(fs::read(site.file("alice", name)).unwrap() == content, "{name}: {size}");
            assert!(site.get("alice", &format!("/{name}")).body == content, "{name}: {size}");
        }
    }
}

#[test]
fn uploads_and_downloads_follow_one_another_on_one_connection() {
    let site = Served::new();
    let mut stream = connect(site.addr());
    let chunks = b"5\r\nhello\r\n0\r\n\r\n";
    let chunked: &[&str] = &["Transfer-Encoding: chunked"];
    for _ in 0..20 {
        stream.write_all(&Served::request("alice", "PUT /a", &[], &[b'a'; 10_000])).unwrap();
        stream.write_all(&Served::request("alice", "GET /a", &[], b"")).unwrap();
        stream.write_all(&Served::request("alice", "PUT /b", chunked, chunks)).unwrap();
        stream.write_all(&Served::request("alice", "PUT /no/b", &[], &[b'a'; 10_000])).unwrap();
        stream.write_all(&Served::request("alice", "GET /b", &[], b"")).unwrap();
    }
    end_of_requests(&stream);
    let answers = answers(&mut stream);
    assert_eq!(answers.len(), 100);
    for (at, answer) in answers.iter().enumerate().skip(5) {
        assert_eq!(answer.status, [204, 200, 204, 409, 200][at % 5], "{at}");
    }
    assert_eq!(answers[99].text(), "hello");
}

#[test]
fn a_content_that_comes_byte_by_byte_is_one() {
    let site = Served::new();
    let mut stream = connect(site.addr());
    stream.set_nodelay(true).unwrap();
    let fields = ["Transfer-Encoding: chunked", "Connection: close"];
    let body = b"5;a=b\r\nhello\r\n3\r\n wo\r\n0003\r\nrld\r\n0\r\nA: b\r\n\r\n";
    for byte in Served::request("alice", "PUT /a", &fields, body) {
        stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(statuses(&mut stream), [201]);
    assert_eq!(fs::read(site.file("alice", "a")).unwrap(), b"hello world");
}

#[test]
fn a_client_that_waits_to_be_told_is_told_or_refused() {
    let site = Served::new();
    let ask = |target: &str| {
        let mut stream = connect(site.addr());
        let fields = ["Expect: 100-continue", "Content-Length: 5", "Connection: close"];
        let request = Served::request("alice", &format!("PUT {target}"), &fields, b"");
        stream.write_all(&request).unwrap();
        let mut told = [0; 25];
        stream.read_exact(&mut told).unwrap();
        (stream, told)
    };
    let (mut stream, told) = ask("/a");
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").unwrap();
    assert_eq!(statuses(&mut stream), [201]);
    let (_, told) = ask("/no/such/folder");
    assert!(told.starts_with(b"HTTP/1.1 409 "), "{told:?}");
    // Whoever has begun to send is not told.
    let fields = ["Expect: 100-continue", "Connection: close"];
    let answer = talk(site.addr(), Served::request("alice", "PUT /b", &fields, b"hello"));
    assert!(answer.starts_with(b"HTTP/1.1 201 "));
}

#[test]
fn a_content_cut_short_or_malformed_changes_nothing() {
    let site = Served::new();
    site.put("alice", "/old", b"old");
    for (fields, body, expected) in [
        (&["Content-Length: 10"][..], &b"12345"[..], &[400][..]),
        (&["Content-Length: 0010"], b"12345", &[400]),
        (&["Transfer-Encoding: chunked"], b"5\r\nhell", &[400]),
        (&["Transfer-Encoding: chunked"], b"5\r\nhello\r\n", &[400]),
        (&["Transfer-Encoding: chunked"], b"5\r\nhello\r\n0\r\n", &[400]),
        (&["Transfer-Encoding: chunked"], b"5\r\nhelloX\r\n0\r\n\r\n", &[400]),
        (&["Transfer-Encoding: chunked"], b"x\r\nhello\r\n0\r\n\r\n", &[400]),
        (&["Transfer-Encoding: chunked"], b"5\nhello\n0\n\n", &[400]),
        (&["Transfer-Encoding: chunked", "Content-Length: 5"], b"0\r\n\r\n", &[400]),
        (&["Content-Length: 5", "Content-Length: 5"], b"hello", &[400]),
        (&["Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n", &[501]),
    ] {
        for target in ["/old", "/new"] {
            let mut stream = connect(site.addr());
            let request = Served::request("alice", &format!("PUT {target}"), fields, body);
            stream.write_all(&request).unwrap();
            end_of_requests(&stream);
            assert_eq!(statuses(&mut stream), expected, "{fields:?} {body:?}");
        }
    }
    assert_eq!(files(&site), ["old"]);
    assert_eq!(site.get("alice", "/old").text(), "old");
}

#[test]
fn a_client_that_goes_away_in_the_middle_leaves_nothing_half() {
    let site = Served::new();
    for sent in [0, 5_000, 3_000_000] {
        let mut stream = connect(site.addr());
        let fields = ["Content-Length: 4000000"];
        let request = Served::request("alice", "PUT /a", &fields, &vec![1; sent]);
        stream.write_all(&request).unwrap();
        drop(stream);
    }
    // Each is told of in the log once it is over.
    let deadline = std::time::Instant::now() + crate::site::PATIENCE;
    while site.node.records("write").len() < 3 {
        assert!(std::time::Instant::now() < deadline, "{:?}", site.node.records("write"));
    }
    assert!(site.node.records("write").iter().all(|record| record["outcome"] == "cut"));
    assert_eq!(files(&site), Vec::<String>::new());
}

#[test]
fn a_content_that_stops_or_dribbles_is_cut() {
    let mut config = Config::default();
    config.limits.read_stall = Duration::from_millis(400);
    config.limits.read_pace = 1_000_000;
    let site = Served::with(TempNode::new(), config);
    let mut silent = connect(site.addr());
    let fields = ["Content-Length: 4000"];
    silent.write_all(&Served::request("alice", "PUT /a", &fields, b"12345")).unwrap();
    assert_eq!(statuses(&mut silent), [408]);
    // A byte now and then is no pace.
    let mut slow = connect(site.addr());
    slow.write_all(&Served::request("alice", "PUT /b", &fields, b"")).unwrap();
    slow.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut answer = [0; 12];
    let cut = (0..200).any(|_| {
        let _ = slow.write_all(b"x");
        slow.read_exact(&mut answer).is_ok()
    });
    assert!(cut && answer.starts_with(b"HTTP/1.1 408"), "{answer:?}");
    assert_eq!(files(&site), Vec::<String>::new());
}

#[test]
fn an_announced_digest_is_held_to() {
    let site = Served::new();
    for (field, digest, content, status) in [
        ("Content-Digest", HELLO, "hello", 201),
        ("Repr-Digest", HELLO, "hello", 204),
        ("Content-Digest", HELLO, "hellO", 400),
        ("Repr-Digest", EMPTY, "hello", 400),
        ("Content-Digest", "AA==", "hello", 400),
    ] {
        let field = format!("{field}: sha-512=:AA==:, sha-256=:{digest}:");
        let answer = site.ask("alice", "PUT /a", &[&field], content.as_bytes());
        assert_eq!(answer.status, status, "{field}: {}", answer.text());
    }
    assert_eq!(site.get("alice", "/a").text(), "hello");
}

#[test]
fn ten_thousand_header_fields_are_refused() {
    let site = Served::new();
    let fields = "X: y\r\n".repeat(10_000);
    let request =
        format!("PUT /a HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: 0\r\n\r\n");
    assert_eq!(Answer::parse(&talk(site.addr(), request), false).0.status, 431);
}
