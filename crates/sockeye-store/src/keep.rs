//! What a home needs that is changed: its folders, its books and its locks.
//!
//! Everything here blocks, a little; [`Home`](crate::Home) decides where it runs. Locks are taken in this
//! order: `bin`, `names`, `open`, `left`; none is held while something waits for a client.

use std::{
    collections::HashSet,
    io,
    os::{fd::OwnedFd, unix::fs::DirBuilderExt},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags},
    io::Errno,
};
use tokio::sync::Semaphore;

use crate::{
    Contents, Digests, Marks, Pool, Quota, Result, Space, growing,
    home::{Root, in_memory},
    id::{Ids, PartialId},
    marks::Marked,
    partials::CutPaths,
    recount,
    space::Ledger,
    trash::Oldest,
    upload::left::Left,
    usage,
};

/// The folders of a home.
pub(crate) const FILES: &str = "files";
const PARTIALS: &str = "partials";
const TRASH: &str = "trash";

/// How sure a write is when it is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// On the disk: it survives a power failure. Files and the folders they go into are synced.
    #[default]
    Sync,
    /// In place for every reader, and on the disk when the system gets round to it: it survives the
    /// server's own end, not the machine's.
    Rename,
}

/// How a home is kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Keeping {
    /// How much it may hold; without limit by default.
    pub quota: Quota,
    /// How sure a write is when it is acknowledged; on the disk by default.
    pub durability: Durability,
    /// How long what was removed or replaced is kept; 30 days by default, and zero for not at all.
    pub trash_for: Duration,
    /// How long an upload that was left is kept; 7 days by default.
    pub partials_for: Duration,
    /// Uploads that may be left unfinished; 1,000 by default. One more is dropped.
    pub partials: u64,
    /// Names at the top that nothing new can have; none by default.
    pub reserved: &'static [&'static str],
    /// Where work that blocks is done; a pool of its own by default.
    pub pool: Pool,
    /// Where digests are kept; without it, they are computed when they are asked for.
    pub digests: Option<Digests>,
    /// The home's properties and locks; without it, there are none.
    pub marks: Option<Marks>,
}

impl Default for Keeping {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            quota: Quota::default(),
            durability: Durability::default(),
            trash_for: 30 * DAY,
            partials_for: 7 * DAY,
            partials: 1000,
            reserved: &[],
            pool: Pool::default(),
            digests: None,
            marks: None,
        }
    }
}

/// Threads of the pool that work for one home at once; further work on it waits in turn.
const TURNS: usize = 8;

/// Walks through a home for archives and searches at once, each of which takes a thread for as long as it lasts.
pub(crate) const WALKS: usize = 2;

/// Nothing is known of what it holds.
const UNCOUNTED: u8 = 0;
/// What it holds is known, and the file `usage` says the same.
const AS_WRITTEN: u8 = 1;
/// What it holds is known, and is not written down.
const CHANGED: u8 = 2;

/// A home that can be changed.
#[derive(Debug)]
pub(crate) struct Keep {
    /// The home's own folder, locked.
    base: OwnedFd,
    pub(crate) files: Arc<Root>,
    pub(crate) partials: OwnedFd,
    pub(crate) trash: OwnedFd,
    pub(crate) keeping: Keeping,
    pub(crate) ledger: Arc<Ledger>,
    /// Its properties and locks, if they are kept.
    pub(crate) marked: Option<Marked>,
    pub(crate) ids: Ids,
    /// Held while names change: what a path leads to stays so.
    pub(crate) names: Mutex<()>,
    /// Held while something in the trash is counted or destroyed.
    pub(crate) bin: Mutex<Oldest>,
    /// Partials that are being written.
    pub(crate) open: Mutex<HashSet<PartialId>>,
    /// Paths of uploads that were cut.
    pub(crate) cut: CutPaths,
    /// How far uploads under way have come.
    pub(crate) growing: Arc<growing::Register>,
    /// What is remembered of those that were left.
    pub(crate) left: Mutex<Left>,
    state: AtomicU8,
    counting: Mutex<()>,
    /// A home's share of the pool's threads: others go on while many change this one, or wait for a long change.
    pub(crate) turns: Semaphore,
    /// Its share of them for what only looks at all of it.
    pub(crate) walks: Arc<Semaphore>,
    in_memory: bool,
    /// The filesystem.
    pub(crate) device: u64,
}

