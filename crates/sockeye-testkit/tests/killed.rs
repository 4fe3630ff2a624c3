//! Processes that are killed: children, workers, zygotes, the server itself.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use sockeye_testkit::{
    client::Client,
    processes::{self, Watched, until},
    program::{PATIENCE, Program, send_signal},
    under_models,
};

fn serve(model: &str, more: &[&str]) -> Program {
    let args = [&["script", "tcp://127.0.0.1:0", "--model", model], more].concat();
    Program::start(env!("CARGO_BIN_EXE_testserver"), args)
}

/// The server's zygotes: the one that works, and the one that waits.
fn zygotes(server: &Program) -> (u32, u32) {
    let first = processes::children(server.pid())[0];
    (first, first_child(first))
}

/// What a zygote forks first: the one that is to take its place.
fn first_child(zygote: u32) -> u32 {
    let mut first = None;
    until("a zygote that waits", || {
        first = processes::children(zygote).first().copied();
        first.is_some()
    });
    first.unwrap()
}

fn kill(pid: u32) {
    send_signal(pid, Signal::KILL);
}

#[test]
fn a_killed_child_is_counted_and_its_place_is_free_again() {
    let mut server = serve("fork:1", &["--limit", "max_per_ip=1"]);
    for round in 1..=3 {
        let mut client = Client::connect(server.port());
        kill(client.ask("pid").parse().unwrap());
        assert_eq!(client.line(), None);
        // The only place; and the only one for this address.
        let mut next = None;
        until("a free place", || {
            let mut client = Client::connect(server.port());
            let served = client.try_send("echo next").is_ok() && client.line().is_some();
            next = served.then_some(client);
            served
        });
        let mut next = next.unwrap();
        assert_eq!((next.counter("crashes"), next.counter("active")), (round, 1));
        next.bye();
    }
    let report = server.stop();
    assert_eq!(report["stats"]["crashes"], 3, "{report}");
    assert_eq!(report["stats"]["errors_crash"], 3, "{report}");
    assert_eq!(report["stats"]["completed"], 3, "{report}");
    assert_eq!(report["stats"]["zygotes_restarted"], 0, "{report}");
}

#[test]
fn a_killed_worker_is_replaced_and_its_connection_no_longer_counts() {
    let mut server = serve("prefork:2", &["--limit", "max_per_ip=2"]);
    let mut other = Client::connect(server.port());
    assert_eq!(other.ask("echo on"), "on");
    for round in 1..=4 {
        let mut client = Client::connect(server.port());
        kill(client.ask("pid").parse().unwrap());
        assert_eq!(client.line(), None);
        until("another worker", || other.counter("workers_restarted") == round);
        assert_eq!(other.ask("echo on"), "on");
    }
    let mut last = Client::connect(server.port());
    assert_eq!(last.ask("echo last"), "last");
    assert_eq!((last.counter("active"), last.counter("crashes")), (2, 4));
    last.bye();
    other.bye();
    let report = server.stop();
    assert_eq!(report["stats"]["workers_restarted"], 4, "{report}");
    assert_eq!(report["stats"]["errors_crash"], 4, "{report}");
    assert_eq!(report["stats"]["active"], 0, "{report}");
    assert_eq!(report["stats"]["refused_per_ip"], 0, "{report}");
}

#[test]
fn a_worker_that_dies_again_and_again_is_replaced_ever_more_slowly() {
    let server = serve("prefork:1", &[]);
    let began = Instant::now();
    for _ in 0..6 {
        let mut client = Client::connect(server.port());
        kill(client.ask("pid").parse().unwrap());
    }
    assert_eq!(Client::connect(server.port()).ask("echo on"), "on");
    // 10 + 20 + 40 + 80 + 160 + 320 ms.
    assert!(began.elapsed() >= Duration::from_millis(630), "{:?}", began.elapsed());
}

/// Clients that come one after the other until told to stop: how many were answered, and how many
/// lost theirs.
struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<thread::JoinHandle<u64>>,
    answered: Arc<AtomicU64>,
}

