//! The type-length-value fields of version 2 (specification §2.2.1–2.2.8).

use super::crc32c::crc32c;
use crate::proxy::{HeaderError, MAX_UNIQUE_ID, Ssl, Tlv, Tlvs};

const ALPN: u8 = 0x01;
const AUTHORITY: u8 = 0x02;
const CRC32C: u8 = 0x03;
const NOOP: u8 = 0x04;
const UNIQUE_ID: u8 = 0x05;
const SSL: u8 = 0x20;
const SSL_CLIENT_CERTIFICATE: u8 = 0x28;
const NETNS: u8 = 0x30;

const CLIENT_SSL: u8 = 0x01;
const CLIENT_CERT_CONN: u8 = 0x02;
const CLIENT_CERT_SESS: u8 = 0x04;

/// A textual field within [`SSL`]: its type and its place in the value.
struct SslText {
    kind: u8,
    get: fn(&Ssl) -> &Option<String>,
    get_mut: fn(&mut Ssl) -> &mut Option<String>,
}

macro_rules! ssl_text {
    ($kind:literal, $field:ident) => {
        SslText { kind: $kind, get: |ssl| &ssl.$field, get_mut: |ssl| &mut ssl.$field }
    };
}

const SSL_TEXTS: [SslText; 7] = [
    ssl_text!(0x21, version),
    ssl_text!(0x22, common_name),
    ssl_text!(0x23, cipher),
    ssl_text!(0x24, signature_algorithm),
    ssl_text!(0x25, key_algorithm),
    ssl_text!(0x26, group),
    ssl_text!(0x27, signature_scheme),
];

/// Splits the first field off `bytes`, which are not empty.
fn split_field(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), HeaderError> {
    let split = || {
        let ([kind, high, low], rest) = bytes.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(u16::from_be_bytes([*high, *low]).into())?;
        Some((*kind, value, rest))
    };
    split().ok_or(HeaderError::BadTlv { kind: bytes[0], reason: "is cut off" })
}

/// Parses `fields`, which end the header `whole`.
pub(super) fn parse(fields: &[u8], whole: &[u8]) -> Result<Tlvs, HeaderError> {
    let mut tlvs = Tlvs::default();
    let mut rest = fields;
    while !rest.is_empty() {
        let (kind, value, after) = split_field(rest)?;
        rest = after;
        match kind {
            NOOP => {}
            ALPN => set(&mut tlvs.alpn, kind, value.to_vec())?,
            AUTHORITY => set(&mut tlvs.authority, kind, text(kind, value)?)?,
            NETNS => set(&mut tlvs.netns, kind, text(kind, value)?)?,
            UNIQUE_ID if value.len() > MAX_UNIQUE_ID => {
                return Err(HeaderError::BadTlv { kind, reason: "has more than 128 bytes" });
            }
            UNIQUE_ID => set(&mut tlvs.unique_id, kind, value.to_vec())?,
            SSL => set(&mut tlvs.ssl, kind, Box::new(parse_ssl(value)?))?,
            CRC32C => {
                if tlvs.checksum {
                    return Err(HeaderError::BadTlv { kind, reason: "is there twice" });
                }
                verify(value, whole, whole.len() - after.len())?;
                tlvs.checksum = true;
            }
            _ => tlvs.other.push(Tlv { kind, value: value.to_vec() }),
        }
    }
    Ok(tlvs)
}

fn set<T>(place: &mut Option<T>, kind: u8, value: T) -> Result<(), HeaderError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(HeaderError::BadTlv { kind, reason: "is there twice" }),
    }
}

fn text(kind: u8, value: &[u8]) -> Result<String, HeaderError> {
    String::from_utf8(value.to_vec())
        .map_err(|_| HeaderError::BadTlv { kind, reason: "is not UTF-8" })
}

