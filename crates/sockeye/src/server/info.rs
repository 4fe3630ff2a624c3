//! What is known of a connection beside its bytes.

use std::{fmt, net::IpAddr, time::Instant};

use crate::{Addr, SocketName};

/// The number of a connection: unique in its server, counted from 1, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub(crate) u64);

impl ConnId {
    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who is connected, where, since when.
#[derive(Clone, Debug)]
pub struct ConnInfo {
    pub(crate) id: ConnId,
    pub(crate) peer: SocketName,
    pub(crate) proxied: Option<SocketName>,
    pub(crate) listener: std::sync::Arc<Addr>,
    pub(crate) since: Instant,
}

impl ConnInfo {
    /// The connection's number.
    #[must_use]
    pub const fn id(&self) -> ConnId {
        self.id
    }

    /// The client: what a trusted proxy's header says, else the socket's peer.
    #[must_use]
    pub fn peer(&self) -> &SocketName {
        self.proxied.as_ref().unwrap_or(&self.peer)
    }

    /// The socket's own peer: the proxy, if there is one in between.
    #[must_use]
    pub const fn socket_peer(&self) -> &SocketName {
        &self.peer
    }

    /// The client's IP address; `None` for Unix sockets.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.peer().ip()
    }

    /// The listening address that the connection came in by, with its real port.
    #[must_use]
    pub fn listener(&self) -> &Addr {
        &self.listener
    }

    /// When the connection was accepted.
    #[must_use]
    pub const fn since(&self) -> Instant {
        self.since
    }
}
