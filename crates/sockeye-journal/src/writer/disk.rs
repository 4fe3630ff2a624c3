//! The files that the writer writes, behind a trait, so that tests can fill the disk.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

/// Where segments are.
pub(crate) trait Disk: Send {
    /// Makes a segment anew, empty; one of that name that was begun before is overwritten.
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn SegmentFile>>;

    /// Opens a segment to be continued.
    fn open(&mut self, path: &Path) -> io::Result<Box<dyn SegmentFile>>;

    /// Makes the names in the folder durable.
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()>;
}

/// A segment that is being written.
pub(crate) trait SegmentFile: Send {
    /// Writes all of it at this place; after an error any part of it may stand there.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes what was written durable.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts off what stands behind.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

/// A folder of a file system.
#[derive(Debug)]
pub(crate) struct Folder(());

impl Folder {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

/// What others than the owner and the group may not do is decided by the folder's mode.
const MODE: u32 = 0o640;

impl Disk for Folder {
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(MODE).open(path)?;
        Ok(Box::new(file))
    }

    fn open(&mut self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(OpenOptions::new().write(true).open(path)?))
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl SegmentFile for File {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}
