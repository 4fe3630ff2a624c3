//! Raw IP: the header that comes with every IPv4 packet, read and written.
//!
//! Does no I/O: a raw socket is a [`DatagramSocket`](super::DatagramSocket) of `ip://`.
//! The kernel hands over IPv4 packets with their header and IPv6 packets without
//! (raw(7), RFC 3542 §3); with `hdrincl=1` what is sent begins with a header too.

use std::net::Ipv4Addr;

/// The length of an IPv4 header without options, in bytes (RFC 791 §3.1).
pub const IPV4_HEADER: usize = 20;

/// An IPv4 packet as a raw socket receives it: header and payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Packet<'a> {
    header: &'a [u8],
    payload: &'a [u8],
}

/// Why bytes are not an IPv4 packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ipv4Error {
    /// Peer: shorter than a header.
    #[error("{length} bytes are too few for an IPv4 header, which has at least {IPV4_HEADER}")]
    Short {
        /// How many bytes there are.
        length: usize,
    },
    /// Peer: another version.
    #[error("IP version {0} where 4 belongs")]
    Version(u8),
    /// Peer: the header's length is below the minimum or beyond the packet.
    #[error("a header of {header} bytes in a packet of {length}")]
    HeaderLength {
        /// What the header says of itself.
        header: usize,
        /// How many bytes there are.
        length: usize,
    },
    /// Peer: the total length is below the header's or beyond what was received.
    #[error("a total length of {total} bytes where {length} came")]
    TotalLength {
        /// What the header says.
        total: usize,
        /// How many bytes there are.
        length: usize,
    },
}

impl<'a> Ipv4Packet<'a> {
    /// Reads a packet (RFC 791 §3.1). The header's checksum was the kernel's to check.
    ///
    /// Bytes beyond the total length are cut off: links pad short packets.
    ///
    /// # Errors
    /// [`Ipv4Error`] if the lengths contradict each other; a truncated packet is one such.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Ipv4Error> {
        let length = bytes.len();
        let Some(fixed) = bytes.first_chunk::<IPV4_HEADER>() else {
            return Err(Ipv4Error::Short { length });
        };
        if fixed[0] >> 4 != 4 {
            return Err(Ipv4Error::Version(fixed[0] >> 4));
        }
        let header = usize::from(fixed[0] & 0x0f) * 4;
        if header < IPV4_HEADER || header > length {
            return Err(Ipv4Error::HeaderLength { header, length });
        }
        let total = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        if total < header || total > length {
            return Err(Ipv4Error::TotalLength { total, length });
        }
        Ok(Self { header: &bytes[..header], payload: &bytes[header..total] })
    }

    /// The header with its options, as it came.
    #[must_use]
    pub fn header(&self) -> &'a [u8] {
        self.header
    }

    /// What the packet carries.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The options, without the fixed part of the header.
    #[must_use]
    pub fn options(&self) -> &'a [u8] {
        &self.header[IPV4_HEADER..]
    }

    /// The traffic class byte: DSCP and ECN.
    #[must_use]
    pub fn tos(&self) -> u8 {
        self.header[1]
    }

    /// The identification that fragments share.
    #[must_use]
    pub fn identification(&self) -> u16 {
        u16::from_be_bytes([self.header[4], self.header[5]])
    }

    /// How many routers it might have passed still.
    #[must_use]
    pub fn ttl(&self) -> u8 {
        self.header[8]
    }

    /// The IP protocol number of the payload.
    #[must_use]
    pub fn protocol(&self) -> u8 {
        self.header[9]
    }

    /// Who sent it.
    #[must_use]
    pub fn source(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.header[12], self.header[13], self.header[14], self.header[15])
    }

    /// Whom it was sent to.
    #[must_use]
    pub fn destination(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.header[16], self.header[17], self.header[18], self.header[19])
    }
}

/// An IPv4 header to send with a payload by a socket with `hdrincl=1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Header {
    /// The source; unspecified lets the kernel choose.
    pub source: Ipv4Addr,
    /// The destination.
    pub destination: Ipv4Addr,
    /// The IP protocol number.
    pub protocol: u8,
    /// How many routers it may pass.
    pub ttl: u8,
    /// The traffic class byte.
    pub tos: u8,
    /// The identification; 0 lets the kernel choose.
    pub identification: u16,
}

