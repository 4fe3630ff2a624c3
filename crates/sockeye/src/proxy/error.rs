//! What can be wrong with a PROXY header.

use std::io;

use super::MAX_V1;

/// How many bytes of a wrong header an error shows.
const MAX_SEEN: usize = 48;

/// A PROXY header that is missing, malformed or overlong, or that cannot be written.
///
/// Converts into [`io::Error`]: `UnexpectedEof` for [`Unfinished`](Self::Unfinished),
/// `InvalidInput` for [`TooLarge`](Self::TooLarge), otherwise `InvalidData`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The connection begins with something else.
    #[error(
        "no PROXY header: the connection begins with \"{seen}\"; if the peer is no proxy, use an \
         address without proxy+"
    )]
    Missing {
        /// The first bytes, escaped.
        seen: String,
    },
    /// The peer closed before the header was whole.
    #[error("the connection ended after {received} bytes of its PROXY header")]
    Unfinished {
        /// How many bytes had arrived.
        received: usize,
    },
    /// A version 1 line without CRLF within its limit.
    #[error("the PROXY line has no CRLF within {MAX_V1} bytes: \"{seen}\"")]
    NoLineEnd {
        /// The first bytes, escaped.
        seen: String,
    },
    /// A part of a version 1 line is not what it should be.
    #[error("the PROXY line has a bad {part}: \"{seen}\"")]
    BadLine {
        /// The part.
        part: &'static str,
        /// What stands there, escaped.
        seen: String,
    },
    /// A version 2 header that announces more than the limit.
    #[error("the PROXY header announces {announced} bytes, above the limit of {limit}")]
    TooLong {
        /// The bytes announced after the 16 fixed ones.
        announced: usize,
        /// The most allowed.
        limit: usize,
    },
    /// A version or command byte that the specification does not know.
    #[error("the PROXY header has the unknown version and command {0:#04x}")]
    BadCommand(u8),
    /// A family and transport byte that the specification does not know.
    #[error("the PROXY header has the unknown family and transport {0:#04x}")]
    BadFamily(u8),
    /// A version 2 header too short for the addresses of its family.
    #[error("the PROXY header has {length} bytes where its addresses need {needed}")]
    ShortAddresses {
        /// The bytes there are.
        length: usize,
        /// The bytes that the family has.
        needed: usize,
    },
    /// A type-length-value field that is not what it should be.
    #[error("the PROXY header's field {kind:#04x} {reason}")]
    BadTlv {
        /// Its type.
        kind: u8,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The bytes are not those that were sent.
    #[error("the PROXY header's checksum is {computed:#010x}; it should be {announced:#010x}")]
    Checksum {
        /// The checksum in the header.
        announced: u32,
        /// The checksum of the header.
        computed: u32,
    },

    /// The header to write has a value for which its format has no room.
    #[error("the PROXY header cannot be written: {what} has {size} bytes, {limit} are allowed")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The largest size allowed.
        limit: usize,
    },
}

impl From<HeaderError> for io::Error {
    fn from(error: HeaderError) -> Self {
        let kind = match error {
            HeaderError::Unfinished { .. } => io::ErrorKind::UnexpectedEof,
            HeaderError::TooLarge { .. } => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

/// The beginning of `bytes`, fit to be shown.
pub(super) fn seen(bytes: &[u8]) -> String {
    let shown = bytes[..bytes.len().min(MAX_SEEN)].escape_ascii();
    if bytes.len() > MAX_SEEN { format!("{shown}…") } else { shown.to_string() }
}
