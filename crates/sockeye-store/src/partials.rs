//! Uploads that were begun and left: a data file each, and a plan beside it that says what it is to become.

use std::{
    ffi::{CStr, CString},
    os::fd::OwnedFd,
    time::{Duration, SystemTime},
};

use rustix::{
    fs::{AtFlags, Mode, OFlags},
    io::Errno,
};

use crate::{
    Amount, Error, FilePath, Home, Meta, Result, aside,
    id::PartialId,
    keep::{Keep, locked},
    space::{Part, Reservation},
    tree,
    upload::plan::{self, Plan},
};

/// What a plan's name has after the id.
const PLAN: &str = ".plan";

/// And while it is not yet the plan.
const NEW_PLAN: &str = ".plan.new";

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
    /// When it is removed, if nobody goes on with it.
    pub expires: SystemTime,
    /// What whoever sends it [has to say](crate::Upload::annotate) of it.
    pub note: Option<Box<str>>,
    /// Whether somebody is writing it now.
    pub in_use: bool,
}

/// What became of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// It can be resumed, or is under way.
    Partial(Partial),
    /// It is a file of so many bytes. That is remembered of some, and for as long as the home is open.
    Committed(u64),
}

/// What a name in the folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Data(PartialId),
    Plan(PartialId),
    /// A plan that is being written in place of another.
    NewPlan(PartialId),
    /// A tree being copied, or nothing of ours.
    Other,
}

pub(crate) fn item(name: &CStr) -> Item {
    let Ok(text) = name.to_str() else { return Item::Other };
    let id = |suffix| text.strip_suffix(suffix).and_then(|id| id.parse().ok());
    let data = id("").map(Item::Data);
    let plan = id(PLAN).map(Item::Plan).or_else(|| id(NEW_PLAN).map(Item::NewPlan));
    data.or(plan).unwrap_or(Item::Other)
}

pub(crate) fn data_name(id: PartialId) -> CString {
    // An id has no NUL.
    CString::new(id.to_string()).unwrap_or_default()
}

fn plan_name(id: PartialId) -> CString {
    CString::new(format!("{id}{PLAN}")).unwrap_or_default()
}

/// Writes the plan, in place of the one that is there.
pub(crate) fn write_plan(keep: &Keep, id: PartialId, plan: &Plan) -> Result<()> {
    let draft = CString::new(format!("{id}{NEW_PLAN}")).unwrap_or_default();
    Ok(aside::replace(&keep.partials, &draft, &plan_name(id), &plan.to_bytes())?)
}

pub(crate) fn remove_plan(keep: &Keep, id: PartialId) {
    match rustix::fs::unlinkat(&keep.partials, &*plan_name(id), AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => tracing::warn!(%errno, %id, "an upload's plan was not removed"),
    }
}

pub(crate) fn read_plan(keep: &Keep, id: PartialId) -> Result<Option<Plan>> {
    let bytes = aside::read(&keep.partials, &plan_name(id), plan::LONGEST)?;
    Ok(bytes.and_then(|bytes| Plan::parse(&bytes)))
}

impl Keep {
    /// All partials that can be resumed or are under way and already described.
    pub(crate) fn partials(&self) -> Result<Vec<Partial>> {
        let mut ids = Vec::new();
        tree::each_name(&self.partials, |name| {
            if let Item::Data(id) = item(name) {
                ids.push(id);
            }
            Ok(())
        })?;
        ids.sort_unstable();
        let mut found = Vec::new();
        for id in ids {
            found.extend(self.partial(id)?);
        }
        Ok(found)
    }

    /// One of them; none if it was committed or removed, or never described.
    pub(crate) fn partial(&self, id: PartialId) -> Result<Option<Partial>> {
        let name = data_name(id);
        let stat = rustix::fs::statat(&self.partials, &*name, AtFlags::SYMLINK_NOFOLLOW);
        let (Ok(stat), Some(plan)) = (stat, read_plan(self, id)?) else { return Ok(None) };
        let meta = Meta::from_stat(&stat);
        let modified = SystemTime::from(meta.modified);
        Ok(Some(Partial {
            id,
            path: plan.path,
            length: plan.length,
            offset: plan.sure.map_or(meta.size, |sure| sure.min(meta.size)),
            modified,
            expires: modified.checked_add(self.keeping.partials_for).unwrap_or(modified),
            note: plan.note,
            in_use: locked(&self.open).contains(&id),
        }))
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
            locked(&self.left).take(partial.id);
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
        let mut plan = read_plan(self, id)?.ok_or(Error::NotFound)?;
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let data = rustix::fs::openat(&self.partials, &*data_name(id), flags, Mode::empty())?;
        let mut size = Meta::from_stat(&rustix::fs::fstat(&data)?).size;
        if let Some(sure) = plan.sure.take() {
            // Somebody left, or was killed, before it was known whether what came after counts.
            if let Some(surplus @ 1..) = size.checked_sub(sure) {
                rustix::fs::ftruncate(&data, sure)?;
                self.ledger.take(Part::Partials, Amount::bytes(surplus));
                size = sure;
            }
            write_plan(self, id, &plan)?;
        }
        let mut room = Reservation::empty(&self.ledger);
        room.take_over(Part::Partials, Amount::entry(size));
        open.insert(id);
        Ok((plan, data, room))
    }
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

    /// What became of an upload.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it was removed, or committed long ago; as [`Home::partials`].
    ///
    /// Cancellation: safe.
    pub async fn progress(&self, id: PartialId) -> Result<Progress> {
        self.quick(move |keep| {
            if let Some(partial) = keep.partial(id)? {
                return Ok(Progress::Partial(partial));
            }
            let done = locked(&keep.left).is_done(id);
            done.map(Progress::Committed).ok_or(Error::NotFound)
        })
        .await
    }

    /// How long an upload that was left is kept.
    ///
    /// # Errors
    /// [`Error::ReadOnly`].
    pub fn partials_for(&self) -> Result<Duration> {
        Ok(self.kept()?.keeping.partials_for)
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
