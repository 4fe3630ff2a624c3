//! What can go wrong between bytes and frames, grouped by who is at fault.

use std::{fmt, io};

use super::Delimiter;

/// A frame that could not be read or written.
///
/// Converts into [`io::Error`] for use in a handler: `InvalidData` for a peer's fault (but
/// `UnexpectedEof` for [`Unfinished`](Self::Unfinished)), `InvalidInput` for the caller's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The frame is larger than the limit; met when decoding (the peer's fault) and when
    /// encoding (the caller's).
    #[error("{}", too_large(*announced, *limit))]
    TooLarge {
        /// The size in bytes where the frame says it beforehand; a delimited frame does not.
        announced: Option<u64>,
        /// The largest frame allowed, in bytes.
        limit: usize,
    },
    /// The peer closed the stream within a frame.
    #[error("the stream ended within a frame, {received} bytes after the frame began")]
    Unfinished {
        /// How many bytes of the frame, its prefix included, had arrived.
        received: usize,
    },
    /// A varint length of more than ten bytes, or above 2⁶⁴ − 1, or with needless zero groups.
    #[error("the frame's varint length is overlong: 64 bits in the shortest form are allowed")]
    OverlongVarint,
    /// An announced size that is no decimal number.
    #[error("the peer announced {seen:?} where a size in decimal was expected")]
    NotASize {
        /// The beginning of what came instead, non-ASCII bytes escaped.
        seen: String,
    },
    /// An earlier frame broke a rule, so that nobody can tell where the next one begins.
    #[error("the stream is unusable after a bad frame: close it")]
    Poisoned,

    /// The body to encode contains its own delimiter, so that the peer would see two frames, or
    /// ends in a CR that the peer would strip.
    #[error("the frame to send contains its delimiter {delimiter}, or ends in a CR before it")]
    ContainsDelimiter {
        /// The delimiter.
        delimiter: Delimiter,
    },
    /// The body to encode has not the fixed size.
    #[error("the frame to send has {actual} bytes; every frame here has {expected}")]
    WrongSize {
        /// The fixed size in bytes.
        expected: usize,
        /// The size of the body given.
        actual: usize,
    },

    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<FrameError> for io::Error {
    fn from(error: FrameError) -> Self {
        let kind = match error {
            FrameError::Io(error) => return error,
            FrameError::Unfinished { .. } => io::ErrorKind::UnexpectedEof,
            FrameError::ContainsDelimiter { .. } | FrameError::WrongSize { .. } => {
                io::ErrorKind::InvalidInput
            }
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

fn too_large(announced: Option<u64>, limit: usize) -> impl fmt::Display {
    match announced {
        Some(size) => format!("a frame of {size} bytes is above the limit of {limit} bytes"),
        None => format!("the frame is above the limit of {limit} bytes and still without its end"),
    }
}
