//! The socket options that an address may carry, as values.
//!
//! Their names, notations and places are in [`table`](super::table); setting them on a
//! socket is [`socket::options`](crate::socket::options).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use super::Cidr;

/// Socket options; `None` (or an empty list) leaves the default, which is the system's
/// unless a field says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SocketOptions {
    /// `SO_REUSEADDR`: bind although connections of an earlier run linger. Default: on for
    /// TCP listeners, off elsewhere.
    pub reuse_address: Option<bool>,
    /// `SO_REUSEPORT`: several sockets share the address, the kernel spreads the load.
    pub reuse_port: Option<bool>,
    /// `IPV6_V6ONLY`: an IPv6 listener takes no IPv4 connections.
    pub v6only: Option<bool>,
    /// `SO_BINDTODEVICE`: only this network interface.
    pub interface: Option<String>,
    /// How many connections may wait to be accepted; default [`DEFAULT_BACKLOG`](Self::DEFAULT_BACKLOG),
    /// capped by the system at `net.core.somaxconn`.
    pub backlog: Option<u32>,
    /// `TCP_DEFER_ACCEPT`: accept once data has come, or after this time (whole seconds;
    /// the kernel rounds up to a number of retransmissions).
    pub defer_accept: Option<Duration>,
    /// The permission bits of a Unix socket's file; connecting needs write permission.
    pub mode: Option<u32>,
    /// `TCP_NODELAY`: send small writes at once. Default: on for TCP.
    pub nodelay: Option<bool>,
    /// `SO_KEEPALIVE`: probe a silent peer. Any of the three settings below turns it on too.
    pub keepalive: Option<bool>,
    /// `TCP_KEEPIDLE`: silence before the first probe (whole seconds).
    pub keepalive_idle: Option<Duration>,
    /// `TCP_KEEPINTVL`: time between probes (whole seconds).
    pub keepalive_interval: Option<Duration>,
    /// `TCP_KEEPCNT`: unanswered probes until the connection is given up.
    pub keepalive_count: Option<u32>,
    /// `SO_SNDBUF` in bytes; the kernel doubles it and caps it at `net.core.wmem_max`.
    pub send_buffer: Option<u32>,
    /// `SO_RCVBUF` in bytes; the kernel doubles it and caps it at `net.core.rmem_max`.
    pub recv_buffer: Option<u32>,
    /// `SO_LINGER`: what closing does with unsent data.
    pub linger: Option<Linger>,
    /// `IP_TTL` and `IPV6_UNICAST_HOPS`: routers that a packet may pass, 1–255.
    pub ttl: Option<u8>,
    /// `IP_TOS` and `IPV6_TCLASS`: the traffic class byte (DSCP in its upper six bits).
    pub tos: Option<u8>,
    /// `SO_BROADCAST`: allow sending to broadcast addresses.
    pub broadcast: Option<bool>,
    /// Multicast groups to join.
    pub multicast_join: Vec<MulticastGroup>,
    /// `IP_MULTICAST_IF` and `IPV6_MULTICAST_IF`: the interface that multicast goes out by.
    pub multicast_interface: Option<String>,
    /// `IP_MULTICAST_TTL` and `IPV6_MULTICAST_HOPS`: routers that a multicast may pass, 0–255.
    pub multicast_ttl: Option<u8>,
    /// `IP_MULTICAST_LOOP` and `IPV6_MULTICAST_LOOP`: multicasts are seen on the sending machine.
    pub multicast_loop: Option<bool>,
    /// `IP_HDRINCL` and `IPV6_HDRINCL`: what is sent begins with its own IP header.
    pub hdrincl: Option<bool>,
    /// The peers whose PROXY header is believed. Default: peers on loopback and on Unix sockets.
    pub trust: Vec<Cidr>,
}

impl SocketOptions {
    /// The backlog of a listener whose address gives none.
    pub const DEFAULT_BACKLOG: u32 = 4096;

    /// Most groups and most blocks of addresses that one address may list.
    pub const MAX_LIST: usize = 256;

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The backlog to listen with.
    #[must_use]
    pub fn backlog_or_default(&self) -> u32 {
        self.backlog.unwrap_or(Self::DEFAULT_BACKLOG)
    }

    /// Whether a PROXY header from this peer is to be believed: it is in one of the
    /// [`trust`](Self::trust) blocks or, where there are none, on loopback.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        if self.trust.is_empty() {
            return peer.to_canonical().is_loopback();
        }
        self.trust.iter().any(|block| block.contains(peer))
    }
}

/// What closing a connection does with data that has not been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Linger {
    /// Close returns at once, the kernel goes on sending; the system's default.
    Off,
    /// Close waits up to this time (whole seconds), and with it the thread that closes, in an
    /// async runtime too; zero drops the data, resets the connection and waits for nothing.
    For(Duration),
}

/// A multicast group and the interface to join it on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MulticastGroup {
    address: IpAddr,
    interface: Option<String>,
}

impl MulticastGroup {
    /// The group on the interface that the system chooses; `None` if the address is not a
    /// multicast address.
    #[must_use]
    pub fn new(address: IpAddr) -> Option<Self> {
        address.is_multicast().then_some(Self { address, interface: None })
    }

    /// The group on one interface, by its name or index; `None` if this can be neither.
    #[must_use]
    pub fn on(self, interface: &str) -> Option<Self> {
        let interface = super::host::is_interface(interface).then(|| interface.to_owned())?;
        Some(Self { interface: Some(interface), ..self })
    }

    /// The group's address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The interface's name or index, if one is given.
    #[must_use]
    pub fn interface(&self) -> Option<&str> {
        self.interface.as_deref()
    }
}

impl From<MulticastGroup> for IpAddr {
    fn from(group: MulticastGroup) -> Self {
        group.address
    }
}

/// As in an address: `239.1.2.3`, `ff02::fb%eth0`.
impl fmt::Display for MulticastGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        self.interface.iter().try_for_each(|interface| write!(f, "%{interface}"))
    }
}

/// The addresses of "any": what a wildcard socket is bound to.
pub(super) fn is_unspecified(ip: IpAddr) -> bool {
    ip == IpAddr::V4(Ipv4Addr::UNSPECIFIED) || ip == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
}
