//! Writing a file: taken into a partial, checked, and put in its place at once.
//!
//! Readers see the old file or the new one, never a part. What was begun and left can be resumed, also after
//! the server was killed.

pub(crate) mod left;
pub(crate) mod plan;
mod start;
mod tracker;
pub(crate) mod writing;

use std::{fmt, sync::Arc};

use plan::Plan;
use writing::{End, PIECE, Writing};

use crate::{
    Amount, Digest, Error, FilePath, Home, Meta, Result, Timestamp, Version, id::PartialId,
};

/// What must hold of the file that is there, when an upload begins and when it is committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Whatever is there is replaced.
    #[default]
    Any,
    /// Nothing has that name.
    Absent,
    /// A file has that name.
    Present,
    /// The file there is still this one.
    Is(Version),
    /// Whatever is there stays: where the name is taken, a free one beside it is used, `plan (2).txt`.
    Beside,
}

/// What an upload begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Nothing: the bytes are the whole file.
    #[default]
    Empty,
    /// A copy of the file that is there, written on at its end. Without one, nothing.
    End,
    /// A copy of the file that is there, written over from this byte on. Without one, and beyond its
    /// end, with zeros up to there.
    At(u64),
}

/// How a file is to be written.
///
/// After [`Start::End`] and [`Start::At`], the file must be the same at the commit as at the beginning,
/// whatever the condition says, so that of two who append neither is lost.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct UploadOptions {
    /// How long the whole file will be. With it, room is reserved before the first byte, and a commit of
    /// any other length is refused.
    pub length: Option<u64>,
    /// The digest of the whole file; a commit of any other content is refused.
    pub digest: Option<Digest>,
    /// What must hold of the file that is there.
    pub condition: Condition,
    /// What it begins with.
    pub start: Start,
    /// When the content was last changed, if not now.
    pub modified: Option<Timestamp>,
    /// Permission bits; others are ignored, and the server keeps its own access.
    pub mode: Option<u32>,
    /// Nobody will go on with it: it is never kept, and takes no place among those that are.
    pub fleeting: bool,
    /// Whether the folder that it goes into may still be missing when it begins.
    pub awaits_folder: bool,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The new file.
    pub meta: Meta,
    /// Its BLAKE3 digest.
    pub digest: Digest,
    /// Whether there was a file before.
    pub replaced: bool,
    /// The number in its name: 1 is the name that was wanted, and other numbers
    /// [`FilePath::numbered`], which only [`Condition::Beside`] gives.
    pub number: u32,
}

/// A file being written.
///
/// Dropped, it is kept to be [resumed](Home::resume) if it began empty, is not fleeting, and a MiB of it was written; the
/// bytes of the last incomplete piece (256 KiB) may be lost then. [`Upload::keep`] keeps it in any case.
pub struct Upload {
    home: Home,
    plan: Arc<Plan>,
    id: PartialId,
    /// `None` after a call was given up.
    writing: Option<Box<Writing>>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, plan, .. } = self;
        f.debug_struct("Upload").field("id", id).field("path", &plan.path).finish_non_exhaustive()
    }
}

impl Upload {
    pub(crate) fn new(home: Home, plan: Arc<Plan>, writing: Box<Writing>) -> Self {
        Self { home, plan, id: writing.id, writing: Some(writing) }
    }

    /// What it can be resumed by.
    #[must_use]
    pub fn id(&self) -> PartialId {
        self.id
    }

    /// Where the file will be.
    #[must_use]
    pub fn path(&self) -> &FilePath {
        &self.plan.path
    }

