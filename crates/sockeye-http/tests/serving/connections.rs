//! What a connection goes through: many requests, slow ones, broken ones, none.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::mpsc,
    time::{Duration, Instant},
};

use crate::site::{Answer, PATIENCE, Site, end_of_requests};
use sockeye::Model;
use sockeye_http::{AccessLog, Config};

const GET: &str = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn site_with(config: Config) -> Site {
    let site = Site::with(config);
    site.write("a", "content");
    site
}

fn site() -> Site {
    site_with(Config::default())
}

/// Reads until the server closes, and takes the answers apart.
fn answers(stream: &mut TcpStream) -> Vec<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let mut rest = &bytes[..];
    let mut answers = Vec::new();
    while !rest.is_empty() {
        let (answer, more) = Answer::parse(rest, false);
        answers.push(answer);
        rest = more;
    }
    answers
}

fn statuses(site: &Site, bytes: impl AsRef<[u8]>) -> Vec<u16> {
    let mut stream = site.connect();
    stream.write_all(bytes.as_ref()).unwrap();
    end_of_requests(&stream);
    answers(&mut stream).iter().map(|a| a.status).collect()
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let site = site();
    site.write("big", vec![1; 300_000]);
    let text = format!("{GET}{}{GET}{}{GET}", GET.replace("/a", "/big"), GET.replace("/a", "/no"));
    assert_eq!(statuses(&site, text), [200, 200, 200, 404, 200]);
    assert_eq!(statuses(&site, GET.repeat(1000)), [200; 1000]);
}

#[test]
fn requests_may_come_byte_by_byte() {
    let site = site();
    let mut stream = site.connect();
    stream.set_nodelay(true).unwrap();
    for byte in GET.repeat(2).bytes() {
        stream.write_all(&[byte]).unwrap();
    }
    end_of_requests(&stream);
    assert_eq!(answers(&mut stream).len(), 2);
}

#[test]
fn close_is_kept() {
    let site = site();
    let close = GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    assert_eq!(statuses(&site, format!("{close}{GET}")), [200]);
}

/// RFC 9112 §9.3.
#[test]
fn http_1_0_stays_open_only_if_both_sides_say_so() {
    let site = site();
    let old = GET.replace("1.1", "1.0");
    let kept = old.replace("\r\n\r\n", "\r\nConnection: Keep-Alive\r\n\r\n");
    let ask = |requests: &[&str]| {
        let mut stream = site.connect();
        stream.write_all(requests.concat().as_bytes()).unwrap();
        end_of_requests(&stream);
        let answers = answers(&mut stream);
        let said = answers.iter().map(|answer| answer.field("connection").map(str::to_owned));
        said.map(Option::unwrap_or_default).collect::<Vec<_>>()
    };
    assert_eq!(ask(&[&old, &old]), ["close"]);
    assert_eq!(ask(&[&kept, &kept, &old, &old]), ["keep-alive", "keep-alive", "close"]);
    assert_eq!(ask(&[&kept, GET, &kept]), ["keep-alive", "", "keep-alive"]);
}

/// HTTP/1.0 has no chunks: the end of the connection is the end of the answer (RFC 9112 §6.3).
#[test]
fn an_answer_of_unknown_length_ends_with_the_connection_for_http_1_0() {
    let mut config = Config::default();
    config.limits.sorted_entries = 3;
    let site = site_with(config);
    (0..9).for_each(|i| drop(site.write(&format!("many/{i}"), "")));
    let head = "HTTP/1.0\r\nConnection: keep-alive\r\nAccept: application/json\r\n\r\n";
    let answer = site.talk(format!("GET /many/ {head}GET /a {head}"));
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("connection: close") && !head.contains("chunked"), "{head}");
    assert_eq!(body.matches("href").count(), 9, "{body}");
    assert!(body.starts_with('{') && body.trim_end().ends_with('}'), "{body}");
    // Without a body nothing is left to be ended.
    let kept = "HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let both = site.talk(format!("HEAD /many/ {kept}HEAD /a HTTP/1.0\r\n\r\n"));
    assert_eq!(String::from_utf8(both).unwrap().matches("HTTP/1.1 200").count(), 2);
}

