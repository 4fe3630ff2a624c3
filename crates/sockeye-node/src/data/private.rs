//! Files and folders that only their owner may read, made whole or not at all.

use std::{
    fs::{DirBuilder, File, Metadata},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, fchown},
    path::Path,
};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};

/// Makes a folder with mode 0700; one that is there already is left as it is.
pub(crate) fn make_folder(path: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes a file with mode 0600 in place of what has its name; whoever looks finds the old one or the new.
///
/// # Errors
/// If it cannot be written or brought to the disk; the old one stays then.
pub fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    put(path, contents, |_| Ok(()))
}

/// Writes a file in place of the one that is there, with the same mode, owner and group; whoever looks finds the old one
/// or the new. Where the name is a link, what it leads to is replaced.
///
/// # Errors
/// If there is none, or it cannot be written, given to its owner or brought to the disk; the old one stays then.
pub(crate) fn rewrite(path: &Path, contents: &[u8]) -> io::Result<()> {
    let path = std::fs::canonicalize(path)?;
    let old = std::fs::metadata(&path)?;
    put(&path, contents, |draft| {
        give(draft, &old)?;
        draft.set_permissions(old.permissions())
    })
}

/// Writes a file with mode 0600 that belongs to whom its folder belongs to, in place of what has its name: what root writes
/// for a service, the service can read.
///
/// # Errors
/// If it cannot be written, given to its owner or brought to the disk.
pub(crate) fn write_for_owner(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?.metadata()?;
    put(path, contents, |draft| give(draft, &folder))
}

/// Gives a file to whom the other belongs, if it is not theirs.
fn give(file: &File, other: &Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (other.uid(), other.gid()) {
        fchown(file, Some(other.uid()), Some(other.gid()))?;
    }
    Ok(())
}

/// Waits for a folder's own lock (flock(2)), and has it until the file is closed.
pub(crate) fn hold_folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(path, flags, Mode::empty())?;
    rustix::io::retry_on_intr(|| flock(&folder, FlockOperation::LockExclusive))?;
    Ok(File::from(folder))
}

/// Writes a draft that only its owner may read, has it made ready by `prepare`, and renames it.
fn put(
    path: &Path,
    contents: &[u8],
    prepare: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    // A draft that a crash left behind is written over.
    let file = rustix::fs::open(&draft, flags, Mode::RUSR | Mode::WUSR)?;
    let mut file = File::from(file);
    let written = prepare(&file)
        .and_then(|()| file.write_all(contents))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&draft, path))
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    written
}
