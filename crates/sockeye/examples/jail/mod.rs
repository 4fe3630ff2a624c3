//! A folder whose files are opened by name, and nothing outside of it.
//!
//! The kernel walks the path (`openat2` with `RESOLVE_BENEATH`), so no spelling of `..`, no
//! absolute path and no symbolic link leads out, also not one made in the middle of the walk.

use std::{fs::File, io, os::fd::OwnedFd};

use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2},
    io::Errno,
};

/// An open folder. It stays the same folder if its name is given to another.
#[derive(Debug)]
pub(crate) struct Jail(OwnedFd);

impl Jail {
    /// The current folder.
    pub(crate) fn current() -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(openat(CWD, ".", flags, Mode::empty())?))
    }

    /// Opens a file for reading, and tells its size; `None` for what does not exist in here, is
    /// no regular file or may not be read.
    pub(crate) fn open(&self, name: &[u8]) -> io::Result<Option<(File, u64)>> {
        // Without NONBLOCK, opening a named pipe would wait for its writer.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let file = match openat2(&self.0, name, flags, Mode::empty(), resolve) {
            Ok(file) => File::from(file),
            // The system's own trouble is no answer to whether a file exists.
            Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::IO)) => {
                return Err(error.into());
            }
            Err(_) => return Ok(None),
        };
        let meta = file.metadata()?;
        Ok(meta.is_file().then_some((file, meta.len())))
    }
}
