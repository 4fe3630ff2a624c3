//! Who sent a datagram, and to which of our addresses: all that a reply needs.

use std::{
    ffi::OsStr,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::unix::ffi::OsStrExt,
    sync::Arc,
};

use crate::{addr::UnixName, socket::SocketName};

/// The far end of a datagram, with the local address that it came to where that is known.
///
/// Replying to it makes a socket that is bound to a wildcard address answer from the very
/// address that was asked. Cheap to clone: nothing is allocated for internet peers, and a
/// Unix peer's name is shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DatagramPeer {
    pub(in crate::socket) name: PeerName,
    pub(in crate::socket) destination: Option<Destination>,
}

/// A peer's name in compact form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::socket) enum PeerName {
    Inet(SocketAddr),
    /// The bytes of `sun_path`: empty, a path, or NUL and an abstract name.
    Unix(Arc<[u8]>),
}

/// The local end of a datagram, as the packet information gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::socket) enum Destination {
    /// `to` is the header's destination, which may be a group or broadcast address;
    /// `reply_from` is the local address that stands for it.
    V4 {
        to: Ipv4Addr,
        reply_from: Ipv4Addr,
        interface: u32,
    },
    V6 {
        to: Ipv6Addr,
        interface: u32,
    },
}

impl Destination {
    pub(in crate::socket) fn address(self) -> IpAddr {
        match self {
            Self::V4 { to, .. } => to.into(),
            Self::V6 { to, .. } => to.into(),
        }
    }
}

impl DatagramPeer {
    /// A peer to send to, with the source address left to the system.
    #[must_use]
    pub fn new(name: &SocketName) -> Self {
        let name = match name {
            SocketName::Inet(address) => PeerName::Inet(*address),
            SocketName::Unix(name) => PeerName::Unix(unix_bytes(name)),
        };
        Self { name, destination: None }
    }

    /// The peer's socket name.
    #[must_use]
    pub fn name(&self) -> SocketName {
        match &self.name {
            PeerName::Inet(address) => SocketName::Inet(*address),
            PeerName::Unix(bytes) => SocketName::Unix(unix_name(bytes)),
        }
    }

    /// The peer's internet address; `None` for a Unix peer.
    #[must_use]
    pub fn inet(&self) -> Option<SocketAddr> {
        match self.name {
            PeerName::Inet(address) => Some(address),
            PeerName::Unix(_) => None,
        }
    }

    /// The address that the datagram was sent to, which may be a multicast group.
    ///
    /// Known only on sockets bound to a wildcard address; on others it is the socket's own.
    #[must_use]
    pub fn destination(&self) -> Option<IpAddr> {
        self.destination.map(Destination::address)
    }

    /// The index of the interface that the datagram came in by, where it is known.
    #[must_use]
    pub fn interface(&self) -> Option<u32> {
        self.destination.map(|destination| match destination {
            Destination::V4 { interface, .. } | Destination::V6 { interface, .. } => interface,
        })
    }

    /// Where the datagram arrived, to be sent to another process: its destination, the address
    /// to reply from, the interface.
    pub(crate) fn arrival(&self) -> Option<(IpAddr, IpAddr, u32)> {
        self.destination.map(|destination| match destination {
            Destination::V4 { to, reply_from, interface } => {
                (to.into(), reply_from.into(), interface)
            }
            Destination::V6 { to, interface } => (to.into(), to.into(), interface),
        })
    }

    /// The peer with what [`arrival`](Self::arrival) told.
    pub(crate) fn arrived(mut self, (to, reply_from, interface): (IpAddr, IpAddr, u32)) -> Self {
        self.destination = match (to, reply_from) {
            (IpAddr::V4(to), IpAddr::V4(reply_from)) => {
                Some(Destination::V4 { to, reply_from, interface })
            }
            (IpAddr::V6(to), _) => Some(Destination::V6 { to, interface }),
            _ => None,
        };
        self
    }

