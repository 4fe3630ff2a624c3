//! A PROXY header as a value.

use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::Ssl;
use crate::{SocketName, addr::UnixName};

/// What a proxy says of the connection that it forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version of the format.
    pub version: Version,
    /// For whom the proxy connects.
    pub origin: Origin,
    /// What else it says; only version 2 can.
    pub tlvs: Tlvs,
}

/// The version of the format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// One line of text, for TCP over IPv4 and IPv6.
    V1,
    /// Binary, for every socket and with further fields.
    #[default]
    V2,
}

/// For whom a proxy connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// For itself (`LOCAL`), as health checks do. Version 1 has no word for it and says
    /// `UNKNOWN`.
    Local,
    /// For someone whose address it does not know or cannot express (`UNKNOWN`, `UNSPEC`).
    Unknown,
    /// For a peer over IPv4.
    Inet4 {
        /// The transport between the peer and the proxy.
        protocol: Protocol,
        /// The peer.
        source: SocketAddrV4,
        /// Where the peer connected to.
        destination: SocketAddrV4,
    },
    /// For a peer over IPv6; the format has neither scope nor flow label.
    Inet6 {
        /// The transport between the peer and the proxy.
        protocol: Protocol,
        /// The peer.
        source: SocketAddrV6,
        /// Where the peer connected to.
        destination: SocketAddrV6,
    },
    /// For a peer over a Unix socket.
    Unix {
        /// The transport between the peer and the proxy.
        protocol: Protocol,
        /// The peer.
        source: UnixName,
        /// Where the peer connected to.
        destination: UnixName,
    },
}

/// The kind of transport between the peer and the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A stream: TCP or a Unix stream.
    Stream,
    /// Datagrams: UDP or Unix datagrams.
    Datagram,
}

/// The further fields (type, length, value) of a version 2 header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tlvs {
    /// The application protocol agreed on (`PP2_TYPE_ALPN`), as in RFC 7301.
    pub alpn: Option<Vec<u8>>,
    /// The host name that the client asked for, as by SNI (`PP2_TYPE_AUTHORITY`).
    pub authority: Option<String>,
    /// What names the connection across proxies (`PP2_TYPE_UNIQUE_ID`), at most
    /// [`MAX_UNIQUE_ID`](super::MAX_UNIQUE_ID) bytes.
    pub unique_id: Option<Vec<u8>>,
    /// The TLS session between client and proxy (`PP2_TYPE_SSL`).
    pub ssl: Option<Box<Ssl>>,
    /// The proxy's network namespace (`PP2_TYPE_NETNS`).
    pub netns: Option<String>,
    /// Whether the header carries a CRC32C (`PP2_TYPE_CRC32C`). Where one was read it was right.
    pub checksum: bool,
    /// Fields of other types, in order.
    pub other: Vec<Tlv>,
}

/// A field of a type that this crate does not interpret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlv {
    /// The type; 0xE0–0xEF are for applications (specification §2.2.8).
    pub kind: u8,
    /// The value.
    pub value: Vec<u8>,
}

impl Header {
    /// A version 2 header that says: this connection is the sender's own.
    #[must_use]
    pub fn local() -> Self {
        Origin::Local.into()
    }

    /// A version 2 header for a connection from `source` to `destination`.
    ///
    /// For a connection of one's own, these are its local name and its peer. IPv4 addresses in
    /// IPv6 form are sent as IPv4; of a mixed pair both are sent as IPv6. An IP address paired
    /// with a Unix name cannot be expressed and is sent as unknown.
    #[must_use]
    pub fn relayed(protocol: Protocol, source: &SocketName, destination: &SocketName) -> Self {
        let origin = match (source, destination) {
            (SocketName::Inet(source), SocketName::Inet(destination)) => {
                inet(protocol, *source, *destination)
            }
            (SocketName::Unix(source), SocketName::Unix(destination)) => {
                let (source, destination) = (source.clone(), destination.clone());
                Origin::Unix { protocol, source, destination }
            }
            _ => Origin::Unknown,
        };
        origin.into()
    }

    /// The same header in another version.
    #[must_use]
    pub fn with_version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// The peer for which the proxy connects; `None` if it connects for itself or does not
    /// know, and the connection's own peer counts.
    #[must_use]
    pub fn source(&self) -> Option<SocketName> {
        self.origin.names().map(|(source, _)| source)
    }

    /// Where that peer connected to; `None` as for [`source`](Self::source).
    #[must_use]
    pub fn destination(&self) -> Option<SocketName> {
        self.origin.names().map(|(_, destination)| destination)
    }
}

impl From<Origin> for Header {
    fn from(origin: Origin) -> Self {
        Self { version: Version::V2, origin, tlvs: Tlvs::default() }
    }
}

impl Origin {
    fn names(&self) -> Option<(SocketName, SocketName)> {
        match self {
            Self::Local | Self::Unknown => None,
            Self::Inet4 { source, destination, .. } => {
                Some((SocketName::Inet((*source).into()), SocketName::Inet((*destination).into())))
            }
            Self::Inet6 { source, destination, .. } => {
                Some((SocketName::Inet((*source).into()), SocketName::Inet((*destination).into())))
            }
            Self::Unix { source, destination, .. } => {
                Some((SocketName::Unix(source.clone()), SocketName::Unix(destination.clone())))
            }
        }
    }
}

fn inet(protocol: Protocol, source: SocketAddr, destination: SocketAddr) -> Origin {
    let ipv4 = |addr: SocketAddr| match addr.ip().to_canonical() {
        IpAddr::V4(ip) => Some(SocketAddrV4::new(ip, addr.port())),
        IpAddr::V6(_) => None,
    };
    let ipv6 = |addr: SocketAddr| {
        let ip = match addr.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        SocketAddrV6::new(ip, addr.port(), 0, 0)
    };
    match (ipv4(source), ipv4(destination)) {
        (Some(source), Some(destination)) => Origin::Inet4 { protocol, source, destination },
        _ => {
            let (source, destination) = (ipv6(source), ipv6(destination));
            Origin::Inet6 { protocol, source, destination }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relayed(source: &str, destination: &str) -> Origin {
        let name = |text: &str| SocketName::Inet(text.parse().unwrap());
        Header::relayed(Protocol::Stream, &name(source), &name(destination)).origin
    }

    #[test]
    fn addresses_are_sent_in_the_family_that_fits_both() {
        assert!(matches!(relayed("10.0.0.1:1", "10.0.0.2:2"), Origin::Inet4 { .. }));
        assert!(matches!(relayed("[::ffff:10.0.0.1]:1", "10.0.0.2:2"), Origin::Inet4 { .. }));
        let Origin::Inet6 { source, .. } = relayed("10.0.0.1:1", "[2001:db8::2]:2") else {
            panic!("not IPv6")
        };
        assert_eq!(source, "[::ffff:10.0.0.1]:1".parse().unwrap());
        let Origin::Inet6 { source, .. } = relayed("[fe80::1%3]:1", "[fe80::2%3]:2") else {
            panic!("not IPv6")
        };
        assert_eq!(source.scope_id(), 0);
    }

    #[test]
    fn an_address_paired_with_a_path_is_unknown() {
        let ip = SocketName::Inet("10.0.0.1:1".parse().unwrap());
        let unix = SocketName::Unix(UnixName::Unnamed);
        let header = Header::relayed(Protocol::Stream, &ip, &unix);
        assert_eq!((header.origin.clone(), header.source()), (Origin::Unknown, None));
    }
}
