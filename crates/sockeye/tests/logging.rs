//! What a handler logs can be told from what others log.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use sockeye::{Conn, Handler, Server};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

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
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
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
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for id in 1..=2 {
        let marked = format!("connection{{id={id} peer=127.0.0.1:");
        let lines: Vec<_> = log.lines().filter(|line| line.contains(&marked)).collect();
        assert!(lines.iter().any(|line| line.contains("seen")), "{log}");
        assert!(lines.iter().any(|line| line.contains("broken")), "{log}");
    }
}
