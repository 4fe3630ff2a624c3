//! What can go wrong with a file of a home, grouped by who can mend it.

use std::io;

use rustix::io::Errno;
use sockeye::pool::PoolError;

/// The result of an operation on a home.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on a home failed.
///
/// A path that leaves the home is [`Error::NotFound`], so that nobody can feel around outside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing has that name, or the path leaves the home.
    #[error("no such file or folder")]
    NotFound,
    /// The server's own user may not open it.
    #[error("the server may not read this; check the file's owner and mode")]
    Denied,
    /// It is a FIFO, a socket or a device.
    #[error("neither a file nor a folder, so it is not served")]
    Special,
    /// A folder was asked for and a file found, or the other way round.
    #[error("expected {expected}")]
    WrongKind {
        /// What the caller asked for.
        expected: &'static str,
    },
    /// The file became shorter while it was read; what was announced cannot be delivered.
    #[error("the file became shorter while it was read")]
    Shrunk,
    /// More work waits for the disk than the pool admits.
    #[error("too many operations wait for the disk; try again shortly")]
    Busy,
    /// The system failed.
    #[error("the system failed: {0}")]
    Io(#[from] io::Error),
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Full => Self::Busy,
            other => Self::Io(io::Error::other(other)),
        }
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::LOOP | Errno::XDEV => {
                Self::NotFound
            }
            Errno::ACCESS | Errno::PERM => Self::Denied,
            // A Unix socket, or a device without a driver.
            Errno::NXIO | Errno::NODEV => Self::Special,
            other => Self::Io(other.into()),
        }
    }
}
