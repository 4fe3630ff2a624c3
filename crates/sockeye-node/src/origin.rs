//! Where somebody comes from, and over what: of every session, and of every login that is refused.

use std::{net::IpAddr, sync::Arc};

use sockeye::{Site, SocketName};
use sockeye_accounts::{Attempt, Timestamp};
use sockeye_journal::{Operation, Outcome, Record};

use crate::pace::Bucket;

/// Where somebody comes from, and over what.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The protocol's name, as the registry has it: `http`.
    pub protocol: &'static str,
    /// The other side.
    pub peer: Peer,
    /// Whether what goes between is encrypted, as far as this node or a proxy that it believes knows.
    pub tls: bool,
    /// What the listener's bytes go through, if it has a limit.
    pub listener: Option<Arc<Bucket>>,
    /// How long its sessions are.
    pub sessions: Sessions,
}

/// How long the sessions of a protocol are, and so whether they are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sessions {
    /// They come and go with requests, and are not counted.
    #[default]
    Brief,
    /// As long as connections: of one account there may be so many at once over this protocol. Those that nobody has
    /// logged in to are not counted.
    Long {
        /// The most; the highest number is no limit.
        most: usize,
    },
}

/// The other side of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// Over the network.
    Ip(IpAddr),
    /// Over a Unix socket of this machine.
    Local,
}

impl Origin {
    /// Over this protocol, from this address, in plain text, through a listener without a limit, for brief sessions.
    #[must_use]
    pub fn new(protocol: &'static str, peer: Peer) -> Self {
        Self { protocol, peer, tls: false, listener: None, sessions: Sessions::Brief }
    }

    /// Those who count as one with the other side; none for a local socket.
    pub(crate) fn site(&self) -> Option<Site> {
        self.peer.ip().map(Site::of)
    }

    /// A record of what was done from there.
    pub(crate) fn record(&self, operation: Operation, outcome: Outcome) -> Record<'static> {
        let from = Some(self.peer.recorded());
        Record { from, tls: Some(self.tls), ..Record::new(operation, outcome, self.protocol) }
    }

    /// As the accounts are told of it.
    pub(crate) fn attempt(&self) -> Attempt<'_> {
        let (address, protocol) = (self.peer.ip(), self.protocol);
        Attempt { address, protocol, tls: self.tls, now: Timestamp::now() }
    }
}

impl Peer {
    /// The address, if it has one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            Self::Local => None,
        }
    }

    pub(crate) fn recorded(&self) -> sockeye_journal::Peer<'static> {
        recorded(self.ip())
    }
}

/// As the log has who comes from there, or from this machine by a socket that has no address.
pub(crate) fn recorded(address: Option<IpAddr>) -> sockeye_journal::Peer<'static> {
    address.map_or(sockeye_journal::Peer::Unix("local"), sockeye_journal::Peer::Ip)
}

/// An IPv4 address in IPv6 clothes counts as what it is.
impl From<&SocketName> for Peer {
    fn from(name: &SocketName) -> Self {
        match name {
            SocketName::Inet(address) => Self::Ip(address.ip().to_canonical()),
            SocketName::Unix(_) => Self::Local,
        }
    }
}
