//! Uploads that somebody is writing now: where the file of each will be, and how far it has come.
//!
//! All of it is in memory, written by who uploads and read by who lists; no name on the disk tells of it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{FilePath, Home, Kind, Meta, Name, Timestamp, id::PartialId, keep::locked};

/// The permissions that such a file will have if nobody asks for others.
const MODE: u32 = 0o644;

/// All uploads under way in a home, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Register(Mutex<BTreeMap<PartialId, Arc<Standing>>>);

/// How far one has come.
#[derive(Debug)]
struct Standing {
    path: FilePath,
    size: AtomicU64,
    /// When the last byte came, in microseconds since the epoch.
    written: AtomicU64,
}

/// An upload's place in the register; dropped, it is under way no more.
#[derive(Debug)]
pub(crate) struct Growing {
    register: Arc<Register>,
    id: PartialId,
    standing: Arc<Standing>,
}

impl Growing {
    /// Enters an upload of which `size` bytes are there.
    pub(crate) fn enter(
        register: &Arc<Register>,
        id: PartialId,
        path: &FilePath,
        size: u64,
    ) -> Self {
        let (path, size, written) = (path.clone(), AtomicU64::new(size), AtomicU64::new(now()));
        let standing = Arc::new(Standing { path, size, written });
        locked(&register.0).insert(id, Arc::clone(&standing));
        Self { register: Arc::clone(register), id, standing }
    }

    /// Where the file will be.
    pub(crate) fn path(&self) -> &FilePath {
        &self.standing.path
    }

    /// Notes how many bytes there are now.
    pub(crate) fn note(&self, size: u64) {
        self.standing.size.store(size, Relaxed);
        self.standing.written.store(now(), Relaxed);
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        locked(&self.register.0).remove(&self.id);
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Standing {
    fn meta(&self) -> Meta {
        let written = Duration::from_micros(self.written.load(Relaxed));
        let modified = UNIX_EPOCH.checked_add(written).unwrap_or(UNIX_EPOCH);
        Meta {
            kind: Kind::File,
            size: self.size.load(Relaxed),
            modified: Timestamp::from(modified),
            mode: MODE,
            device: 0,
            inode: 0,
        }
    }
}

impl Home {
    /// The upload of `path` that is under way, as the file that it would be if it ended now; of several the last that was
    /// begun. It has no device or inode. Whether there is a file of that name already is not asked.
    #[must_use]
    pub fn growing(&self, path: &FilePath) -> Option<Meta> {
        let register = locked(&self.kept().ok()?.growing.0);
        register.values().rev().find(|it| it.path == *path).map(|it| it.meta())
    }

    /// As [`Home::growing`], of all uploads to files right in `folder`.
    #[must_use]
    pub fn growing_in(&self, folder: &FilePath) -> BTreeMap<Name, Meta> {
        let Ok(keep) = self.kept() else { return BTreeMap::new() };
        let register = locked(&keep.growing.0);
        let here = register.values().filter(|it| it.path.parent().as_ref() == Some(folder));
        // A later one takes the place of an earlier.
        here.filter_map(|it| Some((Name::parse(it.path.file_name()?).ok()?, it.meta()))).collect()
    }
}
