//! Uploads that were begun and left: a data file each, and a plan beside it that says what it is to become.

use std::{
    collections::HashSet,
    ffi::{CStr, CString},
    os::fd::OwnedFd,
    sync::Mutex,
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
    room::Heir,
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
    /// Bytes that it takes: more than that where what came last does not count yet.
    pub bytes: u64,
    /// When the last of them was written.
    pub modified: SystemTime,
    /// When it is removed, if nobody goes on with it.
    pub expires: SystemTime,
    /// The [principal](crate::Principal) who sends it, if that is known.
    pub sender: Option<Box<str>>,
    /// What whoever sends it [has to say](crate::Upload::annotate) of it.
    pub note: Option<Box<str>>,
    /// Whether somebody is writing it now.
    pub in_use: bool,
}

impl Partial {
    /// Whether it is this principal's. One of which it is not known whose it is is everybody's.
    pub(crate) fn is_by(&self, sender: Option<&str>) -> bool {
        self.sender.as_deref().is_none_or(|by| Some(by) == sender)
    }
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
            bytes: meta.size,
            modified,
            expires: modified.checked_add(self.keeping.partials_for).unwrap_or(modified),
            sender: plan.sender,
            note: plan.note,
            in_use: locked(&self.open).contains(&id),
        }))
    }

    /// Removes partials that nobody writes and `is_old` tells, and says how much they were.
    pub(crate) fn drop_partials(&self, is_old: impl Fn(&Partial) -> bool) -> Result<Amount> {
        let mut sum = Amount::default();
        for partial in self.partials()?.iter().filter(|partial| is_old(partial)) {
            sum.add(self.drop_unless_open(partial.id)?.unwrap_or_default());
        }
        Ok(sum)
    }

    /// Removes a partial, and says how much it was; none if somebody writes it, or it is gone.
    pub(crate) fn drop_unless_open(&self, id: PartialId) -> Result<Option<Amount>> {
        let open = locked(&self.open);
        let name = data_name(id);
        let stat = rustix::fs::statat(&self.partials, &*name, AtFlags::SYMLINK_NOFOLLOW);
        let Some(stat) = stat.ok().filter(|_| !open.contains(&id)) else { return Ok(None) };
        rustix::fs::unlinkat(&self.partials, &*name, AtFlags::empty())?;
        remove_plan(self, id);
        locked(&self.left).take(id);
        let amount = tree::leaf_amount(&stat);
        self.ledger.take(Part::Partials, amount);
        Ok(Some(amount))
    }

    /// Removes the pieces that a file has replaced.
    fn drop_replaced(&self, heir: Heir<'_>) -> Result<()> {
        if self.cut.forget(heir.path, || self.partials_paths())? {
            self.drop_partials(|partial| heir.replaces(partial))?;
            if self.partials()?.iter().any(|partial| partial.path == *heir.path) {
                self.cut.note(heir.path);
            }
        }
        Ok(())
    }

    /// Where the files of all partials will be, whoever is at them.
    fn partials_paths(&self) -> Result<HashSet<FilePath>> {
        let mut paths = HashSet::new();
        tree::each_name(&self.partials, |name| {
            if let Item::Data(id) = item(name) {
                paths.extend(read_plan(self, id)?.map(|plan| plan.path));
            }
            Ok(())
        })?;
        Ok(paths)
    }

    /// Opens the data of a kept partial for writing on, with the room that it takes; enters it as open.
    pub(crate) fn open_partial(&self, id: PartialId) -> Result<OpenedPartial> {
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
        Ok(OpenedPartial { id, plan, data, room })
    }
}

/// A kept partial that is open for writing on.
#[derive(Debug)]
pub(crate) struct OpenedPartial {
    pub(crate) id: PartialId,
    pub(crate) plan: Plan,
    pub(crate) data: OwnedFd,
    /// What it takes.
    pub(crate) room: Reservation,
}

/// Paths to which uploads were cut, and perhaps others: whoever puts a file elsewhere need not look for pieces of it.
/// Nothing else is locked while this is, and nothing is read: it is asked by tasks that must not wait for a disk.
#[derive(Debug, Default)]
pub(crate) struct CutPaths(Mutex<Cut>);

#[derive(Debug, Default)]
struct Cut {
    /// All of them, or those that were noted since this was begun.
    paths: HashSet<FilePath>,
    are_all: bool,
    /// How often it was begun anew: what was looked for before misses what was forgotten then.
    begun: u64,
}

/// What becomes of uploads that have a [note](crate::Upload::annotate), and so an address of their own where their sender
/// was promised to find them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// They stay.
    Stay,
    /// They go as the others do.
    Go,
}

/// Most paths that are noted; of more, they are looked for again.
const MOST_PATHS: usize = 4096;

impl CutPaths {
    /// An upload to `path` was cut.
    pub(crate) fn note(&self, path: &FilePath) {
        let mut cut = locked(&self.0);
        if cut.paths.len() >= MOST_PATHS {
            *cut = Cut { begun: cut.begun + 1, ..Cut::default() };
        }
        cut.paths.insert(path.clone());
    }

    /// Whether one may have been.
    fn may_have(&self, path: &FilePath) -> bool {
        let cut = locked(&self.0);
        !cut.are_all || cut.paths.contains(path)
    }

