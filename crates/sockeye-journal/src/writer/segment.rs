//! The segment that is being written.

use std::{io, path::Path, time::SystemTime};

use super::disk::{Disk, SegmentFile};
use crate::{batch::Batch, segments::Segment, summary::Summary};

/// A segment, open for appending batches as a whole or not at all.
pub(super) struct Active {
    pub(super) segment: Segment,
    file: Box<dyn SegmentFile>,
    /// Where the last whole batch ends.
    pub(super) length: u64,
    /// Whether something may stand behind that.
    torn: bool,
    /// Whether its name is durable.
    named: bool,
    /// When its first line was written.
    pub(super) born: SystemTime,
    pub(super) summary: Summary,
}

impl Active {
    /// Makes the segment whose first line has this number.
    pub(super) fn create(disk: &mut dyn Disk, folder: &Path, first: u64) -> io::Result<Self> {
        let segment = Segment::new(folder, first);
        let file = disk.create(&segment.path)?;
        let (born, summary) = (SystemTime::now(), Summary::new());
        Ok(Self { segment, file, length: 0, torn: false, named: false, born, summary })
    }

    /// Continues a segment behind this place; what stands there is cut off before the first write.
    pub(super) fn resume(
        disk: &mut dyn Disk,
        segment: Segment,
        length: u64,
        born: SystemTime,
        summary: Summary,
    ) -> io::Result<Self> {
        let file = disk.open(&segment.path)?;
        Ok(Self { segment, file, length, torn: true, named: true, born, summary })
    }

    /// Writes a batch, and syncs it if so wanted. After an error the segment ends where it ended
    /// before, at the latest when the next write begins.
    pub(super) fn write(
        &mut self,
        batch: &Batch,
        disk: &mut dyn Disk,
        sync: bool,
    ) -> io::Result<()> {
        if self.torn {
            self.file.truncate(self.length)?;
            self.torn = false;
        }
        let result = self.put(batch, disk, sync);
        if result.is_ok() {
            self.length += batch.bytes.len() as u64;
            self.summary.merge(&batch.summary);
        } else {
            // Also what a failed sync may or may not have kept: it is written once more.
            self.torn = self.file.truncate(self.length).is_err();
        }
        result
    }

    fn put(&mut self, batch: &Batch, disk: &mut dyn Disk, sync: bool) -> io::Result<()> {
        self.file.write_at(&batch.bytes, self.length)?;
        if sync {
            self.file.sync()?;
        }
        if sync && !self.named {
            if let Some(folder) = self.segment.path.parent() {
                disk.sync_folder(folder)?;
            }
            self.named = true;
        }
        Ok(())
    }
}
