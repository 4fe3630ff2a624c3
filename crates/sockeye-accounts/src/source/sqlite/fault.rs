//! From SQLite's errors to what was done, where, why, and the way out.

use std::{io, path::Path};

use crate::{
    Error, Result,
    error::{StorageError, StorageFault},
};

/// What is being done, and to which file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doing<'a> {
    pub(super) doing: &'static str,
    pub(super) path: &'a Path,
}

impl Doing<'_> {
    /// Says of an error what was being done.
    pub(super) fn map<T>(&self, result: sqlx::Result<T>) -> Result<T> {
        result.map_err(|error| self.failed(fault_of(&error), cause_of(&error)))
    }

    /// The same of an error of the system's.
    pub(super) fn io<T>(&self, result: io::Result<T>) -> Result<T> {
        result.map_err(|error| self.failed(fault_of_io(&error), error.to_string()))
    }

    /// An error with these words for its cause.
    pub(super) fn failed(&self, fault: StorageFault, cause: impl Into<String>) -> Error {
        let place = self.path.display().to_string();
        Error::Storage(StorageError { doing: self.doing, place, cause: cause.into(), fault })
    }
}

/// SQLite's result codes (<https://sqlite.org/rescode.html>); the low byte is the primary one.
const FAULTS: [(u8, StorageFault); 10] = [
    (3, StorageFault::Denied),   // SQLITE_PERM
    (5, StorageFault::Held),     // SQLITE_BUSY
    (6, StorageFault::Held),     // SQLITE_LOCKED
    (8, StorageFault::Denied),   // SQLITE_READONLY
    (11, StorageFault::Damaged), // SQLITE_CORRUPT
    (13, StorageFault::Full),    // SQLITE_FULL
    (14, StorageFault::Denied),  // SQLITE_CANTOPEN
    (23, StorageFault::Denied),  // SQLITE_AUTH
    (24, StorageFault::Damaged), // SQLITE_FORMAT
    (26, StorageFault::Damaged), // SQLITE_NOTADB
];

fn fault_of(error: &sqlx::Error) -> StorageFault {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(0);
            let primary = code.to_le_bytes()[0];
            let known = FAULTS.iter().find(|(known, _)| *known == primary);
            known.map_or(StorageFault::Other, |(_, fault)| *fault)
        }
        sqlx::Error::Io(error) => fault_of_io(error),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StorageFault::Damaged,
        sqlx::Error::PoolTimedOut => StorageFault::Held,
        _ => StorageFault::Other,
    }
}

fn fault_of_io(error: &io::Error) -> StorageFault {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageFault::Full,
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotFound => StorageFault::Denied,
        _ => StorageFault::Other,
    }
}

fn cause_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::PoolTimedOut => "it was busy for too long".to_owned(),
        // Names the column, never what stands in it.
        sqlx::Error::ColumnDecode { index, .. } => format!("the column {index} holds nonsense"),
        other => other.to_string(),
    }
}