impl Load {
    fn start(port: u16) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let client = || {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            let work = move || {
                let mut lost = 0;
                while !stop.load(Relaxed) {
                    let Ok(mut client) = Client::try_connect(port) else { break };
                    let sent = client.try_send("echo hello\nbye").is_ok();
                    if sent && client.line().is_some() {
                        answered.fetch_add(1, Relaxed);
                        client.ends_cleanly();
                    } else {
                        lost += 1;
                    }
                }
                lost
            };
            thread::Builder::new().spawn(work).unwrap()
        };
        let clients = (0..4).map(|_| client()).collect();
        Self { clients, stop: Arc::clone(&stop), answered: Arc::clone(&answered) }
    }

    /// How many connections were answered until now.
    fn answered(&self) -> u64 {
        self.answered.load(Relaxed)
    }

    /// Ends it: how many connections were answered, and how many lost.
    fn end(self) -> (u64, u64) {
        self.stop.store(true, Relaxed);
        let lost = self.clients.into_iter().map(|client| client.join().unwrap()).sum();
        (self.answered.load(Relaxed), lost)
    }
}

under_models!(a_killed_zygote_is_replaced_under_load:
    under_fork = "fork:8", under_prefork = "prefork:5");

fn a_killed_zygote_is_replaced_under_load(model: &str) {
    let mut server = serve(model, &[]);
    let mut watcher = Client::connect(server.port());
    watcher.ask("echo on");
    let load = Load::start(server.port());
    // The first, whose place the second takes; then a waiting one; then again.
    let (first, second) = zygotes(&server);
    kill(first);
    until("the second's turn", || watcher.counter("zygotes_restarted") == 1);
    kill(first_child(second));
    until("another second", || watcher.counter("zygotes_restarted") == 2);
    let before = watcher.counter("accepted");
    until("more", || {
        watcher.counter("accepted") > before + u64::from(model.starts_with("fork")) * 20
    });
    watcher.bye();
    let (answered, lost) = load.end();
    let report = server.stop();
    let stats = &report["stats"];
    // What the dying zygote was just about to fork may be lost, and is counted.
    assert_eq!(stats["crashes"], lost, "{report}");
    assert_eq!(stats["completed"], answered + 1, "{report}");
    assert_eq!(stats["zygotes_restarted"], 2, "{report}");
}

under_models!(when_both_zygotes_are_killed_the_server_ends_and_says_why:
    under_fork = "fork:4", under_prefork = "prefork:4");

fn when_both_zygotes_are_killed_the_server_ends_and_says_why(model: &str) {
    let mut server = serve(model, &[]);
    let mut client = Client::connect(server.port());
    assert_eq!(client.ask("echo on"), "on");
    let (first, second) = zygotes(&server);
    // Stopped, the server finds both dead at the same moment.
    server.signal(Signal::STOP);
    kill(second);
    kill(first);
    server.signal(Signal::CONT);
    let failed = server.event("failed");
    let text = failed["error"].as_str().unwrap();
    assert!(text.contains("both zygotes have died"), "{text}");
    assert_eq!(server.wait().code(), Some(1));
    // No process is left, the client's neither.
    server.last_events();
    assert_eq!(client.line(), None);
}

under_models!(when_the_server_is_killed_its_children_end:
    under_fork = "fork:4", under_prefork = "prefork:4");

fn when_the_server_is_killed_its_children_end(model: &str) {
    let mut server = serve(model, &[]);
    let mut busy = Client::connect(server.port());
    assert_eq!(busy.ask("hang"), "hanging");
    let mut idle = Client::connect(server.port());
    assert_eq!(idle.ask("echo on"), "on");
    kill(server.pid());
    // Every process that writes to the server's output has ended.
    server.last_events();
    assert_eq!((busy.line(), idle.line()), (None, None));
}

under_models!(when_the_server_is_killed_its_children_end_also_in_blocking_code:
    under_fork = "fork:4", under_prefork = "prefork:4");

fn when_the_server_is_killed_its_children_end_also_in_blocking_code(model: &str) {
    let mut server = serve(model, &[]);
    let mut clients: Vec<_> = (0..2).map(|_| Client::connect(server.port())).collect();
    for client in &mut clients {
        assert_eq!(client.ask("block"), "blocking");
    }
    let (first, second) = zygotes(&server);
    let processes = processes::descendants(server.pid());
    assert!(processes.contains(&first) && processes.contains(&second) && processes.len() >= 4);
    let processes: Vec<_> = processes.into_iter().map(Watched::new).collect();
    kill(server.pid());
    processes.iter().for_each(Watched::ends);
    server.last_events();
}

