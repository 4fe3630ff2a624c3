//! The file of a Unix socket: made with the mode asked for, taken over from a server that
//! died, and removed by the process that made it.
//!
//! It never deletes what is not a socket, nor a socket that some process still has.

use std::{
    fs, io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{
            ffi::OsStrExt,
            fs::{FileTypeExt, MetadataExt, PermissionsExt},
        },
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags},
    io::Errno,
    net::{AddressFamily, SocketFlags, SocketType},
};

use super::{BindError, BindFault, SocketName};
use crate::addr::UnixName;

/// How long to wait for others who are replacing a socket in the same folder. The lock only
/// keeps two starting servers apart, so whoever holds it for longer is not waited for.
const FOLDER_LOCK_WAIT: Duration = Duration::from_millis(500);

/// The file of a bound socket; dropping it in the process that bound it removes the file.
///
/// Drop it *before* the descriptor is closed: as long as the descriptor is open no other
/// server takes the path for a stale one, so that what is removed is surely ours.
#[derive(Debug)]
pub(crate) struct UnixSocketFile {
    /// Absolute, as the process may change its folder.
    path: PathBuf,
    device: u64,
    inode: u64,
    /// A forked child drops its copy too, and must not remove its parent's file.
    process: u32,
}

/// Binds `socket` to `name`; a path gets the permissions `mode` before anyone can connect.
pub(crate) fn bind_unix(
    socket: BorrowedFd<'_>,
    scheme: &str,
    name: &UnixName,
    mode: Option<u32>,
) -> Result<Option<UnixSocketFile>, BindError> {
    let place = SocketName::Unix(name.clone());
    let refused = |error: io::Error| BindError::from_os(scheme, &place, error);
    let UnixName::Path(path) = name else {
        let raw = place.to_raw().map_err(refused)?;
        rustix::net::bind(socket, &raw).map_err(|error| refused(error.into()))?;
        return Ok(None);
    };
    let fault = |fault| BindError::new(format_args!("{scheme}://{place}"), fault);
    let length = path.as_os_str().as_bytes().len();
    if length > UnixName::MAX_LEN {
        return Err(fault(BindFault::PathTooLong(length)));
    }
    if let Some(mode) = mode {
        // The file gets the socket's own mode less the umask (unix(7), "Pathname socket
        // ownership and permissions"): it is never wider than asked for, not even for a moment.
        rustix::fs::fchmod(socket, Mode::from_raw_mode(mode))
            .map_err(|error| refused(error.into()))?;
    }
    let raw = place.to_raw().map_err(refused)?;
    match rustix::net::bind(socket, &raw) {
        Err(Errno::ADDRINUSE) => {
            let _lock = lock_folder(path);
            remove_stale(path).map_err(|found| match found {
                Found::Live => BindError::live(scheme, &place),
                Found::Foreign => fault(BindFault::ForeignFile),
                Found::Unknown(error) => refused(error),
            })?;
            rustix::net::bind(socket, &raw).map_err(|error| match error {
                Errno::ADDRINUSE => BindError::live(scheme, &place),
                error => refused(error.into()),
            })?;
        }
        bound => bound.map_err(|error| refused(error.into()))?,
    }
    UnixSocketFile::just_bound(path, mode).map(Some).map_err(refused)
}

impl UnixSocketFile {
    fn just_bound(path: &Path, mode: Option<u32>) -> io::Result<Self> {
        let file = rustix::fs::open(
            path,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let stat = fs::File::from(file.try_clone()?).metadata()?;
        let bound = Self {
            path: std::path::absolute(path)?,
            device: stat.dev(),
            inode: stat.ino(),
            process: std::process::id(),
        };
        if let Some(mode) = mode
            && stat.mode() & 0o7777 != mode
        {
            // What the umask took away. Through the open file, not the path: nobody can put
            // another file in its place meanwhile.
            use std::os::fd::AsRawFd;
            let file = format!("/proc/self/fd/{}", file.as_raw_fd());
            fs::set_permissions(file, fs::Permissions::from_mode(mode))?;
        }
        Ok(bound)
    }

    fn is_still_ours(&self) -> bool {
        fs::symlink_metadata(&self.path)
            .is_ok_and(|stat| stat.dev() == self.device && stat.ino() == self.inode)
    }
}

impl UnixSocketFile {
    /// Removes the file, if this process bound it and it is still the same: nobody finds the
    /// socket any more, and what is connected or queued stays.
    pub(crate) fn remove(&self) {
        if self.process == std::process::id() && self.is_still_ours() {
            let removed = fs::remove_file(&self.path);
            if let Err(error) = removed {
                tracing::warn!(path = %self.path.display(), %error, "the socket file stays behind");
            }
        }
    }
}

impl Drop for UnixSocketFile {
    fn drop(&mut self) {
        self.remove();
    }
}

/// What stands at a path that is taken.
enum Found {
    Live,
    Foreign,
    Unknown(io::Error),
}

impl From<io::Error> for Found {
    fn from(error: io::Error) -> Self {
        Self::Unknown(error)
    }
}

/// Removes the socket file of a process that is gone.
fn remove_stale(path: &Path) -> Result<(), Found> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        return Err(Found::Foreign);
    }
    if is_live(path)? {
        return Err(Found::Live);
    }
    let now = fs::symlink_metadata(path)?;
    if (now.dev(), now.ino()) != (found.dev(), found.ino()) {
        return Err(Found::Live);
    }
    Ok(fs::remove_file(path)?)
}

/// Whether some process has a socket bound to the file.
///
/// A datagram socket asks: for it the kernel answers ECONNREFUSED only where no socket at all
/// is bound to the file. To a stream socket it would say the same of one that is bound but does
/// not listen yet, and a listening server would see a connection come and go.
fn is_live(path: &Path) -> io::Result<bool> {
    let probe = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    let name = SocketName::Unix(UnixName::Path(path.into())).to_raw()?;
    match rustix::net::connect(probe.as_fd(), &name) {
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(false),
        Ok(()) | Err(Errno::PROTOTYPE | Errno::AGAIN | Errno::PERM) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Keeps two servers that start at the same time from removing each other's new socket.
fn lock_folder(path: &Path) -> Option<OwnedFd> {
    let folder = match path.parent()? {
        folder if folder.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder, flags, Mode::empty()).ok()?;
    let deadline = Instant::now() + FOLDER_LOCK_WAIT;
    loop {
        match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Some(folder),
            Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn another_process_leaves_the_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let _socket = UnixListener::bind(&path).unwrap();
        let mut file = UnixSocketFile::just_bound(&path, None).unwrap();
        // What a forked child's copy looks like.
        file.process += 1;
        drop(file);
        assert!(path.exists());
        drop(UnixSocketFile::just_bound(&path, None).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_that_stays_locked_is_not_waited_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let held = lock_folder(&path).unwrap();
        assert!(lock_folder(&path).is_none());
        drop(held);
        assert!(lock_folder(&path).is_some());
    }
}
