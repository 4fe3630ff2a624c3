//! Datagrams under load, under limits and at the drain, under every model.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    collections::HashSet,
    io::ErrorKind,
    net::{Ipv4Addr, UdpSocket},
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
};

use rustix::process::Signal;
use serde_json::json;
use sockeye_testkit::{
    client::Client,
    processes::{descendants, until},
    program::{PATIENCE, Program, send_signal},
    under_models,
};

fn serve(model: &str, more: &[&str]) -> Program {
    let args = [&["script", "udp://127.0.0.1:0", "--model", model], more].concat();
    Program::start(env!("CARGO_BIN_EXE_testserver"), args)
}

/// The ports of a server of both: that for streams comes first.
fn ports(server: &Program) -> Vec<u16> {
    let port = |addr: &String| addr.parse::<sockeye::Addr>().unwrap().port().unwrap();
    server.addrs().iter().map(port).collect()
}

fn client(server: &Program) -> UdpSocket {
    client_of(server.port())
}

/// A client whose every wait is bounded.
fn client_of(port: u16) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

#[track_caller]
fn receive(client: &UdpSocket) -> String {
    let mut space = [0; 2048];
    let n = client.recv(&mut space).expect("an answer in time");
    String::from_utf8(space[..n].to_vec()).unwrap()
}

#[track_caller]
fn ask(client: &UdpSocket, text: &str) -> String {
    client.send(text.as_bytes()).unwrap();
    receive(client)
}

under_models!(each_sender_gets_its_own_answers_under_load);

fn each_sender_gets_its_own_answers_under_load(model: &str) {
    // A process for each datagram takes its time.
    let (senders, rounds) = if model.starts_with("fork") { (4, 5) } else { (16, 40) };
    let mut server = serve(model, &[]);
    thread::scope(|scope| {
        for sender in 0..senders {
            let client = client(&server);
            scope.spawn(move || {
                for round in 0..rounds {
                    let sent: HashSet<String> =
                        (0..4).map(|at| format!("sender {sender} round {round} at {at}")).collect();
                    for text in &sent {
                        client.send(text.as_bytes()).unwrap();
                    }
                    let received: HashSet<String> = (0..4).map(|_| receive(&client)).collect();
                    assert_eq!(received, sent);
                }
            });
        }
    });
    let report = server.stop();
    assert_eq!(report["stats"]["packets"], senders * rounds * 4, "{report}");
    assert_eq!(report["stats"]["packets_shed"], 0, "{report}");
}

under_models!(an_error_or_a_panic_over_a_datagram_is_told_once_and_the_next_is_answered);

fn an_error_or_a_panic_over_a_datagram_is_told_once_and_the_next_is_answered(model: &str) {
    let mut server = serve(model, &[]);
    let client = client(&server);
    for text in ["error", "refused", "panic"] {
        client.send(text.as_bytes()).unwrap();
    }
    assert_eq!(ask(&client, "hello"), "hello");
    let report = server.stop();
    let mut stats = report["stats"].clone();
    stats.as_object_mut().unwrap().retain(|_, count| *count != 0);
    let expected = json!({
        "packets": 4, "packets_completed": 1, "packets_refused": 1, "packets_failed": 1,
        "packets_panicked": 1, "bytes_read": 5 + 7 + 5 + 5, "bytes_written": 5,
    });
    assert_eq!(stats, expected);
    let text = report["text"].as_str().unwrap();
    let told = "stopped after 4 datagrams (1 completed, 1 refused, 1 failed, 1 crashed);";
    assert!(text.starts_with(told), "{text}");
    let mut kinds: Vec<_> =
        server.seen("error").iter().map(|event| event["kind"].to_string()).collect();
    kinds.sort();
    assert_eq!(kinds, ["\"handler\"", "\"panic\""]);
}

under_models!(one_that_waits_does_not_hold_back_the_others:
    under_pool = "pool:4", under_threads = "threads:4", under_tasks = "tasks",
    under_percore = "percore:1");

fn one_that_waits_does_not_hold_back_the_others(model: &str) {
    let mut server = serve(model, &[]);
    let (slow, quick) = (client(&server), client(&server));
    slow.send(b"gate").unwrap();
    for round in 0..20 {
        assert_eq!(ask(&quick, &format!("quick {round}")), format!("quick {round}"));
    }
    // It may come to the gate only after the first `open`.
    slow.set_nonblocking(true).unwrap();
    let mut space = [0; 16];
    until("the slow one's answer", || {
        assert_eq!(ask(&quick, "open"), "open");
        slow.recv(&mut space).is_ok_and(|n| &space[..n] == b"gate")
    });
    assert_eq!(server.stop()["stats"]["packets_shed"], 0);
}

/// The processes that take datagrams. A child of `fork` takes none, and may be about to end.
fn those_who_receive(server: &Program, model: &str) -> Vec<u32> {
    let workers = if model.starts_with("prefork") { descendants(server.pid()) } else { Vec::new() };
    [vec![server.pid()], workers].concat()
}

under_models!(a_burst_is_handled_by_as_many_as_there_are_places:
    under_pool = "pool:4", under_threads = "threads:4", under_fork = "fork:4",
    under_prefork = "prefork:4", under_tasks = "tasks", under_percore = "percore:2");

