//! Stopping: nothing that was accepted is lost, the deadline is kept, handlers are told, and the
//! report names who was cut, under every model.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    collections::BTreeSet,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::Value;
use sockeye_testkit::{
    client::Client,
    processes::until,
    program::{PATIENCE, Program},
    under_models,
};

fn serve(model: &str, more: &[&str]) -> Program {
    let args = [&["script", "tcp://127.0.0.1:0", "--model", model], more].concat();
    Program::start(env!("CARGO_BIN_EXE_testserver"), args)
}

/// How many connections of eight the model runs at once.
fn room(model: &str) -> usize {
    if model == "iterative" {
        return 1;
    }
    model.split_once(':').map_or(8, |(_, number)| number.parse().unwrap()).min(8)
}

fn millis(report: &Value) -> u64 {
    report["drained_ms"].as_u64().unwrap()
}

/// Clients that connect, ask and leave, until nobody listens any more.
struct Load {
    clients: Vec<thread::JoinHandle<()>>,
    answered: Arc<AtomicU64>,
}

impl Load {
    fn start(port: u16, clients: usize) -> Self {
        let answered = Arc::new(AtomicU64::new(0));
        let client = || {
            let answered = Arc::clone(&answered);
            let work = move || {
                while let Ok(mut client) = Client::try_connect(port) {
                    // A connection that the system made and the server never saw is reset when
                    // the listener closes: it was not accepted.
                    if client.try_send("echo hello").is_err() || client.line().is_none() {
                        continue;
                    }
                    answered.fetch_add(1, Relaxed);
                    let _ = client.try_send("bye");
                    client.ends_cleanly();
                }
            };
            thread::Builder::new().spawn(work).unwrap()
        };
        Self { clients: (0..clients).map(|_| client()).collect(), answered: Arc::clone(&answered) }
    }

    /// Waits until so many were answered.
    #[track_caller]
    fn has(&self, answered: u64) {
        until("answers", || self.answered.load(Relaxed) >= answered);
    }

    /// Waits for the clients' end: how many were answered.
    fn end(self) -> u64 {
        for client in self.clients {
            client.join().unwrap();
        }
        self.answered.load(Relaxed)
    }
}

under_models!(a_sigterm_under_load_loses_nothing_that_was_accepted);

fn a_sigterm_under_load_loses_nothing_that_was_accepted(model: &str) {
    let mut server = serve(model, &["--limit", "drain=8000"]);
    let load = Load::start(server.port(), 8);
    load.has(100);
    let report = server.stop();
    let answered = load.end();
    let stats = &report["stats"];
    assert_eq!(stats["accepted"], answered, "{report}");
    assert_eq!(stats["completed"], answered, "{report}");
    assert_eq!(report["cut"], Value::Array(vec![]), "{report}");
    // Clients that come again and again do not hold up the drain.
    assert!(millis(&report) < 3000, "{report}");
}

under_models!(what_waits_in_the_backlog_at_the_drain_is_served);

fn what_waits_in_the_backlog_at_the_drain_is_served(model: &str) {
    let mut server = serve(model, &[]);
    // One that is served tells that signals are obeyed.
    Client::connect(server.port()).bye();
    // Stopped, the server finds the signal and the connections at the same moment.
    server.signal(Signal::STOP);
    let mut clients: Vec<_> = (0..20).map(|_| Client::connect(server.port())).collect();
    for client in &mut clients {
        client.send("echo in time");
    }
    server.signal(Signal::TERM);
    server.signal(Signal::CONT);
    // One after the other where the model has no more room.
    for mut client in clients {
        assert_eq!(client.line().as_deref(), Some("in time"));
        client.bye();
    }
    let report = server.finished();
    assert_eq!(report["stats"]["completed"], 21, "{report}");
}

under_models!(no_one_is_let_in_once_the_drain_has_begun);

