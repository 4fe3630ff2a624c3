//! Signals: obeyed while a server runs, the program's own again afterwards, and never shut out by a
//! handler, under every model.

use std::{
    os::unix::process::ExitStatusExt as _,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use sockeye_testkit::{client::Client, program::Program, under_models};

fn serve(model: &str, more: &[&str]) -> Program {
    let args = [&["script", "tcp://127.0.0.1:0", "--model", model], more].concat();
    Program::start(env!("CARGO_BIN_EXE_testserver"), args)
}

under_models!(a_program_that_goes_on_after_its_server_is_ended_by_a_signal);

fn a_program_that_goes_on_after_its_server_is_ended_by_a_signal(model: &str) {
    for signal in [Signal::INT, Signal::TERM] {
        let mut server = serve(model, &["--after"]);
        server.signal(Signal::INT);
        server.event("after");
        server.signal(signal);
        assert_eq!(server.wait().signal(), Some(signal.as_raw()));
    }
}

under_models!(the_next_server_of_a_program_obeys_like_the_first);

fn the_next_server_of_a_program_obeys_like_the_first(model: &str) {
    let mut server = serve(model, &["--times", "3"]);
    for round in 0..2 {
        let mut client = Client::connect(server.port());
        assert_eq!(client.ask("wait"), "waiting");
        server.signal(Signal::TERM);
        assert_eq!(client.line().as_deref(), Some("drained"));
        assert_eq!(client.ask("hang"), "hanging");
        server.signal(Signal::INT);
        assert_eq!(server.event("report")["stats"]["cut"], 1, "{round}");
        server.ready();
    }
    Client::connect(server.port()).bye();
    assert_eq!(server.stop()["stats"]["completed"], 1);
}

/// The program is ended long before its handler is done, by its report or by the signal.
#[track_caller]
fn ends_at_once(mut server: Program) {
    let begin = Instant::now();
    let status = server.wait();
    assert!(status.success() || status.signal().is_some(), "{status}: {}", server.errors());
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

under_models!(a_handler_that_blocks_its_thread_shuts_no_signal_out:
    under_iterative = "iterative", under_pool = "pool:4", under_threads = "threads:4",
    under_fork = "fork:4", under_prefork = "prefork:4", under_tasks = "tasks",
    under_percore = "percore:2", under_one_core = "percore:1");

fn a_handler_that_blocks_its_thread_shuts_no_signal_out(model: &str) {
    for (command, answer) in [("block", "blocking"), ("spin", "spinning")] {
        let server = serve(model, &["--workers", "1"]);
        let mut client = Client::connect(server.port());
        assert_eq!(client.ask(command), answer);
        // Two that the system does not take for one.
        server.signal(Signal::INT);
        server.signal(Signal::TERM);
        ends_at_once(server);
    }
}

under_models!(a_handler_that_blocks_its_thread_after_the_drain_shuts_no_signal_out);

fn a_handler_that_blocks_its_thread_after_the_drain_shuts_no_signal_out(model: &str) {
    let server = serve(model, &["--workers", "1", "--limit", "drain=60000"]);
    let mut client = Client::connect(server.port());
    assert_eq!(client.ask("wait"), "waiting");
    server.signal(Signal::INT);
    assert_eq!(client.line().as_deref(), Some("drained"));
    assert_eq!(client.ask("block"), "blocking");
    server.signal(Signal::TERM);
    ends_at_once(server);
}

under_models!(a_signal_to_the_process_and_to_its_group_is_one);

fn a_signal_to_the_process_and_to_its_group_is_one(model: &str) {
    let mut server = serve(model, &[]);
    let mut client = Client::connect(server.port());
    assert_eq!(client.ask("wait"), "waiting");
    // As timeout(1) ends a program.
    server.signal(Signal::TERM);
    server.signal(Signal::TERM);
    assert_eq!(client.line().as_deref(), Some("drained"));
    assert_eq!(client.ask("echo hello"), "hello");
    client.bye();
    let report = server.finished();
    assert_eq!(report["stats"]["cut"], 0, "{report}");
}
