//! Where a request's body ends (RFC 9112 §6.3).
//!
//! What two readers could understand in two ways is refused, and the connection ends with it: a request
//! hidden in another's body (smuggling) lives by such differences.

use super::head::{Head, Once};

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// So many bytes.
    Length(u64),
    /// As many as come in chunks.
    Chunked,
}

/// Why the end of a body cannot be known for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingError {
    /// Content-Length and Transfer-Encoding.
    #[error("a request has either Content-Length or Transfer-Encoding, not both")]
    Both,
    /// Several of one of them, also if they say the same.
    #[error("a request has one Content-Length or one Transfer-Encoding, not several")]
    Several,
    /// A Content-Length that is not a number of bytes.
    #[error("Content-Length is a number of bytes, in digits alone")]
    Length,
    /// HTTP/1.0 has no Transfer-Encoding.
    #[error("Transfer-Encoding is of HTTP/1.1")]
    Version,
    /// Another coding than chunked: 501 (RFC 9112 §6.1).
    #[error("the only Transfer-Encoding here is `chunked`")]
    Coding,
}

/// The framing of the body behind `head`.
///
/// # Errors
/// If it is not certain, or of a coding that is not known.
pub fn framing(head: &Head<'_>) -> Result<Framing, FramingError> {
    match (head.fields.content_length, head.fields.transfer_encoding) {
        (Once::Missing, Once::Missing) => Ok(Framing::None),
        (Once::Several, _) | (_, Once::Several) => Err(FramingError::Several),
        (Once::One(_), Once::One(_)) => Err(FramingError::Both),
        (Once::One(length), Once::Missing) => {
            number(length).map(Framing::Length).ok_or(FramingError::Length)
        }
        (Once::Missing, Once::One(_)) if head.minor_version != Some(1) => {
            Err(FramingError::Version)
        }
        (Once::Missing, Once::One(coding)) if coding.eq_ignore_ascii_case(b"chunked") => {
            Ok(Framing::Chunked)
        }
        (Once::Missing, Once::One(_)) => Err(FramingError::Coding),
    }
}

/// Digits alone: no sign, no space, no list.
fn number(text: &[u8]) -> Option<u64> {
    let digits = str::from_utf8(text).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::head::{Parsed, parse};

    fn outcome(version: &str, fields: &str) -> Result<Framing, FramingError> {
        let text = format!("PUT / HTTP/1.{version}\r\n{fields}\r\n\r\n");
        let Parsed::Head(head, _) = parse(text.as_bytes()) else { panic!("{text:?}") };
        framing(&head)
    }

    #[test]
    fn the_end_of_a_body_is_certain_or_refused() {
        use Framing::{Chunked, Length, None};
        for (fields, expected) in [
            ("X: y", Ok(None)),
            ("Content-Length: 0", Ok(Length(0))),
            ("Content-Length: 0005", Ok(Length(5))),
            ("Content-Length: 18446744073709551615", Ok(Length(u64::MAX))),
            ("Content-Length: 18446744073709551616", Err(FramingError::Length)),
            ("Content-Length:", Err(FramingError::Length)),
            ("Content-Length: +5", Err(FramingError::Length)),
            ("Content-Length: -5", Err(FramingError::Length)),
            ("Content-Length: 0x5", Err(FramingError::Length)),
            ("Content-Length: 5 5", Err(FramingError::Length)),
            ("Content-Length: 5, 5", Err(FramingError::Length)),
            ("Content-Length: 5\r\nContent-Length: 5", Err(FramingError::Several)),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked", Err(FramingError::Both)),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5", Err(FramingError::Both)),
            ("Transfer-Encoding: Chunked", Ok(Chunked)),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: x", Err(FramingError::Several)),
            ("Transfer-Encoding: identity", Err(FramingError::Coding)),
            ("Transfer-Encoding: gzip, chunked", Err(FramingError::Coding)),
            ("Transfer-Encoding: chunked, chunked", Err(FramingError::Coding)),
            ("Transfer-Encoding: xchunked", Err(FramingError::Coding)),
            ("Transfer-Encoding: \"chunked\"", Err(FramingError::Coding)),
        ] {
            assert_eq!(outcome("1", fields), expected, "{fields}");
        }
        assert_eq!(outcome("0", "Transfer-Encoding: chunked"), Err(FramingError::Version));
        assert_eq!(outcome("0", "Content-Length: 7"), Ok(Length(7)));
    }
}
