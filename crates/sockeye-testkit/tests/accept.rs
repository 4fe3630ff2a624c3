//! Accepting never gives up: descriptors run out for a while, the server rests meanwhile, those it
//! serves are served on, and then everyone is.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::time::{Duration, Instant};

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::Signal,
};
use sockeye_testkit::{
    client::Client,
    processes::{self, until},
    program::{PATIENCE, Program, send_signal},
    under_models,
};

/// So few that the test's clients use them up.
const FILES: &str = "40";

/// How long a shortage lasts at least until somebody is turned away.
const SHORTAGE: Duration = Duration::from_millis(500);

/// What the server and all that it forked have taken of the processor.
fn cpu_time(pid: u32) -> Duration {
    let children = processes::children(pid);
    processes::cpu_time(pid) + children.into_iter().map(cpu_time).sum::<Duration>()
}

/// Waits until the server has ended one of these connections, to which it says nothing.
fn somebody_is_turned_away(crowd: &[Client]) -> bool {
    let mut asked: Vec<_> = crowd.iter().map(|client| PollFd::new(client, PollFlags::IN)).collect();
    poll(&mut asked, Some(&PATIENCE.try_into().unwrap())).unwrap() > 0
}

// The others have a fixed number of connections and wait for one to end.
under_models!(descriptors_used_up_for_a_second_and_then_served_again:
    under_threads = "threads:200", under_fork = "fork:200", under_tasks = "tasks",
    under_percore = "percore:2");

fn descriptors_used_up_for_a_second_and_then_served_again(model: &str) {
    let args = ["script", "tcp://127.0.0.1:0", "--model", model, "--nofile", FILES];
    let mut server = Program::start(env!("CARGO_BIN_EXE_testserver"), args);
    let port = server.port();
    let mut first = Client::connect(port);
    assert_eq!(first.ask("echo first"), "first");
    let crowd: Vec<_> = (0..60).map(|_| Client::connect(port)).collect();
    until("a shortage", || first.counter("accept_backoffs") > 0);
    let (began, used) = (Instant::now(), cpu_time(server.pid()));
    // Those who wait are turned away once the shortage has lasted for long.
    assert!(somebody_is_turned_away(&crowd));
    let (lasted, used) = (began.elapsed(), cpu_time(server.pid()) - used);
    assert!(lasted > SHORTAGE && used < lasted / 10, "it took {used:?} of {lasted:?}");
    assert_eq!(first.ask("echo still"), "still");
    let backoffs = first.counter("accept_backoffs");
    assert!(backoffs < 40, "{backoffs} in {lasted:?}");
    drop(crowd);
    // One that still waits when the shortage has lasted for long may be turned away once.
    until("someone served again", || is_served(port));
    first.bye();
    let report = server.stop();
    let stats = &report["stats"];
    assert_eq!((&stats["crashes"], &stats["active"]), (&0.into(), &0.into()), "{report}");
    let count = |name: &str| stats[name].as_u64().unwrap();
    let settled = count("completed") + count("refused_no_descriptors") + count("errors_peer_gone");
    assert_eq!(count("accepted"), settled + count("refused_no_worker"), "{report}");
}

/// Whether a new connection is answered and ended cleanly.
fn is_served(port: u16) -> bool {
    let mut next = Client::connect(port);
    let answered = next.try_send("echo again\nbye").is_ok() && next.line().is_some();
    answered && next.ends_cleanly()
}

#[test]
fn threads_that_cannot_be_had_are_waited_for() {
    let args = ["script", "tcp://127.0.0.1:0", "--model", "threads:200", "--space", "40"];
    let mut server = Program::start(env!("CARGO_BIN_EXE_testserver"), args);
    let port = server.port();
    let mut first = Client::connect(port);
    assert_eq!(first.ask("echo first"), "first");
    let crowd: Vec<_> = (0..100).map(|_| Client::connect(port)).collect();
    until("a shortage", || first.counter("accept_backoffs") > 0);
    drop(crowd);
    until("someone served again", || is_served(port));
    first.bye();
    let report = server.stop();
    assert_eq!((&report["stats"]["panics"], &report["stats"]["active"]), (&0.into(), &0.into()));
}

#[test]
fn a_server_whose_threads_cannot_be_had_says_so_and_ends() {
    for model in ["pool:200", "percore:200"] {
        let args = ["script", "tcp://127.0.0.1:0", "--model", model, "--space", "40"];
        let mut server = Program::launch(env!("CARGO_BIN_EXE_testserver"), args);
        let error = server.event("failed")["error"].to_string();
        assert!(error.contains("cannot start a thread"), "{model}: {error}");
        assert!(!server.wait().success());
    }
}

/// So few that four clients' children use them up: the server's own and two zygotes' are among them.
const PROCESSES: &str = "7";

/// A server that may have no more than [`PROCESSES`]; none, visibly, where that takes root.
fn with_few_processes(handler: &str, model: &str) -> Option<Program> {
    if !rustix::process::geteuid().is_root() {
        let skipped = "SKIPPED: a limit on processes that is one server's alone takes root\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), skipped.as_bytes());
        return None;
    }
    let args = [handler, "tcp://127.0.0.1:0", "--model", model, "--processes", PROCESSES];
    Some(Program::start(env!("CARGO_BIN_EXE_testserver"), args))
}