    /// Forgets `path`, as what there is of it is looked at next; whether it may have been known. Where not all are known, they
    /// are looked for by `all`, which may take long.
    fn forget(
        &self,
        path: &FilePath,
        all: impl FnOnce() -> Result<HashSet<FilePath>>,
    ) -> Result<bool> {
        let begun = {
            let mut cut = locked(&self.0);
            if cut.are_all {
                return Ok(cut.paths.remove(path));
            }
            cut.begun
        };
        let found = all()?;
        let mut cut = locked(&self.0);
        if cut.begun == begun && !cut.are_all {
            cut.paths.extend(found);
            cut.are_all = true;
        }
        Ok(!cut.are_all || cut.paths.remove(path))
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

    /// Removes the uploads of `path` that this handle's [principal](crate::Principal) left, with or without those that have a
    /// note, and says which they were. One that somebody is at stays.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]; [`Error::Busy`]; [`Error::Io`]. What was removed before the failure is gone.
    ///
    /// Cancellation: it is carried on.
    pub async fn drop_partials_for(&self, path: &FilePath, noted: Noted) -> Result<Vec<Partial>> {
        if self.kept()?.ledger.space().partials.is_nothing() {
            return Ok(Vec::new());
        }
        let (path, sender) = (path.clone(), self.sender().map(Box::<str>::from));
        self.slow(move |keep| {
            let mut dropped = Vec::new();
            for partial in keep.partials()? {
                let stays = noted == Noted::Stay && partial.note.is_some();
                let is_meant = partial.path == path && partial.is_by(sender.as_deref());
                if is_meant && !stays && keep.drop_unless_open(partial.id)?.is_some() {
                    dropped.push(partial);
                }
            }
            Ok(dropped)
        })
        .await
    }

    /// Removes the pieces of a file that was put in its place: those that were begun before `id`, or until now. It is done
    /// as well as may be, as the file is there.
    pub(crate) async fn drop_replaced(&self, path: &FilePath, id: Option<PartialId>) {
        let Ok(keep) = self.kept() else { return };
        if keep.ledger.space().partials.is_nothing() || !keep.cut.may_have(path) {
            return;
        }
        let (path, sender) = (path.clone(), self.sender().map(Box::<str>::from));
        let dropped = self.slow(move |keep| {
            let id = id.unwrap_or_else(|| PartialId::new(keep.ids.next()));
            keep.drop_replaced(Heir { path: &path, sender: sender.as_deref(), id })
        });
        if let Err(error) = dropped.await {
            tracing::warn!(%error, "pieces of a file that is whole now were not removed");
        }
    }

    /// Removes uploads that were left and that nobody has written to since `before`, and says how much they were.
    ///
    /// # Errors
    /// As [`Home::drop_partials_for`].
    ///
    /// Cancellation: it is carried on.
    pub async fn drop_partials_before(&self, before: SystemTime) -> Result<Amount> {
        self.slow(move |keep| keep.drop_partials(|partial| partial.modified < before)).await
    }

    /// Removes all uploads that were left and that nobody is at, and says how much they were.
    ///
    /// # Errors
    /// As [`Home::drop_partials_for`].
    ///
    /// Cancellation: it is carried on.
    pub async fn drop_all_partials(&self) -> Result<Amount> {
        self.slow(|keep| keep.drop_partials(|_| true)).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_more_paths_than_are_known_none_is_missed() {
        let path = |number: usize| FilePath::parse(number.to_string().as_bytes()).unwrap();
        let cut = CutPaths::default();
        assert!(cut.may_have(&path(0)), "nobody has looked");
        let none = || Ok(HashSet::new());
        assert!(!cut.forget(&path(0), none).unwrap() && !cut.may_have(&path(0)));
        for number in 0..MOST_PATHS {
            cut.note(&path(number));
        }
        assert!(cut.may_have(&path(0)) && !cut.may_have(&path(MOST_PATHS)));
        cut.note(&path(MOST_PATHS));
        assert_eq!(locked(&cut.0).paths.len(), 1, "the others are looked for again");
        assert!(cut.may_have(&path(MOST_PATHS)) && cut.may_have(&path(MOST_PATHS + 1)));
        let all = || Ok(HashSet::from([path(7)]));
        assert!(cut.forget(&path(7), all).unwrap() && !cut.may_have(&path(7)));
        assert!(cut.may_have(&path(MOST_PATHS)), "what was noted before they were looked for");
    }

    #[test]
    fn nobody_waits_while_cut_paths_are_looked_for_and_what_is_noted_meanwhile_is_known() {
        let path = |number: usize| FilePath::parse(number.to_string().as_bytes()).unwrap();
        let cut = CutPaths::default();
        let all = || {
            assert!(cut.0.try_lock().is_ok(), "whoever notes one would wait");
            cut.note(&path(1));
            Ok(HashSet::from([path(2)]))
        };
        assert!(!cut.forget(&path(3), all).unwrap());
        assert!(
            [1, 2].iter().all(|&number| cut.may_have(&path(number))) && !cut.may_have(&path(3))
        );

        // So many are noted meanwhile that those noted first are forgotten: what was found is not all.
        let cut = CutPaths::default();
        let all = || {
            (0..=MOST_PATHS).for_each(|number| cut.note(&path(number)));
            Ok(HashSet::new())
        };
        assert!(cut.forget(&path(0), all).unwrap());
        assert!(cut.may_have(&path(0)), "they are looked for again");
    }
}
