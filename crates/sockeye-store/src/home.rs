//! A home: a directory handle, and every lookup beneath it.

use std::{
    io,
    os::fd::OwnedFd,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use crate::{
    Amount, Claim, Contents, Error, File, FilePath, Kind, Listing, Meta, Pool, Principal, Result,
    Timestamp,
    file::Residence,
    keep::{Keep, Keeping},
    lookup::{self, Lookup, Wait},
    usage,
};

/// `f_type` of tmpfs and ramfs (statfs(2)).
const MEMORY_FILESYSTEMS: [u64; 2] = [0x0102_1994, 0x8584_58f6];

/// No device has this number: "nothing known yet".
const NO_DEVICE: u64 = u64::MAX;

/// A folder that is served; clones share the handle.
///
/// The handle stays valid when the folder is renamed. Nothing outside it can be reached through it, and
/// unless [`Home::with_hidden`] says otherwise, nothing that [is hidden](FilePath::is_hidden) either.
#[derive(Clone, Debug)]
pub struct Home {
    root: Arc<Root>,
    pool: Pool,
    /// Whether hidden files are there.
    hidden: bool,
    /// What changing it needs; without it, it is only read.
    pub(crate) keep: Option<Arc<Keep>>,
    /// The locks that whoever changes it may pass.
    pub(crate) claim: Option<Arc<Claim>>,
    /// For whom it is changed.
    pub(crate) principal: Option<Arc<dyn Principal>>,
}

#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) fd: OwnedFd,
    /// The last filesystem seen that lives in memory, and the last one that cannot tell.
    memory: AtomicU64,
    unknown: AtomicU64,
    /// The last filesystem seen that answers `RWF_NOWAIT`.
    cache: AtomicU64,
}

/// What a path led to, open for reading.
#[derive(Debug)]
pub enum Opened {
    /// A regular file.
    File(File),
    /// A folder.
    Folder(Folder),
}

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    pub(crate) fd: OwnedFd,
    pub(crate) home: Home,
    pub(crate) path: FilePath,
    meta: Meta,
}

