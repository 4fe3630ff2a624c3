//! Where the control socket is, in a name short enough for a socket.

use std::{
    io,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags};
use sockeye::addr::UnixName;

use crate::data::DataFolder;

/// The control socket's path; good for as long as this lives.
#[derive(Debug)]
pub(super) struct ControlPath {
    path: PathBuf,
    /// The folder, open, if the path leads through it.
    _folder: Option<OwnedFd>,
}

impl ControlPath {
    /// That of this data folder. One that is longer than a socket's path can be leads through the open folder
    /// (proc(5), `/proc/self/fd`).
    pub(super) fn of(folder: &DataFolder) -> io::Result<Self> {
        let path = folder.control();
        if path.as_os_str().as_bytes().len() <= UnixName::MAX_LEN {
            return Ok(Self { path, _folder: None });
        }
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(folder.path(), flags, Mode::empty())?;
        let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
        Ok(Self { path, _folder: Some(folder) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
