//! The transports of the grammar: their names and what follows from them.

use std::fmt;

/// What an address says before `://`, without its layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// `tcp`: a stream over IPv4 or IPv6.
    Tcp,
    /// `udp`: datagrams over IPv4 or IPv6.
    Udp,
    /// `unix`: a stream between processes of one machine.
    Unix,
    /// `unixgram`: datagrams between processes of one machine.
    Unixgram,
    /// `seqpacket`: a connection between processes of one machine that keeps records apart.
    Seqpacket,
    /// `fd`: a descriptor inherited from the service manager; what it carries is seen when it is adopted.
    Inherited,
    /// `icmp`: ICMP or ICMPv6 echo.
    Icmp,
    /// `ip`: raw IP packets of one protocol.
    Ip,
}

impl Transport {
    /// Every transport, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::Tcp,
        Self::Udp,
        Self::Unix,
        Self::Unixgram,
        Self::Seqpacket,
        Self::Inherited,
        Self::Icmp,
        Self::Ip,
    ];

    /// The name in an address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Unix => "unix",
            Self::Unixgram => "unixgram",
            Self::Seqpacket => "seqpacket",
            Self::Inherited => "fd",
            Self::Icmp => "icmp",
            Self::Ip => "ip",
        }
    }

    /// The transport of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|transport| transport.name() == name)
    }

    /// Whether a listener of this transport accepts connections: `tcp`, `unix`, `seqpacket`.
    /// Of `fd` both this and [`is_datagram`](Self::is_datagram) are `false`: what an inherited
    /// socket carries is seen only when it is adopted, and either kind may be.
    #[must_use]
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Unix | Self::Seqpacket)
    }

    /// Whether a socket of this transport exchanges packets without connections: `udp`,
    /// `unixgram`, `icmp`, `ip`. Of `fd` both this and [`is_stream`](Self::is_stream) are `false`.
    #[must_use]
    pub const fn is_datagram(self) -> bool {
        matches!(self, Self::Udp | Self::Unixgram | Self::Icmp | Self::Ip)
    }

    /// Whether `tls+` and `proxy+` may stand before it: they need a stream of bytes.
    #[must_use]
    pub const fn takes_layers(self) -> bool {
        matches!(self, Self::Tcp | Self::Unix | Self::Inherited)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
