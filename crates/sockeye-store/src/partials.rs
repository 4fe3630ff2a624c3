//! Uploads that were begun and left: a data file each, and a plan beside it that says what it is to become.

use std::{
    ffi::{CStr, CString},
    os::fd::OwnedFd,
    time::SystemTime,
};

use rustix::{
    fs::{AtFlags, Mode, OFlags},
    io::{Errno, retry_on_intr},
};

use crate::{
    Amount, Error, FilePath, Home, Meta, Result,
    id::PartialId,
    keep::{Keep, locked},
    space::{Part, Reservation},
    tree,
    upload::plan::{self, Plan},
};

/// What a plan's name has after the id.
const PLAN: &str = ".plan";

/// An upload that was begun and left, or is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// What it can be resumed by.
    pub id: PartialId,
    /// Where the file will be.
    pub path: FilePath,
    /// How long the whole will be, if that was announced.
    pub length: Option<u64>,
    /// Bytes that are there.
    pub offset: u64,
    /// When the last of them was written.
    pub modified: SystemTime,
    /// Whether somebody is writing it now.
    pub in_use: bool,
}

/// What a name in the folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Data(PartialId),
    Plan(PartialId),
    /// A tree being copied, or nothing of ours.
    Other,
}

pub(crate) fn item(name: &CStr) -> Item {
    let Ok(text) = name.to_str() else { return Item::Other };
    match (text.parse(), text.strip_suffix(PLAN).map(str::parse)) {
        (Ok(id), _) => Item::Data(id),
        (_, Some(Ok(id))) => Item::Plan(id),
        _ => Item::Other,
    }
}

pub(crate) fn data_name(id: PartialId) -> CString {
    // An id has no NUL.
    CString::new(id.to_string()).unwrap_or_default()
}

fn plan_name(id: PartialId) -> CString {
    CString::new(format!("{id}{PLAN}")).unwrap_or_default()
}

/// Writes the plan; killed meanwhile, it does not read, and goes with its data.
pub(crate) fn write_plan(keep: &Keep, id: PartialId, plan: &Plan) -> Result<()> {
    write_aside(&keep.partials, &plan_name(id), &plan.to_bytes())
}

/// Writes a small file of our own.
pub(crate) fn write_aside(folder: &OwnedFd, name: &CStr, bytes: &[u8]) -> Result<()> {
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let n = retry_on_intr(|| rustix::io::write(&file, rest))?;
        rest = &rest[n..];
    }
    Ok(())
}

/// Reads a small file of our own; `None` if it is not there or longer.
pub(crate) fn read_aside(folder: &OwnedFd, name: &CStr, longest: usize) -> Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(folder, name, flags, Mode::empty()) {
        Err(Errno::NOENT | Errno::LOOP) => return Ok(None),
        file => file?,
    };
    let mut bytes = vec![0; longest + 1];
    let mut filled = 0;
    while filled < bytes.len() {
        let at = filled as u64;
        let n = retry_on_intr(|| rustix::io::pread(&file, &mut bytes[filled..], at))?;
        if n == 0 {
            bytes.truncate(filled);
            return Ok(Some(bytes));
        }
        filled += n;
    }
    Ok(None)
}

pub(crate) fn remove_plan(keep: &Keep, id: PartialId) {
    match rustix::fs::unlinkat(&keep.partials, &*plan_name(id), AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => tracing::warn!(%errno, %id, "an upload's plan was not removed"),
    }
}

pub(crate) fn read_plan(keep: &Keep, id: PartialId) -> Result<Option<Plan>> {
    let bytes = read_aside(&keep.partials, &plan_name(id), plan::LONGEST)?;
    Ok(bytes.and_then(|bytes| Plan::parse(&bytes)))
}

impl Keep {
    /// All partials that can be resumed or are under way and already described.
    pub(crate) fn partials(&self) -> Result<Vec<Partial>> {
        let mut ids = Vec::new();
        tree::each_name(&reopened(&self.partials)?, |name| {
            if let Item::Data(id) = item(name) {
                ids.push(id);
            }
            Ok(())
        })?;
        ids.sort_unstable();
        let mut found = Vec::new();
        for id in ids {
            let name = data_name(id);
            let stat = rustix::fs::statat(&self.partials, &*name, AtFlags::SYMLINK_NOFOLLOW);
            // Committed or removed meanwhile, or never described.
            let (Ok(stat), Some(plan)) = (stat, read_plan(self, id)?) else { continue };
            let meta = Meta::from_stat(&stat);
            found.push(Partial {
                id,
                path: plan.path,
                length: plan.length,
                offset: meta.size,
                modified: meta.modified.into(),
                in_use: locked(&self.open).contains(&id),
            });
        }
        Ok(found)
    }

    /// Removes partials that nobody writes and `is_old` tells, and says how much they were.
    pub(crate) fn drop_partials(&self, is_old: impl Fn(&Partial) -> bool) -> Result<Amount> {
        let mut sum = Amount::default();
        for partial in self.partials()?.iter().filter(|partial| is_old(partial)) {
            let open = locked(&self.open);
            if open.contains(&partial.id) {
                continue;
            }
            let name = data_name(partial.id);
            let Ok(stat) = rustix::fs::statat(&self.partials, &*name, AtFlags::SYMLINK_NOFOLLOW)
            else {
                continue;
            };
            rustix::fs::unlinkat(&self.partials, &*name, AtFlags::empty())?;
            remove_plan(self, partial.id);
            let amount = tree::leaf_amount(&stat);
            self.ledger.take(Part::Partials, amount);
            sum.add(amount);
        }
        Ok(sum)
    }

    /// Opens the data of a kept partial for writing on, with the room that it takes; enters it as open.
    pub(crate) fn open_partial(&self, id: PartialId) -> Result<(Plan, OwnedFd, Reservation)> {
        let mut open = locked(&self.open);
        if open.contains(&id) {
            return Err(Error::InUse);
        }
        let plan = read_plan(self, id)?.ok_or(Error::NotFound)?;
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let data = rustix::fs::openat(&self.partials, &*data_name(id), flags, Mode::empty())?;
        let size = Meta::from_stat(&rustix::fs::fstat(&data)?).size;
        let mut room = Reservation::empty(&self.ledger);
        room.take_over(Part::Partials, Amount::entry(size));
        open.insert(id);
        Ok((plan, data, room))
    }
}

/// A descriptor of the same folder with a position of its own, so that two can list it at once.
pub(crate) fn reopened(folder: &OwnedFd) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(folder, c".", flags, Mode::empty())?)
}

impl Home {
    /// The uploads that were begun and left, oldest first, and those under way that are already kept.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn partials(&self) -> Result<Vec<Partial>> {
        self.slow(|keep| keep.partials()).await
    }

    /// The newest upload for `path` that was begun and left, if there is one.
    ///
    /// # Errors
    /// As [`Home::partials`].
    ///
    /// Cancellation: safe.
    pub async fn partial_for(&self, path: &FilePath) -> Result<Option<Partial>> {
        let partials = self.partials().await?;
        Ok(partials.into_iter().rev().find(|partial| !partial.in_use && partial.path == *path))
    }

    /// Removes an upload that was begun and left.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InUse`]; [`Error::ReadOnly`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: it may or may not be removed.
    pub async fn drop_partial(&self, id: PartialId) -> Result<()> {
        self.slow(move |keep| {
            if locked(&keep.open).contains(&id) {
                return Err(Error::InUse);
            }
            let dropped = keep.drop_partials(|partial| partial.id == id)?;
            if dropped.is_nothing() { Err(Error::NotFound) } else { Ok(()) }
        })
        .await
    }
}