#[test]
fn bodies_are_thrown_away_and_never_taken_for_requests() {
    let site = site();
    let with = |fields: &str, body: &str| {
        format!("{}\r\n{fields}\r\n\r\n{body}", GET.trim_end_matches("\r\n"))
    };
    let length = with(&format!("Content-Length: {}", GET.len()), GET);
    assert_eq!(statuses(&site, format!("{length}{GET}")), [200, 200]);
    let chunked =
        with("Transfer-Encoding: chunked", &format!("{:x}\r\n{GET}\r\n0\r\n\r\n", GET.len()));
    assert_eq!(statuses(&site, format!("{chunked}{GET}")), [200, 200]);
    let large = with("Content-Length: 1000000", &"x".repeat(1_000_000));
    let seen = Answer::parse(&site.talk(large), false).0;
    assert_eq!((seen.status, seen.field("connection")), (200, Some("close")));
    let waiting = with("Content-Length: 10\r\nExpect: 100-continue", "");
    assert_eq!(Answer::parse(&site.talk(waiting), false).0.status, 200);
}

/// Request smuggling: what could end in two places ends the connection, and nothing behind it is a request.
#[test]
fn a_request_whose_end_is_not_certain_is_the_last_and_refused() {
    let site = site();
    let request = |fields: &str, body: &str| {
        format!("GET /a HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n{body}{GET}")
    };
    let table = [
        ("Content-Length: 5\r\nContent-Length: 6", "hello", 400),
        ("Content-Length: 5\r\nContent-Length: 5", "hello", 400),
        ("Content-Length: 5, 6", "hello", 400),
        ("Content-Length: 5, 5", "hello", 400),
        ("Content-Length: +5", "hello", 400),
        ("Content-Length: -1", "hello", 400),
        ("Content-Length: 0x5", "hello", 400),
        ("Content-Length: 5 5", "hello", 400),
        ("Content-Length:", "hello", 400),
        ("Content-Length: 99999999999999999999", "hello", 400),
        ("Content-Length : 5", "hello", 400),
        ("X: y\r\n Content-Length: 5", "hello", 400),
        ("Content-Length: 5\r\n 6", "hello", 400),
        ("Content-Length: 5\nX: y", "hello", 400),
        ("Content-Length: 5\rX: y", "hello", 400),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked, identity", "0\r\n\r\n", 501),
        ("Transfer-Encoding: identity, chunked", "0\r\n\r\n", 501),
        ("Transfer-Encoding: identity", "hello", 501),
        ("Transfer-Encoding: xchunked", "0\r\n\r\n", 501),
        ("Transfer-Encoding: chunked\x0b", "0\r\n\r\n", 400),
        ("Transfer-Encoding : chunked", "0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", "0x0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", "0 \r\n\r\n", 400),
        ("Transfer-Encoding: chunked", "-0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", "5\nhello\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", "5\r\nhelloX\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", "5;a\nb\r\nhello\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", "10000000000000005\r\nhello\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", "0\r\nX: y\n\r\n", 400),
        ("Transfer-Encoding: chunked", "0\r\n X: y\r\n\r\n", 400),
    ];
    for (fields, body, status) in table {
        assert_eq!(statuses(&site, request(fields, body)), [status], "{fields:?} {body:?}");
    }
    let old = request("Transfer-Encoding: chunked", "0\r\n\r\n").replacen("1.1", "1.0", 1);
    assert_eq!(statuses(&site, old), [400]);
    let extensions = format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(5000));
    assert_eq!(statuses(&site, request("Transfer-Encoding: chunked", &extensions)), [400]);
    let trailers = format!("0\r\n{}\r\n", "A: b\r\n".repeat(2000));
    assert_eq!(statuses(&site, request("Transfer-Encoding: chunked", &trailers)), [400]);
    assert_eq!(statuses(&site, GET.replace("\r\n", "\n")), [400]);
}

#[test]
fn lists_in_several_lines_are_one_list() {
    let site = site();
    let ask = |fields: &[&str]| site.ask("GET /a", fields);
    let tag = ask(&[]).field("etag").unwrap().to_owned();
    assert_eq!(ask(&["If-None-Match: \"x\"", &format!("If-None-Match: {tag}")]).status, 304);
    assert_eq!(ask(&["If-Match: \"x\"", "If-Match: \"y\""]).status, 412);
    // Two of what comes once is none.
    assert_eq!(ask(&["Range: bytes=0-1", "Range: bytes=2-3"]).status, 200);
    assert_eq!(ask(&["Expect: tea"]).status, 417);
    let pipelined = format!(
        "{}Accept: a/b\r\nAccept: c/d\r\n\r\n{GET}",
        GET.trim_end_matches("\r\n").to_owned() + "\r\n"
    );
    assert_eq!(statuses(&site, pipelined), [200, 200]);
}

