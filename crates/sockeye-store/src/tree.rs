//! Walking a folder and all below it, however deep and wide, with few descriptors open.
//!
//! Links are never followed: a link is a leaf. What vanishes meanwhile is passed over.

use std::{
    ffi::{CStr, CString},
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    rc::Rc,
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat, openat2},
    io::{Errno, retry_on_intr},
};

use crate::{Amount, Result};

/// Bytes asked of the kernel at once.
const PIECE: usize = 32 * 1024;

/// A folder this many bytes of path below the last one held open is held open itself.
const REACH: usize = 1024;

/// Times that a folder is gone through again, as somebody keeps filling it.
const AGAIN: usize = 100;

/// What a walk comes by.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// A folder, before what is in it; `path` is from the top of the walk, empty for the top itself.
    Enter { path: &'a [u8] },
    /// Something else in the folder that was entered last.
    Leaf { folder: &'a OwnedFd, name: &'a CStr, stat: &'a Stat },
    /// A folder, after what is in it: `name` leads to it from `above`, through folders alone.
    Leave { above: &'a OwnedFd, name: &'a CStr },
}

/// Whether to go on after a [`Step::Leave`], or to enter the folder again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    On,
    Again,
}

/// Who is led through a walk.
pub(crate) trait Visit {
    /// Looks at what the walk came by.
    ///
    /// # Errors
    /// End the walk.
    fn step(&mut self, step: Step<'_>) -> Result<Next>;

    /// Whether to enter the folder `name`, found in the `folder` that was entered last.
    ///
    /// # Errors
    /// End the walk.
    fn enters(&mut self, _folder: &OwnedFd, _name: &CStr, _stat: &Stat) -> Result<bool> {
        Ok(true)
    }

    /// Whether the walk is over, whatever there is still to come by.
    fn is_over(&self) -> bool {
        false
    }
}

impl<F: FnMut(Step<'_>) -> Result<Next>> Visit for F {
    fn step(&mut self, step: Step<'_>) -> Result<Next> {
        self(step)
    }
}

/// A folder held open, and its path from the top.
struct Anchor {
    fd: OwnedFd,
    path: Vec<u8>,
}

struct Pending {
    anchor: Rc<Anchor>,
    /// From the anchor.
    way: CString,
    turn: Turn,
}

enum Turn {
    Enter { again: usize },
    Leave { again: usize },
}

/// Walks the folder `top` in `base`, folders before what is in them.
///
/// # Errors
/// What `visit` fails with, and what reading fails with.
pub(crate) fn walk(
    base: impl AsFd,
    top: &CStr,
    mut visit: impl FnMut(Step<'_>) -> Result<Next>,
) -> Result<()> {
    lead(base, top, &mut visit)
}

/// As [`walk`], with somebody who chooses where to go.
///
/// # Errors
/// As [`walk`].
pub(crate) fn lead(base: impl AsFd, top: &CStr, visitor: &mut impl Visit) -> Result<()> {
    let base = Rc::new(Anchor { fd: base.as_fd().try_clone_to_owned()?, path: Vec::new() });
    let turn = Turn::Enter { again: 0 };
    let mut pending = vec![Pending { anchor: base, way: top.to_owned(), turn }];
    while let Some(Pending { anchor, way, turn }) = pending.pop() {
        if visitor.is_over() {
            break;
        }
        match turn {
            Turn::Leave { again } => {
                let next = visitor.step(Step::Leave { above: &anchor.fd, name: &way })?;
                if next == Next::Again && again < AGAIN {
                    let turn = Turn::Enter { again: again + 1 };
                    pending.push(Pending { anchor, way, turn });
                }
            }
            Turn::Enter { again } => {
                let Some(folder) = open(&anchor.fd, &way)? else { continue };
                let path = from_top(&anchor.path, &way, top);
                visitor.step(Step::Enter { path: &path })?;
                let folders = leaves(&folder, visitor)?;
                let below = Below { anchor: Rc::clone(&anchor), way: way.clone(), folder, path };
                pending.push(Pending { anchor, way, turn: Turn::Leave { again } });
                below.queue(folders, top, &mut pending)?;
            }
        }
    }
    Ok(())
}

/// A folder that was entered.
struct Below {
    anchor: Rc<Anchor>,
    way: CString,
    folder: OwnedFd,
    path: Vec<u8>,
}

impl Below {
    /// Queues the folders in it.
    fn queue(self, folders: Vec<CString>, top: &CStr, pending: &mut Vec<Pending>) -> Result<()> {
        let far = self.way.as_bytes().len() > REACH;
        let (anchor, way) = if far {
            // What is below is found from here.
            (Rc::new(Anchor { fd: self.folder, path: joined(top.to_bytes(), &self.path) }), None)
        } else {
            (self.anchor, Some(self.way))
        };
        for name in folders {
            let way = match &way {
                Some(way) => {
                    CString::new(joined(way.as_bytes(), name.as_bytes())).unwrap_or_default()
                }
                None => name,
            };
            let turn = Turn::Enter { again: 0 };
            pending.push(Pending { anchor: Rc::clone(&anchor), way, turn });
        }
        Ok(())
    }
}

fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let folder = if folder == b"." { b"" } else { folder };
    let slash: &[u8] = if folder.is_empty() || name.is_empty() { b"" } else { b"/" };
    [folder, slash, name].concat()
}

/// The path below the top: the anchor's and the way from it, less the top's own name.
fn from_top(anchor: &[u8], way: &CStr, top: &CStr) -> Vec<u8> {
    let whole = joined(anchor, way.to_bytes());
    let top = if top == c"." { &b""[..] } else { top.to_bytes() };
    let below = whole.strip_prefix(top).unwrap_or(&whole);
    let below = below.strip_prefix(b"/").unwrap_or(below);
    if below == b"." { Vec::new() } else { below.to_vec() }
}

/// Opens a folder without following any link; `None` if it is no longer there.
fn open(anchor: &OwnedFd, way: &CStr) -> Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    match retry_on_intr(|| openat2(anchor, way, flags, Mode::empty(), how)) {
        Ok(folder) => Ok(Some(folder)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Visits what is in a folder and is no folder, and gives the names of the folders.
fn leaves(folder: &OwnedFd, visitor: &mut impl Visit) -> Result<Vec<CString>> {
    let mut folders = Vec::new();
    each_entry(folder, |name, stat| {
        if !FileType::from_raw_mode(stat.st_mode).is_dir() {
            visitor.step(Step::Leaf { folder, name, stat })?;
        } else if visitor.enters(folder, name, stat)? {
            folders.push(name.to_owned());
        }
        Ok(visitor.is_over())
    })?;
    Ok(folders)
}

/// Goes through the entries of an open folder, in its own order, until `visit` says that it is enough.
fn each_entry(folder: &OwnedFd, mut visit: impl FnMut(&CStr, &Stat) -> Result<bool>) -> Result<()> {
    let entry = |name: &CStr| match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => visit(name, &stat),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno.into()),
    };
    read_names(folder, entry).map(drop)
}

/// Goes through the names in a folder, in its own order; others may be doing so.
pub(crate) fn each_name(
    folder: &OwnedFd,
    mut visit: impl FnMut(&CStr) -> Result<()>,
) -> Result<()> {
    find_name(folder, |name| visit(name).map(|()| false)).map(drop)
}

/// The first name in a folder that `is_it`, in its own order; others may be looking as well.
pub(crate) fn find_name(
    folder: &OwnedFd,
    is_it: impl FnMut(&CStr) -> Result<bool>,
) -> Result<Option<CString>> {
    // The position belongs to the descriptor.
    read_names(&reopened(folder)?, is_it)
}

/// A descriptor of the same folder with a position of its own.
pub(crate) fn reopened(folder: &OwnedFd) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(folder, c".", flags, Mode::empty())?)
}