under_models!(children_in_blocking_code_outlive_their_zygote_and_not_their_server:
    under_fork = "fork:4", under_prefork = "prefork:4");

fn children_in_blocking_code_outlive_their_zygote_and_not_their_server(model: &str) {
    let mut server = serve(model, &[]);
    let mut watcher = Client::connect(server.port());
    let mut clients = Vec::new();
    let (first, second) = zygotes(&server);
    for (round, zygote) in [(1, first), (2, second)] {
        let mut client = Client::connect(server.port());
        let child = Watched::new(client.ask("pid").parse().unwrap());
        assert_eq!(client.ask("block"), "blocking");
        clients.push((client, child));
        first_child(zygote);
        kill(zygote);
        until("the second's turn", || watcher.counter("zygotes_restarted") == round);
    }
    let watching = Watched::new(watcher.ask("pid").parse().unwrap());
    assert!(clients.iter().all(|(_, child)| !child.has_ended()));
    kill(server.pid());
    clients.iter().for_each(|(_, child)| child.ends());
    watching.ends();
    server.last_events();
}

#[test]
fn signals_to_the_whole_group_reach_the_server_alone() {
    let mut server = serve("fork:4", &[]);
    let mut client = Client::connect(server.port());
    let child: u32 = client.ask("pid").parse().unwrap();
    let (first, second) = zygotes(&server);
    [first, second, child].into_iter().for_each(signal_as_one_of_the_group);
    assert_eq!(client.ask("echo on"), "on");
    assert_eq!(Client::connect(server.port()).ask("echo new"), "new");
    client.bye();
    let report = server.stop();
    assert_eq!(report["stats"]["zygotes_restarted"], 0, "{report}");
    assert_eq!(report["stats"]["crashes"], 0, "{report}");
}

/// Sends what a terminal's Ctrl-C, a service manager's stop and the end of a session do.
fn signal_as_one_of_the_group(pid: u32) {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        send_signal(pid, signal);
    }
}

/// Waits, without a rest, for a process that `parent` forks beside those `known`.
fn forked(parent: u32, known: &[u32]) -> u32 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(&new) = processes::children(parent).iter().find(|pid| !known.contains(pid)) {
            return new;
        }
        assert!(Instant::now() < deadline, "nothing is forked");
    }
}

/// Signals a process again and again, from its first moment until it has certainly begun its work.
fn signal_at_every_step(pid: u32) {
    (0..2000).for_each(|_| signal_as_one_of_the_group(pid));
}

under_models!(a_zygote_is_deaf_to_its_groups_signals_from_its_first_moment:
    under_fork = "fork:4", under_prefork = "prefork:4");

fn a_zygote_is_deaf_to_its_groups_signals_from_its_first_moment(model: &str) {
    const REPLACED: u64 = 10;
    let args = ["script", "tcp://127.0.0.1:0", "--model", model];
    let mut server = Program::launch(env!("CARGO_BIN_EXE_testserver"), args);
    let first = forked(server.pid(), &[]);
    signal_at_every_step(first);
    server.ready();
    let mut client = Client::connect(server.port());
    assert_eq!(client.ask("echo on"), "on");
    // All that are forked at the start, so that who comes later is a zygote: beside the waiting one, the
    // client's child or the workers.
    let others = if model.starts_with("prefork") { 4 } else { 1 };
    until("those of the start", || processes::children(first).len() == 1 + others);
    // A process that has the place of the waiting one is as new.
    let mut second = first_child(first);
    for _ in 0..REPLACED {
        let known = processes::children(first);
        kill(second);
        second = forked(first, &known);
        signal_at_every_step(second);
    }
    until("all to be noted", || client.counter("zygotes_restarted") >= REPLACED);
    // It waits, and takes over.
    kill(first);
    until("the second's turn", || client.counter("zygotes_restarted") > REPLACED);
    assert_eq!(client.ask("echo on"), "on");
    client.bye();
    let report = server.stop();
    assert_eq!(report["stats"]["zygotes_restarted"], REPLACED + 1, "{report}");
    assert_eq!(report["stats"]["crashes"], 0, "{report}");
}

