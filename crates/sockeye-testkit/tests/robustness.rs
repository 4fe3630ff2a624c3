//! Peers that reset, half-close, fall silent, never read or talk nonsense, at every point of an
//! exchange and under every model: they end their own connection, the others are served on.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{io::Write as _, net::TcpStream};

use rustix::process::Signal;
use serde_json::Value;
use sockeye_testkit::{
    certificates::Authority, client::Client, processes::until, program::Program, under_models,
};

fn serve(addr: &str, model: &str, more: &[&str]) -> Program {
    let args = [&["script", addr, "--model", model], more].concat();
    Program::start(env!("CARGO_BIN_EXE_testserver"), args)
}

fn tcp(model: &str, more: &[&str]) -> Program {
    serve("tcp://127.0.0.1:0", model, more)
}

/// Someone who is served all the while; an iterative server has room for nobody beside.
struct Bystander(Option<Client>);

impl Bystander {
    fn new(server: &Program, model: &str) -> Self {
        Self((model != "iterative").then(|| Client::connect(server.port())))
    }

    #[track_caller]
    fn is_served(&mut self, server: &Program) {
        match &mut self.0 {
            Some(client) => assert_eq!(client.ask("echo on"), "on"),
            None => assert_eq!(Client::connect(server.port()).ask("echo on"), "on"),
        }
    }
}

/// How a client gets to a point of an exchange.
type GoThere = fn(&mut Client);

/// The points of an exchange where a peer may vanish.
const POINTS: &[(&str, GoThere)] = &[
    ("nothing sent", |_| {}),
    ("half a request", |client| client.send_bytes(b"ech")),
    ("a request, its answer unread", |client| client.send("echo hello")),
    ("an answer read", |client| drop(client.ask("echo hello"))),
    ("in the middle of an answer", |client| {
        client.send("big 50000000");
        client.bytes(1000);
    }),
    ("in the middle of a body", |client| {
        client.send("take 1000000");
        client.send_bytes(&[0; 1000]);
    }),
    ("while the handler waits for something else", |client| drop(client.ask("wait"))),
];

under_models!(a_reset_at_any_point_ends_that_connection_alone);

fn a_reset_at_any_point_ends_that_connection_alone(model: &str) {
    let mut server = tcp(model, &["--limit", "drain=200"]);
    let mut bystander = Bystander::new(&server, model);
    for (point, go_there) in POINTS {
        // A handler that looks at nothing but the drain does not see the reset: it would keep an
        // iterative server for itself, as it should.
        if model == "iterative" && point.starts_with("while") {
            continue;
        }
        let mut client = Client::connect(server.port());
        go_there(&mut client);
        client.reset();
        bystander.is_served(&server);
    }
    drop(bystander);
    let report = server.stop();
    let stats = &report["stats"];
    assert_eq!((&stats["panics"], &stats["errors_handler"]), (&0.into(), &0.into()), "{report}");
    assert_eq!((&stats["crashes"], &stats["active"]), (&0.into(), &0.into()), "{report}");
    let ended = ["completed", "errors_peer_gone", "cut"].map(|name| stats[name].as_u64().unwrap());
    assert_eq!(stats["accepted"], ended.iter().sum::<u64>(), "{report}");
    assert!(stats["errors_peer_gone"].as_u64().unwrap() >= 4, "{report}");
    assert_eq!(server.seen("error").len() as u64, stats["errors_peer_gone"].as_u64().unwrap());
}

under_models!(a_half_close_at_any_point_leaves_the_answers_to_come);

fn a_half_close_at_any_point_leaves_the_answers_to_come(model: &str) {
    let mut server = tcp(model, &[]);
    let mut bystander = Bystander::new(&server, model);
    for (sent, expected) in [
        ("", ""),
        ("echo whole\n", "whole\n"),
        ("echo unfinished", "unfinished\n"),
        ("echo one\necho two\n", "one\ntwo\n"),
        ("take 100\nless", "took 4\n"),
    ] {
        let mut client = Client::connect(server.port());
        client.send_bytes(sent.as_bytes());
        client.half_close();
        assert_eq!(client.bytes(expected.len()), expected.as_bytes());
        assert!(client.ends_cleanly(), "{sent:?}");
        bystander.is_served(&server);
    }
    let mut client = Client::connect(server.port());
    client.send("big 5000000");
    client.half_close();
    bystander_or_later(&mut bystander, &server, model);
    assert_eq!(client.bytes(5_000_000).len(), 5_000_000);
    assert!(client.ends_cleanly());
    let mut client = Client::connect(server.port());
    client.send("wait");
    client.half_close();
    assert_eq!(client.line().as_deref(), Some("waiting"));
    bystander_or_later(&mut bystander, &server, model);
    drop(bystander);
    server.signal(Signal::TERM);
    assert_eq!(client.line().as_deref(), Some("drained"));
    assert!(client.ends_cleanly());
    let report = server.finished();
    assert_eq!(report["stats"]["completed"], report["stats"]["accepted"], "{report}");
}

