//! Urgent data among the other bytes, as Telnet's and FTP's interrupts have it.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    io::{self, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::Duration,
};

use rustix::net::SendFlags;
use sockeye::{Conn, Handler, Model, Server, Stream, socket::StreamKind};
use sockeye_testkit::{client::Client, running::Running};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The two ends of a connection, server's first.
fn tcp() -> (Stream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client.set_nodelay(true).unwrap();
    let (server, _) = listener.accept().unwrap();
    (Stream::from_fd(server.into(), StreamKind::Tcp).unwrap(), client)
}

/// The last byte of these is urgent.
fn send_urgent(client: &impl std::os::fd::AsFd, bytes: &[u8]) {
    assert_eq!(rustix::net::send(client, bytes, SendFlags::OOB).unwrap(), bytes.len());
}

async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("it takes too long")
}

#[tokio::test]
async fn an_urgent_byte_is_read_where_it_was_sent() {
    let (mut server, mut client) = tcp();
    server.set_urgent_inline(true).unwrap();
    client.write_all(b"NOOP\r\n").unwrap();
    send_urgent(&client, b"\xff\xf4\xff");
    client.write_all(b"\xf2ABOR\r\n").unwrap();
    let expected = b"NOOP\r\n\xff\xf4\xff\xf2ABOR\r\n";
    // All is there before the first read, which ends in front of the urgent byte.
    let all = expected.len() as u64;
    let arrived = async {
        while rustix::io::ioctl_fionread(&server).unwrap() < all {
            tokio::task::yield_now().await;
        }
    };
    soon(arrived).await;
    let mut received = Vec::new();
    while received.len() < expected.len() {
        let mut piece = [0; 1000];
        let n = soon(server.read(&mut piece)).await.unwrap();
        assert!(n > 0, "an end after {received:?}");
        received.extend_from_slice(&piece[..n]);
    }
    assert_eq!(received, expected);
}

#[tokio::test]
async fn a_unix_socket_has_no_urgent_data() {
    let (mut one, _other) = sockeye::socket::socketpair(StreamKind::Unix).unwrap();
    one.set_urgent_inline(true).unwrap();
}

/// Answers each line, urgent or not.
struct Lines;

impl Handler for Lines {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        conn.stream_mut().set_urgent_inline(true)?;
        conn.write_all(b"ready\n").await?;
        while let Some(line) = conn.read_line().await? {
            conn.write_all(&[&line[..], b"\n"].concat()).await?;
        }
        Ok(())
    }
}

#[test]
fn a_line_that_ends_urgently_is_read_at_once() {
    for model in [Model::Tasks, Model::Iterative, Model::PerCore(1)] {
        let server = Server::bind("tcp://127.0.0.1:0").unwrap().model(model).with(Lines);
        let server = Running::start(server);
        let mut client = Client::connect(server.port());
        assert_eq!(client.line().as_deref(), Some("ready"));
        for _ in 0..20 {
            send_urgent(&client, b"ABOR\n");
            assert_eq!(client.line().as_deref(), Some("ABOR"), "{model}");
            client.send("one");
            send_urgent(&client, b"two\n");
            client.send("three");
            let answers = [client.line(), client.line(), client.line()];
            assert_eq!(answers.map(Option::unwrap), ["one", "two", "three"], "{model}");
        }
    }
}
