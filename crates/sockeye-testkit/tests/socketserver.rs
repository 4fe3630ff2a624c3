//! What CPython's test_socketserver holds its classes to, and ours hold too, under every model.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::thread;

use rustix::process::Signal;
use sockeye::{Conn, Handler, Model, Server};
use sockeye_testkit::{
    client::Client,
    processes::{self, until},
    program::{Program, send_signal},
    under_models,
};

fn serve(handler: &str, model: &str, more: &[&str]) -> Program {
    let args = [&[handler, "tcp://127.0.0.1:0", "--model", model], more].concat();
    Program::start(env!("CARGO_BIN_EXE_testserver"), args)
}

/// The events of one name, told by all processes of a server that has ended.
fn told(server: &Program, name: &str) -> Vec<serde_json::Value> {
    server.seen(name)
}

/// What one of twenty servers left behind would be there eighteen times; a thread that is about to
/// end may still hold two or three descriptors.
#[track_caller]
fn assert_nothing_piles_up(second: &serde_json::Value, last: &serde_json::Value) {
    let files = |ready: &serde_json::Value| ready["files"].as_u64().unwrap();
    assert!(files(last) < files(second) + 10, "{second} {last}");
    assert_eq!(last["children"], second["children"]);
}

under_models!(twenty_servers_stopped_right_after_start_leave_nothing);

fn twenty_servers_stopped_right_after_start_leave_nothing(model: &str) {
    let mut server = serve("script", model, &["--times", "20", "--end", "drained"]);
    let mut report = server.event("report");
    let second = server.event("ready");
    let mut last = second.clone();
    for _ in 2..20 {
        report = server.event("report");
        last = server.event("ready");
    }
    assert_eq!(report["stats"]["accepted"], 0);
    assert_nothing_piles_up(&second, &last);
    server.finished();
}

under_models!(a_prepared_server_that_never_serves_is_dropped_without_a_trace);

fn a_prepared_server_that_never_serves_is_dropped_without_a_trace(model: &str) {
    let mut server = serve("script", model, &["--times", "20", "--end", "unserved"]);
    server.event("dropped");
    let second = server.event("ready");
    let mut last = second.clone();
    for _ in 2..20 {
        server.event("dropped");
        last = server.event("ready");
    }
    server.event("dropped");
    assert!(server.wait().success());
    assert_nothing_piles_up(&second, &last);
    assert_eq!(server.last_events(), [] as [serde_json::Value; 0]);
}

#[test]
fn a_server_in_another_thread_is_stopped_right_after_its_start() {
    struct Nothing;
    impl Handler for Nothing {
        async fn handle(&self, _: &mut Conn) -> std::io::Result<()> {
            Ok(())
        }
    }
    let models = [
        Model::Iterative,
        Model::ThreadPool(2),
        Model::ThreadPerConnection { max: 2 },
        Model::Tasks,
        Model::PerCore(2),
    ];
    for model in models {
        for round in 0..20 {
            let server = Server::bind("tcp://127.0.0.1:0").unwrap().model(model).signals(false);
            let prepared = server.with(Nothing).prepare().unwrap();
            let handle = prepared.handle();
            let running = thread::Builder::new().spawn(move || prepared.run().unwrap()).unwrap();
            if round % 2 == 0 {
                handle.drain()
            } else {
                handle.stop()
            }
            until("the server's end", || running.is_finished());
            assert_eq!(running.join().unwrap().stats.accepted, 0);
        }
    }
}

under_models!(children_are_buried_and_an_unrelated_child_is_not:
    under_fork = "fork:4", under_prefork = "prefork:4");

fn children_are_buried_and_an_unrelated_child_is_not(model: &str) {
    let mut server = serve("script", model, &["--bystander"]);
    for _ in 0..10 {
        Client::connect(server.port()).bye();
    }
    // The bystander has ended and waits for the program to ask for it.
    let family = processes::children(server.pid());
    assert_eq!(family.len(), 2, "the zygote and the bystander");
    until("the bystander's end", || family.iter().any(|&pid| processes::state(pid) == Some('Z')));
    let zygote = *family.iter().find(|&&pid| processes::state(pid) != Some('Z')).unwrap();
    until("the children's end", || {
        let children = processes::children(zygote);
        let workers = if model.starts_with("prefork") { 4 } else { 0 };
        // One more is the second zygote.
        children.len() == 1 + workers
            && children.iter().all(|&pid| processes::state(pid) != Some('Z'))
    });
    let report = server.stop();
    assert_eq!(report["stats"]["completed"], 10);
    assert_eq!(told(&server, "bystander")[0]["code"], 7);
}

under_models!(an_error_or_a_panic_reaches_on_error_exactly_once);

fn an_error_or_a_panic_reaches_on_error_exactly_once(model: &str) {
    for handler in ["script", "steps", "blocking", "report-panics"] {
        let mut server = serve(handler, model, &[]);
        for command in ["error", "panic"] {
            let mut client = Client::connect(server.port());
            client.send(command);
            client.ends_cleanly();
        }
        // The server goes on.
        Client::connect(server.port()).bye();
        let report = server.stop();
        let stats = &report["stats"];
        let mut kinds: Vec<_> =
            told(&server, "error").iter().map(|event| event["kind"].clone()).collect();
        kinds.sort_by_key(ToString::to_string);
        assert_eq!(kinds, ["handler", "panic"], "{handler}: {report}");
        assert_eq!(stats["errors_handler"], 1, "{handler}: {report}");
        assert_eq!(stats["panics"], 1, "{handler}: {report}");
        // A panic in on_error itself is counted apart: the connection has its end already.
        let reporting = if handler == "report-panics" { 2 } else { 0 };
        assert_eq!(stats["panics_reporting"], reporting, "{handler}: {report}");
        assert_eq!(stats["completed"], 1, "{handler}: {report}");
        assert_eq!((&stats["active"], &stats["crashes"]), (&0.into(), &0.into()), "{report}");
    }
}

