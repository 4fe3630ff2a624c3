//! Version 2: binary (specification §2.2).

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

use bytes::Buf as _;

use super::{Parsed, tlv};
use crate::{
    addr::UnixName,
    proxy::{
        Header, HeaderError, Origin, Protocol, Tlvs, Version,
        unix_address::{SUN_PATH, from_sun_path, to_sun_path},
    },
};

/// What a header begins with.
pub(super) const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The fixed bytes: signature, version and command, family and transport, length.
const FIXED: usize = 16;

const VERSION: u8 = 0x20;
const LOCAL: u8 = 0x0;
const PROXY: u8 = 0x1;

const UNSPEC: u8 = 0x00;
const INET: u8 = 0x10;
const INET6: u8 = 0x20;
const UNIX: u8 = 0x30;

const STREAM: u8 = 0x1;
const DGRAM: u8 = 0x2;

/// Parses what begins with [`SIGNATURE`], as far as it goes.
pub(super) fn parse(bytes: &[u8], max: usize) -> Result<Parsed, HeaderError> {
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED>() else {
        // The command is checked as soon as it is there: it may be no header at all.
        bytes.get(SIGNATURE.len()).map_or(Ok(()), |command| check_command(*command))?;
        return Ok(Parsed::Incomplete);
    };
    let [.., command, family, high, low] = *fixed;
    check_command(command)?;
    let announced = usize::from(u16::from_be_bytes([high, low]));
    if announced > max {
        return Err(HeaderError::TooLong { announced, limit: max });
    }
    let Some(body) = rest.get(..announced) else { return Ok(Parsed::Incomplete) };
    let consumed = FIXED + announced;
    // Of a LOCAL header everything must be skipped unseen.
    let (origin, tlvs) = match command & 0x0f {
        LOCAL => (Origin::Local, Tlvs::default()),
        _ => parse_body(family, body, &bytes[..consumed])?,
    };
    let header = Header { version: Version::V2, origin, tlvs };
    Ok(Parsed::Done { header, consumed })
}

fn check_command(command: u8) -> Result<(), HeaderError> {
    let known = [VERSION | LOCAL, VERSION | PROXY].contains(&command);
    if known { Ok(()) } else { Err(HeaderError::BadCommand(command)) }
}

/// Parses addresses and fields; `whole` is the header, for its checksum.
fn parse_body(family: u8, body: &[u8], whole: &[u8]) -> Result<(Origin, Tlvs), HeaderError> {
    let protocol = match family & 0x0f {
        UNSPEC => None,
        STREAM => Some(Protocol::Stream),
        DGRAM => Some(Protocol::Datagram),
        _ => return Err(HeaderError::BadFamily(family)),
    };
    let needed = match family & 0xf0 {
        // Addresses of an unspecified family have no known size. What follows is fields if it
        // can be read as such, and is ignored otherwise.
        UNSPEC => {
            return match tlv::parse(body, whole) {
                Err(HeaderError::BadTlv { .. }) => Ok((Origin::Unknown, Tlvs::default())),
                fields => Ok((Origin::Unknown, fields?)),
            };
        }
        INET => 2 * (4 + 2),
        INET6 => 2 * (16 + 2),
        UNIX => 2 * SUN_PATH,
        _ => return Err(HeaderError::BadFamily(family)),
    };
    let Some((addresses, fields)) = body.split_at_checked(needed) else {
        return Err(HeaderError::ShortAddresses { length: body.len(), needed });
    };
    let origin = match protocol {
        Some(protocol) => parse_addresses(family, protocol, addresses),
        None => Origin::Unknown,
    };
    Ok((origin, tlv::parse(fields, whole)?))
}

/// Parses the addresses of a family; the caller has seen to their size.
fn parse_addresses(family: u8, protocol: Protocol, mut block: &[u8]) -> Origin {
    match family & 0xf0 {
        INET => {
            let (from, to) = (Ipv4Addr::from(block.get_u32()), Ipv4Addr::from(block.get_u32()));
            let source = SocketAddrV4::new(from, block.get_u16());
            let destination = SocketAddrV4::new(to, block.get_u16());
            Origin::Inet4 { protocol, source, destination }
        }
        INET6 => {
            let (from, to) = (Ipv6Addr::from(block.get_u128()), Ipv6Addr::from(block.get_u128()));
            let source = SocketAddrV6::new(from, block.get_u16(), 0, 0);
            let destination = SocketAddrV6::new(to, block.get_u16(), 0, 0);
            Origin::Inet6 { protocol, source, destination }
        }
        _ => {
            let mut names = [[0; SUN_PATH]; 2];
            block.copy_to_slice(names.as_flattened_mut());
            let [source, destination] = names.map(|name| from_sun_path(&name));
            Origin::Unix { protocol, source, destination }
        }
    }
}

/// Formats a header.
pub(super) fn format(origin: &Origin, tlvs: &Tlvs) -> Result<Vec<u8>, HeaderError> {
    let (command, family) = match origin {
        Origin::Local => (LOCAL, UNSPEC),
        Origin::Unknown => (PROXY, UNSPEC),
        Origin::Inet4 { protocol, .. } => (PROXY, INET | transport(*protocol)),
        Origin::Inet6 { protocol, .. } => (PROXY, INET6 | transport(*protocol)),
        Origin::Unix { protocol, .. } => (PROXY, UNIX | transport(*protocol)),
    };
    let mut out = SIGNATURE.to_vec();
    out.extend([VERSION | command, family, 0, 0]);
    format_addresses(origin, &mut out)?;
    if *origin != Origin::Local {
        tlv::format(tlvs, &mut out)?;
    }
    let size = out.len() - FIXED;
    let length = u16::try_from(size).map_err(|_| HeaderError::TooLarge {
        what: "the header",
        size,
        limit: u16::MAX.into(),
    })?;
    out[FIXED - 2..FIXED].copy_from_slice(&length.to_be_bytes());
    if tlvs.checksum && *origin != Origin::Local {
        tlv::seal(&mut out);
    }
    Ok(out)
}

const fn transport(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Stream => STREAM,
        Protocol::Datagram => DGRAM,
    }
}

fn format_addresses(origin: &Origin, out: &mut Vec<u8>) -> Result<(), HeaderError> {
    match origin {
        Origin::Local | Origin::Unknown => {}
        Origin::Inet4 { source, destination, .. } => {
            out.extend(source.ip().octets());
            out.extend(destination.ip().octets());
            out.extend(source.port().to_be_bytes());
            out.extend(destination.port().to_be_bytes());
        }
        Origin::Inet6 { source, destination, .. } => {
            out.extend(source.ip().octets());
            out.extend(destination.ip().octets());
            out.extend(source.port().to_be_bytes());
            out.extend(destination.port().to_be_bytes());
        }
        Origin::Unix { source, destination, .. } => {
            out.extend(sun_path(source)?);
            out.extend(sun_path(destination)?);
        }
    }
    Ok(())
}

fn sun_path(name: &UnixName) -> Result<[u8; SUN_PATH], HeaderError> {
    to_sun_path(name).map_err(|size| HeaderError::TooLarge {
        what: "a Unix socket's name",
        size,
        limit: SUN_PATH,
    })
}