/// An iterative server is busy with the one whose answer is under way.
fn bystander_or_later(bystander: &mut Bystander, server: &Program, model: &str) {
    if model != "iterative" {
        bystander.is_served(server);
    }
}

under_models!(a_silent_peer_is_cut_at_the_idle_deadline);

fn a_silent_peer_is_cut_at_the_idle_deadline(model: &str) {
    let mut server = tcp(model, &["--limit", "read_idle=1000"]);
    // Who does not read what is sent to it has another deadline, and a handler that waits for
    // something else than its peer has none.
    let others = |point: &str| point.ends_with("of an answer") || point.starts_with("while");
    let points = POINTS.iter().filter(|(point, _)| !others(point));
    let mut silent: Vec<_> = points
        .map(|(_, go_there)| {
            let mut client = Client::connect(server.port());
            go_there(&mut client);
            client
        })
        .collect();
    let mut other = Client::connect(server.port());
    assert_eq!(other.ask("echo on"), "on");
    other.bye();
    for client in &mut silent {
        assert!(client.ends_cleanly(), "a reset");
    }
    let report = server.stop();
    assert_eq!(report["stats"]["errors_deadline"], silent.len(), "{report}");
    let errors = server.seen("error");
    assert_eq!(errors.len(), silent.len());
    assert!(errors.iter().all(|error| error["kind"] == "deadline"), "{errors:?}");
    assert!(errors[0]["text"].as_str().unwrap().contains("sent nothing for 1000 ms"), "{errors:?}");
}

under_models!(a_slowloris_is_cut_although_it_is_never_silent);

fn a_slowloris_is_cut_although_it_is_never_silent(model: &str) {
    let limits = ["--limit", "read_idle=2000", "--limit", "line_time=300"];
    let mut server = tcp(model, &limits);
    let mut slow = Client::connect(server.port());
    // It sends a byte whenever it may: the deadline alone ends it.
    until("the slow client's end", || slow.try_send_bytes(b"x").is_err());
    let mut other = Client::connect(server.port());
    assert_eq!(other.ask("echo on"), "on");
    other.bye();
    let report = server.stop();
    let errors = server.seen("error");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0]["kind"], "deadline", "{errors:?}");
    assert!(errors[0]["text"].as_str().unwrap().contains("line"), "{errors:?}");
    assert_eq!(report["stats"]["errors_deadline"], 1, "{report}");
}

under_models!(a_peer_that_never_reads_is_cut_at_the_stall_deadline);

fn a_peer_that_never_reads_is_cut_at_the_stall_deadline(model: &str) {
    let mut server = tcp(model, &["--limit", "write_stall=300"]);
    let mut deaf = Client::connect(server.port());
    deaf.send("big 1000000000");
    let mut other = Client::connect(server.port());
    // Beside it where there is room, after it where there is none.
    assert_eq!(other.ask("echo on"), "on");
    let error = server.event("error");
    assert_eq!(error["kind"], "deadline", "{error}");
    assert!(error["text"].as_str().unwrap().contains("read nothing for 300 ms"), "{error}");
    other.bye();
    drop(deaf);
    let report = server.stop();
    assert_eq!(report["stats"]["errors_deadline"], 1, "{report}");
    assert_eq!(report["stats"]["completed"], 1, "{report}");
}

under_models!(a_line_that_is_too_long_is_refused);

