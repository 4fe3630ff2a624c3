//! The data folder: everything that a node keeps, under one lock.
//!
//! What it is made of and where stands in [`DataFolder`]; who holds the [`Hold`] alone may write there. What
//! the files contain is a matter of others.

mod creation;
mod error;
mod hold;
mod lock;
mod private;

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

pub use error::DataError;
pub use hold::Hold;
pub(crate) use private::make_folder;
pub use private::write_private;

use sockeye_accounts::{AccountId, SharedId};

use crate::config::MAX_FILE;

/// What clients see, in a home.
const FILES: &str = "files";

/// A data folder's layout: names, and nothing that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFolder(PathBuf);

/// The configuration, held by who changes it: see [`DataFolder::hold_config`].
#[derive(Debug)]
pub struct ConfigHold(#[expect(dead_code, reason = "open, it holds the lock")] fs::File);

/// What every data folder has, so that it is known again.
const SIGNS: [&str; 2] = ["sockeye.toml", "lock"];

/// What a folder may have that counts as empty: a filesystem of its own begins with it.
const NOTHING: &str = "lost+found";

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    /// Nothing, or an empty folder.
    Nothing,
    /// A data folder.
    Ours,
    /// A folder with this in it.
    Foreign(String),
    NotAFolder,
}

macro_rules! places {
    ($( $(#[doc = $doc:literal])+ $name:ident => $path:literal, )+) => {
        impl DataFolder {
            $( $(#[doc = $doc])+ #[must_use] pub fn $name(&self) -> PathBuf { self.0.join($path) } )+
        }
    };
}

places! {
    /// The configuration.
    config => "sockeye.toml",
    /// The accounts (SQLite).
    database => "sockeye.db",
    /// Digests of files (SQLite): a cache, which may be deleted.
    digests => "digests.db",
    /// Properties of files, and locks on them (SQLite).
    marks => "marks.db",
    /// Who holds the lock: see [`Hold`].
    lock => "lock",
    /// The Unix socket by which a running node takes commands.
    control => "control.sock",
    /// The certificate and its key, if none are configured.
    tls => "tls",
    /// The operation log.
    journal => "journal",
    /// The key that signs it.
    journal_key => "journal/journal.key",
    /// The key that the links of shares are made with: not beside the shares, so that a copy of those opens none.
    links_key => "links.key",
    /// The accounts' homes, named by their ULIDs.
    homes => "homes",
    /// The shared folders, likewise.
    shared => "shared",
    /// The public tree.
    public => "public",
    /// The first administrator's password, until it was changed, if no terminal was there to show it.
    initial_password => "initial-password",
    /// Snapshots while a backup is made.
    snapshots => "snapshots",
}

impl DataFolder {
    /// The data folder at `path`, which need not be there.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the files of an account lie, as clients see them.
    #[must_use]
    pub fn files_of(&self, account: AccountId) -> PathBuf {
        self.homes().join(account.to_string()).join(FILES)
    }

    /// Where the files of a shared folder lie.
    #[must_use]
    pub fn files_of_shared(&self, shared: SharedId) -> PathBuf {
        self.shared().join(shared.to_string()).join(FILES)
    }

    /// A configured path: relative ones are in the data folder.
    #[must_use]
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.0.join(path)
    }

    /// The configuration's path and text, if there is one.
    ///
    /// # Errors
    /// If it cannot be read, is no text or longer than [`MAX_FILE`].
    pub fn read_config(&self) -> Result<Option<(PathBuf, String)>, DataError> {
        let path = self.config();
        let mut text = String::new();
        let read = fs::File::open(&path)
            .and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text));
        match read {
            Ok(length) if length as u64 > MAX_FILE => {
                let error = io::Error::other("longer than a configuration can be (1 MiB)");
                Err(DataError::io("read", path, error))
            }
            Ok(_) => Ok(Some((path, text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DataError::io("read", path, error)),
        }
    }

    /// Has the configuration for oneself, from reading to writing: of two who change it, none undoes what the other did.
    /// Waits for whoever has it. It holds until what is given is dropped; a node does not ask for it.
    ///
    /// # Errors
    /// If there is no data folder, or the system has no locks.
    pub fn hold_config(&self) -> Result<ConfigHold, DataError> {
        let held = private::hold_folder(&self.0);
        held.map(ConfigHold).map_err(|error| DataError::io("lock", self.0.clone(), error))
    }

    /// Writes another text into the configuration, which keeps its owner and mode; a node reads it at its next reload.
    /// Where there was none, it is of the folder's owner, who alone may read it. Under [`DataFolder::hold_config`].
    ///
    /// # Errors
    /// If it cannot be written, or not be given to its owner.
    pub fn write_config(&self, text: &str) -> Result<(), DataError> {
        let path = self.config();
        let written = match path.exists() {
            true => private::rewrite(&path, text.as_bytes()),
            false => private::write_for_owner(&path, text.as_bytes()),
        };
        written.map_err(|error| DataError::io("write", path, error))
    }

    /// Whether there is a data folder.
    ///
    /// # Errors
    /// If that cannot be seen.
    pub fn exists(&self) -> Result<bool, DataError> {
        Ok(self.found()? == Found::Ours)
    }

    fn found(&self) -> Result<Found, DataError> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Ok(Found::NotAFolder);
            }
            Err(error) => return Err(DataError::io("open", self.0.clone(), error)),
        };
        let mut foreign = None;
        for entry in entries {
            let entry = entry.map_err(|error| DataError::io("list", self.0.clone(), error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if SIGNS.contains(&&*name) {
                return Ok(Found::Ours);
            }
            if name != NOTHING {
                foreign = Some(name);
            }
        }
        Ok(foreign.map_or(Found::Nothing, Found::Foreign))
    }
}

#[cfg(test)]
mod tests;
