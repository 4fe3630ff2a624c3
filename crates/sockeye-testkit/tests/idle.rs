//! Handlers that wait for their next input only until the drain, and those that wait for the drain
//! itself, under every model.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use rustix::process::Signal;
use serde_json::Value;
use sockeye_testkit::{client::Client, processes::until, program::Program, under_models};

fn serve(handler: &str, model: &str) -> Program {
    let args = [handler, "tcp://127.0.0.1:0", "--model", model, "--limit", "drain=60000"];
    Program::start(env!("CARGO_BIN_EXE_testserver"), args)
}

/// The server has ended long before its deadline, and nobody was cut or failed.
#[track_caller]
fn all_ended_by_themselves(server: &mut Program) {
    let report = server.finished();
    let stats = &report["stats"];
    assert_eq!(stats["completed"], stats["accepted"], "{report}");
    assert_eq!(stats["cut"], 0, "{report}");
    assert!(report["drained_ms"].as_u64().unwrap() < 5000, "{report}");
    assert_eq!(server.seen("error"), [] as [Value; 0]);
}

under_models!(who_waits_for_a_next_line_ends_at_the_drain);

fn who_waits_for_a_next_line_ends_at_the_drain(model: &str) {
    for handler in ["idle", "blocking-idle"] {
        let mut server = serve(handler, model);
        let mut client = Client::connect(server.port());
        assert!(client.ask("echo on").ends_with("on"));
        server.signal(Signal::TERM);
        assert_eq!(client.line().as_deref(), Some("goodbye"), "{handler}");
        assert!(client.ends_cleanly());
        all_ended_by_themselves(&mut server);
    }
}

under_models!(a_line_that_has_begun_at_the_drain_is_answered);

fn a_line_that_has_begun_at_the_drain_is_answered(model: &str) {
    for handler in ["idle", "blocking-idle"] {
        let mut server = serve(handler, model);
        let port = server.port();
        let mut client = Client::connect(port);
        // In one segment, so that the handler has the second line's beginning with the first.
        client.send_bytes(b"echo one\necho t");
        assert!(client.line().unwrap().ends_with("one"));
        server.signal(Signal::TERM);
        until("the listener's end", || Client::try_connect(port).is_err());
        assert!(client.ask("wo").ends_with("two"), "{handler}");
        assert_eq!(client.line().as_deref(), Some("goodbye"), "{handler}");
        all_ended_by_themselves(&mut server);
    }
}

under_models!(who_waits_for_any_bytes_ends_at_the_drain);

fn who_waits_for_any_bytes_ends_at_the_drain(model: &str) {
    let mut server = serve("idle-echo", model);
    let mut client = Client::connect(server.port());
    assert_eq!(client.ask("on"), "on");
    server.signal(Signal::TERM);
    assert_eq!(client.line().as_deref(), Some("goodbye"));
    assert!(client.ends_cleanly());
    all_ended_by_themselves(&mut server);
}

under_models!(the_end_of_the_stream_ends_them_as_well);

fn the_end_of_the_stream_ends_them_as_well(model: &str) {
    for handler in ["idle", "blocking-idle", "idle-echo"] {
        let mut server = serve(handler, model);
        let mut client = Client::connect(server.port());
        assert!(client.ask("echo on").ends_with("on"));
        client.half_close();
        assert_eq!(client.line().as_deref(), Some("goodbye"), "{handler}");
        server.signal(Signal::TERM);
        all_ended_by_themselves(&mut server);
    }
}

under_models!(a_blocking_handler_can_wait_for_the_drain);

fn a_blocking_handler_can_wait_for_the_drain(model: &str) {
    let mut server = serve("blocking", model);
    let mut client = Client::connect(server.port());
    assert_eq!(client.ask("wait"), "waiting");
    server.signal(Signal::TERM);
    assert_eq!(client.line().as_deref(), Some("drained"));
    client.bye();
    all_ended_by_themselves(&mut server);
}
