//! What is known of a file without reading it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{FileType, Stat};

/// The bits of a mode that say who may read, write and execute.
const PERMISSIONS: u32 = 0o777;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A regular file.
    File,
    /// A FIFO, a socket or a device: never opened for a client, never listed.
    Special,
}

/// A moment as the filesystem keeps it: nanoseconds since the Unix epoch, possibly before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp {
    /// Seconds since the epoch; negative before 1970.
    pub seconds: i64,
    /// Nanoseconds, 0–999,999,999, counted forward from `seconds`.
    pub nanos: u32,
}

impl From<Timestamp> for SystemTime {
    fn from(at: Timestamp) -> Self {
        let whole = Duration::from_secs(at.seconds.unsigned_abs());
        let base = if at.seconds < 0 {
            UNIX_EPOCH.checked_sub(whole)
        } else {
            UNIX_EPOCH.checked_add(whole)
        };
        base.and_then(|t| t.checked_add(Duration::from_nanos(at.nanos.into())))
            .unwrap_or(UNIX_EPOCH)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(at: SystemTime) -> Self {
        let seconds = |of: Duration| i64::try_from(of.as_secs()).unwrap_or(i64::MAX);
        match at.duration_since(UNIX_EPOCH) {
            Ok(since) => Self { seconds: seconds(since), nanos: since.subsec_nanos() },
            Err(before) => {
                let before = before.duration();
                let nanos = (1_000_000_000 - before.subsec_nanos()) % 1_000_000_000;
                Self { seconds: -seconds(before) - i64::from(nanos > 0), nanos }
            }
        }
    }
}

/// The kind, size, age, permissions and identity of a file, read in one call from its open descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// What it is.
    pub kind: Kind,
    /// Bytes of a regular file; 0 for a folder.
    pub size: u64,
    /// When the content last changed.
    pub modified: Timestamp,
    /// The permissions of owner, group and others (`0o777`).
    pub mode: u32,
    /// The filesystem's number.
    pub device: u64,
    /// The file's number in its filesystem.
    pub inode: u64,
}

/// Which content of a file it is: nothing else has the same, until somebody writes in place and sets
/// the time back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    pub(crate) modified: Timestamp,
}

impl Meta {
    /// The version that this describes.
    #[must_use]
    pub fn version(&self) -> Version {
        let &Self { device, inode, size, modified, .. } = self;
        Version { device, inode, size, modified }
    }

    pub(crate) fn from_stat(stat: &Stat) -> Self {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            _ => Kind::Special,
        };
        let size = if kind == Kind::File { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 };
        Self {
            kind,
            size,
            modified: Timestamp {
                seconds: stat.st_mtime,
                nanos: u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
            },
            mode: stat.st_mode & PERMISSIONS,
            device: stat.st_dev,
            inode: stat.st_ino,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_kept_also_before_the_epoch() {
        for (seconds, nanos) in [(0, 0), (1, 5), (-1, 999_999_999), (-1, 0), (-7, 1)] {
            let at = Timestamp { seconds, nanos };
            assert_eq!(Timestamp::from(SystemTime::from(at)), at);
        }
    }
}