/// Clients whose children use up all processes.
fn four_served(server: &Program) -> Vec<Client> {
    let mut clients: Vec<_> = (0..4).map(|_| Client::connect(server.port())).collect();
    for client in &mut clients {
        assert_eq!(client.ask("echo in"), "in");
    }
    clients
}

#[test]
fn a_connection_is_held_until_there_is_a_process_for_it() {
    let Some(mut server) = with_few_processes("script", "fork:40") else { return };
    let mut clients = four_served(&server);
    let mut held: Vec<_> = (0..3).map(|_| Client::connect(server.port())).collect();
    for client in &mut held {
        client.send("echo held");
    }
    until("a shortage", || clients[0].counter("accept_backoffs") > 0);
    for (client, mut held) in clients.drain(..3).zip(held) {
        client.bye();
        assert_eq!(held.line().as_deref(), Some("held"));
        held.bye();
    }
    clients.remove(0).bye();
    let report = server.stop();
    assert_eq!(report["stats"]["completed"], 7, "{report}");
    assert_eq!(report["stats"]["refused_no_worker"], 0, "{report}");
    assert_eq!((&report["stats"]["active"], &report["stats"]["crashes"]), (&0.into(), &0.into()));
}

#[test]
fn a_connection_is_refused_when_there_is_no_process_for_long() {
    let Some(mut server) = with_few_processes("script", "fork:40") else { return };
    let mut clients = four_served(&server);
    let began = Instant::now();
    assert_eq!(Client::connect(server.port()).line(), None);
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    // Tries that are few, and ever fewer.
    let backoffs = clients[0].counter("accept_backoffs");
    assert!((2..=10).contains(&backoffs), "{backoffs}");
    clients.remove(0).bye();
    let mut next = Client::connect(server.port());
    assert_eq!(next.ask("echo next"), "next");
    // One that is held when the server is stopped is named.
    let mut held = Client::connect(server.port());
    until("another shortage", || clients[0].counter("accept_backoffs") > backoffs);
    server.signal(Signal::INT);
    server.signal(Signal::TERM);
    let report = server.finished();
    assert_eq!(held.line(), None);
    assert_eq!(report["stats"]["refused_no_worker"], 1, "{report}");
    let held = held.local().to_string();
    let cut = report["cut"].as_array().unwrap();
    assert!(cut.iter().any(|cut| cut["peer"] == held.as_str()), "{report}");
}

#[test]
fn workers_and_waiting_zygotes_are_tried_again_when_processes_run_out() {
    let Some(mut server) = with_few_processes("script", "prefork:12") else { return };
    let mut clients = four_served(&server);
    assert_eq!(clients[0].counter("workers_restarted"), 0);
    assert_eq!(clients[0].counter("refused_no_worker"), 0);
    // The waiting zygote's place is taken by a worker, or by the next zygote, again and again.
    let first = processes::children(server.pid())[0];
    let second = processes::children(first)[0];
    send_signal(second, Signal::KILL);
    until("one place taken", || processes::children(first).len() == 5);
    assert_eq!(clients[0].ask("echo on"), "on");
    for client in clients {
        client.bye();
    }
    let report = server.stop();
    assert_eq!(report["stats"]["crashes"], 0, "{report}");
}

under_models!(a_drain_without_descriptors_loses_nobody: under_fork = "fork:200", under_tasks = "tasks");

fn a_drain_without_descriptors_loses_nobody(model: &str) {
    let args = ["script", "tcp://127.0.0.1:0", "--model", model, "--nofile", FILES];
    let mut server = Program::start(env!("CARGO_BIN_EXE_testserver"), args);
    server.signal(Signal::STOP);
    let mut clients: Vec<_> = (0..60).map(|_| Client::connect(server.port())).collect();
    for client in &mut clients {
        client.send("echo served");
    }
    server.signal(Signal::TERM);
    server.signal(Signal::CONT);
    for mut client in clients {
        assert_eq!(client.line().as_deref(), Some("served"));
        client.bye();
    }
    assert_eq!(server.finished()["stats"]["completed"], 60);
}

#[test]
fn a_blocking_handler_without_a_thread_fails_alone() {
    let Some(mut server) = with_few_processes("blocking", "tasks") else { return };
    let port = server.port();
    let mut first = Client::connect(port);
    assert_eq!(first.ask("first"), "first");
    let crowd: Vec<_> = (0..20).map(|_| Client::connect(port)).collect();
    assert!(somebody_is_turned_away(&crowd));
    assert_eq!(server.event("error")["kind"], "handler");
    assert_eq!(first.ask("still"), "still");
    drop(crowd);
    until("someone served again", || {
        let mut next = Client::connect(port);
        let served = next.try_send("again\nbye").is_ok() && next.line().is_some();
        served && next.ends_cleanly()
    });
    first.bye();
    let report = server.stop();
    assert_eq!((&report["stats"]["panics"], &report["stats"]["active"]), (&0.into(), &0.into()));
}
