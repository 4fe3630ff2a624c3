//! The name of a socket, as getsockname and getpeername give it.

use std::net::SocketAddr;

use crate::addr::UnixName;

/// The address of one end of a socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SocketName {
    /// IPv4 or IPv6 address with port.
    Inet(SocketAddr),
    /// Unix socket name.
    Unix(UnixName),
}
