//! Listing a folder, piece by piece, in memory that does not grow with the folder.

use std::{io, mem::MaybeUninit};

use rustix::fs::{AtFlags, RawDir};

use crate::{Error, FilePath, Folder, Kind, Meta, Name, Result, Timestamp};

/// Bytes asked of the kernel at once: about a thousand entries.
const PIECE: usize = 32 * 1024;

/// Entries that are worth an answer; with fewer, more is asked for first, so that a small folder is one answer whole.
const ENOUGH: usize = 256;

/// One line of a listing: something that can be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: Name,
    /// A file or a folder; for a symbolic link, what it leads to.
    pub kind: Kind,
    /// Bytes of a file; 0 for a folder.
    pub size: u64,
    /// When its content last changed.
    pub modified: Timestamp,
    /// The permissions of owner, group and others (`0o777`).
    pub mode: u32,
    /// The device that it lies on.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
    /// Whether a symbolic link led to it.
    pub linked: bool,
}

impl Entry {
    /// The entry called `name` of what has this kind, size and age.
    #[must_use]
    pub fn new(name: Name, meta: &Meta) -> Self {
        let Meta { kind, size, modified, mode, device, inode } = *meta;
        Self { name, kind, size, modified, mode, device, inode, linked: false }
    }

    /// What is known of it but for its name.
    #[must_use]
    pub fn meta(&self) -> Meta {
        let Self { kind, size, modified, mode, device, inode, .. } = *self;
        Meta { kind, size, modified, mode, device, inode }
    }
}

/// The entries of a folder, in the folder's own order.
///
/// What cannot be fetched is left out: hidden files, special files, and symbolic links that lead nowhere
/// or out of the home. An entry made or removed meanwhile may or may not appear.
#[derive(Debug)]
pub struct Listing {
    folder: Option<Folder>,
}

impl Listing {
    pub(crate) fn new(folder: Folder) -> Self {
        Self { folder: Some(folder) }
    }

    /// The next entries, up to about a thousand; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Busy`]; [`Error::Io`]. After an error the listing is at its end.
    ///
    /// Cancellation: the folder is lost with the future; the listing is then at its end.
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>> {
        let Some(folder) = self.folder.take() else { return Ok(None) };
        let (folder, entries) = if folder.home.keep.as_ref().is_some_and(|keep| keep.is_in_memory())
        {
            let read = read_entries(folder)?;
            // Nothing was waited for; now others have their turn.
            tokio::task::yield_now().await;
            read
        } else {
            let pool = folder.home.pool().clone();
            pool.run(move || read_entries(folder)).await??
        };
        self.folder = folder;
        Ok((!entries.is_empty()).then_some(entries))
    }
}

/// The next entries; and the folder, if there may be more. There are none at its end alone.
fn read_entries(folder: Folder) -> Result<(Option<Folder>, Vec<Entry>)> {
    let mut entries = Vec::new();
    while entries.len() < ENOUGH {
        match read_piece(&folder)? {
            Some(piece) => entries.extend(piece),
            None => return Ok((None, entries)),
        }
    }
    Ok((Some(folder), entries))
}

/// One `getdents` call's worth of entries; `None` at the end of the folder.
fn read_piece(folder: &Folder) -> Result<Option<Vec<Entry>>> {
    let mut buf = Vec::<u8>::with_capacity(PIECE);
    let spare: &mut [MaybeUninit<u8>] = buf.spare_capacity_mut();
    let mut dir = RawDir::new(&folder.fd, spare);
    let mut entries = Vec::new();
    let mut any = false;
    while let Some(raw) = dir.next() {
        let raw = raw.map_err(io::Error::from)?;
        any = true;
        // `.` and `..` are not names, and so are left out here.
        if let Ok(name) = Name::parse(raw.file_name().to_bytes())
            && let Some((meta, linked)) = meta_of(folder, &name)?
        {
            entries.push(Entry { linked, ..Entry::new(name, &meta) });
        }
        if dir.is_buffer_empty() {
            break;
        }
    }
    Ok(any.then_some(entries))
}

/// What `name` leads to, if it can be fetched, and whether it does so by a symbolic link.
fn meta_of(folder: &Folder, name: &Name) -> Result<Option<(Meta, bool)>> {
    let path = || folder.path.join(name).ok();
    // The folder's own path is not hidden, or it would not be open.
    let dotted = name.as_bytes().starts_with(b".");
    if dotted && path().is_none_or(|path| folder.home.hides(&path)) {
        return Ok(None);
    }
    // One name without a slash, not followed: this cannot leave the folder.
    let Ok(stat) = rustix::fs::statat(&folder.fd, name.as_bytes(), AtFlags::SYMLINK_NOFOLLOW)
    else {
        // Gone meanwhile, or not ours to see.
        return Ok(None);
    };
    let linked = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_symlink();
    let meta = if linked {
        let Some(path) = path() else { return Ok(None) };
        match follow(folder, &path)? {
            Some(meta) => meta,
            None => return Ok(None),
        }
    } else {
        Meta::from_stat(&stat)
    };
    Ok((meta.kind != Kind::Special).then_some((meta, linked)))
}

fn follow(folder: &Folder, path: &FilePath) -> Result<Option<Meta>> {
    match folder.home.stat_blocking(path) {
        Ok(meta) => Ok(Some(meta)),
        Err(Error::Io(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}
