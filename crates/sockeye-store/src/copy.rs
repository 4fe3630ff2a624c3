//! Copying files and folders, within a home and from one to another.
//!
//! A folder is copied aside, and put in its place when it is whole. Links in it are copied as links, and lead
//! only where a link in the other home may; what is neither a file, a folder nor a link is left out.

use std::{
    ffi::{CStr, CString},
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use rustix::{
    fs::{FileType, Mode, OFlags, ResolveFlags, Stat, openat2},
    io::{Errno, retry_on_intr},
};

use crate::{
    Amount, Claim, Condition, Error, File, FilePath, Folder, Home, Kind, Lack, Meta, Opened,
    Overwrite, Result, UploadOptions,
    change::FOLDER_MODE,
    id::PartialId,
    keep::{Keep, locked},
    partials,
    rename::Moved,
    room::Tally,
    space::{Part, Reservation},
    tree::{self, Next, Step},
    upload::writing::{PIECE, permission_bits, times},
};

/// What a copy did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// How much was copied.
    pub amount: Amount,
    /// Whether something gave way.
    pub replaced: bool,
}

impl Home {
    /// Copies what `from` names in this home, a folder with all that is in it, to `to` in `other`, which may be this one.
    /// Times and permission bits are kept.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Exists`]; [`Error::NoParent`]; [`Error::BadName`]; [`Error::IntoItself`]; [`Error::OverQuota`];
    /// [`Error::NoSpace`]; [`Error::Special`]; [`Error::Shrunk`] if a file became shorter meanwhile; [`Error::ReadOnly`];
    /// [`Error::Denied`]; [`Error::Busy`]; [`Error::Io`]. Nothing is copied then.
    ///
    /// Cancellation: it may or may not be copied, as a whole.
    pub async fn copy(
        &self,
        from: &FilePath,
        other: &Self,
        to: &FilePath,
        overwrite: Overwrite,
    ) -> Result<Copied> {
        let keep = other.kept()?;
        other.shows(to)?;
        keep.may_be_named(to)?;
        let is_same = self.keep.as_ref().is_some_and(|own| Arc::ptr_eq(own, keep));
        if is_same && (from.covers(to) || to.covers(from)) {
            return Err(Error::IntoItself);
        }
        let copied = match self.open_path(from).await? {
            Opened::Folder(folder) => copy_folder(folder, other, to, overwrite).await,
            Opened::File(file) => match copy_file(&file, other, to, overwrite).await {
                Err(Error::WrongKind { .. }) if overwrite == Overwrite::Yes => {
                    copy_file_over_folder(&file, other, to).await
                }
                Err(Error::WrongKind { .. }) => Err(Error::Exists),
                copied => copied,
            },
        }?;
        other.drop_replaced(to, None).await;
        self.copy_marks(from, other, to).await?;
        Ok(copied)
    }

    /// A copy has the properties of what it was made of, and none of what it replaced.
    async fn copy_marks(&self, from: &FilePath, other: &Self, to: &FilePath) -> Result<()> {
        if !self.has_properties() && !other.has_properties() && !other.has_locks() {
            return Ok(());
        }
        let (source, from, to) = (self.keep.clone(), from.clone(), to.clone());
        other
            .slow(move |keep| {
                let _names = locked(&keep.names);
                keep.marks_copied(source.as_deref(), &from, &to);
                Ok(())
            })
            .await
    }
}

async fn copy_file(
    file: &File,
    other: &Home,
    to: &FilePath,
    overwrite: Overwrite,
) -> Result<Copied> {
    let stat = rustix::fs::fstat(file)?;
    let meta = Meta::from_stat(&stat);
    let options = UploadOptions {
        length: Some(meta.size),
        condition: match overwrite {
            Overwrite::No => Condition::Absent,
            Overwrite::Yes => Condition::Any,
        },
        modified: Some(meta.modified),
        mode: Some(stat.st_mode),
        ..UploadOptions::default()
    };
    let fd = Arc::new(rustix::io::fcntl_dupfd_cloexec(file, 0)?);
    let mut upload = other.upload(to, options).await?;
    upload.not_kept();
    upload.copy(fd, meta.size).await?;
    let committed = upload.commit().await?;
    Ok(Copied { amount: Amount::entry(meta.size), replaced: committed.replaced })
}

