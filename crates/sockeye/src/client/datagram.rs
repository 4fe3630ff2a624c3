//! Datagram sockets connected to one peer.

use std::{fmt, io, net::SocketAddr};

use super::Source;
use crate::{
    addr::{Addr, Endpoint, UnixName},
    socket::{Datagram, DatagramSocket, SocketName},
};

/// Connects a datagram socket to `addr`: the first of its addresses that takes it.
///
/// Takes `udp://`, `unixgram://`, `icmp://` and `ip://`. Nothing is sent: over IP, "connected"
/// says only that there is a route, and that the socket sends to this peer and hears no other;
/// whether anyone listens at an address does not decide which is taken.
/// A Unix socket gets a name of the kernel's choice, so that replies arrive.
///
/// # Errors
/// If the name is not found, or the error of the last address tried; `InvalidInput` for a
/// stream's address.
///
/// # Cancel safety
/// Cancellation safe: only the search for the name is awaited, and no socket is open meanwhile.
pub async fn connect_datagram(addr: &Addr) -> io::Result<Datagram> {
    connect_datagram_from(addr, None).await
}

/// As [`connect_datagram`], from the address `source`; over IP its port 0 lets the system
/// choose, and the file of a Unix path is removed when the socket is dropped.
///
/// # Errors
/// As [`connect_datagram`]; also if `source` is none of this machine's addresses, or none of
/// the peer's addresses is of its family.
///
/// # Cancel safety
/// As [`connect_datagram`].
pub async fn connect_datagram_from(addr: &Addr, source: Option<&Source>) -> io::Result<Datagram> {
    if let Endpoint::Unixgram(name) = &addr.endpoint {
        return unix(addr, name, source).map_err(|error| naming(addr, &error));
    }
    if !addr.is_datagram() {
        let message = format!(
            "{addr} has connections: datagrams go to udp://, unixgram://, icmp:// or ip://"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let mut last = None;
    for peer in addr.resolve_async().await.map_err(|error| naming(addr, &error))? {
        match inet(addr, peer, source) {
            Ok(socket) => return Datagram::new(socket),
            Err(error) => last = Some(naming(addr, &error)),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
}

fn inet(addr: &Addr, peer: SocketAddr, source: Option<&Source>) -> io::Result<DatagramSocket> {
    let mut socket = DatagramSocket::open(addr, peer.ip())?;
    let source = match source {
        None => None,
        Some(Source::Ip(ip)) => Some(SocketAddr::new(*ip, 0)),
        Some(Source::Inet(source)) => Some(*source),
        Some(source @ Source::Unix(_)) => return Err(misfit(source, "is no IP address")),
    };
    if let Some(source) = source {
        if source.is_ipv4() != peer.is_ipv4() {
            return Err(misfit(&source, "and the host are of different IP versions"));
        }
        rustix::net::bind(&socket, &source)?;
    }
    socket.connect(&SocketName::Inet(peer))?;
    Ok(socket)
}

fn unix(addr: &Addr, name: &UnixName, source: Option<&Source>) -> io::Result<Datagram> {
    let source = match source {
        None => None,
        Some(Source::Unix(source)) => Some(source),
        Some(source) => return Err(misfit(source, "is no name of a Unix socket")),
    };
    let mut socket = DatagramSocket::open_unix(addr, source)?;
    socket.connect(&SocketName::Unix(name.clone()))?;
    Datagram::new(socket)
}

fn misfit(source: &dyn fmt::Display, reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("the source {source} {reason}"))
}

fn naming(place: &dyn fmt::Display, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot connect to {place}: {error}"))
}