impl Keep {
    /// Makes what is missing of a home's folders, and locks the home.
    pub(crate) fn prepare(dir: &Path) -> io::Result<OwnedFd> {
        let told = |error: io::Error, what: &str| {
            io::Error::new(
                error.kind(),
                format!("cannot {what} the home {}: {error}", dir.display()),
            )
        };
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|error| told(error, "make"))?;
        let base = folder(None, dir).map_err(|errno| told(errno.into(), "open"))?;
        let mut is_new = true;
        for name in [FILES, PARTIALS, TRASH] {
            match rustix::fs::mkdirat(&base, name, Mode::RWXU) {
                Ok(()) => {}
                Err(Errno::EXIST) => is_new = false,
                Err(errno) => return Err(told(errno.into(), "make")),
            }
        }
        match rustix::fs::flock(&base, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {
                let text = format!("the home {} is open already; close it there", dir.display());
                Err(io::Error::new(io::ErrorKind::ResourceBusy, text))
            }
            Err(errno) => Err(told(errno.into(), "lock")),
            Ok(()) if is_new => {
                let empty = usage::write(&base, &Contents::default());
                empty.map(|()| base).map_err(|errno| told(errno.into(), "make"))
            }
            Ok(()) => Ok(base),
        }
    }

    /// Opens a prepared home.
    pub(crate) fn open(
        base: OwnedFd,
        dir: &Path,
        files: &Arc<Root>,
        keeping: Keeping,
    ) -> io::Result<Self> {
        let partials = folder(Some(&base), Path::new(PARTIALS))?;
        let trash = folder(Some(&base), Path::new(TRASH))?;
        let device = rustix::fs::fstat(&files.fd)?.st_dev;
        for aside in [&partials, &trash] {
            if rustix::fs::fstat(aside)?.st_dev != device {
                let text = format!(
                    "the folders files, partials and trash of the home {} must be on one filesystem",
                    dir.display()
                );
                return Err(io::Error::new(io::ErrorKind::CrossesDevices, text));
            }
        }
        let ledger = Ledger::new(keeping.quota);
        let written = usage::read(&base);
        if let Some(usage) = &written {
            ledger.set_all(usage);
        }
        let in_memory = in_memory(&partials);
        let marked = keeping.marks.clone().map(Marked::open).transpose();
        let marked = marked.map_err(io::Error::other)?;
        let keep = Self {
            base,
            files: Arc::clone(files),
            partials,
            trash,
            keeping,
            ledger: Arc::new(ledger),
            marked,
            ids: Ids::new(),
            names: Mutex::default(),
            bin: Mutex::default(),
            open: Mutex::default(),
            cut: CutPaths::default(),
            growing: Arc::default(),
            left: Mutex::default(),
            state: AtomicU8::new(if written.is_some() { AS_WRITTEN } else { UNCOUNTED }),
            counting: Mutex::default(),
            turns: Semaphore::new(TURNS),
            walks: Arc::new(Semaphore::new(WALKS)),
            in_memory,
            device,
        };
        keep.settle_moves().map_err(io::Error::other)?;
        Ok(keep)
    }

    /// Whether the home lies in memory, so that nothing read of it waits for a disk.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// Whether a few calls of the system are done at once: the home lies in memory, is counted, has no properties
    /// or locks, and nobody keeps its names for long.
    pub(crate) fn never_waits(&self) -> bool {
        self.in_memory
            && self.is_ready()
            && self.marked.as_ref().is_none_or(Marked::is_empty)
            && self.names.try_lock().is_ok()
    }

    /// Whether [`Keep::ready`] has nothing to do.
    pub(crate) fn is_ready(&self) -> bool {
        self.state.load(Ordering::Acquire) == CHANGED
    }

    /// To be called before any change: counts the home if need be, and says on the disk that it changes.
    pub(crate) fn ready(&self) -> Result<()> {
        if self.is_ready() {
            return Ok(());
        }
        let _counting = locked(&self.counting);
        match self.state.load(Ordering::Acquire) {
            CHANGED => return Ok(()),
            UNCOUNTED => {
                let found = recount::mend_and_count(self)?;
                self.ledger.set_all(&found);
            }
            _ => {}
        }
        usage::remove(&self.base)?;
        if self.syncs() {
            rustix::fs::fsync(&self.base)?;
        }
        self.state.store(CHANGED, Ordering::Release);
        Ok(())
    }

    /// What the home holds, if that is known without counting.
    pub(crate) fn known_space(&self) -> Option<Space> {
        (self.state.load(Ordering::Acquire) != UNCOUNTED).then(|| self.ledger.space())
    }

    /// Whether what is acknowledged must be on the disk.
    pub(crate) fn syncs(&self) -> bool {
        self.keeping.durability == Durability::Sync && !self.in_memory
    }

    /// Whether what is removed or replaced is kept for a time.
    pub(crate) fn has_trash(&self) -> bool {
        !self.keeping.trash_for.is_zero()
    }
}

/// Nobody has it any more, so nothing is reserved.
impl Drop for Keep {
    fn drop(&mut self) {
        if !self.is_ready() {
            return;
        }
        let Space { files, partials, trash, .. } = self.ledger.space();
        if let Err(errno) = usage::write(&self.base, &Contents { files, partials, trash }) {
            tracing::warn!(%errno, "a home's usage was not written; it is counted at its next change");
        }
    }
}

/// A lock's content, also after a panic elsewhere: everything behind these locks is whole at any time.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn folder(base: Option<&OwnedFd>, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match base {
        Some(base) => rustix::fs::openat(base, path, flags | OFlags::NOFOLLOW, Mode::empty()),
        None => rustix::fs::open(path, flags, Mode::empty()),
    }
}
