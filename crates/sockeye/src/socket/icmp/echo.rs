//! Echo request and reply of ICMP (RFC 792) and ICMPv6 (RFC 4443 §4), as bytes.
//!
//! Does no I/O and reads no clock: bytes in, values out, and back.

use std::net::Ipv6Addr;

use crate::socket::raw::checksum;

/// The length of an echo message before its payload, in bytes.
pub const ECHO_HEADER: usize = 8;

/// The longest payload of an echo that both versions carry, in bytes: 65,535 less the IPv4 and
/// the echo header.
pub const MAX_ECHO_PAYLOAD: usize = 65_507;

/// Next header value of ICMPv6, in the pseudo-header of its checksum (RFC 4443 §2.3).
const NEXT_HEADER_ICMPV6: u8 = 58;

/// ICMP for IPv4 or for IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IcmpVersion {
    /// ICMP (RFC 792).
    V4,
    /// ICMPv6 (RFC 4443); the addresses go into its checksum. Without them it is neither
    /// written nor checked, which is right for sockets: the kernel does both.
    V6(Option<(Ipv6Addr, Ipv6Addr)>),
}

/// Whether an echo asks or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EchoKind {
    /// The question: type 8, or 128 in ICMPv6.
    Request,
    /// The answer: type 0, or 129 in ICMPv6.
    Reply,
}

/// An echo message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo<'a> {
    /// Whether it asks or answers.
    pub kind: EchoKind,
    /// Tells the programs that ask apart.
    pub id: u16,
    /// Tells the questions of one program apart.
    pub sequence: u16,
    /// What comes back unchanged, at most [`MAX_ECHO_PAYLOAD`] bytes.
    pub payload: &'a [u8],
}

/// Why bytes are not an echo message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EchoError {
    /// Peer: shorter than the header.
    #[error("{0} bytes are too few for an ICMP echo, which has at least {ECHO_HEADER}")]
    Short(usize),
    /// Nobody's: an ICMP message of another kind.
    #[error("ICMP type {kind} code {code} is not an echo")]
    NotEcho {
        /// The message's type.
        kind: u8,
        /// The message's code.
        code: u8,
    },
    /// The line's: the checksum does not fit the bytes.
    #[error("the checksum of the ICMP message is wrong")]
    Checksum,
}

impl EchoKind {
    fn type_number(self, version: IcmpVersion) -> u8 {
        match (version, self) {
            (IcmpVersion::V4, Self::Request) => 8,
            (IcmpVersion::V4, Self::Reply) => 0,
            (IcmpVersion::V6(_), Self::Request) => 128,
            (IcmpVersion::V6(_), Self::Reply) => 129,
        }
    }
}

impl<'a> Echo<'a> {
    /// Reads an ICMP message that stands alone, without an IP header.
    ///
    /// # Errors
    /// [`EchoError`] if it is too short, of another kind, or damaged.
    pub fn parse(version: IcmpVersion, bytes: &'a [u8]) -> Result<Self, EchoError> {
        let Some((&[kind, code, _, _, i, d, s, q], payload)) =
            bytes.split_first_chunk::<ECHO_HEADER>()
        else {
            return Err(EchoError::Short(bytes.len()));
        };
        let kind = [EchoKind::Request, EchoKind::Reply]
            .into_iter()
            .find(|known| code == 0 && known.type_number(version) == kind)
            .ok_or(EchoError::NotEcho { kind, code })?;
        if message_checksum(version, bytes).is_some_and(|sum| sum != 0) {
            return Err(EchoError::Checksum);
        }
        let (id, sequence) = (u16::from_be_bytes([i, d]), u16::from_be_bytes([s, q]));
        Ok(Self { kind, id, sequence, payload })
    }

    /// Appends the message to `out`, with its checksum where the version allows.
    pub fn write(&self, version: IcmpVersion, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[self.kind.type_number(version), 0, 0, 0]);
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(self.payload);
        if let Some(sum) = message_checksum(version, &out[start..]) {
            out[start + 2..start + 4].copy_from_slice(&sum.to_be_bytes());
        }
    }

    /// The message as bytes, with its checksum where the version allows.
    #[must_use]
    pub fn to_bytes(&self, version: IcmpVersion) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ECHO_HEADER + self.payload.len());
        self.write(version, &mut bytes);
        bytes
    }

    /// The answer to this request.
    #[must_use]
    pub fn reply(self) -> Self {
        Self { kind: EchoKind::Reply, ..self }
    }
}

fn message_checksum(version: IcmpVersion, message: &[u8]) -> Option<u16> {
    match version {
        IcmpVersion::V4 => Some(checksum(&[message])),
        IcmpVersion::V6(None) => None,
        IcmpVersion::V6(Some((source, destination))) => {
            let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
            let next = [0, 0, 0, NEXT_HEADER_ICMPV6];
            Some(checksum(&[&source.octets(), &destination.octets(), &length, &next, message]))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn versions() -> impl Strategy<Value = IcmpVersion> {
        prop_oneof![
            Just(IcmpVersion::V4),
            Just(IcmpVersion::V6(None)),
            any::<(Ipv6Addr, Ipv6Addr)>().prop_map(|ends| IcmpVersion::V6(Some(ends))),
        ]
    }

    #[test]
    fn a_request_is_laid_out_as_rfc_792_says() {
        let echo = Echo { kind: EchoKind::Request, id: 0x1234, sequence: 1, payload: b"abc" };
        let bytes = echo.to_bytes(IcmpVersion::V4);
        assert_eq!(bytes, b"\x08\0\x21\x68\x12\x34\0\x01abc");
    }

    #[test]
    fn other_messages_and_other_codes_are_not_echoes() {
        let unreachable = [3, 1, 0, 0, 0, 0, 0, 0];
        let error = Echo::parse(IcmpVersion::V4, &unreachable).unwrap_err();
        assert_eq!(error, EchoError::NotEcho { kind: 3, code: 1 });
        let odd_code = [128, 1, 0, 0, 0, 0, 0, 0];
        let error = Echo::parse(IcmpVersion::V6(None), &odd_code).unwrap_err();
        assert_eq!(error, EchoError::NotEcho { kind: 128, code: 1 });
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            version in versions(),
            id: u16,
            sequence: u16,
            reply: bool,
            payload in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut echo = Echo { kind: EchoKind::Request, id, sequence, payload: &payload };
            if reply {
                echo = echo.reply();
            }
            let bytes = echo.to_bytes(version);
            prop_assert_eq!(Echo::parse(version, &bytes), Ok(echo));
        }

        #[test]
        fn one_flipped_bit_is_found(
            id: u16,
            payload in prop::collection::vec(any::<u8>(), 0..64),
            at: prop::sample::Index,
            bit in 0..8_u8,
        ) {
            let echo = Echo { kind: EchoKind::Request, id, sequence: 7, payload: &payload };
            let mut bytes = echo.to_bytes(IcmpVersion::V4);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(Echo::parse(IcmpVersion::V4, &bytes).is_err());
        }

        #[test]
        fn arbitrary_bytes_never_panic(
            version in versions(),
            bytes in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let _ = Echo::parse(version, &bytes);
        }
    }
}
