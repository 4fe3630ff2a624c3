//! What a session refuses, grouped by fault; each protocol maps these to its own replies.

use std::io;

/// The result of an operation on a session.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a session did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client's: nothing has that name, as far as this session may know.
    #[error("no such file or folder")]
    NotFound,
    /// The client's: it exists, and this session may not have it.
    #[error("not permitted")]
    Denied,
    /// The client's: a FIFO, a socket or a device.
    #[error("neither a file nor a folder, so it is not served")]
    Special,
    /// The client's: a folder where a file was asked for, or the other way round.
    #[error("expected {expected}")]
    WrongKind {
        /// What was asked for.
        expected: &'static str,
    },
    /// The client's: the range begins after the end of the file.
    #[error("the range begins at byte {start}, after the end of a file of {size} bytes")]
    BadRange {
        /// The first byte asked for.
        start: u64,
        /// The size of the file.
        size: u64,
    },
    /// Nobody's: the file became shorter while it was read.
    #[error("the file became shorter while it was read")]
    Shrunk,
    /// The server's: too much to do; to be tried again shortly.
    #[error("too many operations wait for the disk; try again shortly")]
    Busy,
    /// The server's: the system failed.
    #[error("the system failed: {0}")]
    Io(io::Error),
}

impl From<sockeye_store::Error> for Error {
    fn from(error: sockeye_store::Error) -> Self {
        use sockeye_store::Error as Store;
        match error {
            Store::NotFound => Self::NotFound,
            Store::Denied => Self::Denied,
            Store::Special => Self::Special,
            Store::Shrunk => Self::Shrunk,
            Store::Busy => Self::Busy,
            Store::Io(error) => Self::Io(error),
            other => Self::Io(io::Error::other(other)),
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Io(inner) => return inner,
            Error::NotFound => io::ErrorKind::NotFound,
            Error::Denied | Error::Special => io::ErrorKind::PermissionDenied,
            Error::WrongKind { .. } | Error::BadRange { .. } => io::ErrorKind::InvalidInput,
            Error::Shrunk => io::ErrorKind::UnexpectedEof,
            Error::Busy => io::ErrorKind::ResourceBusy,
        };
        Self::new(kind, error)
    }
}
