//! The two formats of a PROXY header: bytes in, values out.

mod crc32c;
mod tlv;
mod v1;
mod v2;

use super::{Header, HeaderError, MAX_V1, Version, error::seen};

/// What the first bytes of a connection are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is returned")]
pub enum Parsed {
    /// The beginning of a header, and nothing but: every byte given belongs to it.
    Incomplete,
    /// A whole header.
    Done {
        /// The header.
        header: Header,
        /// How many bytes it has; what follows belongs to the application.
        consumed: usize,
    },
}

/// Parses the header at the beginning of `bytes`, of which at most `max_v2` may follow the 16
/// fixed ones of version 2; the default is [`MAX_V2`](super::MAX_V2).
///
/// A wrong beginning is an error as soon as it can be seen, from the first byte on. Parsing
/// again from the start with more bytes is cheap: nothing is decoded before the header is whole.
///
/// # Errors
/// [`HeaderError`].
pub fn parse(bytes: &[u8], max_v2: usize) -> Result<Parsed, HeaderError> {
    if begins(bytes, &v2::SIGNATURE) {
        v2::parse(bytes, max_v2)
    } else if begins(bytes, v1::KEYWORD) {
        parse_line(bytes)
    } else {
        Err(HeaderError::Missing { seen: seen(bytes) })
    }
}

/// Whether `bytes` and `signature` agree as far as both go.
fn begins(bytes: &[u8], signature: &[u8]) -> bool {
    bytes.iter().zip(signature).all(|(byte, expected)| byte == expected)
}

fn parse_line(bytes: &[u8]) -> Result<Parsed, HeaderError> {
    let line = &bytes[..bytes.len().min(MAX_V1)];
    match line.windows(2).position(|pair| pair == b"\r\n") {
        Some(end) => {
            let header = v1::parse(&line[..end])?;
            Ok(Parsed::Done { header, consumed: end + 2 })
        }
        None if line.len() == MAX_V1 => Err(HeaderError::NoLineEnd { seen: seen(line) }),
        None => Ok(Parsed::Incomplete),
    }
}

/// Formats `header` as the bytes to send before everything else.
///
/// Version 1 knows only TCP over IPv4 and IPv6: other origins become `UNKNOWN`, and the further
/// fields are left out. Version 2 leaves them out for [`Origin::Local`](super::Origin::Local),
/// of which receivers ignore everything.
///
/// # Errors
/// [`HeaderError::TooLarge`] for values for which version 2 has no room.
pub fn format(header: &Header) -> Result<Vec<u8>, HeaderError> {
    match header.version {
        Version::V1 => Ok(v1::format(&header.origin)),
        Version::V2 => v2::format(&header.origin, &header.tlvs),
    }
}
