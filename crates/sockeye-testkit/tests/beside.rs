//! Two servers in one process: neither keeps what is the other's.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::net::{Ipv4Addr, TcpListener};

use rustix::process::Signal;
use sockeye_testkit::{client::Client, processes::until, program::Program, under_models};

/// A server, and the port of the one beside it.
fn serve(model: &str) -> (Program, u16) {
    let args = ["script", "tcp://127.0.0.1:0", "--model", model, "--beside"];
    let mut server = Program::launch(env!("CARGO_BIN_EXE_testserver"), args);
    let ready = server.ready();
    let beside: sockeye::Addr = ready["beside"].as_str().unwrap().parse().unwrap();
    (server, beside.port().unwrap())
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

under_models!(another_server_in_the_process_does_not_hold_up_the_drain:
    under_fork = "fork:4", under_prefork = "prefork:4");

fn another_server_in_the_process_does_not_hold_up_the_drain(model: &str) {
    let (mut server, _) = serve(model);
    let mut client = Client::connect(server.port());
    assert_eq!(client.ask("wait"), "waiting");
    server.signal(Signal::INT);
    assert_eq!(client.line().as_deref(), Some("drained"));
    // And the cut arrives as well.
    assert_eq!(client.ask("hang"), "hanging");
    let report = server.stop();
    assert_eq!((&report["stats"]["cut"], &report["stats"]["crashes"]), (&1.into(), &0.into()));
    assert_eq!(report["stats"]["bytes_written"], 24, "{report}");
}

under_models!(each_of_two_servers_drains_and_frees_its_port);

fn each_of_two_servers_drains_and_frees_its_port(model: &str) {
    for first_goes_first in [true, false] {
        let (mut server, beside) = serve(model);
        let mut ends = [("report", server.port()), ("beside-report", beside)];
        if !first_goes_first {
            ends.reverse();
        }
        let mut clients = ends.map(|(_, port)| Client::connect(port));
        assert_eq!(clients[1].ask("echo in"), "in");
        for ((event, port), mut client) in ends.into_iter().zip(clients) {
            assert!(!is_free(port), "{event}");
            assert_eq!(client.ask("drain"), "draining");
            client.bye();
            let report = server.event(event);
            assert_eq!(report["stats"]["completed"], 1, "{report}");
            // The waiting zygote ends a moment after the server has.
            until("a free port", || is_free(port));
        }
        assert!(server.wait().success());
        server.last_events();
    }
}

under_models!(a_server_is_signalled_as_before_when_another_has_ended);

fn a_server_is_signalled_as_before_when_another_has_ended(model: &str) {
    let (mut server, beside) = serve(model);
    let mut client = Client::connect(server.port());
    assert_eq!(client.ask("wait"), "waiting");
    let mut other = Client::connect(beside);
    assert_eq!(other.ask("drain"), "draining");
    other.bye();
    server.event("beside-report");
    server.signal(Signal::TERM);
    assert_eq!(client.line().as_deref(), Some("drained"));
    client.bye();
    let report = server.finished();
    assert_eq!((&report["stats"]["completed"], &report["stats"]["cut"]), (&1.into(), &0.into()));
}

under_models!(one_signal_drains_both_and_a_second_cuts_both);

fn one_signal_drains_both_and_a_second_cuts_both(model: &str) {
    let (mut server, beside) = serve(model);
    let mut clients = [server.port(), beside].map(Client::connect);
    for client in &mut clients {
        assert_eq!(client.ask("wait"), "waiting");
    }
    server.signal(Signal::TERM);
    for client in &mut clients {
        assert_eq!(client.line().as_deref(), Some("drained"));
        assert_eq!(client.ask("hang"), "hanging");
    }
    server.signal(Signal::INT);
    for event in ["report", "beside-report"] {
        let report = server.event(event);
        assert_eq!(report["stats"]["cut"], 1, "{event}: {report}");
    }
    assert!(server.wait().success());
}

#[test]
fn a_connection_that_is_open_while_another_server_is_prepared_ends_with_its_own() {
    let args = ["script", "tcp://127.0.0.1:0", "--model", "tasks", "--end", "interrupted"];
    let mut server = Program::start(env!("CARGO_BIN_EXE_testserver"), args);
    let mut client = Client::connect(server.port());
    assert!(client.ask("beside").starts_with("tcp://127.0.0.1:"));
    // The server closes its end and does no more: only the last copy ends the connection.
    client.half_close();
    assert!(client.ends_cleanly());
    Client::connect(server.port()).bye();
    server.stop();
}
