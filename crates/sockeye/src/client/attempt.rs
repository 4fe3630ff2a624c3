//! One attempt: one socket, one address, one connect.

use std::{
    io,
    net::SocketAddr,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use rustix::{io::Errno, net::AddressFamily};
use tokio::net::TcpSocket;

use crate::{
    Stream,
    addr::{SocketOptions, UnixName},
    socket::{SocketName, StreamKind, bind::stream_socket, options, unix_file::bind_unix},
    sys::int_option::{self, IP_BIND_ADDRESS_NO_PORT},
};

/// How soon, and at the latest how late, a Unix server whose queue is full is asked again.
const FULL_QUEUE_WAIT: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// Connects over TCP, from `source` if there is one.
pub(super) async fn tcp(
    to: SocketAddr,
    source: Option<SocketAddr>,
    options: &SocketOptions,
) -> io::Result<Stream> {
    let fd = tcp_socket(to, source, options)?;
    let socket = TcpSocket::from_std_stream(fd.into());
    let stream = socket.connect(to).await?;
    if to.ip().is_loopback() && stream.local_addr().is_ok_and(|local| local == to) {
        // The system chose the very port that we wanted to reach as our own, and with nobody
        // listening there the socket connected to itself (RFC 9293 §3.5, simultaneous open).
        return Err(Errno::CONNREFUSED.into());
    }
    Ok(Stream::from(stream))
}

fn tcp_socket(
    to: SocketAddr,
    source: Option<SocketAddr>,
    options: &SocketOptions,
) -> io::Result<OwnedFd> {
    let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let fd = stream_socket(family, StreamKind::Tcp)?;
    options::before_connect(&fd, options)?;
    if let Some(source) = source {
        if source.port() == 0 {
            // The port is chosen by connect, knowing the peer: a port may then serve towards
            // many peers, where bind alone would keep it from all others.
            int_option::set(fd.as_fd(), IP_BIND_ADDRESS_NO_PORT, 1)?;
        }
        rustix::net::bind(&fd, &source)?;
    }
    Ok(fd)
}

/// Connects to a Unix socket, stream or seqpacket.
pub(super) async fn unix(
    to: &UnixName,
    kind: StreamKind,
    source: Option<&UnixName>,
    options: &SocketOptions,
) -> io::Result<Stream> {
    let fd = stream_socket(AddressFamily::UNIX, kind)?;
    options::before_connect(&fd, options)?;
    // The peer sees the name for as long as the connection lives; the file may go at once.
    let _file = match source {
        Some(source) => bind_unix(fd.as_fd(), kind.scheme(), source, None)?,
        None => None,
    };
    let to = SocketName::Unix(to.clone()).to_raw()?;
    let (mut wait, longest) = FULL_QUEUE_WAIT;
    loop {
        match rustix::net::connect(&fd, &to) {
            Ok(()) => return Stream::from_fd(fd, kind),
            Err(Errno::INTR) => {}
            // The server's queue is full. The kernel tells nobody when there is room again.
            Err(Errno::AGAIN) => {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(longest);
            }
            Err(error) => return Err(error.into()),
        }
    }
}