under_models!(a_connection_that_verify_refuses_is_closed_once_and_never_handled);

fn a_connection_that_verify_refuses_is_closed_once_and_never_handled(model: &str) {
    let mut server = serve("refuse", model, &[]);
    for _ in 0..3 {
        assert!(Client::connect(server.port()).ends_cleanly());
    }
    let report = server.stop();
    let steps: Vec<_> = told(&server, "step").iter().map(|step| step["step"].clone()).collect();
    assert_eq!(steps, ["verify"; 3]);
    assert_eq!(report["stats"]["refused_by_verify"], 3);
    assert_eq!((&report["stats"]["completed"], &report["stats"]["active"]), (&0.into(), &0.into()));
    assert_eq!(told(&server, "error"), [] as [serde_json::Value; 0]);
}

under_models!(what_a_handler_writes_arrives_without_a_flush);

fn what_a_handler_writes_arrives_without_a_flush(model: &str) {
    for handler in ["script", "blocking"] {
        let server = serve(handler, model, &[]);
        let mut client = Client::connect(server.port());
        assert!(client.ask("echo it").ends_with("it"));
    }
}

under_models!(a_huge_write_interrupted_by_signals_completes);

fn a_huge_write_interrupted_by_signals_completes(model: &str) {
    const PIECES: usize = 2048;
    const PIECE: usize = 16 << 10;
    let server = serve("script", model, &["--reload"]);
    let mut client = Client::connect(server.port());
    let writer: u32 = client.ask("pid").parse().unwrap();
    client.send(&format!("big {}", PIECES * PIECE));
    let mut at = 0;
    for _ in 0..PIECES {
        // The writer fills the room that each piece leaves, or waits for more.
        for pid in [server.pid(), writer] {
            send_signal(pid, Signal::HUP);
        }
        for byte in client.bytes(PIECE) {
            assert_eq!(usize::from(byte), (at % (251 * 256)) % 251, "at {at}");
            at += 1;
        }
    }
    assert_eq!(client.ask("echo still"), "still");
}

under_models!(finished_threads_and_children_are_not_kept:
    under_threads = "threads:4", under_fork = "fork:4", under_tasks = "tasks");

fn finished_threads_and_children_are_not_kept(model: &str) {
    let mut server = serve("script", model, &[]);
    let mut first = Client::connect(server.port());
    first.ask("echo warm");
    let pid = server.pid();
    let zygotes = processes::children(pid);
    let count = || {
        let forked = zygotes.first().map_or(0, |&zygote| processes::children(zygote).len());
        (processes::threads(pid), forked, processes::open_files(pid))
    };
    let before = count();
    for _ in 0..40 {
        Client::connect(server.port()).bye();
    }
    until("what served them is gone", || count() == before);
    drop(first);
    assert_eq!(server.stop()["stats"]["completed"], 41);
}

under_models!(finish_runs_whatever_became_of_handle_but_not_without_setup);

fn finish_runs_whatever_became_of_handle_but_not_without_setup(model: &str) {
    for (handler, command, expected) in [
        ("steps", "bye", &["setup", "handle", "finish"][..]),
        ("steps", "error", &["setup", "handle", "finish"]),
        ("steps", "panic", &["setup", "handle", "finish"]),
        ("setup-fails", "bye", &["setup"]),
    ] {
        let mut server = serve(handler, model, &[]);
        let mut client = Client::connect(server.port());
        let _ = client.try_send(command);
        client.ends_cleanly();
        let report = server.stop();
        let steps: Vec<_> = told(&server, "step").iter().map(|step| step["step"].clone()).collect();
        assert_eq!(steps, expected, "{command}");
        let failed = usize::from(command != "bye" || handler == "setup-fails");
        assert_eq!(told(&server, "error").len(), failed, "{command}: {report}");
    }
}

under_models!(at_its_most_the_next_client_waits_in_the_backlog:
    under_iterative = "iterative", under_pool = "pool:2", under_threads = "threads:2",
    under_fork = "fork:2", under_prefork = "prefork:2", under_tasks = "tasks",
    under_percore = "percore:2");

fn at_its_most_the_next_client_waits_in_the_backlog(model: &str) {
    let most = if model == "iterative" { 1 } else { 2 };
    let mut server = serve("script", model, &["--limit", "max_connections=2"]);
    let mut served: Vec<_> = (0..most).map(|_| Client::connect(server.port())).collect();
    for client in &mut served {
        assert_eq!(client.ask("echo in"), "in");
    }
    let mut next = Client::connect(server.port());
    next.send("echo at last");
    for client in &mut served {
        assert_eq!(client.ask("full"), "true");
        assert_eq!(client.counter("accepted"), most);
        assert_eq!(client.counter("active"), most);
    }
    served.pop().unwrap().bye();
    assert_eq!(next.line().unwrap(), "at last");
    drop((served, next));
    assert_eq!(server.stop()["stats"]["completed"], most + 1);
}
