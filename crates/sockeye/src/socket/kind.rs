//! The transports of a stream, and how the kernel names them.

use std::{fmt, io, os::fd::AsFd};

use rustix::net::{AddressFamily, SocketType, sockopt};

/// The transport of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// TCP over IPv4 or IPv6.
    Tcp,
    /// Unix stream.
    Unix,
    /// Unix seqpacket: connected, and every read is one record.
    Seqpacket,
}

impl StreamKind {
    /// The name of the transport in the address grammar.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Unix => "unix",
            Self::Seqpacket => "seqpacket",
        }
    }

    /// Whether the socket keeps the boundaries of what is sent.
    #[must_use]
    pub const fn keeps_records(self) -> bool {
        matches!(self, Self::Seqpacket)
    }

    pub(crate) const fn socket_type(self) -> SocketType {
        match self {
            Self::Tcp | Self::Unix => SocketType::STREAM,
            Self::Seqpacket => SocketType::SEQPACKET,
        }
    }

    /// Finds out what a descriptor is (SO_DOMAIN and SO_TYPE, socket(7)).
    ///
    /// # Errors
    /// `InvalidInput` if it is not a socket or not a stream over TCP or Unix, saying what it is.
    pub fn of(socket: impl AsFd) -> io::Result<Self> {
        let socket = socket.as_fd();
        let family = sockopt::socket_domain(socket).map_err(not_a_socket)?;
        let kind = sockopt::socket_type(socket).map_err(not_a_socket)?;
        match (family, kind) {
            (AddressFamily::INET | AddressFamily::INET6, SocketType::STREAM) => Ok(Self::Tcp),
            (AddressFamily::UNIX, SocketType::STREAM) => Ok(Self::Unix),
            (AddressFamily::UNIX, SocketType::SEQPACKET) => Ok(Self::Seqpacket),
            (_, SocketType::DGRAM) => Err(invalid("it is a datagram socket, not a stream")),
            (_, SocketType::RAW) => Err(invalid("it is a raw socket, not a stream")),
            (family, kind) => Err(invalid(&format!(
                "it is a socket of family {} and type {}: only TCP, Unix stream and Unix \
                 seqpacket sockets are streams",
                family.as_raw(),
                kind.as_raw()
            ))),
        }
    }
}

impl fmt::Display for StreamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme())
    }
}

fn not_a_socket(error: rustix::io::Errno) -> io::Error {
    if error == rustix::io::Errno::NOTSOCK {
        return invalid("it is not a socket");
    }
    error.into()
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("the descriptor cannot be used as a stream: {reason}"),
    )
}