#[test]
fn the_server_keeps_one_descriptor_for_each_child() {
    let server = serve("fork:30", &[]);
    let mut clients = vec![Client::connect(server.port())];
    clients[0].ask("echo warm");
    let before = processes::open_files(server.pid());
    for _ in 0..20 {
        let mut client = Client::connect(server.port());
        client.ask("echo in");
        clients.push(client);
    }
    // The child's own is enough: held by the server as well, the connection would not end with it.
    // The server's copy of the first one's may have counted still, and is closed as well.
    let settled = [before + 19, before + 20];
    until("the server's copies are closed", || {
        settled.contains(&processes::open_files(server.pid()))
    });
}

under_models!(the_socket_of_a_killed_server_is_taken_over_and_a_live_one_is_not);

fn the_socket_of_a_killed_server_is_taken_over_and_a_live_one_is_not(model: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.sock");
    let addr = format!("unix://{}", path.display());
    let args = ["script", &addr, "--model", model];
    let program = env!("CARGO_BIN_EXE_testserver");
    let mut first = Program::start(program, args);
    let mut refused = Program::launch(program, args);
    let error = refused.event("failed")["error"].to_string();
    assert!(error.contains("in use") && error.contains("server.sock"), "{error}");
    let hello = || {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"echo hello\nbye\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "hello\n");
    };
    hello();
    kill(first.pid());
    first.last_events();
    assert!(path.exists(), "it had no time to remove it");
    let mut second = Program::start(program, args);
    hello();
    second.stop();
    assert!(!path.exists(), "it is removed in the end");
    // What is no socket is never touched.
    std::fs::write(&path, "mine").unwrap();
    let mut refused = Program::launch(program, args);
    refused.event("failed");
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}

/// Kills children and workers, again and again, under load; the zygotes are left alone.
fn survives_kills_for(model: &str, time: Duration) {
    let mut server = serve(model, &[]);
    let mut watcher = Client::connect(server.port());
    let watching: u32 = watcher.ask("pid").parse().unwrap();
    let load = Load::start(server.port());
    let end = Instant::now() + time;
    let mut turn = 0_usize;
    // On a busy machine it may take long until there is anybody to kill whose work is not done.
    while Instant::now() < end || watcher.counter("crashes") == 0 {
        assert!(Instant::now() < end + PATIENCE, "nobody is killed in the middle of anything");
        let Some(&first) = processes::children(server.pid()).first() else { break };
        // The first of the zygote's is the other zygote.
        let mut forked =
            processes::children(first).into_iter().skip(1).filter(|&pid| pid != watching);
        turn += 1;
        if let Some(victim) = forked.nth(turn % 4) {
            let pid = i32::try_from(victim).ok().and_then(rustix::process::Pid::from_raw);
            // It may have ended by itself.
            let _ = rustix::process::kill_process(pid.unwrap(), Signal::KILL);
        }
        // Those who are left have done something meanwhile.
        let next = load.answered() + 10;
        until("more answers", || load.answered() >= next);
    }
    let (answered, _) = load.end();
    until("an answer", || {
        Client::try_connect(server.port()).is_ok_and(|mut client| {
            client.try_send("echo still\nbye").is_ok() && client.line().is_some()
        })
    });
    watcher.bye();
    let report = server.stop();
    let stats = &report["stats"];
    let count = |name: &str| stats[name].as_u64().unwrap();
    assert!(count("completed") >= answered.saturating_sub(count("crashes")), "{answered} {report}");
    assert!(count("crashes") > 0, "{report}");
    assert_eq!((count("active"), count("zygotes_restarted")), (0, 0), "{report}");
}

under_models!(children_killed_under_load_are_counted_and_the_others_served:
    under_fork = "fork:8", under_prefork = "prefork:8");

fn children_killed_under_load_are_counted_and_the_others_served(model: &str) {
    survives_kills_for(model, Duration::from_millis(500));
}

#[test]
#[ignore = "soak: scripts/soak runs it"]
fn soak_children_are_killed_under_load_for_long() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(60)) / 2;
    survives_kills_for("fork:8", time);
    survives_kills_for("prefork:8", time);
}

#[test]
#[ignore = "soak: scripts/soak runs it"]
fn soak_zygotes_are_killed_under_load_again_and_again() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(60));
    while Instant::now() < end {
        a_killed_zygote_is_replaced_under_load("fork:8");
        a_killed_zygote_is_replaced_under_load("prefork:5");
        when_both_zygotes_are_killed_the_server_ends_and_says_why("fork:4");
        when_the_server_is_killed_its_children_end("prefork:4");
    }
}
