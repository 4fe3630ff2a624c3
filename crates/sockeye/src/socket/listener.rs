//! Listening sockets.

use std::{io, os::fd::OwnedFd};

use super::{SocketName, Stream, StreamKind};
use crate::addr::Addr;

/// A listening stream socket: non-blocking, close-on-exec, bound to no runtime.
#[derive(Debug)]
pub struct Listener {
    _fd: OwnedFd,
}

/// A connection just accepted, bound to no runtime yet.
#[derive(Debug)]
pub struct Accepted {
    /// The descriptor, non-blocking.
    pub fd: OwnedFd,
    /// What it carries.
    pub kind: StreamKind,
    /// The peer's name.
    pub peer: SocketName,
}

impl Listener {
    /// Binds every address that `addr` resolves to; with port 0 all share one port.
    ///
    /// # Errors
    /// Whatever the system refuses, naming the address.
    pub fn bind(addr: &Addr) -> io::Result<Vec<Self>> {
        let _ = addr;
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Accepted {
    /// Registers the connection with the current runtime.
    ///
    /// # Errors
    /// If the runtime cannot watch the descriptor.
    pub fn into_stream(self) -> io::Result<Stream> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
