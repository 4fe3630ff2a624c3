//! Accepting never gives up: descriptors run out for a while, the server rests meanwhile, those it
//! serves are served on, and then everyone is.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    thread,
    time::{Duration, Instant},
};

use sockeye_testkit::{
    client::Client,
    processes::{self, until},
    program::Program,
    under_models,
};

/// So few that the test's clients use them up.
const FILES: &str = "40";

/// How long the shortage lasts.
const SHORTAGE: Duration = Duration::from_millis(1100);

/// What the server and all that it forked have taken of the processor.
fn cpu_time(pid: u32) -> Duration {
    let children = processes::children(pid);
    processes::cpu_time(pid) + children.into_iter().map(cpu_time).sum::<Duration>()
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
    // The one wait here that is for time: the shortage has to last.
    thread::sleep(SHORTAGE);
    let (lasted, used) = (began.elapsed(), cpu_time(server.pid()) - used);
    assert!(used < lasted / 4, "it took {used:?} of {lasted:?}");
    assert_eq!(first.ask("echo still"), "still");
    let backoffs = first.counter("accept_backoffs");
    assert!(backoffs < 40, "{backoffs} in {lasted:?}");
    drop(crowd);
    // One that still waits when the shortage has lasted for long may be turned away once.
    until("someone served again", || {
        let mut next = Client::connect(port);
        let served = next.try_send("echo again\nbye").is_ok() && next.line().is_some();
        served && next.ends_cleanly()
    });
    first.bye();
    let report = server.stop();
    let stats = &report["stats"];
    assert_eq!((&stats["crashes"], &stats["active"]), (&0.into(), &0.into()), "{report}");
    let count = |name: &str| stats[name].as_u64().unwrap();
    let settled = count("completed") + count("refused_no_descriptors") + count("errors_peer_gone");
    assert_eq!(count("accepted"), settled + count("refused_no_worker"), "{report}");
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
    until("someone served again", || {
        let mut next = Client::connect(port);
        let served = next.try_send("echo again\nbye").is_ok() && next.line().is_some();
        served && next.ends_cleanly()
    });
    first.bye();
    let report = server.stop();
    assert_eq!((&report["stats"]["panics"], &report["stats"]["active"]), (&0.into(), &0.into()));
}

under_models!(a_drain_without_descriptors_loses_nobody: under_fork = "fork:200", under_tasks = "tasks");

fn a_drain_without_descriptors_loses_nobody(model: &str) {
    let args = ["script", "tcp://127.0.0.1:0", "--model", model, "--nofile", FILES];
    let mut server = Program::start(env!("CARGO_BIN_EXE_testserver"), args);
    server.signal(rustix::process::Signal::STOP);
    let mut clients: Vec<_> = (0..60).map(|_| Client::connect(server.port())).collect();
    for client in &mut clients {
        client.send("echo served");
    }
    server.signal(rustix::process::Signal::TERM);
    server.signal(rustix::process::Signal::CONT);
    for mut client in clients {
        assert_eq!(client.line().as_deref(), Some("served"));
        client.bye();
    }
    assert_eq!(server.finished()["stats"]["completed"], 60);
}
