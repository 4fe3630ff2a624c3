//! The lock of a data folder: held by a running node, or by a verb while it works.
//!
//! flock(2) on a file, which the system lets go when the process ends, however it does. The process id in
//! the file is for people; nothing is decided by it.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    os::{fd::AsFd as _, unix::fs::MetadataExt as _},
    path::Path,
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock},
    io::Errno,
};

use super::DataError;

/// Longest text of the file that is read: a process id and a line end.
const LONGEST: u64 = 16;

/// The lock, held for as long as this lives.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "open, it holds the lock")] File);

/// Takes the lock file at `path`, of the data folder `folder`.
pub(super) fn take(folder: &Path, path: &Path) -> Result<Lock, DataError> {
    let refused = |error: Errno| DataError::io("write", path, error.into());
    loop {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).map_err(refused)?;
        let mut file = File::from(file);
        match flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                return Err(DataError::Held { path: folder.to_owned(), pid: holder(&mut file) });
            }
            Err(error) => return Err(refused(error)),
        }
        // Who took a start back has removed the file: a lock on what has no name keeps nobody away.
        if !is_named(&file, path) {
            continue;
        }
        write(&mut file).map_err(|error| DataError::io("write", path, error))?;
        return Ok(Lock(file));
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn is_named(file: &File, path: &Path) -> bool {
    let same = || {
        let (open, named) = (file.metadata()?, std::fs::metadata(path)?);
        Ok::<_, io::Error>((open.dev(), open.ino()) == (named.dev(), named.ino()))
    };
    same().unwrap_or(false)
}

fn write(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}