fn a_line_that_is_too_long_is_refused(model: &str) {
    let mut server = tcp(model, &["--limit", "max_line=1000"]);
    let mut client = Client::connect(server.port());
    client.send_bytes(&[b'x'; 1000]);
    assert_eq!(client.line(), None);
    let mut client = Client::connect(server.port());
    let longest = "x".repeat(1000 - "echo \n".len());
    assert_eq!(client.ask(&format!("echo {longest}")), longest);
    client.bye();
    let report = server.stop();
    assert_eq!(report["stats"]["errors_handler"], 1, "{report}");
    let errors = server.seen("error");
    assert!(errors[0]["text"].as_str().unwrap().contains("a line over 1000 bytes"), "{errors:?}");
}

under_models!(strangers_at_a_tls_listener_end_themselves_alone);

fn strangers_at_a_tls_listener_end_themselves_alone(model: &str) {
    let folder = tempfile::tempdir().unwrap();
    let leaf = Authority::new("strangers").server(&["localhost"]);
    let (chain, key) = leaf.write(folder.path(), "server");
    let more = ["--tls", chain.to_str().unwrap(), key.to_str().unwrap()];
    let limits = ["--limit", "handshake=300"];
    let more = [&more[..], &limits[..]].concat();
    let mut server = serve("tls+tcp://127.0.0.1:0", model, &more);
    let strangers: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0; 4096],
        // A record that says it is as long as records get, and then nothing.
        &[22, 3, 1, 0x40, 0],
        // A hello of no length.
        &[22, 3, 1, 0, 4, 1, 0, 0, 0],
        b"",
    ];
    let mut ended = 0;
    for bytes in strangers {
        let mut client = Client::connect(server.port());
        client.send_bytes(bytes);
        client.ends_cleanly();
        ended += 1;
    }
    // One that goes away before it has said anything.
    drop(Client::connect(server.port()));
    ended += 1;
    let report = server.stop();
    assert_eq!(report["stats"]["errors_handshake"], ended, "{report}");
    assert_eq!(report["stats"]["panics"], 0);
    let kinds: Vec<Value> =
        server.seen("error").iter().map(|event| event["kind"].clone()).collect();
    assert_eq!(kinds, vec!["handshake"; ended]);
}

under_models!(malformed_proxy_headers_end_their_connection_alone);

fn malformed_proxy_headers_end_their_connection_alone(model: &str) {
    let mut server = serve("proxy+tcp://127.0.0.1:0", model, &["--limit", "handshake=300"]);
    let malformed: [&[u8]; 7] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"PROXY TCP4 1.2.3.4\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 99999 1\r\n",
        &[b'P'; 200],
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        b"",
    ];
    for bytes in malformed {
        let mut client = Client::connect(server.port());
        client.send_bytes(bytes);
        client.ends_cleanly();
    }
    let mut client = Client::connect(server.port());
    client.send_bytes(b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 80\r\n");
    assert_eq!(client.ask("peer"), "203.0.113.7:4711");
    client.bye();
    let report = server.stop();
    assert_eq!(report["stats"]["errors_handshake"], malformed.len(), "{report}");
    assert_eq!(report["stats"]["completed"], 1, "{report}");
}

under_models!(the_header_of_an_untrusted_proxy_is_never_believed);

fn the_header_of_an_untrusted_proxy_is_never_believed(model: &str) {
    let mut server = serve("proxy+tcp://127.0.0.1:0?trust=192.0.2.0/24", model, &[]);
    let mut client = Client::connect(server.port());
    let _ = client.try_send_bytes(b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 80\r\npeer\n");
    assert_eq!(client.line(), None);
    let report = server.stop();
    assert_eq!(report["stats"]["errors_handshake"], 1, "{report}");
    let errors = server.seen("error");
    assert!(errors[0]["text"].as_str().unwrap().contains("trusted"), "{errors:?}");
}

/// Connections that end in the backlog, before they are accepted.
#[test]
fn a_hundred_connections_that_vanish_in_the_backlog_are_passed_over() {
    for model in ["iterative", "fork:2", "tasks"] {
        let mut server = tcp(model, &[]);
        server.signal(Signal::STOP);
        for _ in 0..100 {
            Client::connect(server.port()).reset();
        }
        let mut last = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        last.write_all(b"bye\n").unwrap();
        server.signal(Signal::CONT);
        assert_eq!(std::io::copy(&mut last, &mut std::io::sink()).unwrap(), 0);
        let report = server.stop();
        assert_eq!(report["stats"]["completed"].as_u64(), Some(1), "{report}");
    }
}