fn no_one_is_let_in_once_the_drain_has_begun(model: &str) {
    let mut server = serve(model, &[]);
    let port = server.port();
    let mut busy: Vec<_> = (0..room(model)).map(|_| Client::connect(port)).collect();
    for client in &mut busy {
        assert_eq!(client.ask("wait"), "waiting");
    }
    // They wait in the backlog where the model has no room, and are served nevertheless.
    let mut waiting: Vec<_> = (0..3).map(|_| Client::connect(port)).collect();
    for client in &mut waiting {
        client.send("echo late");
    }
    server.signal(Signal::TERM);
    for client in &mut busy {
        assert_eq!(client.line().as_deref(), Some("drained"));
    }
    until("the listener's end", || Client::try_connect(port).is_err());
    for client in busy {
        client.bye();
    }
    for mut client in waiting {
        assert_eq!(client.line().as_deref(), Some("late"));
        client.bye();
    }
    let report = server.finished();
    assert_eq!(report["stats"]["cut"], 0, "{report}");
}

under_models!(a_newcomer_is_refused_while_a_connection_is_served_to_its_end);

fn a_newcomer_is_refused_while_a_connection_is_served_to_its_end(model: &str) {
    for busy in [1, room(model)] {
        let mut server = serve(model, &[]);
        let port = server.port();
        let mut clients: Vec<_> = (0..busy).map(|_| Client::connect(port)).collect();
        for client in &mut clients {
            assert_eq!(client.ask("wait"), "waiting");
        }
        server.signal(Signal::TERM);
        for client in &mut clients {
            assert_eq!(client.line().as_deref(), Some("drained"));
            // Answered once its process has turned newcomers away.
            assert_eq!(client.ask("echo on"), "on");
        }
        // A handshake that comes in the very moment may be dropped, and is tried again by the system.
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        until("the listener's end", || match TcpStream::connect_timeout(&addr, PATIENCE) {
            Ok(_) => false,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{model}");
                true
            }
        });
        for mut client in clients {
            assert_eq!(client.ask("echo on"), "on");
            client.bye();
        }
        server.finished();
    }
}

under_models!(the_drain_deadline_cuts_those_who_hang_and_the_report_names_them);

fn the_drain_deadline_cuts_those_who_hang_and_the_report_names_them(model: &str) {
    let mut server = serve(model, &["--limit", "drain=300"]);
    let mut clients: Vec<_> =
        (0..room(model).min(3)).map(|_| Client::connect(server.port())).collect();
    for client in &mut clients {
        assert_eq!(client.ask("hang"), "hanging");
    }
    let report = server.stop();
    for client in &mut clients {
        assert_eq!(client.line(), None);
    }
    assert_eq!(report["stats"]["cut"], clients.len(), "{report}");
    assert_eq!(report["stats"]["active"], 0, "{report}");
    assert_eq!(report["stats"]["crashes"], 0, "{report}");
    // "hang" and its end of line, "hanging" and its.
    assert_eq!(report["stats"]["bytes_read"], 5 * clients.len(), "{report}");
    assert_eq!(report["stats"]["bytes_written"], 8 * clients.len(), "{report}");
    let mut named: Vec<_> =
        report["cut"].as_array().unwrap().iter().map(|cut| &cut["peer"]).collect();
    let mut peers: Vec<_> = clients.iter().map(|client| client.local().to_string()).collect();
    named.sort_by_key(ToString::to_string);
    peers.sort();
    assert_eq!(named, peers.iter().collect::<Vec<_>>(), "{report}");
    assert!((300..2000).contains(&millis(&report)), "{report}");
    assert_eq!(server.seen("error"), [] as [Value; 0]);
}

#[test]
fn every_worker_has_one_connection_and_each_that_is_cut_is_named() {
    let mut server = serve("prefork:3", &["tcp://127.0.0.1:0", "--limit", "drain=300"]);
    let ports: Vec<_> = server
        .addrs()
        .iter()
        .map(|addr| addr.parse::<sockeye::Addr>().unwrap().port().unwrap())
        .collect();
    let mut busy: Vec<_> = [0, 1, 0].into_iter().map(|of| Client::connect(ports[of])).collect();
    for client in &mut busy {
        assert_eq!(client.ask("hang"), "hanging");
    }
    let waiting = ports.iter().map(|&port| Client::connect(port));
    let waiting: Vec<_> = waiting.collect();
    let report = server.stop();
    let named = report["cut"].as_array().unwrap().iter().map(|cut| cut["peer"].as_str().unwrap());
    let named: BTreeSet<_> = named.map(ToOwned::to_owned).collect();
    let peers: BTreeSet<_> = busy.iter().map(|client| client.local().to_string()).collect();
    assert_eq!((named, &report["stats"]["accepted"]), (peers, &3.into()), "{report}");
    for mut client in waiting {
        assert_eq!(client.line(), None);
    }
}

