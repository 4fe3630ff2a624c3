//! Socket names and control messages as the kernel lays them out: bytes in, values out.
//!
//! Does no I/O. What the kernel hands over is still read with care: an unknown family or a
//! short block is "not known", never a panic.

use std::{
    mem::size_of,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    sync::Arc,
};

use super::peer::{Destination, PeerName};

const FAMILY_BYTES: usize = size_of::<libc::sa_family_t>();
/// A control message's header, padded as `CMSG_LEN` does.
const CONTROL_HEADER: usize = control_align(size_of::<libc::cmsghdr>());
/// The longest control block a datagram is sent with: one `in6_pktinfo`.
const SEND_CONTROL: usize = CONTROL_HEADER + control_align(20);
/// The longest name a datagram is sent to: a Unix path, and one byte beyond, so that the
/// kernel refuses a path that is too long instead of taking a shorter one.
const SEND_NAME: usize = size_of::<libc::sockaddr_un>() + 1;

/// A destination's name and control block, ready for the kernel; reused without allocation.
#[derive(Clone, Debug)]
pub(in crate::socket) struct EncodedPeer {
    name: [u8; SEND_NAME],
    name_length: u8,
    control: [u8; SEND_CONTROL],
    control_length: u8,
}

impl EncodedPeer {
    pub(in crate::socket) const EMPTY: Self = Self {
        name: [0; SEND_NAME],
        name_length: 0,
        control: [0; SEND_CONTROL],
        control_length: 0,
    };

    pub(in crate::socket) fn name(&self) -> &[u8] {
        &self.name[..usize::from(self.name_length)]
    }

    pub(in crate::socket) fn control(&self) -> &[u8] {
        &self.control[..usize::from(self.control_length)]
    }

    /// Says that the message goes to the peer that the socket is connected to.
    pub(in crate::socket) fn clear(&mut self) {
        self.name_length = 0;
        self.control_length = 0;
    }

    pub(in crate::socket) fn set(&mut self, name: &PeerName, source: Option<Destination>) {
        self.set_name(name);
        self.control_length = 0;
        if let Some(destination) = source {
            self.set_source(destination);
        }
    }

    fn set_name(&mut self, name: &PeerName) {
        let length = match name {
            PeerName::Inet(SocketAddr::V4(v4)) => {
                self.put_name(0, &family(libc::AF_INET));
                self.put_name(2, &v4.port().to_be_bytes());
                self.put_name(4, &v4.ip().octets());
                self.put_name(8, &[0; 8]);
                size_of::<libc::sockaddr_in>()
            }
            PeerName::Inet(SocketAddr::V6(v6)) => {
                self.put_name(0, &family(libc::AF_INET6));
                self.put_name(2, &v6.port().to_be_bytes());
                self.put_name(4, &v6.flowinfo().to_ne_bytes());
                self.put_name(8, &v6.ip().octets());
                self.put_name(24, &v6.scope_id().to_ne_bytes());
                size_of::<libc::sockaddr_in6>()
            }
            PeerName::Unix(path) => {
                let path = &path[..path.len().min(SEND_NAME - FAMILY_BYTES)];
                self.put_name(0, &family(libc::AF_UNIX));
                self.put_name(FAMILY_BYTES, path);
                FAMILY_BYTES + path.len()
            }
        };
        self.name_length = small(length);
    }

