//! How an upload begins: empty, as a copy of the file that is there, or where it was left.

use std::{os::fd::OwnedFd, sync::Arc};

use rustix::io::Errno;

use super::{
    Condition, Start, Upload, UploadOptions,
    plan::{self, Plan},
    writing::{End, Writing},
};
use crate::{
    Amount, Error, File, FilePath, Home, Meta, Opened, Result, copy::copy_some, id::PartialId,
    space::Reservation,
};

/// Up to this length nothing is looked at before the bytes: it is checked at the commit anyway, and the
/// bytes are here by then.
const SMALL: u64 = 64 * 1024;

/// Bytes copied before the thread is given back.
const STRETCH: u64 = 64 << 20;

impl Home {
    /// Begins to write the file at `path`.
    ///
    /// # Errors
    /// What would fail the commit is told now where that can be known: [`Error::NoParent`], [`Error::WrongKind`],
    /// [`Error::Exists`] and [`Error::Changed`] (only where the length is not small, 64 KiB, or there is a
    /// condition). [`Error::BadName`]; [`Error::OverQuota`]; [`Error::NotFound`] if the home hides it; [`Error::NoSpace`];
    /// [`Error::ReadOnly`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: nothing is begun.
    pub async fn upload(&self, path: &FilePath, options: UploadOptions) -> Result<Upload> {
        if self.hides(path) {
            return Err(Error::NotFound);
        }
        let keep = self.kept()?;
        keep.may_be_named(path)?;
        let base = match options.start {
            Start::Empty => None,
            Start::End | Start::At(_) => self.base(path).await?,
        };
        let condition = match (options.start, &base) {
            (Start::Empty, _) => options.condition,
            (_, Some(base)) => narrowed(options.condition, base.meta())?,
            (_, None) => absent(options.condition)?,
        };
        let UploadOptions { length, digest, modified, mode, fleeting, awaits_folder, .. } = options;
        let path = path.clone();
        let (sender, note, sure) = (plan::sender(self.sender()), None, None);
        let plan = Plan { path, length, digest, condition, modified, mode, sender, note, sure };
        let plan = Arc::new(plan);
        let is_small = length.is_some_and(|length| length <= SMALL);
        if !is_small || condition != Condition::Any {
            let plan = Arc::clone(&plan);
            let claim = self.claim.clone();
            match self.quick(move |keep| keep.may_be_installed(&plan, claim.as_deref())).await {
                Err(Error::NoParent) if awaits_folder => {}
                foreseen => foreseen?,
            }
        } else if !keep.is_ready() {
            // Counts the home before its first change.
            self.slow(|_| Ok(())).await?;
        }
        let writing = Writing::new(keep, &plan, Reservation::empty(&keep.ledger), self.tally());
        let mut upload = Upload::new(self.clone(), plan, Box::new(writing));
        if fleeting {
            upload.not_kept();
        }
        let bytes = length.unwrap_or(0).max(base.as_ref().map_or(0, |base| base.meta().size));
        upload.make_room(Amount::entry(bytes)).await?;
        if options.start != Start::Empty {
            upload.begin_with(base, options.start).await?;
        }
        Ok(upload)
    }

    /// Goes on with an upload that was left. What is there is read again for its digest, unless that is still known from
    /// before.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InUse`] if somebody else does already; [`Error::OverQuota`] if there is no
    /// room for the rest; [`Error::ReadOnly`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: the upload is kept.
    pub async fn resume(&self, id: PartialId) -> Result<Upload> {
        let tally = self.tally();
        let (plan, writing) = self
            .slow(move |keep| {
                let opened = keep.open_partial(id)?;
                let plan = opened.plan.clone();
                let writing = Box::new(Writing::resumed(keep, opened, tally));
                Ok((plan, writing))
            })
            .await?;
        let missing = plan.length.unwrap_or(0).saturating_sub(writing.size);
        let mut upload = Upload::new(self.clone(), Arc::new(plan), writing);
        upload.make_room(Amount::bytes(missing)).await?;
        upload.read_again().await?;
        Ok(upload)
    }

    /// The file that is there, to be written on.
    async fn base(&self, path: &FilePath) -> Result<Option<File>> {
        match self.open_path(path).await {
            Ok(Opened::File(file)) => Ok(Some(file)),
            Ok(Opened::Folder(_)) => Err(Error::WrongKind { expected: "a file, found a folder" }),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The condition that a copy of this file goes back only over this file.
fn narrowed(condition: Condition, meta: &Meta) -> Result<Condition> {
    match condition {
        Condition::Any | Condition::Present => Ok(Condition::Is(meta.version())),
        Condition::Is(version) if version == meta.version() => Ok(condition),
        Condition::Is(_) => Err(Error::Changed),
        Condition::Absent | Condition::Beside => Err(Error::Exists),
    }
}

fn absent(condition: Condition) -> Result<Condition> {
    match condition {
        Condition::Any | Condition::Absent | Condition::Beside => Ok(Condition::Absent),
        Condition::Present | Condition::Is(_) => Err(Error::Changed),
    }
}

impl Upload {
    /// Copies `base` into the partial, and goes to where the first byte is to be written.
    async fn begin_with(&mut self, base: Option<File>, start: Start) -> Result<()> {
        let size = base.as_ref().map_or(0, |base| base.meta().size);
        self.not_kept();
        if let Some(base) = base {
            let from = Arc::new(rustix::io::fcntl_dupfd_cloexec(&base, 0).map_err(Error::from)?);
            self.copy(from, size).await?;
        }
        let at = match start {
            Start::At(at) => at,
            Start::Empty | Start::End => size,
        };
        if let Some(writing) = &mut self.writing {
            writing.at = at;
        }
        Ok(())
    }

    /// What is fleeting is not resumed, nor what begins with a copy: the client does not know where it stands.
    pub(crate) fn not_kept(&mut self) {
        if let Some(writing) = &mut self.writing {
            writing.end = End::Removed;
        }
    }

    /// Copies the first `size` bytes of `from`.
    pub(crate) async fn copy(&mut self, from: Arc<OwnedFd>, size: u64) -> Result<()> {
        loop {
            let from = Arc::clone(&from);
            if self.by_pool(move |writing, _| writing.copy(&from, size)).await? {
                return Ok(());
            }
        }
    }
}

impl Writing {
    /// Copies a stretch of `from`, in the kernel where it can; whether that was all.
    fn copy(&mut self, from: &OwnedFd, size: u64) -> Result<bool> {
        if self.size == 0 && rustix::fs::ioctl_ficlone(self.file()?, from).is_ok() {
            // The clone may be longer by what somebody has appended meanwhile.
            rustix::fs::ftruncate(self.file()?, size)?;
            (self.size, self.at) = (size, size);
            return Ok(true);
        }
        let until = size.min(self.size + STRETCH);
        while self.size < until {
            let (at, most) = (self.size, until - self.size);
            match copy_some(from, self.file()?, at, most) {
                Ok(0) => return Err(Error::Shrunk),
                Ok(n) => self.size += n,
                Err(Errno::NOSPC | Errno::DQUOT) if self.purge_oldest()? => {}
                Err(errno) => return Err(errno.into()),
            }
            self.at = self.size;
        }
        Ok(self.size == size)
    }
}
