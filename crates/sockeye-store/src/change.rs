//! Changing what a home holds: folders made, things removed, their times and modes set; and its limits.

use std::{os::fd::AsRawFd, time::SystemTime};

use rustix::{
    fs::{AtFlags, CWD, Mode},
    io::Errno,
};

use crate::{
    Amount, Claim, Condition, Error, FilePath, Home, Kind, Meta, Purge, Quota, Result, Space,
    Timestamp,
    error::moving,
    keep::{Keep, locked},
    lookup,
    marks::{Spot, Touch},
    place::is_folder,
    space::{Part, Reservation},
    upload::writing::{permission_bits, times},
};

/// The server's user may do everything in a folder, others see it: the folder above is closed to them.
pub(crate) const FOLDER_MODE: Mode =
    Mode::RWXU.union(Mode::RGRP).union(Mode::XGRP).union(Mode::ROTH).union(Mode::XOTH);

/// Whether a folder is removed with what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recursive {
    /// Only an empty folder is removed; it does not go to the trash.
    #[default]
    No,
    /// With all that is in it, as one thing in the trash.
    Yes,
}

/// What [`Home::expire`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// From the trash.
    pub trash: Amount,
    /// Of uploads that were left.
    pub partials: Amount,
}

impl Home {
    /// Makes a folder.
    ///
    /// # Errors
    /// [`Error::Exists`]; [`Error::NoParent`]; [`Error::BadName`]; [`Error::OverQuota`]; [`Error::NoSpace`]; [`Error::NotFound`]
    /// if the home hides it; [`Error::ReadOnly`]; [`Error::Denied`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: it may or may not be made.
    pub async fn mkdir(&self, path: &FilePath) -> Result<()> {
        self.shows(path)?;
        self.kept()?.may_be_named(path)?;
        let room = self.reserve(Amount::entry(0)).await?;
        let (path, claim) = (path.clone(), self.claim.clone());
        self.quick(move |keep| keep.mkdir(claim.as_deref(), &path, room)).await
    }

    /// Removes what `path` names: a file or a link to the trash, a link itself and never what it leads to.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotEmpty`] for a folder with something in it, unless `recursive`; [`Error::IntoItself`] for
    /// the home itself; [`Error::ReadOnly`]; [`Error::Denied`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: it may or may not be removed, as a whole.
    pub async fn remove(&self, path: &FilePath, recursive: Recursive) -> Result<()> {
        self.remove_if(path, recursive, Condition::Any).await
    }

    /// Like [`Home::remove`], of what meets `condition` at the moment when it is removed.
    ///
    /// # Errors
    /// As [`Home::remove`], and [`Error::Changed`] if the condition is not met. [`Condition::Absent`] never is.
    ///
    /// Cancellation: it may or may not be removed, as a whole.
    pub async fn remove_if(
        &self,
        path: &FilePath,
        recursive: Recursive,
        condition: Condition,
    ) -> Result<()> {
        self.shows(path)?;
        let (whole, claim) = (path.clone(), self.claim.clone());
        let removed = self
            .quick(move |keep| keep.remove(claim.as_deref(), &whole, recursive, condition))
            .await?;
        if removed == Removed::NotATree {
            return Ok(());
        }
        let (path, claim) = (path.clone(), self.claim.clone());
        self.slow(move |keep| keep.remove_tree(claim.as_deref(), &path, condition)).await
    }

    /// Sets when the content of a file or folder was last changed.
    ///
    /// # Errors
    /// As [`Home::stat`]; [`Error::Special`]; [`Error::ReadOnly`].
    ///
    /// Cancellation: it may or may not be set.
    pub async fn set_times(&self, path: &FilePath, modified: Timestamp) -> Result<Meta> {
        self.set(path, move |way, _| {
            rustix::fs::utimensat(CWD, way, &times(modified), AtFlags::empty())
        })
        .await
    }

    /// Sets who may read, write and execute a file, or enter a folder. Only the permission bits are taken, never set-user-id,
    /// set-group-id or sticky, and the server keeps its own access.
    ///
    /// # Errors
    /// As [`Home::set_times`].
    ///
    /// Cancellation: it may or may not be set.
    pub async fn set_mode(&self, path: &FilePath, mode: u32) -> Result<Meta> {
        self.set(path, move |way, meta| {
            rustix::fs::chmod(way, permission_bits(mode, meta.kind == Kind::Folder))
        })
        .await
    }

    async fn set<W>(&self, path: &FilePath, work: W) -> Result<Meta>
    where
        W: FnOnce(&str, &Meta) -> Result<(), Errno> + Send + 'static,
    {
        self.shows(path)?;
        let (path, claim) = (path.clone(), self.claim.clone());
        self.quick(move |keep| {
            let _names = locked(&keep.names);
            keep.admit(claim.as_deref(), &path, Touch::Content)?;
            let (place, meta) = lookup::repeated(&keep.files.fd, &path, lookup::looking)?;
            if meta.kind == Kind::Special {
                return Err(Error::Special);
            }
            // A place cannot be changed by its descriptor, only by a name: this one leads to it alone.
            work(&format!("/proc/self/fd/{}", place.as_raw_fd()), &meta)?;
            let now = Meta::from_stat(&rustix::fs::fstat(&place)?);
            keep.note_same(&meta, &now);
            Ok(now)
        })
        .await
    }