#[test]
fn oversized_requests_are_refused() {
    let site = site();
    let line = |n: usize| format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(n));
    let refused = |bytes: &str| Answer::parse(&site.talk(bytes), false).0.status;
    assert_eq!(refused(&line(9000)), 414);
    assert_eq!(refused(&line(1 << 20)), 414);
    assert_eq!(refused(&"A".repeat(1 << 20)), 414);
    let fields = |n: usize, length: usize| {
        let field = format!("X: {}\r\n", "y".repeat(length));
        format!("GET /a HTTP/1.1\r\nHost: localhost\r\n{}\r\n", field.repeat(n))
    };
    assert_eq!(refused(&fields(1, 40_000)), 431);
    assert_eq!(refused(&fields(200, 1)), 431);
    assert_eq!(refused(&fields(10_000, 1)), 431);
    assert_eq!(statuses(&site, fields(90, 100)), [200]);
}

/// To a peer that sends on, a connection closed at once answers with a reset, which can overtake what was
/// written last.
#[test]
fn a_peer_that_was_refused_and_sends_on_is_not_reset() {
    let site = site();
    let sends_on = || {
        let mut peer = site.connect();
        peer.write_all("A".repeat(9000).as_bytes()).unwrap();
        assert_eq!(answers(&mut peer)[0].status, 414);
        // The first would be answered by the reset, and the second fail by it.
        peer.write_all(b"A").and_then(|()| peer.write_all(b"A")).is_ok()
    };
    // The server waits for a moment only, which a busy machine may miss.
    assert!((0..5).any(|_| sends_on()));
}

#[test]
fn nonsense_is_refused() {
    let site = site();
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    ] {
        let answer = Answer::parse(&site.talk(bytes), false).0;
        assert_eq!(answer.status, 400, "{bytes:?}");
        assert_eq!(answer.field("connection"), Some("close"));
    }
    assert_eq!(site.get("/a").status, 200);
}

