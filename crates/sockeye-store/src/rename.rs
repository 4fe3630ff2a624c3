//! Renaming and moving, within a home and from one to another.

use std::{
    ffi::{CStr, CString},
    os::fd::BorrowedFd,
    sync::{Arc, MutexGuard},
};

use rustix::{
    fs::{RenameFlags, Stat},
    io::Errno,
};

use crate::{
    Claim, Error, FilePath, Home, Recursive, Result,
    error::moving,
    keep::{Keep, locked},
    marks::{Spot, Touch},
    place::{Place, is_folder},
    room::Tally,
    space::{Part, Reservation},
    tree,
};

/// Times that a tree is counted anew, as it grew between being counted and being moved.
const RECOUNTS: usize = 3;

/// Whether what has the new name already gives way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// It stays, and the operation is refused.
    #[default]
    No,
    /// It goes to the trash, a folder with all that is in it.
    Yes,
}

impl Home {
    /// Gives what `from` names the name `to`; a link itself, never what it leads to. Says whether something gave way.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Exists`]; [`Error::NoParent`]; [`Error::BadName`]; [`Error::IntoItself`]; [`Error::ReadOnly`];
    /// [`Error::Denied`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: it may or may not be renamed, as a whole.
    pub async fn rename(
        &self,
        from: &FilePath,
        to: &FilePath,
        overwrite: Overwrite,
    ) -> Result<bool> {
        self.shows(from)?;
        self.shows(to)?;
        self.kept()?.may_be_named(to)?;
        if from.covers(to) || to.covers(from) {
            return if from == to { Ok(false) } else { Err(Error::IntoItself) };
        }
        let (paths, claim) = ((from.clone(), to.clone()), self.claim.clone());
        let quickly =
            self.quick(move |keep| keep.rename(claim.as_deref(), &paths.0, &paths.1, overwrite));
        let replaced = match quickly.await? {
            Some(replaced) => replaced,
            None => {
                let (paths, claim) = ((from.clone(), to.clone()), self.claim.clone());
                self.slow(move |keep| keep.rename_onto_tree(claim.as_deref(), &paths.0, &paths.1))
                    .await?
            }
        };
        self.drop_replaced(to, None).await;
        Ok(replaced)
    }

    /// Moves what `from` names in this home to `to` in `other`; says whether something gave way. What it takes is counted there from
    /// then on, and no longer here. Between two filesystems it is copied, and the original goes to this home's
    /// trash.
    ///
    /// # Errors
    /// As [`Home::rename`]; [`Error::OverQuota`] of the other home; between filesystems also as [`Home::copy`].
    ///
    /// Cancellation: it may or may not be moved, as a whole; between filesystems it may be in both homes.
    pub async fn rename_to(
        &self,
        from: &FilePath,
        other: &Self,
        to: &FilePath,
        overwrite: Overwrite,
    ) -> Result<bool> {
        let (here, there) = (self.kept()?, other.kept()?);
        if Arc::ptr_eq(here, there) {
            return self.rename(from, to, overwrite).await;
        }
        self.shows(from)?;
        other.shows(to)?;
        there.may_be_named(to)?;
        if here.device != there.device {
            let copied = self.copy(from, other, to, overwrite).await?;
            self.remove(from, Recursive::Yes).await?;
            return Ok(copied.replaced);
        }
        let (paths, source) = ((from.clone(), to.clone()), Arc::clone(here));
        let (claims, tally) = ((self.claim.clone(), other.claim.clone()), other.tally());
        let taken = other.slow(move |keep| {
            source.ready()?;
            let claims = (claims.0.as_deref(), claims.1.as_deref());
            keep.take_from(claims, &source, (&paths.0, &paths.1), overwrite, tally)
        });
        let replaced = taken.await?;
        other.drop_replaced(to, None).await;
        Ok(replaced)
    }
}

/// Something on its way to a place in the home, under a name of its own meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved<'a> {
    pub(crate) folder: BorrowedFd<'a>,
    pub(crate) name: &'a CStr,
    pub(crate) is_folder: bool,
}

impl<'a> Moved<'a> {
    fn from(place: &'a Place<'_>, stat: &Stat) -> Self {
        use std::os::fd::AsFd;
        Self { folder: place.as_fd(), name: place.name, is_folder: is_folder(stat) }
    }
}

impl Keep {
    /// Renames, unless that takes the lock on the bin as well: then `None`.
    fn rename(
        &self,
        claim: Option<&Claim>,
        from: &FilePath,
        to: &FilePath,
        overwrite: Overwrite,
    ) -> Result<Option<bool>> {
        let names = locked(&self.names);
        let (source, stat) = self.place_of(from)?;
        let place = self.place(to)?;
        self.admit(claim, from, Touch::Name)?;
        self.admit_target(claim, to)?;
        let moved = Moved::from(&source, &stat);
        let marks = self.moving(Spot::at(from), Spot::at(to), &stat)?;
        if self.put_where_nothing_is(moved, &place, overwrite)? {
            marks.done();
            drop(names);
            source.sync(self)?;
            place.sync(self)?;
            return Ok(Some(false));
        }
        let old = place.stat()?.ok_or(Error::NotFound)?;
        if is_folder(&old) || moved.is_folder {
            return Ok(None);
        }
        self.replace(moved, &place, &old, to)?;
        marks.done();
        drop(names);
        source.sync(self)?;
        place.sync(self)?;
        Ok(Some(true))
    }