fn a_burst_is_handled_by_as_many_as_there_are_places(model: &str) {
    let mut server = serve(model, &[]);
    let client = client(&server);
    assert_eq!(ask(&client, "hello"), "hello");
    // Stopped, every worker finds all of them queued.
    let processes = those_who_receive(&server, model);
    processes.iter().for_each(|&pid| send_signal(pid, Signal::STOP));
    for _ in 0..4 {
        client.send(b"wait").unwrap();
    }
    processes.iter().for_each(|&pid| send_signal(pid, Signal::CONT));
    for _ in 0..4 {
        assert_eq!(receive(&client), "waiting");
    }
    server.signal(Signal::TERM);
    for _ in 0..4 {
        assert_eq!(receive(&client), "drained");
    }
    let report = server.finished();
    assert_eq!(report["stats"]["packets_completed"], 5, "{report}");
}

under_models!(a_crash_over_a_datagram_takes_no_other_with_it:
    under_fork = "fork:1", under_prefork = "prefork:1");

fn a_crash_over_a_datagram_takes_no_other_with_it(model: &str) {
    let mut server = serve(model, &[]);
    let client = client(&server);
    assert_eq!(ask(&client, "hello"), "hello");
    // Stopped, the only worker finds all of them queued.
    let processes = those_who_receive(&server, model);
    processes.iter().for_each(|&pid| send_signal(pid, Signal::STOP));
    for text in ["abort", "one", "two", "three"] {
        client.send(text.as_bytes()).unwrap();
    }
    processes.iter().for_each(|&pid| send_signal(pid, Signal::CONT));
    for text in ["one", "two", "three"] {
        assert_eq!(receive(&client), text);
    }
    let report = server.stop();
    let stats = &report["stats"];
    let counted = ["packets", "packets_completed", "packets_crashed", "crashes", "packets_active"];
    assert_eq!(counted.map(|name| stats[name].as_u64().unwrap()), [5, 4, 1, 1, 0], "{report}");
    assert_eq!(stats["errors_crash"], 0, "{report}");
}

under_models!(datagrams_take_the_same_places_as_connections:
    under_iterative = "iterative", under_pool = "pool:2", under_threads = "threads:2",
    under_fork = "fork:2", under_prefork = "prefork:2");

