//! The disk's side of an upload: a partial file that grows.
//!
//! All of this blocks; [`Upload`](super::Upload) decides where it runs. Whoever drops it drops the upload: it is kept
//! if it can be resumed, and removed if not.

use std::{ffi::CString, os::fd::OwnedFd, sync::Arc};

use rustix::{
    fs::{AtFlags, Mode, OFlags},
    io::retry_on_intr,
};

use super::{Committed, plan::Plan, tracker::Tracker};
use crate::{
    Amount, Claim, Digest, Error, Meta, Result,
    growing::Growing,
    id::PartialId,
    install::Installed,
    keep::{Keep, locked},
    partials::{self, OpenedPartial},
    room::{Heir, Lack, Tally},
    space::{Part, Quota, Reservation, Shortage},
};

/// An upload is kept without being told from this size on.
const KEPT_FROM: u64 = 1 << 20;

/// Bytes written, or read again, by one call.
pub(crate) const PIECE: usize = 256 * 1024;

/// Bytes read again before the thread is given back.
const STRETCH: u64 = 64 << 20;

/// What is given back of an upload when the disk is full.
const SPARE: u64 = 1 << 20;

/// Read and write for the server's user, read for others: the folder above is closed to them.
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR).union(Mode::RGRP).union(Mode::ROTH);

/// A partial being written.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(super) keep: Arc<Keep>,
    pub(super) id: PartialId,
    /// Made when the first byte is to be written.
    file: Option<OwnedFd>,
    /// Bytes in the file.
    pub(super) size: u64,
    /// Where the next byte is written.
    pub(super) at: u64,
    /// Bytes taken and not yet written.
    pub(super) pending: Vec<u8>,
    pub(super) tracker: Tracker,
    pub(super) reservation: Reservation,
    /// What gave way to it.
    tally: Tally,
    /// The file beside it that says what it is to become is there.
    described: bool,
    /// It was left before, and is gone on with.
    pub(super) was_kept: bool,
    /// The size and the digests from which on what comes does not count yet.
    held: Option<(u64, Tracker)>,
    /// For those who watch it come.
    growing: Growing,
    pub(super) end: End,
}

/// What becomes of a partial when it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Kept if it was described.
    Kept,
    /// Removed: it cannot be resumed, or should not.
    Removed,
    /// It is a file now.
    Committed,
}

impl Writing {
    /// Begins a partial that is not on the disk yet.
    pub(crate) fn new(
        keep: &Arc<Keep>,
        plan: &Plan,
        reservation: Reservation,
        tally: Tally,
    ) -> Self {
        let id = PartialId::new(keep.ids.next());
        locked(&keep.open).insert(id);
        Self {
            keep: Arc::clone(keep),
            id,
            file: None,
            size: 0,
            at: 0,
            pending: Vec::new(),
            tracker: Tracker::new(plan.digest),
            reservation,
            tally,
            described: false,
            was_kept: false,
            held: None,
            growing: Growing::enter(&keep.growing, id, &plan.path, 0),
            end: End::Kept,
        }
    }

    /// Goes on with a kept partial, which was entered as open.
    pub(crate) fn resumed(keep: &Arc<Keep>, opened: OpenedPartial, tally: Tally) -> Self {
        let OpenedPartial { id, plan, data: file, room: reservation } = opened;
        let size = reservation.held().bytes;
        let known = locked(&keep.left).take(id).filter(|tracker| tracker.hashed() == size);
        Self {
            keep: Arc::clone(keep),
            id,
            file: Some(file),
            size,
            at: size,
            pending: Vec::new(),
            tracker: known.unwrap_or_else(|| Tracker::new(plan.digest)),
            reservation,
            tally,
            described: true,
            was_kept: true,
            held: None,
            growing: Growing::enter(&keep.growing, id, &plan.path, size),
            end: End::Kept,
        }
    }

    /// Where the next byte that is taken goes.
    pub(super) fn offset(&self) -> u64 {
        self.at + self.pending.len() as u64
    }

    /// The size that the file has once all that was taken is written, and so many bytes more.
    pub(super) fn size_with(&self, more: u64) -> u64 {
        self.size.max(self.offset().saturating_add(more))
    }

    /// Tells those who watch it how much has come.
    pub(super) fn tell(&self) {
        self.growing.note(self.size_with(0));
    }

    pub(crate) fn file(&mut self) -> Result<&OwnedFd> {
        if self.file.is_none() {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let name = partials::data_name(self.id);
            self.file = Some(rustix::fs::openat(&self.keep.partials, &*name, flags, FILE_MODE)?);
        }
        self.file.as_ref().ok_or(Error::NotFound)
    }

