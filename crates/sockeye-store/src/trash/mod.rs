//! What was removed or replaced, kept for a time: in `trash/`, under an id and the path that it had.

mod grave;
mod name;
mod purge;

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    ffi::{CStr, CString},
    time::SystemTime,
};

pub(crate) use name::{Item, parse, without_path};
pub(crate) use purge::Oldest;
pub use purge::Purge;

use crate::{
    Amount, Error, FilePath, Home, Kind, Meta, Result, aside,
    error::moving,
    id::TrashId,
    keep::{Keep, locked},
    marks::{Spot, Touch},
    space::Part,
    tree,
};

/// Something in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrashEntry {
    /// What it is restored or purged by; ids grow with time.
    pub id: TrashId,
    /// Where it was.
    pub path: FilePath,
    /// When it was removed or replaced, by the clock of then.
    pub deleted: SystemTime,
    /// A file or a folder.
    pub kind: Kind,
    /// Bytes, of a folder with all below it.
    pub bytes: u64,
    /// Entries, of a folder with all below it.
    pub entries: u64,
}

impl Keep {
    /// The oldest things after `after`, at most `limit`, in the order of their ids.
    pub(crate) fn trash_names(
        &self,
        after: Option<TrashId>,
        limit: usize,
    ) -> Result<Vec<(TrashId, CString)>> {
        // The largest is on top, to be thrown out.
        let mut oldest = BinaryHeap::new();
        self.each_removed(|id, name| {
            if after.is_none_or(|after| id > after) {
                oldest.push((id, name.to_owned()));
                if oldest.len() > limit {
                    oldest.pop();
                }
            }
        })?;
        Ok(oldest.into_sorted_vec())
    }

    /// The newest things before `before` of which `wanted` says so, at most `limit`, the newest first.
    fn newest_trash_names(
        &self,
        before: Option<TrashId>,
        limit: usize,
        wanted: impl Fn(&CStr) -> bool,
    ) -> Result<Vec<(TrashId, CString)>> {
        let mut newest = BinaryHeap::new();
        self.each_removed(|id, name| {
            if before.is_none_or(|before| id < before) && wanted(name) {
                newest.push(Reverse((id, name.to_owned())));
                if newest.len() > limit {
                    newest.pop();
                }
            }
        })?;
        Ok(newest.into_sorted_vec().into_iter().map(|Reverse(named)| named).collect())
    }

    /// Goes once through what was removed, in no order.
    fn each_removed(&self, mut each: impl FnMut(TrashId, &CStr)) -> Result<()> {
        tree::each_name(&self.trash, |name| {
            if let Item::Removed(id, _) = name::parse(name) {
                each(id, name);
            }
            Ok(())
        })
    }

    /// The name in the trash that has this id.
    pub(crate) fn trash_name(&self, id: TrashId) -> Result<CString> {
        let is_it = |name: &CStr| Ok(matches!(name::parse(name), Item::Removed(it, _) if it == id));
        tree::find_name(&self.trash, is_it)?.ok_or(Error::NotFound)
    }

    /// The path that something in the trash had.
    pub(crate) fn trash_path(&self, name: &CStr) -> Result<Option<FilePath>> {
        match name::parse(name) {
            Item::Removed(_, Some(path)) => Ok(Some(path)),
            Item::Removed(id, None) => {
                let note = aside::read(&self.trash, &name::note(id), crate::MAX_PATH)?;
                Ok(note.and_then(|bytes| FilePath::parse(&bytes).ok()))
            }
            Item::Note(_) | Item::Other => Ok(None),
        }
    }

    fn trash_entry(&self, id: TrashId, name: &CString) -> Result<Option<TrashEntry>> {
        let Some(path) = self.trash_path(name)? else { return Ok(None) };
        let no_follow = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        let Ok(stat) = rustix::fs::statat(&self.trash, &**name, no_follow) else { return Ok(None) };
        let Amount { bytes, entries } = match tree::amount(&self.trash, name) {
            Err(Error::NotFound) => return Ok(None),
            amount => amount?,
        };
        let kind = Meta::from_stat(&stat).kind;
        Ok(Some(TrashEntry { id, path, deleted: id.created(), kind, bytes, entries }))
    }

