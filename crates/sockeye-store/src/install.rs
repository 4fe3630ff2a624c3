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

/// Names that are tried beside one that is taken.
const BESIDE: u32 = 1000;

/// What became of a partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Installed {
    /// Whether there was a file.
    pub(crate) replaced: bool,
    /// The number in its name; 1 is the name that was wanted.
    pub(crate) number: u32,
}

impl Installed {
    const NEW: Self = Self { replaced: false, number: 1 };
}

impl Keep {
    /// Whether an upload could be committed now.
    pub(crate) fn may_be_installed(&self, plan: &Plan, claim: Option<&Claim>) -> Result<()> {
        let place = self.place(&plan.path)?;
        if plan.condition != Condition::Beside {
            self.admit_target(claim, &plan.path)?;
        }
        let found = place.stat()?;
        self.check(plan.condition, &plan.path, found.as_ref())
    }

    /// Moves the partial `staged`, of `size` bytes and synced, to where it belongs.
    pub(crate) fn install(
        &self,
        staged: &CStr,
        plan: &Plan,
        claim: Option<&Claim>,
        reservation: &mut Reservation,
        size: u64,
    ) -> Result<Installed> {
        let names = locked(&self.names);
        let place = self.place(&plan.path)?;
        let installed = match plan.condition {
            Condition::Beside => self.install_beside(staged, &plan.path, claim)?,
            _ => {
                self.admit_target(claim, &plan.path)?;
                self.install_at(staged, plan, &place)?
            }
        };
        if !installed.replaced {
            self.marks_begin(&plan.path.numbered(installed.number));
        }
        reservation.settle(Part::Files, Amount::entry(size));
        drop(names);
        place.sync(self)?;
        Ok(installed)
    }

    fn install_at(&self, staged: &CStr, plan: &Plan, place: &Place<'_>) -> Result<Installed> {
        if matches!(plan.condition, Condition::Any | Condition::Absent) {
            // Most files are new; then this one call is all.
            let moved = rename_new(&self.partials, staged, place);
            match moved {
                Err(Errno::EXIST) if plan.condition == Condition::Any => {}
                Err(Errno::EXIST) => return Err(Error::Exists),
                moved => return moved.map(|()| Installed::NEW).map_err(moving),
            }
        }
        let found = place.stat()?;
        self.check(plan.condition, &plan.path, found.as_ref())?;
        // Names are locked: only somebody beside the server can have removed it.
        let old = found.ok_or(Error::Changed)?;
        let moved = Moved { folder: self.partials.as_fd(), name: staged, is_folder: false };
        self.replace(moved, place, &old, &plan.path)?;
        Ok(Installed { replaced: true, number: 1 })
    }

    /// Moves something to its name, or to the first free one beside it.
    fn install_beside(
        &self,
        staged: &CStr,
        path: &FilePath,
        claim: Option<&Claim>,
    ) -> Result<Installed> {
        for number in 1..=BESIDE {
            let path = path.numbered(number);
            let place = self.place(&path)?;
            if place.stat()?.is_some() {
                continue;
            }
            self.admit_target(claim, &path)?;
            match rename_new(&self.partials, staged, &place) {
                Err(Errno::EXIST) => {}
                moved => {
                    moved.map_err(moving)?;
                    return Ok(Installed { replaced: false, number });
                }
            }
        }
        Err(Error::Exists)
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
        if condition == Condition::Beside {
            return Ok(());
        }
        let Some(stat) = found else {
            return match condition {
                Condition::Any | Condition::Absent | Condition::Beside => Ok(()),
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
            Condition::Any | Condition::Present | Condition::Beside => Ok(()),
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
