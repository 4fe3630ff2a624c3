//! The one gate: every operation on files goes through a session.

use sockeye_store::{FilePath, Home, Meta, Opened};

use crate::{Body, Error, Folder, Listing, OpenFile, Range, Result};

/// What somebody who has logged in, or a guest, may do; cheap to clone.
///
/// A concrete type with one way in for each operation, so that a protocol has nothing to check itself.
#[derive(Clone, Debug)]
pub struct Session {
    home: Home,
}

/// What a path led to.
#[derive(Debug)]
pub enum Resource {
    /// A regular file, open for reading.
    File(OpenFile),
    /// A folder, open for listing.
    Folder(Folder),
}

impl Session {
    /// A session that may read everything in `home` and change nothing.
    #[must_use]
    pub fn guest(home: Home) -> Self {
        Self { home }
    }

    /// Opens what `path` names, for a protocol that must know what it is before it chooses what to send.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`]; [`Error::Special`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn open(&self, path: &FilePath) -> Result<Resource> {
        Ok(match self.home.open_path(path).await? {
            Opened::File(file) => Resource::File(OpenFile::new(file)),
            Opened::Folder(folder) => Resource::Folder(Folder::new(folder)),
        })
    }

    /// Reads a file, or the stretch `range` of it.
    ///
    /// # Errors
    /// As [`Session::open`], and [`Error::WrongKind`] for a folder, [`Error::BadRange`] if the range
    /// begins after the end of the file.
    ///
    /// Cancellation: safe.
    pub async fn read(&self, path: &FilePath, range: Option<Range>) -> Result<Body> {
        match self.open(path).await? {
            Resource::File(file) => {
                let whole = Range { offset: 0, length: file.meta().size };
                Ok(Body::File(file.body(range.unwrap_or(whole))?))
            }
            Resource::Folder(_) => Err(Error::WrongKind { expected: "a file, found a folder" }),
        }
    }

    /// What `path` names: its kind, size and age.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn stat(&self, path: &FilePath) -> Result<Meta> {
        Ok(self.home.stat(path).await?)
    }

    /// Begins to list a folder.
    ///
    /// # Errors
    /// As [`Session::open`], and [`Error::WrongKind`] for a file.
    ///
    /// Cancellation: safe.
    pub async fn list(&self, path: &FilePath) -> Result<Listing> {
        match self.open(path).await? {
            Resource::Folder(folder) => Ok(folder.list()),
            Resource::File(_) => Err(Error::WrongKind { expected: "a folder, found a file" }),
        }
    }
}
