//! What a handler logs can be told from what others log.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use rustix::process::{Signal, getpid, kill_process};
use sockeye::{Conn, DatagramHandler, Handler, Limits, Model, Packet, Server};
use sockeye_testkit::{client::Client, program::PATIENCE, running::Running};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// What keeps lines of this level and above here.
    fn subscriber(&self, level: tracing::Level) -> impl tracing::Subscriber + Send + Sync + use<> {
        tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish()
    }
}

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

struct Warns;

impl Handler for Warns {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        tracing::warn!(number = conn.info().id().to_string(), "seen");
        Err(io::Error::other("broken"))
    }
}

#[tokio::test]
async fn every_line_of_a_connection_carries_its_id_and_peer_at_any_level() {
    let log = Log::default();
    let _logged = tracing::subscriber::set_default(log.subscriber(tracing::Level::WARN));
    let prepared = Server::bind("tcp://127.0.0.1:0").unwrap().with(Warns).prepare().unwrap();
    let handle = prepared.handle();
    let client = async {
        for _ in 0..2 {
            let port = handle.addrs()[0].port().unwrap();
            let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let _ = client.read(&mut [0]).await;
        }
        handle.drain();
    };
    let (report, ()) = tokio::join!(prepared.run_async(), client);
    assert_eq!(report.unwrap().stats.errors_handler, 2);
    for id in 1..=2 {
        assert_marked(&log.text(), &format!("connection{{id={id} peer=127.0.0.1:"));
    }
}

/// What the handler logged, and what the server logged of its failure, is marked.
#[track_caller]
fn assert_marked(log: &str, mark: &str) {
    let lines: Vec<_> = log.lines().filter(|line| line.contains(mark)).collect();
    assert!(lines.iter().any(|line| line.contains("seen")), "{log}");
    assert!(lines.iter().any(|line| line.contains("broken")), "{log}");
}

#[test]
fn so_does_every_line_in_the_threads_of_any_model() {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.subscriber(tracing::Level::WARN)).unwrap();
    for model in ["iterative", "pool:2", "threads:2", "tasks", "percore:2"] {
        let server = Server::bind("tcp://127.0.0.1:0").unwrap().model(model.parse().unwrap());
        let server = Running::start(server.with(Warns));
        let mut client = Client::connect(server.port());
        let own = client.local();
        assert_eq!(client.line(), None, "{model}");
        server.drain();
        assert_marked(&log.text(), &format!("connection{{id=1 peer={own}}}"));
    }
}

/// Answers, and never ends.
struct Hangs;

impl DatagramHandler for Hangs {
    async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
        packet.reply(b"hanging").await?;
        std::future::pending().await
    }
}

#[test]
fn a_drain_tells_how_many_are_open_and_which_datagram_it_cut() {
    let log = Log::default();
    let subscriber = log.subscriber(tracing::Level::INFO);
    let (ready, port) = mpsc::channel();
    let (end, ended) = mpsc::channel();
    // All of it in one thread, which logs here.
    let serve = move || {
        let limits = Limits { drain: Duration::from_millis(100), ..Limits::default() };
        let server = Server::bind_datagram("udp://127.0.0.1:0").unwrap().limits(limits);
        let server = server.model(Model::Iterative).with(Hangs);
        let port = server.addrs()[0].port().unwrap();
        let server = server.on_ready(move || ready.send(port).unwrap());
        end.send(tracing::subscriber::with_default(subscriber, || server.run().unwrap())).unwrap();
    };
    thread::Builder::new().spawn(serve).unwrap();
    let port = port.recv_timeout(PATIENCE).unwrap();
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.send_to(b"hello", (Ipv4Addr::LOCALHOST, port)).unwrap();
    client.recv(&mut [0; 16]).unwrap();
    kill_process(getpid(), Signal::TERM).unwrap();
    let report = ended.recv_timeout(PATIENCE).unwrap();
    assert_eq!(report.stats.packets_cut, 1, "{report}");
    let text = log.text();
    assert!(text.contains("draining; a second signal") && text.contains(" open=1 "), "{text}");
    let peer = client.local_addr().unwrap();
    assert!(
        text.contains("a datagram was cut") && text.contains(&format!("peer={peer}")),
        "{text}"
    );
}
