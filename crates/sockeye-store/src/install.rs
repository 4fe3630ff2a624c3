//! Putting what was written aside into its place, under the lock on the home's names.

use std::{
    ffi::CStr,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    fs::{RenameFlags, Stat},
    io::Errno,
};

use crate::{
    Amount, Claim, Error, FilePath, Meta, Result,
    error::moving,
    keep::{Keep, locked},
    place::{Place, is_folder},
    rename::Moved,
    space::{Part, Reservation},
    upload::{Condition, plan::Plan},
};

impl Keep {
    /// Whether an upload could be committed now.
    pub(crate) fn may_be_installed(&self, plan: &Plan, claim: Option<&Claim>) -> Result<()> {
        let place = self.place(&plan.path)?;
        self.admit_target(claim, &plan.path)?;
        let found = place.stat()?;
        self.check(plan.condition, &plan.path, found.as_ref())
    }

    /// Moves the partial `staged`, of `size` bytes and synced, to where it belongs; whether there was a file.
    pub(crate) fn install(
        &self,
        staged: &CStr,
        plan: &Plan,
        claim: Option<&Claim>,
        reservation: &mut Reservation,
        size: u64,
    ) -> Result<bool> {
        let names = locked(&self.names);
        let place = self.place(&plan.path)?;
        self.admit_target(claim, &plan.path)?;
        let replaced = self.install_at(staged, plan, &place)?;
        if !replaced {
            self.marks_begin(&plan.path);
        }
        reservation.settle(Part::Files, Amount::entry(size));
        drop(names);
        place.sync(self)?;
        Ok(replaced)
    }

    fn install_at(&self, staged: &CStr, plan: &Plan, place: &Place<'_>) -> Result<bool> {
        if matches!(plan.condition, Condition::Any | Condition::Absent) {
            // Most files are new; then this one call is all.
            let moved = rename_new(&self.partials, staged, place);
            match moved {
                Err(Errno::EXIST) if plan.condition == Condition::Any => {}
                Err(Errno::EXIST) => return Err(Error::Exists),
                moved => return moved.map(|()| false).map_err(moving),
            }
        }
        let found = place.stat()?;
        self.check(plan.condition, &plan.path, found.as_ref())?;
        // Names are locked: only somebody beside the server can have removed it.
        let old = found.ok_or(Error::Changed)?;
        let moved = Moved { folder: self.partials.as_fd(), name: staged, is_folder: false };
        self.replace(moved, place, &old, &plan.path)?;
        Ok(true)
    }

    /// Moves something over a file, which goes to the trash if there is one.
    pub(crate) fn replace(
        &self,
        moved: Moved<'_>,
        place: &Place<'_>,
        old: &Stat,
        path: &FilePath,
    ) -> Result<()> {
        let grave = self.bury_copy(place, old, path)?;
        if let Err(errno) = rustix::fs::renameat(moved.folder, moved.name, place, place.name) {
            grave.give_back(self);
            return Err(moving(errno));
        }
        Ok(())
    }

    /// Whether what is found meets the condition and can be replaced by a file.
    pub(crate) fn check(
        &self,
        condition: Condition,
        path: &FilePath,
        found: Option<&Stat>,
    ) -> Result<()> {
        let Some(stat) = found else {
            return match condition {
                Condition::Any | Condition::Absent => Ok(()),
                Condition::Present | Condition::Is(_) => Err(Error::Changed),
            };
        };
        if condition == Condition::Absent {
            return Err(Error::Exists);
        }
        self.meets(condition, path, stat)?;
        if is_folder(stat) {
            return Err(Error::WrongKind { expected: "a file, found a folder" });
        }
        Ok(())
    }

    /// Whether what is there meets the condition.
    pub(crate) fn meets(&self, condition: Condition, path: &FilePath, stat: &Stat) -> Result<()> {
        match condition {
            Condition::Any | Condition::Present => Ok(()),
            Condition::Is(version) if self.version_shown(path, stat)? == Some(version) => Ok(()),
            Condition::Is(_) | Condition::Absent => Err(Error::Changed),
        }
    }

    /// The version that clients see: of a link, what it leads to.
    fn version_shown(&self, path: &FilePath, stat: &Stat) -> Result<Option<crate::Version>> {
        if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_symlink() {
            return Ok(Some(Meta::from_stat(stat).version()));
        }
        match crate::lookup::repeated(&self.files.fd, path, crate::lookup::looking) {
            Ok((_, meta)) => Ok(Some(meta.version())),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Moves something to where nothing is.
pub(crate) fn rename_new(from: &OwnedFd, name: &CStr, to: &Place<'_>) -> Result<(), Errno> {
    rustix::fs::renameat_with(from, name, to, to.name, RenameFlags::NOREPLACE)
}
