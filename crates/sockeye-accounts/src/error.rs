//! What can go wrong with accounts, grouped by who can mend it.

use std::fmt;

use sockeye::pool::PoolError;

use crate::{AccountName, Grant, PasswordError, Prefix, Rights, ShareId, SharedName, shell_word};

/// The result of an operation on accounts.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on accounts failed. No message holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No account has that name or id.
    #[error("there is no account `{0}`; `sockeye user list` shows them")]
    NoAccount(String),
    /// No shared folder has that name.
    #[error("there is no shared folder `{0}`; `sockeye shared list` shows them")]
    NoShared(String),
    /// There is no share with that id.
    #[error("there is no share `{0}`; `sockeye share list` shows them")]
    NoShare(ShareId),
    /// The account has no such token, key, grant or share.
    #[error("{0} has no such {1}")]
    NoSuch(AccountName, &'static str),
    /// Another account has the name.
    #[error("there is an account `{0}` already")]
    NameTaken(AccountName),
    /// Another shared folder has the name, or one that differs only by case.
    #[error("there is a shared folder `{0}` already, perhaps in other letters' case")]
    SharedTaken(SharedName),
    /// The account has that key already.
    #[error("the account has this key already")]
    KeyTaken,
    /// The change would leave nobody to administer the others.
    #[error("this is the last admin who can log in; make another one first")]
    LastAdmin,
    /// The account lacks a right that the share would give, or that to share.
    #[error(
        "{account} may not share {path}: it lacks {missing} there; \
         `sockeye user grant {account} {} {}` gives it that",
        shell_word(grant.prefix.as_str()), grant.rights
    )]
    MayNotShare {
        /// Whose share it would be.
        account: AccountName,
        /// What would be shared.
        path: Prefix,
        /// What it lacks.
        missing: Rights,
        /// What would be enough, where what it has there is decided now.
        grant: Grant,
    },
    /// As many as are allowed are there already.
    #[error("an account has at most {most} {what}; remove one first")]
    TooMany {
        /// Grants, tokens, keys or shares.
        what: &'static str,
        /// How many there can be.
        most: usize,
    },
    /// The password cannot be set.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Another value cannot be kept; the text says which and why.
    #[error("{0}")]
    Invalid(&'static str),
    /// The source cannot do this, as it only reads from elsewhere.
    #[error("{source_name} cannot {what}: change it there")]
    Unsupported {
        /// What keeps the accounts.
        source_name: String,
        /// What was asked for.
        what: &'static str,
    },
    /// More waits already than is admitted.
    #[error("too much waits for the accounts already; try again shortly")]
    Busy,
    /// What keeps the accounts failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A piece of work ended by a panic, or the program is ending.
    #[error("the work on the accounts did not come to its end; the log says why")]
    Broken,
}

/// What keeps the accounts failed: what was done, where, why, and the way out.
#[derive(Debug)]
pub struct StorageError {
    pub(crate) doing: &'static str,
    pub(crate) place: String,
    pub(crate) cause: String,
    pub(crate) fault: StorageFault,
}

/// Which kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageFault {
    /// Nothing can be written: the disk is full.
    Full,
    /// The file or its folder may not be read or written.
    Denied,
    /// Another program holds it.
    Held,
    /// It is no database, or a damaged one.
    Damaged,
    /// It is somebody else's database.
    Foreign,
    /// It was written by a newer version of this program.
    Newer,
    /// Anything else.
    Other,
}

impl StorageFault {
    fn way_out(self) -> &'static str {
        match self {
            Self::Full => "make room on the disk",
            Self::Denied => "check the owner and the mode of the file and of its folder",
            Self::Held => "end the other program that has it open",
            Self::Damaged => "restore it from a backup",
            Self::Foreign => "name another data folder",
            Self::Newer => "use the newer version of sockeye, or restore a backup from before",
            Self::Other => "the cause is the system's own word",
        }
    }
}

impl StorageError {
    /// Which kind of failure it was.
    #[must_use]
    pub fn fault(&self) -> StorageFault {
        self.fault
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { doing, place, cause, fault } = self;
        write!(f, "cannot {doing} {place}: {cause}; {}", fault.way_out())
    }
}

impl std::error::Error for StorageError {}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Full => Self::Busy,
            _ => Self::Broken,
        }
    }
}

/// Which kind of failure an [`Error`] is, for an exit code or a protocol's reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was named is not there.
    NotFound,
    /// What was to be made is there already.
    Taken,
    /// What was asked for cannot be.
    Invalid,
    /// It is not permitted.
    Denied,
    /// There is no room.
    NoSpace,
    /// Too much at once: try again.
    Busy,
    /// The system failed.
    Failed,
}

impl Error {
    /// Which kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoAccount(_) | Self::NoShared(_) | Self::NoShare(_) | Self::NoSuch(..) => {
                ErrorKind::NotFound
            }
            Self::NameTaken(_) | Self::SharedTaken(_) | Self::KeyTaken => ErrorKind::Taken,
            Self::LastAdmin | Self::MayNotShare { .. } | Self::Unsupported { .. } => {
                ErrorKind::Denied
            }
            Self::TooMany { .. } | Self::Password(_) | Self::Invalid(_) => ErrorKind::Invalid,
            Self::Busy => ErrorKind::Busy,
            Self::Storage(error) => match error.fault {
                StorageFault::Full => ErrorKind::NoSpace,
                StorageFault::Denied => ErrorKind::Denied,
                _ => ErrorKind::Failed,
            },
            Self::Broken => ErrorKind::Failed,
        }
    }
}