    /// Where the next byte goes.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.writing.as_ref().map_or(0, |writing| writing.offset())
    }

    /// How long the whole will be, if that was announced.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.plan.length
    }

    /// Takes the next bytes of the file.
    ///
    /// # Errors
    /// [`Error::WrongLength`] if they go beyond the announced length, [`Error::OverQuota`]: none of them is taken then,
    /// and what was taken stays. [`Error::NoSpace`]: the upload is gone, or only its end if it has a note or was kept
    /// before. [`Error::Busy`]; [`Error::Io`]; [`Error::GivenUp`].
    ///
    /// Cancellation: the upload is as if dropped, unless the home lies in memory.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let writing = self.writing.as_mut().ok_or(Error::GivenUp)?;
        let size = writing.size_with(bytes.len() as u64);
        if let Some(announced) = self.plan.length
            && size > announced
        {
            return Err(Error::WrongLength { announced, received: size });
        }
        let missing = size.saturating_sub(writing.reservation.held().bytes);
        if missing > 0 {
            self.make_room(Amount::bytes(missing)).await?;
        }
        if self.home.kept()?.never_waits() {
            self.write_inline(bytes).await
        } else {
            self.write_by_pool(bytes).await
        }
    }

    /// From the caller's slice straight into the file.
    async fn write_inline(&mut self, mut bytes: &[u8]) -> Result<()> {
        loop {
            let plan = &self.plan;
            let writing = self.writing.as_mut().ok_or(Error::GivenUp)?;
            let done = match writing.pending.is_empty() {
                true => writing.write(&mut bytes, plan),
                // Taken while the home was not yet counted.
                false => writing.flush(plan).and_then(|()| writing.write(&mut bytes, plan)),
            };
            match done {
                Err(Error::NoSpace) if self.by_pool(|it, _| it.purge_oldest()).await? => {}
                done => return self.unless_full(done).await,
            }
        }
    }

    /// Gathered to pieces, as the pool cannot borrow.
    async fn write_by_pool(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let writing = self.writing.as_mut().ok_or(Error::GivenUp)?;
            if writing.pending.capacity() == 0 {
                // As much as will come, rather than to grow into it.
                let most = self
                    .plan
                    .length
                    .map_or(bytes.len(), |length| usize::try_from(length).unwrap_or(PIECE));
                writing.pending.reserve_exact(most.min(PIECE));
            }
            let room = PIECE.saturating_sub(writing.pending.len());
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            writing.pending.extend_from_slice(now);
            writing.tell();
            bytes = later;
            if writing.pending.len() >= PIECE {
                let done = self.by_pool(|writing, plan| writing.flush(plan)).await;
                self.unless_full(done).await?;
            }
        }
        Ok(())
    }

    /// Gives room back if the disk is full, as what was written fills it: all of it where nobody goes on with it.
    async fn unless_full(&mut self, done: Result<()>) -> Result<()> {
        if matches!(done, Err(Error::NoSpace))
            && let Some(writing) = &mut self.writing
        {
            if self.plan.note.is_some() || writing.was_kept {
                self.by_pool(|writing, _| writing.give_back()).await?;
            } else {
                writing.end = End::Removed;
                self.writing = None;
            }
        }
        done
    }

    /// Reserves room, for which what lies aside gives way if need be.
    pub(crate) async fn make_room(&mut self, amount: Amount) -> Result<()> {
        let writing = self.writing.as_mut().ok_or(Error::GivenUp)?;
        match writing.reservation.grow(amount) {
            Ok(()) => Ok(()),
            Err(short) if !short.may_end(amount) => Err(short.into()),
            Err(_) => self.by_pool(move |writing, plan| writing.make_room(plan, amount)).await,
        }
    }

    /// Does `work` in the pool.
    pub(crate) async fn by_pool<T, W>(&mut self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Writing, &Plan) -> Result<T> + Send + 'static,
    {
        let mut writing = self.writing.take().ok_or(Error::GivenUp)?;
        let plan = Arc::clone(&self.plan);
        let (writing, done) = self
            .home
            .slow(move |_| {
                let done = work(&mut writing, &plan);
                Ok((writing, done))
            })
            .await?;
        self.writing = Some(writing);
        done
    }

    /// Has this kept with the upload, until it is committed: one line of text, in place of what was there.
    ///
    /// # Errors
    /// [`Error::BadName`] if it is more than one line or longer than 4 KiB; [`Error::NoSpace`]; [`Error::Busy`];
    /// [`Error::Io`]; [`Error::GivenUp`].
    ///
    /// Cancellation: the upload is as if dropped.
    pub async fn annotate(&mut self, note: &str) -> Result<()> {
        if note.len() > plan::LONGEST_NOTE || note.contains(['\n', '\r']) {
            return Err(Error::BadName { why: "a note is one line of at most 4096 bytes" });
        }
        Arc::make_mut(&mut self.plan).note = Some(note.into());
        self.by_pool(|writing, plan| writing.describe_again(plan)).await
    }

    /// Announces how long the whole will be, which was not known before, and reserves room for it.
    ///
    /// # Errors
    /// [`Error::WrongLength`] if another length was announced, or more is there already; [`Error::OverQuota`]: nothing is
    /// announced then. [`Error::NoSpace`]; [`Error::Busy`]; [`Error::Io`]; [`Error::GivenUp`].
    ///
    /// Cancellation: the upload is as if dropped.
    pub async fn announce(&mut self, length: u64) -> Result<()> {
        let writing = self.writing.as_ref().ok_or(Error::GivenUp)?;
        let (received, held) = (writing.size_with(0), writing.reservation.held().bytes);
        let announced = self.plan.length.unwrap_or(length);
        if announced != length || received > length {
            return Err(Error::WrongLength { announced, received: received.max(length) });
        }
        self.make_room(Amount::bytes(length.saturating_sub(held))).await?;
        if self.plan.length.is_none() {
            Arc::make_mut(&mut self.plan).length = Some(length);
            self.by_pool(|writing, plan| writing.describe_again(plan)).await?;
        }
        Ok(())
    }

    /// Lets what comes from now on not count, whatever happens to the upload or the server, until
    /// [`Upload::count`]; [`Upload::forget`] takes it back.
    ///
    /// # Errors
    /// [`Error::NoSpace`]; [`Error::Busy`]; [`Error::Io`]; [`Error::GivenUp`].
    ///
    /// Cancellation: the upload is as if dropped.
    pub async fn hold(&mut self) -> Result<()> {
        let size = self.offset();
        Arc::make_mut(&mut self.plan).sure = Some(size);
        self.by_pool(Writing::hold).await
    }

    /// Lets what came since [`Upload::hold`] count.
    ///
    /// # Errors
    /// As [`Upload::hold`].
    ///
    /// Cancellation: the upload is as if dropped.
    pub async fn count(&mut self) -> Result<()> {
        Arc::make_mut(&mut self.plan).sure = None;
        self.by_pool(Writing::count).await
    }

    /// Forgets what came since [`Upload::hold`].
    ///
    /// # Errors
    /// As [`Upload::hold`].
    ///
    /// Cancellation: the upload is as if dropped.
    pub async fn forget(&mut self) -> Result<()> {
        Arc::make_mut(&mut self.plan).sure = None;
        self.by_pool(Writing::forget).await
    }

    /// Forgets all after the first `offset` bytes, and goes on from there.
    ///
    /// # Errors
    /// [`Error::WrongLength`] if there are not so many; [`Error::Busy`]; [`Error::Io`]; [`Error::GivenUp`].
    ///
    /// Cancellation: the upload is as if dropped.
    pub async fn rewind(&mut self, offset: u64) -> Result<()> {
        let received = self.offset();
        if offset > received {
            return Err(Error::WrongLength { announced: offset, received });
        }
        self.by_pool(move |writing, plan| {
            writing.flush(plan)?;
            writing.cut(offset)
        })
        .await?;
        self.read_again().await
    }

    /// Completes the digests.
    pub(crate) async fn read_again(&mut self) -> Result<()> {
        loop {
            let writing = self.writing.as_ref().ok_or(Error::GivenUp)?;
            let hashed = writing.tracker.hashed();
            let is_next = writing.pending.is_empty() || writing.at == hashed;
            if hashed >= writing.size && is_next {
                // What is pending is hashed when it is written.
                return Ok(());
            }
            self.by_pool(|writing, plan| {
                writing.flush(plan)?;
                writing.catch_up()
            })
            .await?;
        }
    }

    /// Checks what came and puts it in its place: whoever opens the path from now on gets the new file. Older pieces of
    /// that file which the same [principal](crate::Principal) left and nobody goes on with are removed, but for those with a
    /// [note](Upload::annotate).
    ///
    /// # Errors
    /// [`Error::WrongLength`]: kept, if it is kept when dropped. [`Error::WrongDigest`], [`Error::Changed`] and
    /// [`Error::Exists`], as the condition says: removed. [`Error::Locked`]; [`Error::NoParent`]; [`Error::WrongKind`] if a folder has the name;
    /// [`Error::NoSpace`]; [`Error::Denied`]; [`Error::Busy`]; [`Error::Io`]; [`Error::GivenUp`].
    ///
    /// Cancellation: it may or may not be committed, as a whole.
    pub async fn commit(mut self) -> Result<Committed> {
        let writing = self.writing.as_ref().ok_or(Error::GivenUp)?;
        let received = writing.size_with(0);
        if let Some(announced) = self.plan.length
            && received != announced
        {
            return Err(Error::WrongLength { announced, received });
        }
        self.read_again().await?;
        let mut writing = self.writing.take().ok_or(Error::GivenUp)?;
        let (plan, claim) = (Arc::clone(&self.plan), self.home.claim.clone());
        let committed = self.home.quick(move |_| writing.commit(&plan, claim.as_deref())).await?;
        if self.plan.condition != Condition::Beside {
            self.home.drop_replaced(&self.plan.path, Some(self.id)).await;
        }
        Ok(committed)
    }

    /// Ends the upload and removes what was written.
    ///
    /// # Errors
    /// [`Error::Busy`]; [`Error::GivenUp`]. The upload is gone all the same, or as if dropped.
    ///
    /// Cancellation: as if dropped.
    pub async fn abort(mut self) -> Result<()> {
        let mut writing = self.writing.take().ok_or(Error::GivenUp)?;
        self.home
            .quick(move |_| {
                writing.end = End::Removed;
                drop(writing);
                Ok(())
            })
            .await
    }

    /// Ends the upload for now: all that was taken is written and kept, to be [resumed](Home::resume). Without a
    /// [note](Upload::annotate) it is found by its path alone, and so takes the place of older ones for the same path.
    ///
    /// # Errors
    /// [`Error::WrongKind`] if it began with a copy of the file or is [fleeting](UploadOptions::fleeting); [`Error::OverQuota`] if as many are kept as [may be](crate::Keeping::partials); [`Error::NoSpace`]; [`Error::Busy`];
    /// [`Error::Io`]; [`Error::GivenUp`]. The upload is gone then.
    ///
    /// Cancellation: it may or may not be kept.
    pub async fn keep(mut self) -> Result<PartialId> {
        let mut writing = self.writing.take().ok_or(Error::GivenUp)?;
        let plan = Arc::clone(&self.plan);
        let (id, is_found_by_path) = (self.id, plan.note.is_none());
        let kept = self.home.quick(move |_| {
            writing.keep(&plan)?;
            drop(writing);
            Ok(())
        });
        kept.await?;
        if is_found_by_path {
            self.home.drop_replaced(&self.plan.path, Some(id)).await;
        }
        Ok(id)
    }
}