/// A folder gives way only as a whole, and only once the file is whole.
async fn copy_file_over_folder(file: &File, other: &Home, to: &FilePath) -> Result<Copied> {
    let (from, to) = (rustix::io::fcntl_dupfd_cloexec(file, 0)?, to.clone());
    let (claim, tally) = (other.claim.clone(), other.tally());
    other
        .slow(move |keep| {
            let mut copying = Copying::begin(keep, false, tally);
            let partials = tree::reopened(&keep.partials)?;
            let name = copying.name.clone();
            copying.copy_file(&from, &partials, &name)?;
            copying.finish(claim.as_deref(), &to, Overwrite::Yes, Kind::File)
        })
        .await
}

async fn copy_folder(
    folder: Folder,
    other: &Home,
    to: &FilePath,
    overwrite: Overwrite,
) -> Result<Copied> {
    let (to, claim, tally) = (to.clone(), other.claim.clone(), other.tally());
    other
        .slow(move |keep| {
            if overwrite == Overwrite::No && keep.place(&to)?.stat()?.is_some() {
                return Err(Error::Exists);
            }
            let mut copying = Copying::begin(keep, folder.home.hides_dotted(), tally);
            tree::walk(&folder.fd, c".", |step| copying.step(step))?;
            copying.finish(claim.as_deref(), &to, overwrite, Kind::Folder)
        })
        .await
}

/// A tree being copied aside, removed when it is dropped before it is whole.
struct Copying {
    keep: Arc<Keep>,
    id: PartialId,
    name: CString,
    room: Reservation,
    /// What gave way to it.
    tally: Tally,
    /// The folder that was entered last.
    folder: Option<OwnedFd>,
    leave_out_hidden: bool,
    is_whole: bool,
}

impl Copying {
    fn begin(keep: &Arc<Keep>, leave_out_hidden: bool, tally: Tally) -> Self {
        let id = PartialId::new(keep.ids.next());
        locked(&keep.open).insert(id);
        let room = Reservation::empty(&keep.ledger);
        let name = partials::data_name(id);
        let keep = Arc::clone(keep);
        Self { keep, id, name, room, tally, folder: None, leave_out_hidden, is_whole: false }
    }

    fn step(&mut self, step: Step<'_>) -> Result<Next> {
        match step {
            Step::Enter { path } => self.enter(path)?,
            Step::Leaf { folder, name, stat } => self.leaf(folder, name, stat)?,
            Step::Leave { .. } => {}
        }
        Ok(Next::On)
    }

    fn enter(&mut self, path: &[u8]) -> Result<()> {
        if self.is_left_out(path) {
            self.folder = None;
            return Ok(());
        }
        self.hold(Amount::entry(0))?;
        let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
        let whole = [self.name.as_bytes(), slash, path].concat();
        rustix::fs::mkdirat(&self.keep.partials, &whole[..], FOLDER_MODE)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        self.folder = Some(openat2(&self.keep.partials, &whole[..], flags, Mode::empty(), how)?);
        Ok(())
    }

    /// Whether something is hidden, and hidden things are not meant.
    fn is_left_out(&self, path: &[u8]) -> bool {
        self.leave_out_hidden && path.split(|&b| b == b'/').any(|name| name.starts_with(b"."))
    }

    fn leaf(&mut self, from: &OwnedFd, name: &CStr, stat: &Stat) -> Result<()> {
        if self.folder.is_none() || self.is_left_out(name.to_bytes()) {
            return Ok(());
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => self.file(from, name),
            FileType::Symlink => {
                self.hold(Amount::entry(0))?;
                let target = rustix::fs::readlinkat(from, name, Vec::new())?;
                let to = self.folder.as_ref().ok_or(Error::NotFound)?;
                Ok(rustix::fs::symlinkat(&*target, to, name)?)
            }
            _ => Ok(()),
        }
    }

