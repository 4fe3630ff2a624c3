//! What a session refuses, grouped by fault; each protocol maps these to its own replies.

use std::io;

use sockeye_journal::Outcome;
use sockeye_store::{Digest, FilePath, Shortage};

/// The result of an operation on a session.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a session did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // The client's: what was asked for does not fit what is there.
    /// Nothing has that name, as far as this session may know.
    #[error("no such file or folder")]
    NotFound,
    /// It exists, and this session may not have it.
    #[error("your rights do not reach that far")]
    Denied,
    /// A FIFO, a socket or a device.
    #[error("neither a file nor a folder, so it is not served")]
    Special,
    /// A folder where a file was asked for, or the other way round.
    #[error("expected {expected}")]
    WrongKind {
        /// What was asked for.
        expected: &'static str,
    },
    /// The range begins after the end of the file.
    #[error("the range begins at byte {start}, after the end of a file of {size} bytes")]
    BadRange {
        /// The first byte asked for.
        start: u64,
        /// The size of the file.
        size: u64,
    },
    /// The folder that it should go into is not there.
    #[error("the folder that it should go into is not there; make that first")]
    NoParent,
    /// Something has that name already.
    #[error("something of that name is there already")]
    Exists,
    /// It is no longer the version that the client knows.
    #[error("it has been changed meanwhile; fetch it again")]
    Changed,
    /// More lies below a folder than may be gathered at once.
    #[error(
        "there is too much below this folder to be taken at once: more than {taken} entries; \
         take the folders in it one by one"
    )]
    TooManyEntries {
        /// How many there was room for.
        taken: u64,
    },
    /// A folder that is to be removed alone has something in it.
    #[error("the folder is not empty")]
    NotEmpty,
    /// A folder cannot go into itself, and the root of a tree cannot be removed, renamed or replaced.
    #[error("a folder cannot be moved or copied into itself, nor a root be removed or replaced")]
    IntoItself,
    /// The name cannot be given to something new.
    #[error("the name cannot be used for something new: {why}")]
    BadName {
        /// What is wrong with it.
        why: &'static str,
    },
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
        computed: Digest,
    },
    /// Somebody else continues this upload.
    #[error("this upload is being continued by somebody else")]
    InUse,
    /// A lock keeps others off, and this session does not hold it, or did not submit its token.
    #[error("it is locked by somebody else, or by a lock whose token was not submitted")]
    Locked {
        /// Where the lock was taken: it may be above, or below, what was to be changed.
        root: FilePath,
    },
    /// No lock of that name holds there.
    #[error("no such lock holds there; it may have ended")]
    NoSuchLock,
    /// The upload has ended already: its disk was full, or a call on it was given up.
    #[error("this upload has ended; begin it again, or resume it by its id if it was kept")]
    UploadEnded,

    // The account's.
    /// There are more properties or locks than may be, or one of them is too long.
    #[error("not kept: {what}")]
    TooManyMarks {
        /// What there is too much of.
        what: &'static str,
    },
    /// The quota has no room for it, and nothing that lies aside could make enough.
    #[error("over quota: {0}")]
    OverQuota(Box<Shortage>),
    /// The account was locked or removed, or its token or share revoked, while the session lasted.
    #[error("the session was ended: log in again")]
    Ended,
    /// By a share's link, as much was downloaded as may be.
    #[error("this link was used as often as it may be")]
    Exhausted,
    /// As much was put into a drop box as may be, or this would be more, or its owner has no room for it.
    #[error("this takes no more: as much was sent here as may be, or this is more than is left")]
    BoxFull,

    // The server's.
    /// Nothing can be changed at present, or here.
    #[error("nothing can be changed: {why}")]
    ReadOnly {
        /// Why that is so.
        why: String,
    },
    /// The disk is full. Nothing was changed.
    #[error("the disk is full")]
    NoSpace,
    /// The file became shorter while it was read.
    #[error("the file became shorter while it was read")]
    Shrunk,
    /// Too much to do; to be tried again shortly.
    #[error("the server has too much to do; try again shortly")]
    Busy,
    /// The system failed.
    #[error("the system failed: {0}")]
    Io(io::Error),
}

impl Error {
    /// What the journal writes of it.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::NotFound | Self::NoParent => Outcome::NotFound,
            Self::Denied
            | Self::Special
            | Self::Ended
            | Self::Exhausted
            | Self::ReadOnly { .. } => Outcome::Denied,
            Self::OverQuota { .. } | Self::BoxFull | Self::TooManyMarks { .. } => {
                Outcome::OverQuota
            }
            Self::NoSpace => Outcome::NoSpace,
            Self::Busy => Outcome::Busy,
            Self::Shrunk | Self::Io(_) => Outcome::Failed,
            _ => Outcome::Conflict,
        }
    }
}

impl From<sockeye_store::Error> for Error {
    fn from(error: sockeye_store::Error) -> Self {
        use sockeye_store::Error as Store;
        match error {
            Store::NotFound => Self::NotFound,
            Store::NoParent => Self::NoParent,
            Store::Exists => Self::Exists,
            Store::Changed => Self::Changed,
            Store::WrongKind { expected } => Self::WrongKind { expected },
            Store::NotEmpty => Self::NotEmpty,
            Store::TooManyEntries { taken } => Self::TooManyEntries { taken },
            Store::IntoItself => Self::IntoItself,
            Store::BadName { why } => Self::BadName { why },
            Store::Special => Self::Special,
            Store::WrongLength { announced, received } => Self::WrongLength { announced, received },
            Store::WrongDigest { computed } => Self::WrongDigest { computed },
            Store::InUse => Self::InUse,
            Store::Locked { root } => Self::Locked { root },
            Store::NoSuchLock => Self::NoSuchLock,
            Store::TooManyMarks { what } => Self::TooManyMarks { what },
            Store::GivenUp => Self::UploadEnded,
            Store::OverQuota(short) => Self::OverQuota(short),
            Store::NoSpace => Self::NoSpace,
            Store::ReadOnly => Self::ReadOnly { why: "this folder is only read".to_owned() },
            Store::OtherFilesystem => Self::ReadOnly { why: error.to_string() },
            Store::Denied => Self::Denied,
            Store::Shrunk => Self::Shrunk,
            Store::Busy => Self::Busy,
            Store::Io(error) => Self::Io(error),
            other => Self::Io(io::Error::other(other)),
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        use io::ErrorKind as Kind;
        let kind = match error {
            Error::Io(inner) => return inner,
            Error::NotFound | Error::NoParent => Kind::NotFound,
            Error::Denied | Error::Special | Error::Ended | Error::Exhausted => {
                Kind::PermissionDenied
            }
            Error::Exists => Kind::AlreadyExists,
            Error::NotEmpty => Kind::DirectoryNotEmpty,
            Error::OverQuota { .. } | Error::BoxFull | Error::TooManyMarks { .. } => {
                Kind::QuotaExceeded
            }
            Error::NoSpace => Kind::StorageFull,
            Error::ReadOnly { .. } => Kind::ReadOnlyFilesystem,
            Error::Shrunk => Kind::UnexpectedEof,
            Error::Busy | Error::InUse | Error::Locked { .. } => Kind::ResourceBusy,
            _ => Kind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
