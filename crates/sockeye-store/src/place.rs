//! Where a change happens: an open folder in the home, and one name in it.
//!
//! The folder is found by the jail ([`lookup`](crate::lookup)); after that only calls with this one name are
//! made, none of which follows a link. So whoever swaps a link for a folder meanwhile leads nobody out.

use std::{
    ffi::CStr,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    fs::{AtFlags, FileType, OFlags, Stat},
    io::Errno,
};

use crate::{Error, FilePath, Result, keep::Keep, lookup};

/// A name in an open folder of a home.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    folder: Within<'a>,
    pub(crate) name: &'a CStr,
}

#[derive(Debug)]
enum Within<'a> {
    Home(BorrowedFd<'a>),
    Folder(OwnedFd),
}

impl Keep {
    /// Opens the folder that `path` lies in.
    ///
    /// # Errors
    /// [`Error::NoParent`] if it is not there or leads out; [`Error::IntoItself`] for the home itself.
    pub(crate) fn place<'a>(&'a self, path: &'a FilePath) -> Result<Place<'a>> {
        let (Some(parent), Some(name)) = (path.parent(), path.last_c_str()) else {
            return Err(Error::IntoItself);
        };
        if parent.is_root() {
            return Ok(Place { folder: Within::Home(self.files.fd.as_fd()), name });
        }
        // What is to be synced must be open for reading.
        let flags = if self.syncs() { OFlags::RDONLY } else { OFlags::PATH };
        match lookup::folder(&self.files.fd, parent.as_c_str(), flags) {
            Ok(folder) => Ok(Place { folder: Within::Folder(folder), name }),
            Err(Error::NotFound) => Err(Error::NoParent),
            Err(error) => Err(error),
        }
    }

    /// Like [`Keep::place`], of something that is there; a missing folder means that it is not.
    pub(crate) fn place_of<'a>(&'a self, path: &'a FilePath) -> Result<(Place<'a>, Stat)> {
        let place = self.place(path).map_err(|error| match error {
            Error::NoParent => Error::NotFound,
            other => other,
        })?;
        let stat = place.stat()?.ok_or(Error::NotFound)?;
        Ok((place, stat))
    }

    /// Whether something new may be called so.
    pub(crate) fn may_be_named(&self, path: &FilePath) -> Result<()> {
        let name = path.file_name().ok_or(Error::IntoItself)?;
        if str::from_utf8(name).is_err() {
            return Err(Error::BadName { why: "it is not UTF-8" });
        }
        let first = path.segments().next().unwrap_or_default();
        if self.keeping.reserved.iter().any(|reserved| reserved.as_bytes() == first) {
            return Err(Error::BadName { why: "the server keeps it for itself" });
        }
        Ok(())
    }
}

impl Place<'_> {
    /// What is there, a link for itself.
    pub(crate) fn stat(&self) -> Result<Option<Stat>> {
        match rustix::fs::statat(self, self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Makes the folder's names durable, where `keep` wants that.
    pub(crate) fn sync(&self, keep: &Keep) -> Result<()> {
        if keep.syncs() {
            rustix::fs::fsync(self)?;
        }
        Ok(())
    }
}

impl AsFd for Place<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.folder {
            Within::Home(fd) => *fd,
            Within::Folder(fd) => fd.as_fd(),
        }
    }
}

pub(crate) fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode).is_dir()
}