impl Home {
    /// Opens the folder at `path` as a home, with a pool of its own.
    ///
    /// # Errors
    /// If it is not a folder that can be opened, or if the system lacks `openat2` with
    /// `RESOLVE_CACHED` (Linux 5.12), without which the jail cannot be had.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::open_with(path, Pool::default())
    }

    /// Like [`Home::open`], sharing `pool` with other homes.
    ///
    /// # Errors
    /// As [`Home::open`].
    pub fn open_with(path: &Path, pool: Pool) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| {
            let (error, shown) = (io::Error::from(errno), path.display());
            let text = match errno {
                Errno::NOENT => format!("there is no folder {shown}"),
                Errno::NOTDIR if path.exists() => format!("{shown} is a file, not a folder"),
                Errno::ACCESS => format!("the folder {shown} may not be read"),
                _ => format!("cannot open the folder {shown}: {error}"),
            };
            io::Error::new(error.kind(), text)
        })?;
        let looked = match lookup::place(&fd, c".", Wait::Never) {
            Err(Errno::AGAIN) => lookup::place(&fd, c".", Wait::Allowed),
            looked => looked,
        };
        looked.map_err(|errno| match errno {
            Errno::ACCESS => io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("nothing in the folder {} may be opened", path.display()),
            ),
            _ => {
                let text = format!(
                    "this system refuses openat2 ({}), which keeps clients inside the folder: \
                     Linux 5.12 or newer is needed, and a container's seccomp profile must allow it",
                    io::Error::from(errno)
                );
                io::Error::new(io::ErrorKind::Unsupported, text)
            }
        })?;
        let [memory, unknown, cache] = [const { AtomicU64::new(NO_DEVICE) }; 3];
        let root = Arc::new(Root { fd, memory, unknown, cache });
        Ok(Self { root, pool, hidden: false, keep: None, claim: None, principal: None })
    }

    /// Opens the home kept in `dir`, or makes it: a folder with `files` (what clients see), `partials`,
    /// `trash` and the file `usage`, all on one filesystem. It can be changed, and shows its hidden files.
    ///
    /// What a crash left is mended, and if the home was not closed, it is counted before its first change.
    /// Dropping the last clone closes it.
    ///
    /// # Errors
    /// As [`Home::open`]; if the folders cannot be made, lie on several filesystems, or the home is open
    /// already, here or in another process.
    pub fn keep(dir: &Path, keeping: Keeping) -> io::Result<Self> {
        let pool = keeping.pool.clone();
        let base = Keep::prepare(dir)?;
        let home = Self::open_with(&dir.join(crate::keep::FILES), pool)?;
        let keep = Keep::open(base, dir, &home.root, keeping)?;
        Ok(Self { keep: Some(Arc::new(keep)), hidden: true, ..home })
    }

    /// The home that is kept in `dir`, only to be looked into, whoever has it open meanwhile.
    ///
    /// # Errors
    /// As [`Home::open`].
    pub fn look(dir: &Path, pool: Pool) -> io::Result<Self> {
        let home = Self::open_with(&dir.join(crate::keep::FILES), pool)?;
        Ok(Self { hidden: true, ..home })
    }

    /// What the home in `dir` held when it was closed; none if it was not, or has been changed since. It is neither
    /// opened nor counted for this.
    #[must_use]
    pub fn closed_with(dir: &Path) -> Option<Amount> {
        let folder = std::fs::File::open(dir).ok()?;
        let Contents { files, partials, trash } = usage::read(&folder.into())?;
        Some(files.plus(partials).plus(trash))
    }

    /// When the root of the home in `dir` was changed last, open or not; none before there is one.
    #[must_use]
    pub fn modified(dir: &Path) -> Option<Timestamp> {
        let meta = std::fs::metadata(dir.join(crate::keep::FILES)).ok()?;
        Some(meta.modified().ok()?.into())
    }

    /// Whether this handle is the only one, and nothing that was opened or begun with it is left.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        // What changes the home holds its folder as well.
        let (own, is_unchanged) = match &self.keep {
            Some(keep) => (2, Arc::strong_count(keep) == 1),
            None => (1, true),
        };
        Arc::strong_count(&self.root) == own && is_unchanged
    }

    /// The same home, with its hidden files.
    ///
    /// Without this they are neither listed nor found: `.git`, `.ssh` or `.env` are seldom meant when
    /// a folder is shared. The name that is asked for counts: a link that is not hidden leads to what is.
    #[must_use]
    pub fn with_hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Whether this home keeps `path` to itself.
    pub(crate) fn hides(&self, path: &FilePath) -> bool {
        !self.hidden && path.is_hidden()
    }

    /// Whether it keeps names that begin with a dot to itself.
    pub(crate) fn hides_dotted(&self) -> bool {
        !self.hidden
    }

    /// Opens what `path` names, for reading. A FIFO, a socket or a device is not served; in a home that only reads, it
    /// is not even opened.
    ///
    /// # Errors
    /// [`Error::NotFound`] also if the path leaves the home or is hidden; [`Error::Denied`];
    /// [`Error::Special`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn open_path(&self, path: &FilePath) -> Result<Opened> {
        if self.hides(path) {
            return Err(Error::NotFound);
        }
        let how = if self.keep.is_some() { lookup::reading_at_once } else { lookup::reading };
        let (fd, meta) = match how(&self.root.fd, path.as_c_str(), Wait::Never) {
            Err(Errno::AGAIN) => self.by_pool(path, how).await?,
            found => found?,
        };
        match meta.kind {
            Kind::File => {
                let residence = self.residence(&fd, &meta);
                Ok(Opened::File(File::new(fd, meta, residence, self.pool.clone())))
            }
            Kind::Folder => {
                Ok(Opened::Folder(Folder { fd, home: self.clone(), path: path.clone(), meta }))
            }
            Kind::Special => Err(Error::Special),
        }
    }

    /// What `path` names, without opening it for reading.
    ///
    /// # Errors
    /// As [`Home::open_path`], but special files are answered, as [`Kind::Special`].
    ///
    /// Cancellation: safe.
    pub async fn stat(&self, path: &FilePath) -> Result<Meta> {
        if self.hides(path) {
            return Err(Error::NotFound);
        }
        match lookup::looking(&self.root.fd, path.as_c_str(), Wait::Never) {
            Err(Errno::AGAIN) => Ok(self.by_pool(path, lookup::looking).await?.1),
            found => Ok(found?.1),
        }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// What changing this home needs.
    pub(crate) fn kept(&self) -> Result<&Arc<Keep>> {
        self.keep.as_ref().ok_or(Error::ReadOnly)
    }

    /// Does what is a few calls of the system: inline where the home lies in memory, else in the pool.
    pub(crate) async fn quick<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Arc<Keep>) -> Result<T> + Send + 'static,
    {
        let keep = self.kept()?;
        if keep.never_waits() { work(keep) } else { self.slow(work).await }
    }

    /// Does what may take long, in the pool.
    pub(crate) async fn slow<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Arc<Keep>) -> Result<T> + Send + 'static,
    {
        let keep = self.kept()?;
        // The semaphore is never closed.
        let _turn = keep.turns.acquire().await.map_err(|_| Error::Busy)?;
        let keep = Arc::clone(keep);
        self.pool
            .run(move || {
                keep.ready()?;
                work(&keep)
            })
            .await?
    }

    /// The kind, size and age of what `path` leads to; may wait for a disk.
    pub(crate) fn stat_blocking(&self, path: &FilePath) -> Result<Meta> {
        Ok(lookup::repeated(&self.root.fd, path, lookup::looking)?.1)
    }

    async fn by_pool(&self, path: &FilePath, how: Lookup) -> Result<(OwnedFd, Meta)> {
        let (root, path) = (Arc::clone(&self.root), path.clone());
        self.pool.run(move || lookup::repeated(&root.fd, &path, how)).await?
    }

    /// Finds out once for each filesystem whether reads can say that they would wait.
    fn residence(&self, fd: &OwnedFd, meta: &Meta) -> Residence {
        let known = |device: &AtomicU64| device.load(Ordering::Relaxed) == meta.device;
        let root = &*self.root;
        if known(&root.cache) {
            return Residence::Cache;
        }
        if known(&root.memory) {
            return Residence::Memory;
        }
        if known(&root.unknown) {
            return Residence::Unknown;
        }
        let probe = rustix::io::preadv2(
            fd,
            &mut [io::IoSliceMut::new(&mut [0; 1])],
            0,
            rustix::io::ReadWriteFlags::NOWAIT,
        );
        let (device, residence) = match probe {
            Err(Errno::OPNOTSUPP) if in_memory(fd) => (&root.memory, Residence::Memory),
            Err(Errno::OPNOTSUPP | Errno::INVAL) => (&root.unknown, Residence::Unknown),
            _ => (&root.cache, Residence::Cache),
        };
        device.store(meta.device, Ordering::Relaxed);
        residence
    }
}

impl Folder {
    /// The folder's age and identity when it was opened.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Begins to list the folder.
    #[must_use]
    pub fn list(self) -> Listing {
        Listing::new(self)
    }
}

pub(crate) fn in_memory(fd: &OwnedFd) -> bool {
    rustix::fs::fstatfs(fd)
        .is_ok_and(|fs| u64::try_from(fs.f_type).is_ok_and(|t| MEMORY_FILESYSTEMS.contains(&t)))
}
