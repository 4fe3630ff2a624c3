//! The time that a line may take: each line has its own, whatever became of those before it.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{io, sync::Arc, time::Duration};

use sockeye::{Conn, Handler, Limits, Server};
use sockeye_testkit::{client::Client, running::Running};
use tokio::{io::AsyncWriteExt, sync::Notify};

const LINE_TIME: Duration = Duration::from_secs(1);

/// Reads lines; passes over one that is too long, or that the test gives up on, with `recv`.
struct Lines {
    give_up: Arc<Notify>,
}

impl Handler for Lines {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        loop {
            let line = tokio::select! {
                line = conn.read_line() => line,
                () = self.give_up.notified() => Err(io::ErrorKind::Interrupted.into()),
            };
            match line {
                Ok(Some(line)) => conn.write_all(&[&line[..], b"\n"].concat()).await?,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(error),
                Err(_) => {
                    let skipped = conn.recv(1000).await?.len();
                    conn.write_all(format!("skipped {skipped}\n").as_bytes()).await?;
                }
            }
        }
    }
}

struct Rig {
    server: Running,
    give_up: Arc<Notify>,
}

impl Rig {
    fn start() -> Self {
        let give_up = Arc::new(Notify::new());
        let handler = Lines { give_up: Arc::clone(&give_up) };
        let limits = Limits { max_line: 20, line_time: Some(LINE_TIME), ..Limits::default() };
        let server = Server::bind("tcp://127.0.0.1:0").unwrap();
        // One thread: it has seen what came first once it answers to what came later.
        let server = Running::start(server.workers(1).limits(limits).with(handler));
        Self { server, give_up }
    }

    /// Returns once the server has seen everything that was sent before.
    fn has_seen_all(&self) {
        assert_eq!(Client::connect(self.server.port()).ask("seen"), "seen");
    }

    /// Returns when a line that begins now has had its time.
    fn a_line_later(&self) {
        let mut slow = Client::connect(self.server.port());
        slow.send_bytes(b"slow");
        assert_eq!(slow.line(), None, "the line's time has no end");
    }

    /// Sends a line in two pieces and expects it back.
    fn the_next_line_has_its_own_time(&self, client: &mut Client) {
        client.send_bytes(b"ne");
        self.has_seen_all();
        assert_eq!(client.ask("xt"), "next");
    }
}

#[test]
fn a_line_after_one_that_was_too_long_has_its_own_time() {
    let rig = Rig::start();
    let mut client = Client::connect(rig.server.port());
    client.send_bytes(&[b'x'; 10]);
    rig.has_seen_all();
    client.send_bytes(&[b'x'; 10]);
    assert_eq!(client.line().as_deref(), Some("skipped 20"));
    rig.a_line_later();
    rig.the_next_line_has_its_own_time(&mut client);
}

#[test]
fn a_line_after_one_that_was_given_up_has_its_own_time() {
    let rig = Rig::start();
    let mut client = Client::connect(rig.server.port());
    client.send_bytes(b"begun");
    rig.has_seen_all();
    rig.give_up.notify_one();
    assert_eq!(client.line().as_deref(), Some("skipped 5"));
    rig.a_line_later();
    rig.the_next_line_has_its_own_time(&mut client);
}

#[test]
fn a_line_that_is_read_on_after_a_cancelled_read_keeps_its_time() {
    struct Impatient;
    impl Handler for Impatient {
        async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
            loop {
                tokio::select! {
                    biased;
                    line = conn.read_line() => return line.map(drop),
                    () = tokio::task::yield_now() => {}
                }
            }
        }
    }
    let limits = Limits { line_time: Some(LINE_TIME), ..Limits::default() };
    let server = Server::bind("tcp://127.0.0.1:0").unwrap().limits(limits).with(Impatient);
    let server = Running::start(server);
    let mut client = Client::connect(server.port());
    client.send_bytes(b"begun");
    assert_eq!(client.line(), None);
    assert_eq!(server.drain().stats.errors_deadline, 1);
}