under_models!(a_second_signal_ends_every_connection_at_once);

fn a_second_signal_ends_every_connection_at_once(model: &str) {
    let mut server = serve(model, &["--limit", "drain=60000"]);
    let mut clients: Vec<_> =
        (0..room(model).min(2)).map(|_| Client::connect(server.port())).collect();
    // The first tells when the drain has begun, and then hangs as the second does.
    assert_eq!(clients[0].ask("wait"), "waiting");
    for client in &mut clients[1..] {
        assert_eq!(client.ask("hang"), "hanging");
    }
    server.signal(Signal::INT);
    assert_eq!(clients[0].line().as_deref(), Some("drained"));
    assert_eq!(clients[0].ask("hang"), "hanging");
    let report = server.stop();
    assert_eq!(report["stats"]["cut"], clients.len(), "{report}");
    assert!(millis(&report) < 3000, "{report}");
}

under_models!(the_same_signal_again_ends_every_connection_at_once);

fn the_same_signal_again_ends_every_connection_at_once(model: &str) {
    /// Within this time the server takes a signal that comes twice for one.
    const ECHO: Duration = Duration::from_millis(20);
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = serve(model, &["--limit", "drain=60000"]);
        let mut client = Client::connect(server.port());
        assert_eq!(client.ask("wait"), "waiting");
        server.signal(signal);
        assert_eq!(client.line().as_deref(), Some("drained"));
        let drained = Instant::now();
        while drained.elapsed() <= ECHO {
            assert_eq!(client.ask("echo still"), "still");
        }
        assert_eq!(client.ask("hang"), "hanging");
        server.signal(signal);
        let report = server.finished();
        assert_eq!(client.line(), None);
        assert_eq!(report["stats"]["cut"], 1, "{report}");
        assert!(millis(&report) < 3000, "{report}");
    }
}

under_models!(a_handler_can_drain_its_server);

fn a_handler_can_drain_its_server(model: &str) {
    let mut server = serve(model, &[]);
    let mut client = Client::connect(server.port());
    assert_eq!(client.ask("drain"), "draining");
    // It is told like everyone else, and may finish.
    assert_eq!(client.ask("wait"), "waiting");
    assert_eq!(client.line().as_deref(), Some("drained"));
    client.bye();
    let report = server.finished();
    assert_eq!(report["stats"]["completed"], 1, "{report}");
}

under_models!(a_handler_can_stop_its_server);

fn a_handler_can_stop_its_server(model: &str) {
    let mut server = serve(model, &[]);
    let mut client = Client::connect(server.port());
    client.send("stop");
    if model.contains("fork") {
        // From a child it is a drain.
        assert_eq!(client.line().as_deref(), Some("stopping"));
        client.bye();
    }
    assert_eq!(server.finished()["stats"]["accepted"], 1);
}

under_models!(a_blocking_handler_is_cut_like_any_other);

fn a_blocking_handler_is_cut_like_any_other(model: &str) {
    let args = ["blocking", "tcp://127.0.0.1:0", "--model", model, "--limit", "drain=200"];
    let mut server = Program::start(env!("CARGO_BIN_EXE_testserver"), args);
    let mut client = Client::connect(server.port());
    assert_eq!(client.ask("hello"), "hello");
    let report = server.stop();
    assert_eq!(client.line(), None);
    assert_eq!(report["stats"]["cut"], 1, "{report}");
    assert!(millis(&report) < 2000, "{report}");
}

#[test]
#[ignore = "soak: scripts/soak runs it"]
fn soak_every_model_drains_under_load_again_and_again() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(60));
    while Instant::now() < end {
        for model in
            ["iterative", "pool:4", "threads:4", "fork:4", "prefork:4", "tasks", "percore:2"]
        {
            a_sigterm_under_load_loses_nothing_that_was_accepted(model);
            what_waits_in_the_backlog_at_the_drain_is_served(model);
        }
    }
}
