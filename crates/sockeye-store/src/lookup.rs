//! The jail: from a home's handle and a path to a descriptor that surely lies beneath the home.
//!
//! The kernel walks the path (openat2(2), `RESOLVE_BENEATH`), so that no link and no rename made meanwhile
//! leads out. In a folder of somebody else's, nothing is opened for reading before it is known to be a file or a
//! folder: opening a FIFO lets its writer go on, and opening a device may do anything.

use std::{
    ffi::{CStr, CString, OsString},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags, ResolveFlags, openat2, readlinkat},
    io::{Errno, retry_on_intr},
};

use crate::{Error, FilePath, Kind, Meta, Result};

/// Lookups repeated because a rename raced with one (`EAGAIN` of openat2), before giving up.
const RACES: usize = 64;

/// Open as a mere place.
const PLACE: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// Open for reading; `NONBLOCK` and `NOCTTY` as another file may have taken the place meanwhile.
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Whether a lookup may wait for a disk; one that may not is EAGAIN where it would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Never,
    Allowed,
}

/// [`looking`], [`reading`] or [`reading_at_once`].
pub(crate) type Lookup = fn(&OwnedFd, &CStr, Wait) -> Result<(OwnedFd, Meta), Errno>;

/// Finds a place, and what is there.
pub(crate) fn looking(home: &OwnedFd, path: &CStr, wait: Wait) -> Result<(OwnedFd, Meta), Errno> {
    with_meta(place(home, path, wait)?)
}

/// Opens a file or folder for reading; of anything else, the place is given.
pub(crate) fn reading(home: &OwnedFd, path: &CStr, wait: Wait) -> Result<(OwnedFd, Meta), Errno> {
    let (place, meta) = looking(home, path, wait)?;
    if meta.kind == Kind::Special {
        return Ok((place, meta));
    }
    with_meta(open(home, path, READ, wait)?)
}

/// As [`reading`], for a home where nothing else is expected, as only the store puts something there: opens it at
/// once, in two calls of the system in place of five.
pub(crate) fn reading_at_once(
    home: &OwnedFd,
    path: &CStr,
    wait: Wait,
) -> Result<(OwnedFd, Meta), Errno> {
    match open(home, path, READ, wait) {
        // A socket, or a device that is not there.
        Err(Errno::NXIO | Errno::NODEV) => looking(home, path, wait),
        opened => with_meta(opened?),
    }
}

/// Repeats a lookup that may wait, while renames race with it.
pub(crate) fn repeated(home: &OwnedFd, path: &FilePath, how: Lookup) -> Result<(OwnedFd, Meta)> {
    for _ in 0..RACES {
        match how(home, path.as_c_str(), Wait::Allowed) {
            Err(Errno::AGAIN) => std::thread::yield_now(),
            found => return Ok(found?),
        }
    }
    Err(Error::Busy)
}

/// Finds a place.
pub(crate) fn place(home: &OwnedFd, path: &CStr, wait: Wait) -> Result<OwnedFd, Errno> {
    open(home, path, PLACE, wait)
}

/// Opens a folder, in which names are then made, moved or removed; may wait for a disk.
pub(crate) fn folder(home: &OwnedFd, path: &CStr, flags: OFlags) -> Result<OwnedFd> {
    let flags = flags | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for _ in 0..RACES {
        match open(home, path, flags, Wait::Allowed) {
            Err(Errno::AGAIN) => std::thread::yield_now(),
            found => return Ok(found?),
        }
    }
    Err(Error::Busy)
}

fn open(home: &OwnedFd, path: &CStr, flags: OFlags, wait: Wait) -> Result<OwnedFd, Errno> {
    let cached = match wait {
        Wait::Never => ResolveFlags::CACHED,
        Wait::Allowed => ResolveFlags::empty(),
    };
    match beneath(home, path, flags, cached) {
        // A link that is absolute, or goes up and comes back: it may lead to a place in here all the same.
        Err(Errno::XDEV) if wait == Wait::Never => Err(Errno::AGAIN),
        Err(Errno::XDEV) => {
            let path = path_within(home, path).ok_or(Errno::XDEV)?;
            beneath(home, &path, flags, ResolveFlags::NO_SYMLINKS)
        }
        found => found,
    }
}

/// The one way in: whatever it gives lies beneath the home.
fn beneath(
    home: &OwnedFd,
    path: &CStr,
    flags: OFlags,
    how: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | how;
    retry_on_intr(|| openat2(home, path, flags, Mode::empty(), how))
}

/// Where in the home a path leads that leaves it on its way; `None` if it ends outside.
fn path_within(home: &OwnedFd, path: &CStr) -> Option<CString> {
    let freely = ResolveFlags::NO_MAGICLINKS;
    let place = retry_on_intr(|| openat2(home, path, PLACE, Mode::empty(), freely)).ok()?;
    let place = real_path(&place)?;
    let within = place.strip_prefix(real_path(home)?).ok()?;
    let within = if within.as_os_str().is_empty() { Path::new(".") } else { within };
    CString::new(within.as_os_str().as_bytes()).ok()
}

/// A name that a descriptor has now. It only says where to look: what is found there is checked.
fn real_path(fd: &OwnedFd) -> Option<PathBuf> {
    let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let path = readlinkat(rustix::fs::CWD, link, Vec::new()).ok()?;
    Some(PathBuf::from(OsString::from_vec(path.into_bytes())))
}

fn with_meta(fd: OwnedFd) -> Result<(OwnedFd, Meta), Errno> {
    let meta = Meta::from_stat(&rustix::fs::fstat(&fd)?);
    Ok((fd, meta))
}