fn parse_ssl(value: &[u8]) -> Result<Ssl, HeaderError> {
    let Some(([client, verify @ ..], mut rest)) = value.split_first_chunk::<5>() else {
        return Err(HeaderError::BadTlv { kind: SSL, reason: "is cut off" });
    };
    let mut ssl = Ssl {
        encrypted: client & CLIENT_SSL != 0,
        certificate_on_connection: client & CLIENT_CERT_CONN != 0,
        certificate_in_session: client & CLIENT_CERT_SESS != 0,
        verify: u32::from_be_bytes(*verify),
        ..Ssl::default()
    };
    while !rest.is_empty() {
        let (kind, value, after) = split_field(rest)?;
        rest = after;
        if let Some(field) = SSL_TEXTS.iter().find(|field| field.kind == kind) {
            set((field.get_mut)(&mut ssl), kind, text(kind, value)?)?;
        } else if kind == SSL_CLIENT_CERTIFICATE {
            set(&mut ssl.client_certificate, kind, value.to_vec())?;
        } else {
            ssl.other.push(Tlv { kind, value: value.to_vec() });
        }
    }
    Ok(ssl)
}

/// Compares the checksum `value`, which ends at `end` of the header `whole`, with the header's,
/// for which its own place counts as zeros.
fn verify(value: &[u8], whole: &[u8], end: usize) -> Result<(), HeaderError> {
    let Ok(announced) = value.try_into().map(u32::from_be_bytes) else {
        return Err(HeaderError::BadTlv { kind: CRC32C, reason: "has not four bytes" });
    };
    let computed = crc32c(&[&whole[..end - value.len()], &[0; 4], &whole[end..]]);
    if announced == computed { Ok(()) } else { Err(HeaderError::Checksum { announced, computed }) }
}

/// Appends the fields. A checksum comes last and is zero until [`seal`] fills it in.
pub(super) fn format(tlvs: &Tlvs, out: &mut Vec<u8>) -> Result<(), HeaderError> {
    if let Some(alpn) = &tlvs.alpn {
        push(out, ALPN, alpn)?;
    }
    if let Some(authority) = &tlvs.authority {
        push(out, AUTHORITY, authority.as_bytes())?;
    }
    if let Some(unique_id) = &tlvs.unique_id {
        if unique_id.len() > MAX_UNIQUE_ID {
            return Err(HeaderError::TooLarge {
                what: "the unique id",
                size: unique_id.len(),
                limit: MAX_UNIQUE_ID,
            });
        }
        push(out, UNIQUE_ID, unique_id)?;
    }
    if let Some(ssl) = &tlvs.ssl {
        push(out, SSL, &format_ssl(ssl)?)?;
    }
    if let Some(netns) = &tlvs.netns {
        push(out, NETNS, netns.as_bytes())?;
    }
    for Tlv { kind, value } in &tlvs.other {
        push(out, *kind, value)?;
    }
    if tlvs.checksum {
        push(out, CRC32C, &[0; 4])?;
    }
    Ok(())
}

fn format_ssl(ssl: &Ssl) -> Result<Vec<u8>, HeaderError> {
    let flags = [
        (ssl.encrypted, CLIENT_SSL),
        (ssl.certificate_on_connection, CLIENT_CERT_CONN),
        (ssl.certificate_in_session, CLIENT_CERT_SESS),
    ];
    let client = flags.iter().filter(|(set, _)| *set).fold(0, |client, (_, flag)| client | flag);
    let mut out = vec![client];
    out.extend(ssl.verify.to_be_bytes());
    for field in &SSL_TEXTS {
        if let Some(text) = (field.get)(ssl) {
            push(&mut out, field.kind, text.as_bytes())?;
        }
    }
    if let Some(certificate) = &ssl.client_certificate {
        push(&mut out, SSL_CLIENT_CERTIFICATE, certificate)?;
    }
    for Tlv { kind, value } in &ssl.other {
        push(&mut out, *kind, value)?;
    }
    Ok(out)
}

fn push(out: &mut Vec<u8>, kind: u8, value: &[u8]) -> Result<(), HeaderError> {
    let length = u16::try_from(value.len()).map_err(|_| HeaderError::TooLarge {
        what: "a field",
        size: value.len(),
        limit: u16::MAX.into(),
    })?;
    out.push(kind);
    out.extend(length.to_be_bytes());
    out.extend(value);
    Ok(())
}

/// Fills in the checksum, the last field of the header `out`.
pub(super) fn seal(out: &mut [u8]) {
    let checksum = crc32c(&[out]);
    if let Some(place) = out.last_chunk_mut() {
        *place = checksum.to_be_bytes();
    }
}
