//! The limits: how many from one address, how many at once, and that the counters tell exactly what
//! happened, under every model.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
    thread,
};

use bytes::Bytes;
use serde_json::json;
use sockeye::{Conn, ConnInfo, Handler, Limits, Server};
use sockeye_testkit::{client::Client, processes::until, program::Program, under_models};
use tokio::io::AsyncWriteExt as _;

fn serve(addr: &str, model: &str, more: &[&str]) -> Program {
    let args = [&["script", addr, "--model", model], more].concat();
    Program::start(env!("CARGO_BIN_EXE_testserver"), args)
}

const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

// An iterative server has one connection at a time: from one address, then.
under_models!(one_address_has_so_many_connections_at_once_and_others_have_theirs:
    under_pool = "pool:6", under_threads = "threads:6", under_fork = "fork:6",
    under_prefork = "prefork:6", under_tasks = "tasks", under_percore = "percore:2");

fn one_address_has_so_many_connections_at_once_and_others_have_theirs(model: &str) {
    let mut server = serve("tcp://127.0.0.1:0", model, &["--limit", "max_per_ip=2"]);
    let port = server.port();
    let mut first = Client::connect(port);
    let mut second = Client::connect(port);
    assert_eq!((first.ask("echo 1"), second.ask("echo 2")), ("1".into(), "2".into()));
    assert_eq!(Client::connect(port).line(), None);
    assert_eq!(Client::connect(port).line(), None);
    let mut other = Client::connect_from(OTHER, port);
    assert_eq!(other.ask("echo other"), "other");
    first.bye();
    // The place is free a moment after the client has seen the end.
    let mut third = None;
    let mut refused = 2;
    until("a free place", || {
        let mut client = Client::connect(port);
        let served = client.try_send("echo 3").is_ok() && client.line().is_some();
        if served {
            third = Some(client)
        } else {
            refused += 1
        }
        served
    });
    for client in [second, third.unwrap(), other] {
        client.bye();
    }
    let report = server.stop();
    assert_eq!(report["stats"]["refused_per_ip"], refused, "{report}");
    assert_eq!(report["stats"]["completed"], 4, "{report}");
    assert_eq!(report["stats"]["active"], 0, "{report}");
}

under_models!(behind_a_proxy_the_client_is_counted_and_not_the_proxy:
    under_pool = "pool:6", under_threads = "threads:6", under_fork = "fork:6",
    under_prefork = "prefork:6", under_tasks = "tasks", under_percore = "percore:2");

fn behind_a_proxy_the_client_is_counted_and_not_the_proxy(model: &str) {
    let mut server = serve("proxy+tcp://127.0.0.1:0", model, &["--limit", "max_per_ip=1"]);
    let port = server.port();
    let from = |client: &str| {
        let mut connection = Client::connect(port);
        connection.send_bytes(format!("PROXY TCP4 {client} 198.51.100.1 4711 80\r\n").as_bytes());
        connection
    };
    let mut one = from("203.0.113.1");
    assert_eq!(one.ask("peer"), "203.0.113.1:4711");
    let mut other = from("203.0.113.2");
    assert_eq!(other.ask("peer"), "203.0.113.2:4711");
    assert_eq!(from("203.0.113.1").line(), None);
    assert_eq!(from("203.0.113.2").line(), None);
    one.bye();
    other.bye();
    let report = server.stop();
    assert_eq!(report["stats"]["refused_per_ip"], 2, "{report}");
    assert_eq!(report["stats"]["completed"], 2, "{report}");
    assert_eq!(report["stats"]["active"], 0, "{report}");
}

under_models!(a_client_counts_the_same_directly_and_behind_a_proxy:
    under_pool = "pool:6", under_threads = "threads:6", under_fork = "fork:6",
    under_prefork = "prefork:6", under_tasks = "tasks", under_percore = "percore:2");

fn a_client_counts_the_same_directly_and_behind_a_proxy(model: &str) {
    let proxied = "proxy+tcp://127.0.0.1:0";
    let mut server = serve("tcp://127.0.0.1:0", model, &[proxied, "--limit", "max_per_ip=2"]);
    let ports: Vec<_> = server
        .addrs()
        .iter()
        .map(|addr| addr.parse::<sockeye::Addr>().unwrap().port().unwrap())
        .collect();
    let directly = || Client::connect(ports[0]);
    let proxied = || {
        let mut client = Client::connect(ports[1]);
        client.send_bytes(b"PROXY TCP4 127.0.0.1 198.51.100.1 4711 80\r\n");
        client
    };
    let (mut first, mut second) = (directly(), proxied());
    assert_eq!((first.ask("echo 1"), second.ask("echo 2")), ("1".into(), "2".into()));
    assert_eq!((directly().line(), proxied().line()), (None, None));
    let mut other = Client::connect_from(OTHER, ports[0]);
    assert_eq!(other.ask("echo other"), "other");
    // Whichever way a place was taken, it is free for both.
    let mut refused = 2;
    let mut clients = vec![other];
    for (ended, next) in [(first, &proxied as &dyn Fn() -> Client), (second, &directly)] {
        ended.bye();
        until("a free place", || {
            let mut client = next();
            let served = client.try_send("echo 3").is_ok() && client.line().is_some();
            if served {
                clients.push(client)
            } else {
                refused += 1
            }
            served
        });
    }
    clients.into_iter().for_each(Client::bye);
    let report = server.stop();
    assert_eq!(report["stats"]["refused_per_ip"], refused, "{report}");
    assert_eq!(report["stats"]["completed"], 5, "{report}");
    assert_eq!(report["stats"]["active"], 0, "{report}");
}