    fn rename_onto_tree(
        &self,
        claim: Option<&Claim>,
        from: &FilePath,
        to: &FilePath,
    ) -> Result<bool> {
        let bin = locked(&self.bin);
        let names = locked(&self.names);
        let (source, stat) = self.place_of(from)?;
        let place = self.place(to)?;
        self.admit(claim, from, Touch::Name)?;
        self.admit_target(claim, to)?;
        let moved = Moved::from(&source, &stat);
        let marks = self.moving(Spot::at(from), Spot::at(to), &stat)?;
        let buried = self.put(moved, &place, to, Overwrite::Yes)?;
        marks.done();
        drop(names);
        let replaced = self.count_buried(buried)?;
        drop(bin);
        source.sync(self)?;
        place.sync(self)?;
        Ok(replaced)
    }

    /// Moves something from another home on the same filesystem into this one.
    fn take_from(
        &self,
        (source_claim, claim): (Option<&Claim>, Option<&Claim>),
        source_home: &Self,
        (from, to): (&FilePath, &FilePath),
        overwrite: Overwrite,
        mut tally: Tally,
    ) -> Result<bool> {
        let mut room = Reservation::empty(&self.ledger);
        for _ in 0..RECOUNTS {
            let estimate = {
                let (source, _) = source_home.place_of(from)?;
                tree::amount(&source, source.name)?
            };
            let more = estimate.minus(room.held());
            self.make_room(&mut room, more, None, &mut tally)?;
            let bin = locked(&self.bin);
            let (names_here, names_there) = locked_both(self, source_home);
            let (source, stat) = source_home.place_of(from)?;
            // Nothing changes now.
            let exact = tree::amount(&source, source.name)?;
            if room.grow(exact.minus(room.held())).is_err() {
                continue;
            }
            let place = self.place(to)?;
            source_home.admit(source_claim, from, Touch::Name)?;
            self.admit_target(claim, to)?;
            let marks = source_home.moving_to(Spot::at(from), self, Spot::at(to), &stat)?;
            let buried = self.put(Moved::from(&source, &stat), &place, to, overwrite)?;
            marks.done();
            room.settle(Part::Files, exact);
            source_home.ledger.take(Part::Files, exact);
            drop((names_here, names_there));
            let replaced = self.count_buried(buried)?;
            drop(bin);
            place.sync(self)?;
            source.sync(source_home)?;
            return Ok(replaced);
        }
        Err(Error::Busy)
    }

    /// Moves something to where nothing is, under the lock on names; `false` if something is there that may be overwritten.
    fn put_where_nothing_is(
        &self,
        moved: Moved<'_>,
        place: &Place<'_>,
        overwrite: Overwrite,
    ) -> Result<bool> {
        let Moved { folder, name, .. } = moved;
        let flags = RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(folder, name, place, place.name, flags) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) if overwrite == Overwrite::Yes => Ok(false),
            Err(errno) => Err(moving(errno)),
        }
    }

    /// Moves something to its place, under the locks on the bin and on names; to be followed by [`Keep::count_buried`].
    pub(crate) fn put(
        &self,
        moved: Moved<'_>,
        place: &Place<'_>,
        path: &FilePath,
        overwrite: Overwrite,
    ) -> Result<Buried> {
        if self.put_where_nothing_is(moved, place, overwrite)? {
            return Ok(Buried::Nothing);
        }
        let old = place.stat()?.ok_or(Error::NotFound)?;
        if !is_folder(&old) && !moved.is_folder {
            self.replace(moved, place, &old, path)?;
            return Ok(Buried::Counted);
        }
        // No one call replaces a folder that is not empty: it goes first, and comes back if that fails.
        let name = self.grave_name(path)?;
        let away = rustix::fs::renameat(place, place.name, &self.trash, &*name);
        let moved = away.and_then(|()| {
            rustix::fs::renameat(moved.folder, moved.name, place, place.name).inspect_err(|_| {
                let _ = rustix::fs::renameat(&self.trash, &*name, place, place.name);
            })
        });
        match moved {
            Ok(()) => Ok(Buried::Tree(name)),
            Err(errno) => {
                self.remove_note(&name);
                Err(moving(errno))
            }
        }
    }

    /// Counts what gave way, once names are free again; whether there was something.
    pub(crate) fn count_buried(&self, buried: Buried) -> Result<bool> {
        match buried {
            Buried::Nothing => return Ok(false),
            Buried::Counted => {}
            Buried::Tree(name) => self.count_buried_tree(&name)?,
        }
        Ok(true)
    }

    /// Counts what lies in the trash since a moment ago as trash, under the lock on the bin.
    pub(crate) fn count_buried_tree(&self, name: &CString) -> Result<()> {
        self.ledger.shift(Part::Files, Part::Trash, tree::amount(&self.trash, name)?);
        if !self.has_trash() {
            self.destroy(name)?;
        }
        Ok(())
    }
}

/// What gave way to something.
#[derive(Debug)]
#[must_use]
pub(crate) enum Buried {
    Nothing,
    /// A file, which is counted as trash already.
    Counted,
    /// Something in the trash that is not counted yet.
    Tree(CString),
}

/// Locks the names of two homes, always in the same order, so that no two wait for each other.
fn locked_both<'a>(a: &'a Keep, b: &'a Keep) -> (MutexGuard<'a, ()>, MutexGuard<'a, ()>) {
    let (first, second) =
        if std::ptr::from_ref(a) < std::ptr::from_ref(b) { (a, b) } else { (b, a) };
    (locked(&first.names), locked(&second.names))
}