    fn file(&mut self, from: &OwnedFd, name: &CStr) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let from = match rustix::fs::openat(from, name, flags, Mode::empty()) {
            // Gone, or become something else meanwhile.
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(()),
            from => from?,
        };
        let Some(folder) = self.folder.take() else { return Ok(()) };
        let done = self.copy_file(&from, &folder, name);
        self.folder = Some(folder);
        done
    }

    /// Copies an open file to `name` in `folder`, with its time and mode.
    fn copy_file(&mut self, from: &OwnedFd, folder: &OwnedFd, name: &CStr) -> Result<()> {
        let stat = rustix::fs::fstat(from)?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            return Ok(());
        }
        let meta = Meta::from_stat(&stat);
        self.hold(Amount::entry(meta.size))?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = permission_bits(stat.st_mode, false);
        let to = rustix::fs::openat(folder, name, flags, mode)?;
        self.copy_bytes(from, &to, meta.size)?;
        rustix::fs::fchmod(&to, mode)?;
        rustix::fs::futimens(&to, &times(meta.modified))?;
        Ok(())
    }

    fn hold(&mut self, amount: Amount) -> Result<()> {
        self.keep.make_room(&mut self.room, amount, None, &mut self.tally)
    }

    /// Copies the first `size` bytes, in the kernel where it can; where the disk is full, the trash goes first.
    fn copy_bytes(&mut self, from: &OwnedFd, to: &OwnedFd, size: u64) -> Result<()> {
        if rustix::fs::ioctl_ficlone(to, from).is_ok() {
            return Ok(rustix::fs::ftruncate(to, size)?);
        }
        let mut done = 0;
        while done < size {
            match copy_some(from, to, done, size - done) {
                Ok(0) => return Err(Error::Shrunk),
                Ok(n) => done += n,
                Err(Errno::NOSPC | Errno::DQUOT)
                    if self.keep.purge_oldest(Lack::Disk, &mut self.tally)? => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn finish(
        mut self,
        claim: Option<&Claim>,
        to: &FilePath,
        overwrite: Overwrite,
        kind: Kind,
    ) -> Result<Copied> {
        let keep = Arc::clone(&self.keep);
        if keep.syncs() {
            // One call for all the files.
            rustix::fs::syncfs(&keep.partials)?;
        }
        let amount = self.room.held();
        let bin = locked(&keep.bin);
        let names = locked(&keep.names);
        let place = keep.place(to)?;
        keep.admit_target(claim, to)?;
        let folder = keep.partials.as_fd();
        let moved = Moved { folder, name: &self.name, is_folder: kind == Kind::Folder };
        let buried = keep.put(moved, &place, to, overwrite)?;
        self.is_whole = true;
        self.room.settle(Part::Files, amount);
        drop(names);
        let replaced = keep.count_buried(buried)?;
        drop(bin);
        place.sync(&keep)?;
        Ok(Copied { amount, replaced })
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        if !self.is_whole
            && let Err(error) = tree::remove(&self.keep.partials, &self.name, |_| {})
        {
            tracing::warn!(%error, id = %self.id, "a copy's remains were not removed");
        }
        locked(&self.keep.open).remove(&self.id);
    }
}

/// Copies some bytes from `at` on, at most `most`.
pub(crate) fn copy_some(from: &OwnedFd, to: &OwnedFd, at: u64, most: u64) -> Result<u64, Errno> {
    const BY_ONE_CALL: usize = 16 << 20;
    let most = usize::try_from(most).unwrap_or(BY_ONE_CALL).min(BY_ONE_CALL);
    let (mut read_at, mut write_at) = (at, at);
    let copied = retry_on_intr(|| {
        rustix::fs::copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), most)
    });
    let copied = match copied {
        Err(Errno::XDEV | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL) => {
            let mut buf = vec![0; most.min(PIECE)];
            let n = retry_on_intr(|| rustix::io::pread(from, &mut buf, at))?;
            retry_on_intr(|| rustix::io::pwrite(to, &buf[..n], at))?
        }
        copied => copied?,
    };
    Ok(copied as u64)
}
