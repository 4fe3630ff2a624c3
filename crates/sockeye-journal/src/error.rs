//! What can go wrong with a log, grouped by who can mend it.

use std::{io, path::PathBuf, sync::Arc, time::SystemTime};

/// The result of what is done with a log.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a log could not be opened, read or closed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller: a name that stands in no table.
    #[error("`{name}` is no {what}; there are {known}")]
    NoName {
        /// What was looked for.
        what: &'static str,
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
    /// The caller: not the text of a hash.
    #[error("`{0}` is no hash: it has 64 hexadecimal digits")]
    NoHash(String),
    /// The caller: not the text of a public key.
    #[error(
        "`{0}` is no public key: it has 64 hexadecimal digits, as `sockeye log head` prints last"
    )]
    NoKey(String),
    /// The caller: not the text of a head.
    #[error("`{0}` is no head: it is SEQ:HASH:KEY, as `sockeye log head` prints it")]
    NoHead(String),
    /// The folder: another process writes to it.
    #[error("{} is being written by another process; stop it first", .0.display())]
    Locked(PathBuf),
    /// The folder: there is no log in it.
    #[error("there is no log in {}: nothing has been recorded there", .0.display())]
    NoLog(PathBuf),
    /// The folder: there is a log, and the key that signs it is gone.
    #[error(
        "{} is gone, and there is a log that it signed; put it back from a backup, or move the \
         folder away to begin a new log", .0.display()
    )]
    KeyGone(PathBuf),
    /// The folder: the key's file holds something else.
    #[error("{} holds no key: 64 hexadecimal digits are expected; put it back from a backup", .0.display())]
    BadKey(PathBuf),
    /// The folder: the last segment cannot be continued.
    #[error(
        "{} cannot be continued: {why}; `sockeye log verify` says more; move the folder away to begin a \
         new log", .path.display()
    )]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The folder: written by a newer version of the program.
    #[error("{} is of format {format}, newer than this program knows; update it", .path.display())]
    Newer {
        /// The segment.
        path: PathBuf,
        /// Its format.
        format: u64,
    },
    /// The system: records are lost, as they could not be written until the end.
    #[error("{records} records could not be written: {why}")]
    NotWritten {
        /// How many lines.
        records: u64,
        /// What stood in the way.
        why: Arc<str>,
    },
    /// The system: nothing can be recorded for now.
    #[error(transparent)]
    Stalled(#[from] Stalled),
    /// The caller's output took no more.
    #[error("the output takes no more: {0}")]
    Output(io::Error),
    /// The system failed.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// With the file or folder that it is about.
    pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

/// Nothing can be recorded for now: the log cannot be written, and what waits has reached its bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log cannot be written: {why}")]
pub struct Stalled {
    /// Since when.
    pub since: SystemTime,
    /// What stands in the way.
    pub why: Arc<str>,
}