under_models!(the_counters_tell_exactly_what_happened);

fn the_counters_tell_exactly_what_happened(model: &str) {
    let mut server = serve("tcp://127.0.0.1:0", model, &["--limit", "read_idle=400"]);
    let port = server.port();
    // Five that end well: 11 + 4 bytes there, 6 back.
    for _ in 0..5 {
        let mut client = Client::connect(port);
        assert_eq!(client.ask("echo hello"), "hello");
        client.bye();
    }
    // One whose handler fails, one whose handler panics: 6 bytes each.
    for command in ["error", "panic"] {
        let mut client = Client::connect(port);
        client.send(command);
        client.ends_cleanly();
    }
    // One that resets after an answer: 11 there, 6 back; told apart from a clean end.
    let mut client = Client::connect(port);
    assert_eq!(client.ask("echo hello"), "hello");
    client.reset();
    // One that falls silent after 3.
    let mut client = Client::connect(port);
    client.send_bytes(b"ech");
    assert_eq!(client.line(), None);
    let report = server.stop();
    let mut stats = report["stats"].clone();
    stats.as_object_mut().unwrap().retain(|_, count| *count != 0);
    let expected = json!({
        "accepted": 9, "completed": 5, "errors_handler": 1, "panics": 1, "errors_peer_gone": 1,
        "errors_deadline": 1, "bytes_read": 5 * 15 + 12 + 11 + 3, "bytes_written": 5 * 6 + 6,
    });
    assert_eq!(stats, expected);
}

under_models!(a_handler_sees_the_open_connections:
    under_pool = "pool:3", under_threads = "threads:3", under_prefork = "prefork:3",
    under_tasks = "tasks", under_percore = "percore:2");

fn a_handler_sees_the_open_connections(model: &str) {
    let server = serve("tcp://127.0.0.1:0", model, &[]);
    let mut clients: Vec<_> = (0..3).map(|_| Client::connect(server.port())).collect();
    for client in &mut clients {
        client.ask("echo in");
    }
    let mut ids: Vec<u64> =
        clients.iter_mut().map(|client| client.ask("id").parse().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(clients[0].ask("open"), "3");
    clients.pop().unwrap().bye();
    until("the count", || clients[0].ask("open") == "2");
}

/// Greets, tells who is refused why, and notes from where.
#[derive(Default)]
struct Greeting(Arc<Mutex<Vec<Option<IpAddr>>>>);

impl Handler for Greeting {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        conn.write_all(b"come in\n").await?;
        conn.recv(1).await.map(drop)
    }

    fn refusal(&self) -> Bytes {
        Bytes::from_static(b"too many of you\n")
    }

    fn on_refused(&self, info: &ConnInfo) {
        self.0.lock().unwrap().push(info.ip());
    }
}

#[test]
fn who_is_refused_for_the_limit_is_told_so_in_the_protocols_words() {
    for (addr, header, from) in [
        ("tcp://127.0.0.1:0", "", "127.0.0.1"),
        (
            "proxy+tcp://127.0.0.1:0",
            "PROXY TCP4 203.0.113.1 198.51.100.1 4711 80\r\n",
            "203.0.113.1",
        ),
    ] {
        let greeting = Greeting::default();
        let refused = Arc::clone(&greeting.0);
        let limits = Limits { max_per_ip: Some(1), ..Limits::default() };
        let server = Server::bind(addr).unwrap().limits(limits).signals(false).with(greeting);
        let prepared = server.prepare().unwrap();
        let (handle, port) = (prepared.handle(), prepared.addrs()[0].port().unwrap());
        let running = thread::Builder::new().spawn(move || prepared.run().unwrap()).unwrap();
        let client = || {
            let mut client = Client::connect(port);
            client.send_bytes(header.as_bytes());
            client
        };
        let mut first = client();
        assert_eq!(first.line().unwrap(), "come in");
        let mut second = client();
        assert_eq!(second.line().unwrap(), "too many of you");
        assert_eq!(second.line(), None);
        handle.stop();
        assert_eq!(running.join().unwrap().stats.refused_per_ip, 1);
        assert_eq!(*refused.lock().unwrap(), [Some(from.parse().unwrap())]);
    }
}