/// Reads the names in a folder that nobody else reads by this descriptor, until one `is_it`.
fn read_names(
    folder: &OwnedFd,
    mut is_it: impl FnMut(&CStr) -> Result<bool>,
) -> Result<Option<CString>> {
    let mut buf = Vec::<u8>::with_capacity(PIECE);
    let spare: &mut [MaybeUninit<u8>] = buf.spare_capacity_mut();
    let mut dir = RawDir::new(folder, spare);
    while let Some(entry) = dir.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." && is_it(name)? {
            return Ok(Some(name.to_owned()));
        }
    }
    Ok(None)
}

/// What one thing that is no folder counts for.
pub(crate) fn leaf_amount(stat: &Stat) -> Amount {
    let is_file = FileType::from_raw_mode(stat.st_mode).is_file();
    Amount::entry(if is_file { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 })
}

/// Counts `name` in `base`, and if it is a folder, all below it.
pub(crate) fn amount(base: impl AsFd, name: &CStr) -> Result<Amount> {
    let stat = rustix::fs::statat(&base, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if !FileType::from_raw_mode(stat.st_mode).is_dir() {
        return Ok(leaf_amount(&stat));
    }
    let mut sum = Amount::default();
    walk(base, name, |step| {
        match step {
            Step::Enter { .. } => sum.add(Amount::entry(0)),
            Step::Leaf { stat, .. } => sum.add(leaf_amount(stat)),
            Step::Leave { .. } => {}
        }
        Ok(Next::On)
    })?;
    Ok(sum)
}

/// Removes `name` from `base` and all below it, telling `gone` of each entry as it goes.
pub(crate) fn remove(base: impl AsFd, name: &CStr, mut gone: impl FnMut(Amount)) -> Result<()> {
    let stat = match rustix::fs::statat(&base, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(()),
        found => found?,
    };
    if !FileType::from_raw_mode(stat.st_mode).is_dir() {
        rustix::fs::unlinkat(base, name, AtFlags::empty())?;
        gone(leaf_amount(&stat));
        return Ok(());
    }
    walk(base, name, |step| {
        match step {
            Step::Enter { .. } => {}
            Step::Leaf { folder, name, stat } => {
                rustix::fs::unlinkat(folder, name, AtFlags::empty())?;
                gone(leaf_amount(stat));
            }
            Step::Leave { above, name } => {
                match rustix::fs::unlinkat(above, name, AtFlags::REMOVEDIR) {
                    Err(Errno::NOTEMPTY) => return Ok(Next::Again),
                    done => done?,
                }
                gone(Amount::entry(0));
            }
        }
        Ok(Next::On)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn base() -> (tempfile::TempDir, OwnedFd) {
        let dir = tempfile::tempdir().unwrap();
        let fd = OwnedFd::from(fs::File::open(dir.path()).unwrap());
        (dir, fd)
    }

    #[test]
    fn a_tree_is_counted_and_removed_and_links_are_not_followed() {
        let (dir, base) = base();
        fs::create_dir_all(dir.path().join("top/a/b")).unwrap();
        fs::create_dir(dir.path().join("beside")).unwrap();
        fs::write(dir.path().join("beside/file"), "stays").unwrap();
        fs::write(dir.path().join("top/one"), "1").unwrap();
        fs::write(dir.path().join("top/a/b/two"), "22").unwrap();
        std::os::unix::fs::symlink("../beside", dir.path().join("top/link")).unwrap();
        let all = Amount { bytes: 3, entries: 6 };
        assert_eq!(amount(&base, c"top").unwrap(), all);
        let mut sum = Amount::default();
        remove(&base, c"top", |gone| sum.add(gone)).unwrap();
        assert_eq!(sum, all);
        assert!(!dir.path().join("top").exists());
        assert!(dir.path().join("beside/file").exists());
    }

    #[test]
    fn paths_are_told_from_the_top() {
        let (dir, base) = base();
        fs::create_dir_all(dir.path().join("top/a/b")).unwrap();
        let paths_below = |top: &CStr| {
            let mut paths = Vec::new();
            walk(&base, top, |step| {
                if let Step::Enter { path } = step {
                    paths.push(String::from_utf8_lossy(path).into_owned());
                }
                Ok(Next::On)
            })
            .unwrap();
            paths
        };
        assert_eq!(paths_below(c"top"), ["", "a", "a/b"]);
        assert_eq!(paths_below(c"."), ["", "top", "top/a", "top/a/b"]);
    }

    #[test]
    fn a_tree_deeper_than_any_path_is_walked_with_few_descriptors() {
        let (_dir, base) = base();
        let name = CString::new("d".repeat(200)).unwrap();
        let mut at = base.try_clone().unwrap();
        for _ in 0..100 {
            rustix::fs::mkdirat(&at, &*name, Mode::RWXU).unwrap();
            let flags = OFlags::RDONLY | OFlags::DIRECTORY;
            at = rustix::fs::openat(&at, &*name, flags, Mode::empty()).unwrap();
        }
        assert_eq!(amount(&base, &name).unwrap().entries, 100);
        let mut gone = 0;
        remove(&base, &name, |amount| gone += amount.entries).unwrap();
        assert_eq!(gone, 100);
    }
}