#[test]
fn a_slow_head_and_an_idle_connection_are_cut() {
    let mut config = Config::default();
    config.limits.head_time = Duration::from_millis(200);
    config.limits.idle = Duration::from_millis(200);
    let site = site_with(config);
    let mut slow = site.connect();
    slow.write_all(&GET.as_bytes()[..20]).unwrap();
    let begun = Instant::now();
    assert_eq!(answers(&mut slow)[0].status, 408);
    // The same behind a whole one.
    slow = site.connect();
    slow.write_all(format!("{GET}GET /").as_bytes()).unwrap();
    assert_eq!(answers(&mut slow).last().unwrap().status, 408);
    // Idle from the start, idle after an answer, idle in the other lane.
    let mut idle = site.connect();
    assert!(answers(&mut idle).is_empty());
    idle = site.connect();
    idle.write_all(GET.as_bytes()).unwrap();
    assert_eq!(answers(&mut idle).len(), 1);
    idle = site.connect();
    idle.write_all(GET.replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n").as_bytes()).unwrap();
    assert_eq!(answers(&mut idle).len(), 1);
    // The usual times are a minute and more, all told.
    assert!(begun.elapsed() < 2 * PATIENCE);
}

#[test]
fn a_reader_that_never_reads_is_cut() {
    let mut config = Config::default();
    config.limits.write_stall = Duration::from_millis(200);
    let (sink, log) = mpsc::channel();
    config.access_log = Some(AccessLog::new(move |record| sink.send(record.sent).unwrap()));
    let site = site_with(config);
    fs::File::create(site.folder().join("large")).unwrap().set_len(1 << 30).unwrap();
    for extra in ["", "Content-Length: 0\r\n", "Range: bytes=0-1,1000-900000000\r\n"] {
        let request = format!("GET /large HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n");
        let mut stream = site.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let sent = log.recv_timeout(PATIENCE).unwrap();
        assert!(sent < 1 << 28, "{extra}: {sent}");
        drop(stream);
    }
}

/// A limit on waiting is not a limit on slowness.
#[test]
fn a_slow_reader_gets_all_of_a_large_file() {
    let mut config = Config::default();
    let stall = Duration::from_millis(500);
    config.limits.write_stall = stall;
    let site = site_with(config);
    fs::File::create(site.folder().join("large")).unwrap().set_len(3 << 20).unwrap();
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    // So small that most of the file waits in the server.
    socket.set_recv_buffer_size(16 << 10).unwrap();
    socket.connect(&site.addr.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let begun = Instant::now();
    stream.write_all(GET.replace("/a", "/large").as_bytes()).unwrap();
    end_of_requests(&stream);
    let (mut total, mut buf) = (0, vec![0; 8 << 10]);
    loop {
        let mut piece = 0;
        while piece < buf.len() {
            match stream.read(&mut buf[piece..]).unwrap() {
                0 => break,
                n => piece += n,
            }
        }
        total += piece;
        if piece < buf.len() {
            break;
        }
        // Slow, as it asks for something else after each piece, and never silent for as long as the
        // limit.
        let next = Instant::now() + stall / 100;
        while Instant::now() < next {
            assert_eq!(site.get("/a").status, 200);
        }
    }
    assert!(total > 3 << 20 && begun.elapsed() > 3 * stall, "{total}");
}

#[test]
fn a_file_that_shrinks_breaks_the_connection_and_one_that_grows_does_not_show() {
    let site = site();
    let path = site.folder().join("large");
    fs::File::create(&path).unwrap().set_len(64 << 20).unwrap();
    let mut stream = site.connect();
    let request = GET.replace("/a", "/large");
    stream.write_all(request.as_bytes()).unwrap();
    let mut begin = [0; 4096];
    stream.read_exact(&mut begin).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(1 << 20).unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.len() < 64 << 20, "never padded");

    let mut stream = site.connect();
    stream.write_all(request.as_bytes()).unwrap();
    stream.read_exact(&mut begin).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(2 << 20).unwrap();
    end_of_requests(&stream);
    let mut bytes = begin.to_vec();
    stream.read_to_end(&mut bytes).unwrap();
    let (answer, after) = Answer::parse(&bytes, false);
    assert_eq!((answer.body.len(), after.len()), (1 << 20, 0));
}

#[test]
fn an_idle_browser_does_not_block_an_iterative_server() {
    let mut config = Config::default();
    config.limits.crowded_idle = Duration::from_millis(100);
    let site = Site::start(config, Model::Iterative, None);
    site.write("a", "content");
    let mut idle = site.connect();
    idle.write_all(GET.as_bytes()).unwrap();
    let seen = answers(&mut idle);
    assert_eq!(seen[0].field("connection"), Some("close"));
    let silent = site.connect();
    assert_eq!(site.get("/a").status, 200);
    drop(silent);
}

#[test]
fn a_drain_answers_what_is_asked_and_closes_what_is_idle() {
    let site = site();
    let full = GET.replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n");
    let opened = |request: &str| {
        let mut stream = site.connect();
        stream.write_all(request.as_bytes()).unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        stream
    };
    let (mut fast, mut full, mut idle) = (opened(GET), opened(&full), opened(GET));
    site.server.drain();
    for stream in [&mut fast, &mut full] {
        stream.write_all(GET.as_bytes()).unwrap();
        let last = answers(stream);
        assert_eq!((last.len(), last[0].field("connection")), (1, Some("close")));
    }
    assert!(answers(&mut idle).is_empty());
}

#[test]
fn each_request_leaves_one_record() {
    let (sink, log) = mpsc::channel();
    let mut config = Config::default();
    config.access_log = Some(AccessLog::new(move |record| {
        let mut line = String::new();
        sockeye_http::wire::log::combined(&mut line, record);
        sink.send(line).unwrap();
    }));
    let site = site_with(config);
    site.ask("GET /a", &["User-Agent: test \"1\""]);
    site.ask("POST /a", &["Content-Length: 0"]);
    site.talk("\0\r\n\r\n");
    let line = || log.recv_timeout(PATIENCE).unwrap();
    let first = line();
    assert!(first.starts_with("127.0.0.1 - - ["), "{first}");
    assert!(first.ends_with("\"GET /a HTTP/1.1\" 200 7 \"-\" \"test \\x221\\x22\""), "{first}");
    assert!(line().contains("\"POST /a HTTP/1.1\" 405 "));
    assert!(line().contains(" \"-\" 400 "));
    drop(site);
    assert!(log.try_recv().is_err());
}
