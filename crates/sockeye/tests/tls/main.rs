//! TLS over real sockets: handshakes, sessions, data, strangers, and real peers.
#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

mod connecting;
mod data;
mod files;
mod handshake;
mod peers;
mod refusals;
mod sessions;
mod start_tls;
mod strangers;

use std::{io, net::Ipv4Addr};

use sockeye::{
    Stream,
    socket::StreamKind,
    tls::{Identity, Roots, TlsClient, TlsError, TlsServer},
};
use sockeye_testkit::{
    certificates::{Authority, Leaf},
    soon as within,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The two ends of a connection, server's first.
async fn tcp() -> (Stream, Stream) {
    let (server, client) = plain_tcp().await;
    (Stream::from_fd(server.into(), StreamKind::Tcp).unwrap(), over(client))
}

/// The same before the framework takes it.
async fn plain_tcp() -> (std::net::TcpStream, std::net::TcpStream) {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.set_nonblocking(true).unwrap();
    server.set_nonblocking(true).unwrap();
    (server, client)
}

fn over(client: std::net::TcpStream) -> Stream {
    Stream::from_fd(client.into(), StreamKind::Tcp).unwrap()
}

/// The two ends of a Unix stream.
fn unix() -> (Stream, Stream) {
    let (one, other) = std::os::unix::net::UnixStream::pair().unwrap();
    let stream = |end: std::os::unix::net::UnixStream| {
        Stream::from_fd(end.into(), StreamKind::Unix).unwrap()
    };
    (stream(one), stream(other))
}

fn identity(leaf: &Leaf) -> Identity {
    Identity::from_pem(leaf.certificate_pem.as_bytes(), leaf.key_pem.as_bytes()).unwrap()
}

fn roots(authority: &Authority) -> Roots {
    Roots::from_pem(authority.pem().as_bytes()).unwrap()
}

/// An authority and a server with a certificate for `localhost` and 127.0.0.1.
fn localhost() -> (Authority, TlsServer) {
    let authority = Authority::new("test authority");
    let server =
        TlsServer::builder(identity(&authority.server(&["localhost", "127.0.0.1", "::1"])));
    (authority, server.build().unwrap())
}

fn client_of(authority: &Authority) -> TlsClient {
    TlsClient::builder().roots(roots(authority)).build().unwrap()
}

/// Both sides of a handshake over TCP.
async fn shake(
    server: &TlsServer,
    client: &TlsClient,
    name: &str,
) -> (Result<Stream, TlsError>, Result<Stream, TlsError>) {
    let (one, other) = tcp().await;
    within(async { tokio::join!(server.accept(one), client.connect(other, name)) }).await
}

/// A line there and back again.
async fn greet<A, B>(one: &mut A, other: &mut B) -> io::Result<()>
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    within(async {
        let mut buffer = [0; 5];
        one.write_all(b"hello").await?;
        one.flush().await?;
        other.read_exact(&mut buffer).await?;
        other.write_all(&buffer).await?;
        other.flush().await?;
        one.read_exact(&mut buffer).await?;
        assert_eq!(&buffer, b"hello");
        Ok(())
    })
    .await
}