    fn put_name(&mut self, at: usize, bytes: &[u8]) {
        self.name[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn set_source(&mut self, destination: Destination) {
        let (level, kind, data, length) = match destination {
            Destination::V4 { reply_from, .. } => {
                let mut data = [0; 20];
                data[4..8].copy_from_slice(&reply_from.octets());
                (libc::IPPROTO_IP, libc::IP_PKTINFO, data, 12)
            }
            Destination::V6 { to, interface } => {
                let mut data = [0; 20];
                // A group cannot be a source; its interface still says where the peer is.
                if !to.is_multicast() {
                    data[..16].copy_from_slice(&to.octets());
                }
                if to.is_multicast() || to.is_unicast_link_local() {
                    data[16..].copy_from_slice(&interface.to_ne_bytes());
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, data, 20)
            }
        };
        let total = CONTROL_HEADER + length;
        self.control[..size_of::<usize>()].copy_from_slice(&total.to_ne_bytes());
        let at = size_of::<libc::cmsghdr>() - 8;
        self.control[at..at + 4].copy_from_slice(&level.to_ne_bytes());
        self.control[at + 4..at + 8].copy_from_slice(&kind.to_ne_bytes());
        self.control[CONTROL_HEADER..total].copy_from_slice(&data[..length]);
        self.control_length = small(CONTROL_HEADER + control_align(length));
    }
}

/// Reads a `sockaddr`; `None` if it is empty or of a family not known here.
#[inline]
pub(in crate::socket) fn decode_name(bytes: &[u8]) -> Option<PeerName> {
    let family = libc::c_int::from(u16::from_ne_bytes(array(bytes, 0)?));
    match family {
        libc::AF_INET => {
            let port = u16::from_be_bytes(array(bytes, 2)?);
            let ip = Ipv4Addr::from(array::<4>(bytes, 4)?);
            Some(PeerName::Inet(SocketAddrV4::new(ip, port).into()))
        }
        libc::AF_INET6 => {
            let port = u16::from_be_bytes(array(bytes, 2)?);
            let flow = u32::from_ne_bytes(array(bytes, 4)?);
            let ip = Ipv6Addr::from(array::<16>(bytes, 8)?);
            let scope = u32::from_ne_bytes(array(bytes, 24)?);
            Some(PeerName::Inet(SocketAddrV6::new(ip, port, flow, scope).into()))
        }
        libc::AF_UNIX => Some(PeerName::Unix(Arc::from(&bytes[FAMILY_BYTES..]))),
        _ => None,
    }
}

/// What the control messages of a datagram say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::socket) struct Notes {
    pub(in crate::socket) destination: Option<Destination>,
    pub(in crate::socket) hop_limit: Option<u8>,
}

/// Reads a block of control messages; those not known here are passed over.
#[inline]
pub(in crate::socket) fn decode_control(mut block: &[u8]) -> Notes {
    let mut notes = Notes::default();
    while let Some(length) = array(block, 0).map(usize::from_ne_bytes) {
        let at = size_of::<libc::cmsghdr>() - 8;
        let (Some(level), Some(kind)) = (array(block, at), array(block, at + 4)) else { break };
        let Some(data) = block.get(CONTROL_HEADER..length) else { break };
        notes.read(i32::from_ne_bytes(level), i32::from_ne_bytes(kind), data);
        block = block.get(control_align(length)..).unwrap_or_default();
    }
    notes
}

impl Notes {
    fn read(&mut self, level: i32, kind: i32, data: &[u8]) {
        match (level, kind) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                if let (Some(interface), Some(local), Some(to)) =
                    (array(data, 0), array::<4>(data, 4), array::<4>(data, 8))
                {
                    self.destination = Some(Destination::V4 {
                        to: to.into(),
                        reply_from: local.into(),
                        interface: u32::from_ne_bytes(interface),
                    });
                }
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                // On a socket for both families IPv4 has its own note, which knows more.
                let known = matches!(self.destination, Some(Destination::V4 { .. }));
                if let (Some(to), Some(interface), false) =
                    (array::<16>(data, 0), array(data, 16), known)
                {
                    let interface = u32::from_ne_bytes(interface);
                    self.destination = Some(Destination::V6 { to: to.into(), interface });
                }
            }
            (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                self.hop_limit =
                    array(data, 0).and_then(|value| u8::try_from(i32::from_ne_bytes(value)).ok());
            }
            _ => {}
        }
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn family(value: libc::c_int) -> [u8; FAMILY_BYTES] {
    libc::sa_family_t::try_from(value).unwrap_or_default().to_ne_bytes()
}

fn small(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

const fn control_align(length: usize) -> usize {
    length.saturating_add(size_of::<usize>() - 1) & !(size_of::<usize>() - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(name: &PeerName, source: Option<Destination>) -> EncodedPeer {
        let mut encoded = EncodedPeer::EMPTY;
        encoded.set(name, source);
        encoded
    }

    #[test]
    fn a_source_is_encoded_as_the_kernel_reads_it() {
        let to = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
        let name = PeerName::Inet("[fe80::2%3]:9".parse().unwrap());
        let peer = encoded(&name, Some(Destination::V6 { to, interface: 3 }));
        let notes = decode_control(peer.control());
        assert_eq!(notes.destination, Some(Destination::V6 { to, interface: 3 }));
    }

    #[test]
    fn a_group_is_never_a_source_but_its_interface_stays() {
        let to = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
        let name = PeerName::Inet("[fe80::2%3]:9".parse().unwrap());
        let peer = encoded(&name, Some(Destination::V6 { to, interface: 3 }));
        let notes = decode_control(peer.control());
        let expected = Destination::V6 { to: Ipv6Addr::UNSPECIFIED, interface: 3 };
        assert_eq!(notes.destination, Some(expected));
    }

    proptest! {
        #[test]
        fn any_internet_name_survives(address: SocketAddr) {
            let name = PeerName::Inet(address);
            prop_assert_eq!(decode_name(encoded(&name, None).name()), Some(name));
        }

        #[test]
        fn any_unix_name_that_fits_survives(path in prop::collection::vec(any::<u8>(), 0..=108)) {
            let name = PeerName::Unix(path.into());
            prop_assert_eq!(decode_name(encoded(&name, None).name()), Some(name));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..160)) {
            let _ = decode_name(&bytes);
            let _ = decode_control(&bytes);
        }
    }
}