    /// Writes all of `bytes`, taking away from the front what was written.
    pub(super) fn write(&mut self, bytes: &mut &[u8], plan: &Plan) -> Result<()> {
        while !bytes.is_empty() {
            let at = self.at;
            let piece = &bytes[..bytes.len().min(PIECE)];
            let file = self.file()?;
            let n = retry_on_intr(|| rustix::io::pwrite(file, piece, at))?;
            self.tracker.feed(at, &piece[..n]);
            self.at += n as u64;
            self.size = self.size.max(self.at);
            *bytes = &bytes[n..];
            if self.size >= KEPT_FROM && !self.described && self.end == End::Kept {
                self.describe(plan)?;
            }
        }
        self.tell();
        Ok(())
    }

    /// Writes what is pending; where the disk is full, the trash goes first.
    pub(super) fn flush(&mut self, plan: &Plan) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let mut rest = &pending[..];
        let done = loop {
            match self.write(&mut rest, plan) {
                Err(Error::NoSpace) if self.purge_oldest()? => {}
                done => break done,
            }
        };
        // The buffer is used again.
        let left = rest.len();
        self.pending = pending;
        self.pending.drain(..self.pending.len() - left);
        done
    }

    /// Holds so much more room, for which what lies aside gives way if need be.
    pub(super) fn make_room(&mut self, plan: &Plan, more: Amount) -> Result<()> {
        let heir = Heir { path: &plan.path, sender: plan.sender.as_deref(), id: self.id };
        self.keep.make_room(&mut self.reservation, more, Some(heir), &mut self.tally)
    }

    /// Destroys the oldest trash, as the disk is full; whether there was some.
    pub(super) fn purge_oldest(&mut self) -> Result<bool> {
        self.keep.purge_oldest(Lack::Disk, &mut self.tally)
    }

    /// Keeps what was taken, to be resumed.
    ///
    /// # Errors
    /// [`Error::WrongKind`] if it began with a copy or is fleeting, [`Error::OverQuota`] if as many are kept as may be.
    pub(super) fn keep(&mut self, plan: &Plan) -> Result<()> {
        if self.end != End::Kept {
            return Err(Error::WrongKind { expected: "an upload that can be gone on with" });
        }
        let (used, most) = (self.keep.ledger.space().partials, self.keep.keeping.partials);
        if !self.described && used.entries >= most {
            let quota = Quota { bytes: None, entries: Some(most) };
            let cut = Amount::default();
            return Err(Shortage { quota, used, cut, needed: Amount::entry(0) }.into());
        }
        self.flush(plan)?;
        if self.described { Ok(()) } else { self.describe(plan) }
    }

    /// Writes down again what this is to become, if it was written down before.
    pub(super) fn describe_again(&mut self, plan: &Plan) -> Result<()> {
        if self.described { self.describe(plan) } else { Ok(()) }
    }

    /// What comes from now on does not count until [`Writing::count`].
    pub(super) fn hold(&mut self, plan: &Plan) -> Result<()> {
        self.flush(plan)?;
        self.held = Some((self.size, self.tracker.clone()));
        self.describe_again(plan)
    }

    /// What came counts.
    pub(super) fn count(&mut self, plan: &Plan) -> Result<()> {
        self.flush(plan)?;
        self.held = None;
        self.describe_again(plan)
    }

    /// Forgets what came and does not count.
    pub(super) fn forget(&mut self, plan: &Plan) -> Result<()> {
        self.pending.clear();
        if let Some((size, tracker)) = self.held.take() {
            self.cut(size)?;
            self.tracker = tracker;
        }
        self.describe_again(plan)
    }

    /// Writes down what this is to become, so that it can be resumed.
    fn describe(&mut self, plan: &Plan) -> Result<()> {
        self.file()?;
        partials::write_plan(&self.keep, self.id, plan)?;
        self.described = true;
        Ok(())
    }

    /// Gives up the end of what came, so that others find some room on the disk.
    pub(super) fn give_back(&mut self) -> Result<()> {
        self.pending.clear();
        let held = self.held.as_ref().map_or(0, |(size, _)| *size);
        self.cut(self.size.saturating_sub(SPARE).max(held))
    }

    /// Forgets all after the first `size` bytes.
    pub(super) fn cut(&mut self, size: u64) -> Result<()> {
        rustix::fs::ftruncate(self.file()?, size)?;
        (self.size, self.at) = (size, size);
        self.tell();
        if self.tracker.hashed() > size {
            self.tracker.reset();
        }
        Ok(())
    }

    /// Reads again what the digests lack, a stretch of it; whether that was all.
    pub(super) fn catch_up(&mut self) -> Result<bool> {
        let until = self.size.min(self.tracker.hashed() + STRETCH);
        let mut buf = Vec::new();
        while self.tracker.hashed() < until {
            buf.resize(PIECE, 0);
            let at = self.tracker.hashed();
            let most = usize::try_from(self.size - at).map_or(PIECE, |left| left.min(PIECE));
            let file = self.file()?;
            let n = retry_on_intr(|| rustix::io::pread(file, &mut buf[..most], at))?;
            if n == 0 {
                return Err(Error::Shrunk);
            }
            self.tracker.feed(at, &buf[..n]);
        }
        Ok(self.tracker.hashed() == self.size)
    }

    /// Puts it in its place. The digests are complete, or what they lack is still pending.
    pub(super) fn commit(&mut self, plan: &Plan, claim: Option<&Claim>) -> Result<Committed> {
        self.flush(plan)?;
        while !self.catch_up()? {}
        let digest = self.verify(plan)?;
        let file = self.file()?;
        if let Some(mode) = plan.mode {
            rustix::fs::fchmod(file, permission_bits(mode, false))?;
        }
        if let Some(at) = plan.modified {
            rustix::fs::futimens(file, &times(at))?;
        }
        if self.keep.syncs() {
            rustix::fs::fdatasync(self.file()?)?;
        }
        let meta = Meta::from_stat(&rustix::fs::fstat(self.file()?)?);
        let name = partials::data_name(self.id);
        let keep = Arc::clone(&self.keep);
        let installed = keep.install(&name, plan, claim, &mut self.reservation, meta.size);
        match installed {
            Ok(Installed { replaced, number }) => {
                self.end = End::Committed;
                if self.described {
                    partials::remove_plan(&keep, self.id);
                }
                if self.described || plan.note.is_some() {
                    locked(&keep.left).done(self.id, meta.size);
                }
                keep.note_digests(plan, &meta, digest);
                Ok(Committed { meta, digest, replaced, number })
            }
            Err(error) => {
                if matches!(error, Error::Changed | Error::Exists) {
                    self.end = End::Removed;
                }
                Err(error)
            }
        }
    }

    fn verify(&mut self, plan: &Plan) -> Result<Digest> {
        if let Some(announced) = plan.length
            && announced != self.size
        {
            return Err(Error::WrongLength { announced, received: self.size });
        }
        if let Some(announced) = &plan.digest {
            let computed = self.tracker.like(announced);
            if computed != *announced {
                self.end = End::Removed;
                return Err(Error::WrongDigest { computed });
            }
        }
        Ok(self.tracker.blake3())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let keep = Arc::clone(&self.keep);
        let mut open = locked(&keep.open);
        let few = keep.ledger.space().partials.entries < keep.keeping.partials;
        match self.end {
            End::Committed => {}
            End::Kept if self.described && few => {
                keep.cut.note(self.growing.path());
                self.reservation.settle(Part::Partials, Amount::entry(self.size));
                let (size, tracker) = self.held.take().unwrap_or_else(|| {
                    let empty = Tracker::new(None);
                    (self.size, std::mem::replace(&mut self.tracker, empty))
                });
                if tracker.hashed() == size {
                    locked(&keep.left).put(self.id, tracker);
                }
            }
            End::Kept | End::Removed => {
                if self.file.take().is_some() {
                    let name: CString = partials::data_name(self.id);
                    if let Err(errno) =
                        rustix::fs::unlinkat(&keep.partials, &*name, AtFlags::empty())
                    {
                        tracing::warn!(%errno, id = %self.id, "an upload's remains were not removed");
                    }
                }
                if self.described {
                    partials::remove_plan(&keep, self.id);
                }
            }
        }
        open.remove(&self.id);
    }
}

/// The times for `futimens`: access is left alone.
pub(crate) fn times(modified: crate::Timestamp) -> rustix::fs::Timestamps {
    let omit = rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT };
    // Greater numbers mean other things to the kernel.
    let nanos = modified.nanos.min(999_999_999);
    let modified = rustix::fs::Timespec { tv_sec: modified.seconds, tv_nsec: nanos.into() };
    rustix::fs::Timestamps { last_access: omit, last_modification: modified }
}

/// Reading and writing by owner, group and others alone: never set-user-id, set-group-id or sticky. The
/// server itself always keeps access.
pub(crate) fn permission_bits(mode: u32, is_folder: bool) -> Mode {
    let own = if is_folder { Mode::RWXU } else { Mode::RUSR | Mode::WUSR };
    Mode::from_raw_mode(mode & 0o777) | own
}
