//! Taking something from the home into the trash, under the lock on the home's names.

use std::ffi::{CStr, CString};

use rustix::{
    fs::{AtFlags, Stat},
    io::Errno,
};

use super::name;
use crate::{
    Amount, FilePath, Result, aside, error::moving, id::TrashId, keep::Keep, marks::Spot,
    place::Place, space::Part, tree,
};

/// A place in the trash for one thing, and what was put there.
#[derive(Debug)]
#[must_use]
pub(crate) struct Grave {
    /// `None` where there is no trash.
    name: Option<CString>,
    amount: Amount,
}

impl Keep {
    /// A name in the trash for what is at `path`.
    pub(crate) fn grave_name(&self, path: &FilePath) -> Result<CString> {
        let id = TrashId::new(self.ids.next());
        if let Some(name) = name::with_path(id, path) {
            return Ok(name);
        }
        aside::write(&self.trash, &name::note(id), path.as_bytes())?;
        Ok(name::without_path(id))
    }

    pub(crate) fn remove_note(&self, name: &CStr) {
        if let name::Item::Removed(id, None) = name::parse(name) {
            match rustix::fs::unlinkat(&self.trash, &*name::note(id), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => tracing::warn!(%errno, %id, "a note in the trash was not removed"),
            }
        }
    }

    /// Gives a file that is about to be replaced a second name in the trash, and counts it there.
    ///
    /// Killed between this and the replacing, the file has both names; that is seen when the home is counted.
    pub(crate) fn bury_copy(
        &self,
        place: &Place<'_>,
        old: &Stat,
        path: &FilePath,
    ) -> Result<Grave> {
        let amount = tree::leaf_amount(old);
        if !self.has_trash() {
            self.ledger.take(Part::Files, amount);
            return Ok(Grave { name: None, amount });
        }
        let name = self.grave_name(path)?;
        self.ledger.shift(Part::Files, Part::Trash, amount);
        let linked = rustix::fs::linkat(place, place.name, &self.trash, &*name, AtFlags::empty());
        let buried = match linked {
            // Links are not to be had here, or not to this file: it is gone for a moment.
            Err(Errno::PERM | Errno::MLINK | Errno::OPNOTSUPP) => {
                rustix::fs::renameat(place, place.name, &self.trash, &*name)
            }
            linked => linked,
        };
        if let Err(errno) = buried {
            self.ledger.shift(Part::Trash, Part::Files, amount);
            self.remove_note(&name);
            return Err(moving(errno));
        }
        Ok(Grave { name: Some(name), amount })
    }

    /// Moves something that is no folder to the trash, or removes it where there is none.
    pub(crate) fn bury(&self, place: &Place<'_>, old: &Stat, path: &FilePath) -> Result<()> {
        let amount = tree::leaf_amount(old);
        if !self.has_trash() {
            rustix::fs::unlinkat(place, place.name, AtFlags::empty())?;
            self.ledger.take(Part::Files, amount);
            self.marks_end(path);
            return Ok(());
        }
        let name = self.grave_name(path)?;
        let marks = self.moving(Spot::at(path), Spot::grave(&name), old)?;
        // Counted first: it can be purged as soon as it lies there.
        self.ledger.shift(Part::Files, Part::Trash, amount);
        if let Err(errno) = rustix::fs::renameat(place, place.name, &self.trash, &*name) {
            self.ledger.shift(Part::Trash, Part::Files, amount);
            self.remove_note(&name);
            return Err(moving(errno));
        }
        marks.done();
        Ok(())
    }
}

impl Grave {
    /// Undoes the burial, as nothing took the file's place.
    pub(crate) fn give_back(self, keep: &Keep) {
        let Some(name) = self.name else {
            keep.ledger.add(Part::Files, self.amount);
            return;
        };
        match rustix::fs::unlinkat(&keep.trash, &*name, AtFlags::empty()) {
            Ok(()) => keep.ledger.shift(Part::Trash, Part::Files, self.amount),
            // Purged meanwhile, which counted it out of the trash.
            Err(_) => keep.ledger.add(Part::Files, self.amount),
        }
        keep.remove_note(&name);
    }
}