impl Ipv4Header {
    /// A header with the usual time to live, 64 (RFC 1700, IANA "IP time to live").
    #[must_use]
    pub fn new(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8) -> Self {
        Self { source, destination, protocol, ttl: 64, tos: 0, identification: 0 }
    }

    /// The packet of this header and `payload`; `None` if it were longer than 65,535 bytes.
    ///
    /// The kernel fills in the checksum and the total length in any case (raw(7)).
    #[must_use]
    pub fn packet(&self, payload: &[u8]) -> Option<Vec<u8>> {
        let total = u16::try_from(IPV4_HEADER + payload.len()).ok()?;
        let mut packet = Vec::with_capacity(usize::from(total));
        packet.extend_from_slice(&[0x45, self.tos]);
        packet.extend_from_slice(&total.to_be_bytes());
        packet.extend_from_slice(&self.identification.to_be_bytes());
        packet.extend_from_slice(&[0, 0, self.ttl, self.protocol, 0, 0]);
        packet.extend_from_slice(&self.source.octets());
        packet.extend_from_slice(&self.destination.octets());
        let sum = checksum(&[&packet]);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet.extend_from_slice(payload);
        Some(packet)
    }
}

/// The Internet checksum over `parts` as if they stood together (RFC 1071); every part but the
/// last must have an even length. 0 over data that contains its checksum means intact.
#[must_use]
pub fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum: u64 = 0;
    for part in parts {
        let (words, rest) = part.as_chunks::<2>();
        sum += words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum::<u64>();
        if let [last] = rest {
            sum += u64::from(u16::from_be_bytes([*last, 0]));
        }
    }
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    // Folded above: it fits.
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_checksum_of_rfc_1071_section_3() {
        let data = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(checksum(&[&data]), !0xddf2);
        assert_eq!(checksum(&[&data[..4], &data[4..]]), !0xddf2);
    }

    #[test]
    fn contradicting_lengths_are_told_apart() {
        let packet = Ipv4Header::new(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, 17)
            .packet(b"payload")
            .unwrap();
        let with = |at: usize, byte: u8| {
            let mut packet = packet.clone();
            packet[at] = byte;
            Ipv4Packet::parse(&packet).map(|_| ())
        };
        assert_eq!(with(0, 0x65), Err(Ipv4Error::Version(6)));
        assert_eq!(with(0, 0x44), Err(Ipv4Error::HeaderLength { header: 16, length: 27 }));
        assert_eq!(with(0, 0x4f), Err(Ipv4Error::HeaderLength { header: 60, length: 27 }));
        assert_eq!(with(3, 19), Err(Ipv4Error::TotalLength { total: 19, length: 27 }));
        assert_eq!(with(3, 28), Err(Ipv4Error::TotalLength { total: 28, length: 27 }));
        assert_eq!(Ipv4Packet::parse(&packet[..19]), Err(Ipv4Error::Short { length: 19 }));
    }

    proptest! {
        #[test]
        fn what_is_built_is_read_back(
            source: Ipv4Addr,
            destination: Ipv4Addr,
            protocol: u8,
            ttl: u8,
            tos: u8,
            identification: u16,
            payload in prop::collection::vec(any::<u8>(), 0..300),
            padding in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let header = Ipv4Header { source, destination, protocol, ttl, tos, identification };
            let mut bytes = header.packet(&payload).unwrap();
            bytes.extend_from_slice(&padding);
            let packet = Ipv4Packet::parse(&bytes).unwrap();
            prop_assert_eq!(checksum(&[packet.header()]), 0);
            prop_assert_eq!(packet.payload(), &payload[..]);
            prop_assert_eq!((packet.source(), packet.destination()), (source, destination));
            prop_assert_eq!((packet.protocol(), packet.ttl()), (protocol, ttl));
            prop_assert_eq!((packet.tos(), packet.identification()), (tos, identification));
            prop_assert!(packet.options().is_empty());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(packet) = Ipv4Packet::parse(&bytes) {
                prop_assert!(packet.header().len() + packet.payload().len() <= bytes.len());
            }
        }
    }
}
