//! What can go wrong with a file of a home, grouped by who can mend it.

use std::io;

use rustix::io::Errno;
use sockeye::pool::PoolError;

use crate::FilePath;

/// The result of an operation on a home.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on a home failed.
///
/// A path that leaves the home is [`Error::NotFound`], so that nobody can feel around outside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // What was asked for does not fit what is there: the client's.
    /// Nothing has that name, or the path leaves the home.
    #[error("no such file or folder")]
    NotFound,
    /// The folder that it should go into is not there.
    #[error("the folder that it should go into is not there; make that first")]
    NoParent,
    /// Something has that name already.
    #[error("something of that name is there already")]
    Exists,
    /// It is no longer the version that the client knows.
    #[error("it has been changed meanwhile; fetch it again")]
    Changed,
    /// A folder was asked for and a file found, or the other way round.
    #[error("expected {expected}")]
    WrongKind {
        /// What the caller asked for.
        expected: &'static str,
    },
    /// A folder that is to be removed alone has something in it.
    #[error("the folder is not empty")]
    NotEmpty,
    /// More lies below a folder than may be gathered at once.
    #[error("there is too much below this folder to be taken at once: more than {taken} entries")]
    TooManyEntries {
        /// How many there was room for.
        taken: u64,
    },
    /// A folder cannot go into itself, and the home itself cannot be removed, renamed or replaced.
    #[error("a folder cannot be moved or copied into itself, nor the home be removed or replaced")]
    IntoItself,
    /// What is new must have a name in UTF-8, and one that the home does not keep for itself.
    #[error("the name cannot be used for something new: {why}")]
    BadName {
        /// What is wrong with it.
        why: &'static str,
    },
    /// It is a FIFO, a socket or a device.
    #[error("neither a file nor a folder, so it is not served")]
    Special,
    /// More or fewer bytes came than were announced.
    #[error("{announced} bytes were announced and {received} came")]
    WrongLength {
        /// What was announced.
        announced: u64,
        /// What came, as far as it was taken.
        received: u64,
    },
    /// The bytes that came are not those that the client meant.
    #[error("the digest of what came is {computed}, not the announced one; send it again")]
    WrongDigest {
        /// The digest of what came.
        computed: crate::Digest,
    },
    /// Somebody else is at it.
    #[error("this upload is being continued by somebody else")]
    InUse,
    /// The call that had this upload was given up while it worked; what was written is kept.
    #[error("a call on this upload was given up before its end; resume it by its id")]
    GivenUp,

    /// A lock keeps others off, and whoever asked does not hold it, or did not submit its token.
    #[error("it is locked by somebody else, or by a lock whose token was not submitted")]
    Locked {
        /// Where the lock was taken: it may be above, or below, what was to be changed.
        root: FilePath,
    },
    /// No lock of that name holds there.
    #[error("no such lock holds there; it may have ended")]
    NoSuchLock,

    // There is no room: the account's, or the server's.
    /// There are more properties or locks than may be, or one of them is too long.
    #[error("not kept: {what}")]
    TooManyMarks {
        /// What there is too much of.
        what: &'static str,
    },
    /// The quota has no room for it, and nothing that lies aside could make enough.
    #[error("over quota: {0}")]
    OverQuota(Box<crate::Shortage>),
    /// The disk is full. Nothing was changed.
    #[error("the disk is full")]
    NoSpace,

    // The server's.
    /// The home was opened for reading only.
    #[error("this home is only read")]
    ReadOnly,
    /// A filesystem is mounted within the home; what lies on it is only read.
    #[error("it lies on another filesystem than the rest of the home, and is only read")]
    OtherFilesystem,
    /// The server's own user may not open it.
    #[error("the server may not do this; check the file's owner and mode")]
    Denied,
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

impl From<crate::Shortage> for Error {
    fn from(short: crate::Shortage) -> Self {
        Self::OverQuota(Box::new(short))
    }
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
            Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Self::NoSpace,
            Errno::EXIST => Self::Exists,
            Errno::NOTEMPTY => Self::NotEmpty,
            other => Self::Io(other.into()),
        }
    }
}

/// What a failed rename or link means: no path was looked up, so none left the home.
pub(crate) fn moving(errno: Errno) -> Error {
    match errno {
        Errno::XDEV => Error::OtherFilesystem,
        Errno::INVAL => Error::IntoItself,
        other => other.into(),
    }
}
