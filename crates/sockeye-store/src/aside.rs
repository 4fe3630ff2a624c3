//! Small files of our own beside those of clients, and the listing of our own folders.

use std::{ffi::CStr, os::fd::OwnedFd};

use rustix::{
    fs::{Mode, OFlags},
    io::{Errno, retry_on_intr},
};

use crate::Result;

/// Writes a file, over what it had. It is not synced.
pub(crate) fn write(folder: &OwnedFd, name: &CStr, bytes: &[u8]) -> Result<(), Errno> {
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let n = retry_on_intr(|| rustix::io::write(&file, rest))?;
        rest = &rest[n..];
    }
    Ok(())
}

/// Writes a file by way of a draft, so that whoever looks finds the old one or the new. It is not synced.
pub(crate) fn replace(
    folder: &OwnedFd,
    draft: &CStr,
    name: &CStr,
    bytes: &[u8],
) -> Result<(), Errno> {
    write(folder, draft, bytes)?;
    rustix::fs::renameat(folder, draft, folder, name)
}

/// Reads a file; `None` if it is not there or longer.
pub(crate) fn read(folder: &OwnedFd, name: &CStr, longest: usize) -> Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(folder, name, flags, Mode::empty()) {
        Err(Errno::NOENT | Errno::LOOP) => return Ok(None),
        file => file?,
    };
    let mut bytes = vec![0; longest + 1];
    let mut filled = 0;
    while filled < bytes.len() {
        let at = filled as u64;
        let n = retry_on_intr(|| rustix::io::pread(&file, &mut bytes[filled..], at))?;
        if n == 0 {
            bytes.truncate(filled);
            return Ok(Some(bytes));
        }
        filled += n;
    }
    Ok(None)
}