    /// Whether a reply can reach the peer; a Unix client that bound no name has no address.
    #[must_use]
    pub fn can_reply(&self) -> bool {
        match &self.name {
            PeerName::Inet(_) => true,
            PeerName::Unix(bytes) => !bytes.is_empty(),
        }
    }
}

impl fmt::Display for DatagramPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            PeerName::Inet(address) => address.fmt(f),
            PeerName::Unix(bytes) => match bytes.split_first() {
                None => f.write_str("unnamed"),
                Some((0, name)) => write!(f, "@{}", name.escape_ascii()),
                Some(_) => write!(f, "{}", OsStr::from_bytes(trim(bytes)).display()),
            },
        }
    }
}

impl From<SocketAddr> for DatagramPeer {
    fn from(address: SocketAddr) -> Self {
        Self { name: PeerName::Inet(address), destination: None }
    }
}

impl From<&SocketName> for DatagramPeer {
    fn from(name: &SocketName) -> Self {
        Self::new(name)
    }
}

/// Whether an error of a datagram socket says nothing about the socket itself.
///
/// An earlier send can make any later call fail: the ICMP answer to it ("connection
/// refused", "host unreachable") is handed to whoever comes next. A server that ended at
/// these could be ended by any peer; it counts them and goes on. Lack of memory and a
/// firewall's EPERM pass as well.
#[must_use]
pub fn is_transient(error: &io::Error) -> bool {
    const TRANSIENT: [i32; 17] = [
        libc::ECONNREFUSED,
        libc::ECONNRESET,
        libc::EHOSTUNREACH,
        libc::EHOSTDOWN,
        libc::ENETUNREACH,
        libc::ENETDOWN,
        libc::ENONET,
        libc::ENOPROTOOPT,
        libc::EPROTO,
        libc::EPERM,
        libc::EACCES,
        libc::EMSGSIZE,
        libc::ENOENT,
        libc::ENOBUFS,
        libc::ENOMEM,
        libc::EINTR,
        libc::EAGAIN,
    ];
    error.raw_os_error().is_some_and(|code| TRANSIENT.contains(&code))
}

fn unix_bytes(name: &UnixName) -> Arc<[u8]> {
    match name {
        UnixName::Path(path) => path.as_os_str().as_bytes().into(),
        UnixName::Abstract(name) => [&[0], name.as_slice()].concat().into(),
        UnixName::Unnamed => [].into(),
    }
}

/// A path ends at its NUL, which the kernel counts; an abstract name may contain any byte.
fn trim(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    &bytes[..end]
}

fn unix_name(bytes: &[u8]) -> UnixName {
    match bytes.split_first() {
        None => UnixName::Unnamed,
        Some((0, name)) => UnixName::Abstract(name.to_vec()),
        Some(_) => UnixName::Path(OsStr::from_bytes(trim(bytes)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_an_earlier_datagram_is_transient_and_a_closed_descriptor_is_not() {
        for code in [libc::ECONNREFUSED, libc::EHOSTUNREACH, libc::ENETUNREACH, libc::EPERM] {
            assert!(is_transient(&io::Error::from_raw_os_error(code)), "{code}");
        }
        for code in [libc::EBADF, libc::ENOTSOCK, libc::EINVAL] {
            assert!(!is_transient(&io::Error::from_raw_os_error(code)), "{code}");
        }
    }

    #[test]
    fn unix_names_survive_the_compact_form() {
        for name in [
            UnixName::Path("/run/x.sock".into()),
            UnixName::Abstract(b"a\0b".to_vec()),
            UnixName::Unnamed,
        ] {
            let peer = DatagramPeer::new(&SocketName::Unix(name.clone()));
            assert_eq!(peer.name(), SocketName::Unix(name.clone()));
            assert_eq!(peer.can_reply(), name != UnixName::Unnamed);
        }
    }

    #[test]
    fn a_peer_stays_small() {
        assert!(size_of::<DatagramPeer>() <= 64, "{}", size_of::<DatagramPeer>());
    }
}