    /// What the home holds. The first call on a home that was not closed counts it.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn space(&self) -> Result<Space> {
        match self.kept()?.known_space() {
            Some(space) => Ok(space),
            None => self.slow(|keep| Ok(keep.ledger.space())).await,
        }
    }

    /// Sets the limit. What is there already stays, however much it is.
    ///
    /// # Errors
    /// [`Error::ReadOnly`].
    pub fn set_quota(&self, quota: Quota) -> Result<()> {
        self.kept()?.ledger.set_quota(quota);
        Ok(())
    }

    /// Removes from the trash, and of the uploads that were left, what is older than it is kept; and locks that have ended.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]; [`Error::Busy`]; [`Error::Io`]. What was removed before the failure is gone.
    ///
    /// Cancellation: it is carried on.
    pub async fn expire(&self, now: SystemTime) -> Result<Expired> {
        self.slow(move |keep| {
            let before = |kept| now.checked_sub(kept);
            let mut expired = Expired::default();
            keep.expire_locks()?;
            if let Some(moment) = before(keep.keeping.trash_for) {
                expired.trash = keep.purge(Purge::Before(moment))?;
            }
            if let Some(moment) = before(keep.keeping.partials_for) {
                expired.partials = keep.drop_partials(|partial| partial.modified < moment)?;
            }
            Ok(expired)
        })
        .await
    }

    /// Refuses what this home hides.
    pub(crate) fn shows(&self, path: &FilePath) -> Result<()> {
        if self.hides(path) { Err(Error::NotFound) } else { Ok(()) }
    }

    /// Holds room, for which what lies aside gives way if need be.
    pub(crate) async fn reserve(&self, amount: Amount) -> Result<Reservation> {
        let keep = self.kept()?;
        if !keep.is_ready() {
            // Counts the home before its first change.
            self.slow(|_| Ok(())).await?;
        }
        let mut reservation = Reservation::empty(&keep.ledger);
        match reservation.grow(amount) {
            Ok(()) => Ok(reservation),
            Err(short) if !short.may_end(amount) => Err(short.into()),
            Err(_) => {
                let mut tally = self.tally();
                self.slow(move |keep| {
                    keep.make_room(&mut reservation, amount, None, &mut tally)?;
                    Ok(reservation)
                })
                .await
            }
        }
    }
}

/// Whether something is gone, or is a folder to be removed with what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Removed {
    NotATree,
    No,
}

impl Keep {
    fn mkdir(&self, claim: Option<&Claim>, path: &FilePath, mut room: Reservation) -> Result<()> {
        let names = locked(&self.names);
        let place = self.place(path)?;
        self.admit(claim, path, Touch::Name)?;
        rustix::fs::mkdirat(&place, place.name, FOLDER_MODE)?;
        self.marks_begin(path);
        room.settle(Part::Files, Amount::entry(0));
        drop(names);
        place.sync(self)
    }

    fn remove(
        &self,
        claim: Option<&Claim>,
        path: &FilePath,
        recursive: Recursive,
        condition: Condition,
    ) -> Result<Removed> {
        let names = locked(&self.names);
        let (place, stat) = self.place_of(path)?;
        self.meets(condition, path, &stat)?;
        self.admit(claim, path, Touch::Name)?;
        match (is_folder(&stat), recursive) {
            (true, Recursive::Yes) => return Ok(Removed::No),
            (true, Recursive::No) => {
                rustix::fs::unlinkat(&place, place.name, AtFlags::REMOVEDIR)?;
                self.ledger.take(Part::Files, Amount::entry(0));
                self.marks_end(path);
            }
            (false, _) => self.bury(&place, &stat, path)?,
        }
        drop(names);
        place.sync(self)?;
        Ok(Removed::NotATree)
    }

    /// Moves a folder with all that is in it to the trash, and counts it there.
    fn remove_tree(
        &self,
        claim: Option<&Claim>,
        path: &FilePath,
        condition: Condition,
    ) -> Result<()> {
        // Nothing in the trash is destroyed before it is counted.
        let bin = locked(&self.bin);
        let names = locked(&self.names);
        let (place, stat) = self.place_of(path)?;
        self.meets(condition, path, &stat)?;
        self.admit(claim, path, Touch::Name)?;
        let name = self.grave_name(path)?;
        let marks = self.moving(Spot::at(path), Spot::grave(&name), &stat)?;
        if let Err(errno) = rustix::fs::renameat(&place, place.name, &self.trash, &*name) {
            self.remove_note(&name);
            return Err(moving(errno));
        }
        marks.done();
        drop(names);
        self.count_buried_tree(&name)?;
        drop(bin);
        place.sync(self)
    }
}
