//! Addresses: one type for every place where a server listens or a client connects.
//!
//! This module parses, prints and resolves; it opens no socket.

mod options;

use std::{net::IpAddr, path::PathBuf};

pub use options::SocketOptions;

/// An address of the grammar `[tls+][proxy+]TRANSPORT://WHERE[?option=value&…]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addr {
    /// Whether TLS lies over the transport (`tls+`).
    pub tls: bool,
    /// Whether a PROXY header comes before everything else (`proxy+`).
    pub proxy: bool,
    /// The transport and its end point.
    pub endpoint: Endpoint,
    /// The socket options of the query.
    pub options: SocketOptions,
}

/// A transport together with the place it names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// `tcp://HOST:PORT`
    Tcp(HostPort),
    /// `udp://HOST:PORT`
    Udp(HostPort),
    /// `unix://PATH`, a stream
    Unix(UnixName),
    /// `unixgram://PATH`
    Unixgram(UnixName),
    /// `seqpacket://PATH`
    Seqpacket(UnixName),
    /// `fd://NAME`, a descriptor inherited from the service manager
    Inherited(String),
    /// `icmp://HOST`
    Icmp(Host),
    /// `ip://HOST?proto=N`
    Ip {
        /// The host.
        host: Host,
        /// The IP protocol number, 0–255.
        protocol: u8,
    },
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// The host.
    pub host: Host,
    /// The port; 0 lets the system choose when listening.
    pub port: u16,
}

/// A host: a literal address or a name to resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A literal address.
    Ip(IpAddr),
    /// A literal link-local IPv6 address with its scope (interface name or index).
    Scoped(std::net::Ipv6Addr, String),
    /// A name; `localhost` stands for all its addresses.
    Name(String),
}

/// The name of a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UnixName {
    /// A path in the filesystem.
    Path(PathBuf),
    /// An abstract name (Linux), without its leading NUL.
    Abstract(Vec<u8>),
    /// No name: an unbound or paired socket.
    Unnamed,
}
