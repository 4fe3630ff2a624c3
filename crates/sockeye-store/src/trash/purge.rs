//! Destroying what lies in the trash: the oldest first, when it is old enough or room is needed.

use std::{
    collections::VecDeque,
    ffi::{CStr, CString},
    time::SystemTime,
};

use crate::{
    Amount, Aside, FilePath, GaveWay, Lack, Result,
    id::TrashId,
    keep::{Keep, locked},
    room::Tally,
    space::Part,
    tree,
};

/// Names remembered, so that the trash is not read anew for each.
const REMEMBERED: usize = 1024;

/// What is to be destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// One thing.
    One(TrashId),
    /// What was removed before this moment.
    Before(SystemTime),
    /// Everything.
    All,
}

/// The names of the oldest things, in order. What is not in it is younger than all in it, or gone.
#[derive(Debug, Default)]
pub(crate) struct Oldest(VecDeque<(TrashId, CString)>);

impl Oldest {
    /// Forgets a name that is no longer there.
    pub(crate) fn forget(&mut self, name: &CStr) {
        self.0.retain(|(_, other)| **other != *name);
    }

    fn next(&mut self, keep: &Keep) -> Result<Option<(TrashId, CString)>> {
        if self.0.is_empty() {
            self.0.extend(keep.trash_names(None, REMEMBERED)?);
        }
        Ok(self.0.pop_front())
    }
}

impl Keep {
    /// Destroys the oldest thing in the trash to make room; whether there was one.
    pub(crate) fn purge_oldest(&self, lack: Lack, tally: &mut Tally) -> Result<bool> {
        let mut bin = locked(&self.bin);
        let Some((id, name)) = bin.next(self)? else { return Ok(false) };
        let path = self.trash_path(&name)?.unwrap_or_else(FilePath::root);
        let amount = self.destroy(&name)?;
        tally.add(GaveWay { what: Aside::Trash(id, path), amount, lack });
        Ok(true)
    }

    pub(crate) fn purge(&self, what: Purge) -> Result<Amount> {
        let mut sum = Amount::default();
        match what {
            Purge::One(id) => {
                let mut bin = locked(&self.bin);
                let name = self.trash_name(id)?;
                bin.forget(&name);
                sum.add(self.destroy(&name)?);
            }
            Purge::Before(moment) => {
                while let Some(amount) = self.purge_next(|id| id.created() < moment)? {
                    sum.add(amount);
                }
            }
            Purge::All => {
                // What is removed from now on stays.
                let last = TrashId::new(self.ids.next());
                while let Some(amount) = self.purge_next(|id| id < last)? {
                    sum.add(amount);
                }
            }
        }
        Ok(sum)
    }

    /// Destroys the oldest thing if it is among those meant. The lock is given back after each.
    fn purge_next(&self, is_meant: impl Fn(TrashId) -> bool) -> Result<Option<Amount>> {
        let mut bin = locked(&self.bin);
        let Some((id, name)) = bin.next(self)? else { return Ok(None) };
        if !is_meant(id) {
            bin.0.push_front((id, name));
            return Ok(None);
        }
        self.destroy(&name).map(Some)
    }

    /// Destroys one thing, under the lock on the bin.
    pub(crate) fn destroy(&self, name: &CString) -> Result<Amount> {
        let mut sum = Amount::default();
        let done = tree::remove(&self.trash, name, |gone| {
            self.ledger.take(Part::Trash, gone);
            sum.add(gone);
        });
        self.remove_note(name);
        self.marks_of_grave_end(name);
        done.map(|()| sum)
    }
}
