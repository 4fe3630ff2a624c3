//! Version 1: one line of text (specification §2.1).

use core::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6},
    str::{self, FromStr},
};

use crate::proxy::{Header, HeaderError, Origin, Protocol, Tlvs, Version, error::seen};

/// What a line begins with.
pub(super) const KEYWORD: &[u8] = b"PROXY ";

/// Parses a line without its CRLF, which begins with [`KEYWORD`].
pub(super) fn parse(line: &[u8]) -> Result<Header, HeaderError> {
    let fields = line.get(KEYWORD.len()..).unwrap_or_default();
    let mut fields = Fields(fields.split(|byte| *byte == b' '));
    let origin = match fields.next() {
        // Whatever follows on the line must be ignored.
        b"UNKNOWN" => Origin::Unknown,
        b"TCP4" => {
            let (source, destination) = addresses::<Ipv4Addr>(&mut fields)?;
            Origin::Inet4 {
                protocol: Protocol::Stream,
                source: SocketAddrV4::new(source.0, source.1),
                destination: SocketAddrV4::new(destination.0, destination.1),
            }
        }
        b"TCP6" => {
            let (source, destination) = addresses::<Ipv6Addr>(&mut fields)?;
            Origin::Inet6 {
                protocol: Protocol::Stream,
                source: SocketAddrV6::new(source.0, source.1, 0, 0),
                destination: SocketAddrV6::new(destination.0, destination.1, 0, 0),
            }
        }
        other => return Err(bad("protocol", other)),
    };
    Ok(Header { version: Version::V1, origin, tlvs: Tlvs::default() })
}

/// The fields of a line, each once; an absent one is empty, which nothing accepts.
struct Fields<I>(I);

impl<'a, I: Iterator<Item = &'a [u8]>> Fields<I> {
    fn next(&mut self) -> &'a [u8] {
        self.0.next().unwrap_or_default()
    }
}

type Endpoint<A> = (A, u16);

fn addresses<'a, A: FromStr>(
    fields: &mut Fields<impl Iterator<Item = &'a [u8]>>,
) -> Result<(Endpoint<A>, Endpoint<A>), HeaderError> {
    let source = address(fields.next(), "source address")?;
    let destination = address(fields.next(), "destination address")?;
    let source_port = port(fields.next(), "source port")?;
    let destination_port = port(fields.next(), "destination port")?;
    match fields.0.next() {
        None => Ok(((source, source_port), (destination, destination_port))),
        Some(rest) => Err(bad("end", rest)),
    }
}

fn address<A: FromStr>(field: &[u8], part: &'static str) -> Result<A, HeaderError> {
    let text = str::from_utf8(field).ok();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| bad(part, field))
}

fn port(field: &[u8], part: &'static str) -> Result<u16, HeaderError> {
    let digits = field.iter().all(u8::is_ascii_digit);
    let leading_zero = field.len() > 1 && field.starts_with(b"0");
    if digits && !leading_zero { address(field, part) } else { Err(bad(part, field)) }
}

fn bad(part: &'static str, field: &[u8]) -> HeaderError {
    HeaderError::BadLine { part, seen: seen(field) }
}

/// Formats a line with its CRLF.
pub(super) fn format(origin: &Origin) -> Vec<u8> {
    let line = match origin {
        Origin::Inet4 { protocol: Protocol::Stream, source, destination } => {
            let (from, to) = (source.ip(), destination.ip());
            format!("PROXY TCP4 {from} {to} {} {}\r\n", source.port(), destination.port())
        }
        Origin::Inet6 { protocol: Protocol::Stream, source, destination } => {
            let (from, to) = (source.ip(), destination.ip());
            format!("PROXY TCP6 {from} {to} {} {}\r\n", source.port(), destination.port())
        }
        _ => "PROXY UNKNOWN\r\n".to_owned(),
    };
    line.into_bytes()
}