    fn restore(&self, id: TrashId, to: Option<FilePath>) -> Result<FilePath> {
        let mut bin = locked(&self.bin);
        let name = self.trash_name(id)?;
        let path = match to {
            Some(path) => {
                self.may_be_named(&path)?;
                path
            }
            // A name that was there may come back, whatever it is.
            None => self.trash_path(&name)?.ok_or(Error::NotFound)?,
        };
        let amount = tree::amount(&self.trash, &name)?;
        let names = locked(&self.names);
        let place = self.place(&path)?;
        self.admit(None, &path, Touch::Name)?;
        let no_follow = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        let stat = rustix::fs::statat(&self.trash, &*name, no_follow)?;
        let marks = self.moving(Spot::grave(&name), Spot::at(&path), &stat)?;
        crate::install::rename_new(&self.trash, &name, &place).map_err(moving)?;
        marks.done();
        self.ledger.shift(Part::Trash, Part::Files, amount);
        drop(names);
        bin.forget(&name);
        self.remove_note(&name);
        place.sync(self)?;
        Ok(path)
    }
}

impl Home {
    /// What lies in the trash after `after`, oldest first, at most `limit` things.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn trash(&self, after: Option<TrashId>, limit: usize) -> Result<Vec<TrashEntry>> {
        self.slow(move |keep| {
            let mut entries = Vec::new();
            for (id, name) in keep.trash_names(after, limit)? {
                entries.extend(keep.trash_entry(id, &name)?);
            }
            Ok(entries)
        })
        .await
    }

    /// What lies in the trash, had a path of which `wanted` says so, and was removed before what has the id `before`;
    /// newest first, at most `limit` things.
    ///
    /// # Errors
    /// As [`Home::trash`].
    ///
    /// Cancellation: safe.
    pub async fn newest_trash(
        &self,
        before: Option<TrashId>,
        limit: usize,
        wanted: impl Fn(&FilePath) -> bool + Send + 'static,
    ) -> Result<Vec<TrashEntry>> {
        self.slow(move |keep| {
            let mut entries = Vec::new();
            let named = |name: &CStr| {
                keep.trash_path(name).is_ok_and(|path| path.is_some_and(|path| wanted(&path)))
            };
            for (id, name) in keep.newest_trash_names(before, limit, named)? {
                entries.extend(keep.trash_entry(id, &name)?);
            }
            Ok(entries)
        })
        .await
    }

    /// The path that something in the trash had.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is no longer there; as [`Home::trash`].
    ///
    /// Cancellation: safe.
    pub async fn removed_path(&self, id: TrashId) -> Result<FilePath> {
        self.slow(move |keep| keep.trash_path(&keep.trash_name(id)?)?.ok_or(Error::NotFound)).await
    }

    /// For each of these paths the newest thing in the trash that was there; none where a path is missing or nothing
    /// was. Goes once through the trash.
    ///
    /// # Errors
    /// As [`Home::trash`].
    ///
    /// Cancellation: safe.
    pub async fn last_removed(&self, paths: Vec<Option<FilePath>>) -> Result<Vec<Option<TrashId>>> {
        self.slow(move |keep| {
            let mut newest: HashMap<&FilePath, Option<TrashId>> =
                paths.iter().flatten().map(|path| (path, None)).collect();
            let mut long = Vec::new();
            let mut found = |id: TrashId, path: &FilePath| {
                if let Some(known) = newest.get_mut(path) {
                    *known = (*known).max(Some(id));
                }
            };
            tree::each_name(&keep.trash, |name| {
                match name::parse(name) {
                    Item::Removed(id, Some(path)) => found(id, &path),
                    Item::Removed(id, None) => long.push((id, name.to_owned())),
                    Item::Note(_) | Item::Other => {}
                }
                Ok(())
            })?;
            for (id, name) in long {
                if let Some(path) = keep.trash_path(&name)? {
                    found(id, &path);
                }
            }
            let of = |path: &FilePath| newest.get(path).copied().flatten();
            Ok(paths.iter().map(|path| path.as_ref().and_then(of)).collect())
        })
        .await
    }

    /// Puts something from the trash back where it was, or to `to`, and says where that is.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is no longer in the trash; [`Error::Exists`] if something has the name; [`Error::NoParent`]
    /// if the folder is gone; [`Error::BadName`]; [`Error::ReadOnly`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: it may or may not be restored, as a whole.
    pub async fn restore(&self, id: TrashId, to: Option<FilePath>) -> Result<FilePath> {
        self.slow(move |keep| keep.restore(id, to)).await
    }

    /// Destroys what lies in the trash, and says how much that was.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such id; [`Error::ReadOnly`]; [`Error::Busy`]; [`Error::Io`]. What was destroyed before
    /// the failure is gone.
    ///
    /// Cancellation: it is carried on.
    pub async fn purge(&self, what: Purge) -> Result<Amount> {
        self.slow(move |keep| keep.purge(what)).await
    }
}