fn datagrams_take_the_same_places_as_connections(model: &str) {
    let args = ["script", "udp://127.0.0.1:0", "tcp://127.0.0.1:0", "--model", model];
    let mut server = Program::start(env!("CARGO_BIN_EXE_testserver"), args);
    let ports = ports(&server);
    let places = if model == "iterative" { 1 } else { 2 };
    let mut connections: Vec<_> = (0..places).map(|_| Client::connect(ports[0])).collect();
    for connection in &mut connections {
        assert_eq!(connection.ask("echo hello"), "hello");
    }
    let socket = client_of(ports[1]);
    socket.send(b"queued").unwrap();
    socket.set_nonblocking(true).unwrap();
    for round in 0..40 {
        assert_eq!(connections[round % places].ask("echo on"), "on");
        assert_eq!(socket.recv(&mut [0; 16]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    connections.into_iter().for_each(Client::bye);
    socket.set_nonblocking(false).unwrap();
    assert_eq!(receive(&socket), "queued");
    server.stop();
}

under_models!(a_datagram_that_the_drain_cuts_is_counted_and_told);

fn a_datagram_that_the_drain_cuts_is_counted_and_told(model: &str) {
    let mut server = serve(model, &["--limit", "drain=200"]);
    let client = client(&server);
    assert_eq!(ask(&client, "hang"), "hanging");
    let report = server.stop();
    let stats = &report["stats"];
    let counted = ["packets", "packets_cut", "packets_active", "crashes", "cut"];
    assert_eq!(counted.map(|name| stats[name].as_u64().unwrap()), [1, 1, 0, 0, 0], "{report}");
    let text = report["text"].as_str().unwrap();
    assert!(text.starts_with("stopped after 1 datagram (1 cut);"), "{text}");
}

// Under the other models one that blocks keeps the server's own thread, or one of few.
under_models!(so_is_one_that_blocks:
    under_pool = "pool:2", under_threads = "threads:2", under_fork = "fork:2",
    under_prefork = "prefork:2", under_percore = "percore:2");

fn so_is_one_that_blocks(model: &str) {
    let mut server = serve(model, &["--limit", "drain=200"]);
    let client = client(&server);
    assert_eq!(ask(&client, "block"), "blocking");
    let report = server.stop();
    let stats = &report["stats"];
    let counted = ["packets", "packets_cut", "packets_active", "crashes"];
    assert_eq!(counted.map(|name| stats[name].as_u64().unwrap()), [1, 1, 0, 0], "{report}");
}

under_models!(those_in_hand_are_counted_until_they_end);

fn those_in_hand_are_counted_until_they_end(model: &str) {
    let args = ["script", "udp://127.0.0.1:0", "tcp://127.0.0.1:0", "--model", model];
    let mut server = Program::start(env!("CARGO_BIN_EXE_testserver"), args);
    let ports = ports(&server);
    let socket = client_of(ports[1]);
    assert_eq!(ask(&socket, "in-hand"), "1");
    if model != "iterative" {
        socket.send(b"wait").unwrap();
        assert_eq!(receive(&socket), "waiting");
        let mut watcher = Client::connect(ports[0]);
        // The one before counts until its answer was sent, and a moment longer.
        until("the count", || watcher.counter("packets_active") == 1);
        assert_eq!(watcher.counter("active"), 1);
        watcher.bye();
    }
    let report = server.stop();
    assert_eq!(report["stats"]["packets_active"], 0, "{report}");
}

under_models!(an_oversized_datagram_is_dropped_and_counted);

fn an_oversized_datagram_is_dropped_and_counted(model: &str) {
    let mut server = serve(model, &["--limit", "max_packet=100"]);
    let client = client(&server);
    client.send(&[b'x'; 101]).unwrap();
    let longest = "x".repeat(100);
    assert_eq!(ask(&client, &longest), longest);
    let report = server.stop();
    assert_eq!(report["stats"]["packets_oversized"], 1, "{report}");
    assert_eq!(report["stats"]["packets"], 2, "{report}");
}

under_models!(more_than_may_be_in_flight_is_dropped_and_counted:
    under_tasks = "tasks", under_percore = "percore:1");

fn more_than_may_be_in_flight_is_dropped_and_counted(model: &str) {
    let limits = ["--limit", "max_packets_in_flight=3", "--limit", "drain=200"];
    let mut server = serve(model, &limits);
    let client = client(&server);
    for at in 0..5 {
        client.send(format!("gate {at}").as_bytes()).unwrap();
    }
    // What needs no waiting is answered all the same.
    assert_eq!(ask(&client, "hello"), "hello");
    let report = server.stop();
    assert_eq!(report["stats"]["packets_shed"], 2, "{report}");
    assert_eq!(report["stats"]["packets"], 6, "{report}");
}

under_models!(what_is_queued_at_the_drain_is_answered);

fn what_is_queued_at_the_drain_is_answered(model: &str) {
    let mut server = serve(model, &[]);
    // Stopped, the server finds the signal and the datagrams at the same moment.
    server.signal(Signal::STOP);
    let client = client(&server);
    let sent: HashSet<String> = (0..40).map(|at| format!("queued {at}")).collect();
    for text in &sent {
        client.send(text.as_bytes()).unwrap();
    }
    server.signal(Signal::TERM);
    server.signal(Signal::CONT);
    let received: HashSet<String> = sent.iter().map(|_| receive(&client)).collect();
    assert_eq!(received, sent);
    let report = server.finished();
    assert_eq!(report["stats"]["packets"], 40, "{report}");
}

under_models!(one_that_waits_is_told_of_the_drain);

fn one_that_waits_is_told_of_the_drain(model: &str) {
    let mut server = serve(model, &[]);
    let client = client(&server);
    assert_eq!(ask(&client, "hello"), "hello");
    client.send(b"wait").unwrap();
    // The handler answers at once that it waits, and again when it is told.
    assert_eq!(receive(&client), "waiting");
    server.signal(Signal::TERM);
    assert_eq!(receive(&client), "drained");
    server.finished();
}

under_models!(a_steady_sender_does_not_hold_up_the_drain);

fn a_steady_sender_does_not_hold_up_the_drain(model: &str) {
    let mut server = serve(model, &["--limit", "drain=15000"]);
    /// Ends the flood also if the test fails.
    struct End<'a>(&'a AtomicBool);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Relaxed);
        }
    }
    let (ended, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let flood = client(&server);
    flood.set_nonblocking(true).unwrap();
    let report = thread::scope(|scope| {
        scope.spawn(|| {
            let mut space = [0; 64];
            while !ended.load(Relaxed) {
                // Whether there is room and whether anyone is there: it goes on.
                for _ in 0..1000 {
                    let _ = flood.send(b"again");
                }
                while flood.recv(&mut space).is_ok() {
                    answered.fetch_add(1, Relaxed);
                }
            }
        });
        let _end = End(&ended);
        until("answers", || answered.load(Relaxed) > 100);
        server.stop()
    });
    assert!(report["drained_ms"].as_u64().unwrap() < 5000, "{report}");
}

under_models!(datagrams_and_connections_are_served_beside_each_other);

fn datagrams_and_connections_are_served_beside_each_other(model: &str) {
    let args = ["script", "udp://127.0.0.1:0", "tcp://127.0.0.1:0", "--model", model];
    let mut server = Program::start(env!("CARGO_BIN_EXE_testserver"), args);
    let ports = ports(&server);
    let socket = client_of(ports[1]);
    for _ in 0..5 {
        assert_eq!(ask(&socket, "hello"), "hello");
        let mut connection = Client::connect(ports[0]);
        assert_eq!(connection.ask("echo hello"), "hello");
        connection.bye();
    }
    let report = server.stop();
    assert_eq!(report["stats"]["packets"], 5, "{report}");
    assert_eq!(report["stats"]["completed"], 5, "{report}");
}
