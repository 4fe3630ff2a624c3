//! Files that move with their marks, also where a crash comes in between.
//!
//! A move is written down with its file's identity before the file is moved, and carried out in the marks after it. What a
//! crash left between the two is settled by where the file is when the home is opened.

use rustix::fs::{AtFlags, Stat};

use super::{
    Spot,
    database::Move,
    lock::Lock,
    of_home::{Marked, told},
};
use crate::{Error, Result, keep::Keep};

/// A move of files whose marks follow when it is [done](Moving::done), and stay where they are if it is not.
#[derive(Debug)]
#[must_use]
pub(crate) struct Moving<'a> {
    source: Option<&'a Marked>,
    target: Option<&'a Marked>,
    /// What was written down, if there is anything to follow.
    begun: Option<Move>,
    from: Spot,
    to: Spot,
}

impl<'a> Moving<'a> {
    /// What moves is in its new place: its properties follow, in the stead of those that were there, and locks on it
    /// end, as they are of the name that it had (RFC 4918 §7.7). A lock on the name that it gets stays.
    pub(crate) fn done(mut self) {
        let (source, target) = (self.source, self.target);
        if let (Some(source), Some(begun)) = (source, self.begun.take()) {
            let home = source.home();
            let moved = source.marks.ask(move |db| db.end_move(&home, &begun));
            let noted = moved.map(|(here, there)| {
                source.note(here);
                if let Some(target) = target {
                    target.note(there);
                }
            });
            told("properties follow a file at the next start", noted);
        }
        if let (Some(source), Some(from)) = (source, self.from.path()) {
            told("a lock is left over", source.end_locks(|lock| from.covers(&lock.path)));
        }
        if let (Some(target), Some(to)) = (target, self.to.path()) {
            let beneath = |lock: &Lock| to.covers(&lock.path) && lock.path != to;
            told("a lock is left over", target.end_locks(beneath));
        }
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        if let (Some(source), Some(begun)) = (self.source, self.begun.take()) {
            let id = begun.id;
            told("a move is left over", source.marks.ask(move |db| db.cancel_move(id)));
        }
    }
}

impl Keep {
    /// Begins a move of `stat` within the home, or to or from its trash. Under the lock on names.
    pub(crate) fn moving(&self, from: Spot, to: Spot, stat: &Stat) -> Result<Moving<'_>> {
        self.moving_to(from, self, to, stat)
    }

    /// As [`Keep::moving`], to another home.
    pub(crate) fn moving_to<'a>(
        &'a self,
        from: Spot,
        other: &'a Self,
        to: Spot,
        stat: &Stat,
    ) -> Result<Moving<'a>> {
        let (source, target) = (self.marked.as_ref(), other.marked.as_ref());
        let mut moving = Moving { source, target, begun: None, from, to };
        let (Some(here), Some(there)) = (source, target) else { return Ok(moving) };
        if !here.has_properties() && !there.has_properties() {
            return Ok(moving);
        }
        let mut begun = Move {
            id: 0,
            source: moving.from.clone(),
            other: there.home().to_string(),
            target: moving.to.clone(),
            device: stat.st_dev,
            inode: stat.st_ino,
        };
        let home = here.home();
        let written = here.marks.ask(move |db| {
            begun.id = match db.begin_move(&home, &begun)? {
                Some(id) => id,
                None => return Ok(None),
            };
            Ok(Some(begun))
        });
        moving.begun = written?;
        Ok(moving)
    }

    /// Carries out or forgets the moves that a crash left begun.
    pub(crate) fn settle_moves(&self) -> Result<()> {
        let Some(marked) = &self.marked else { return Ok(()) };
        let home = marked.home();
        for begun in marked.marks.ask(move |db| db.moves(&home))? {
            let (home, stayed) = (marked.home(), self.is_at(&begun)?);
            let total = marked.marks.ask(move |db| match stayed {
                true => db.cancel_move(begun.id).and_then(|()| db.total(&home)),
                false => db.end_move(&home, &begun).map(|totals| totals.0),
            });
            marked.note(total?);
        }
        Ok(())
    }

    /// Whether the file of a move is still where it was.
    fn is_at(&self, begun: &Move) -> Result<bool> {
        let found = match begun.source.path() {
            Some(path) => self.place_of(&path).map(|(_, stat)| stat),
            None => self.stat_in_trash(&begun.source),
        };
        match found {
            Ok(stat) => Ok((stat.st_dev, stat.st_ino) == (begun.device, begun.inode)),
            Err(Error::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn stat_in_trash(&self, spot: &Spot) -> Result<Stat> {
        let name = self.trash_name(spot.grave_id().ok_or(Error::NotFound)?)?;
        Ok(rustix::fs::statat(&self.trash, &*name, AtFlags::SYMLINK_NOFOLLOW)?)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        FilePath, Home, Keeping, Marks, Property, PropertyChange, PropertyName, UploadOptions,
    };

    fn home(dir: &Path) -> Home {
        let marks = Marks::open(&dir.join("marks.db")).unwrap();
        let keeping = Keeping { marks: Some(marks.of("alice")), ..Keeping::default() };
        Home::keep(&dir.join("alice"), keeping).unwrap()
    }

    fn path(text: &str) -> FilePath {
        FilePath::parse(text.as_bytes()).unwrap()
    }

    /// Killed in the middle of a rename: before the file was moved, and after it.
    #[tokio::test]
    async fn a_move_that_was_cut_is_carried_out_if_the_file_has_moved() {
        for (moves, expected) in [(false, "old"), (true, "new")] {
            let dir = tempfile::tempdir().unwrap();
            let kept = home(dir.path());
            kept.upload(&path("old"), UploadOptions::default())
                .await
                .unwrap()
                .commit()
                .await
                .unwrap();
            let property = Property { name: PropertyName::new("x", "y"), value: "z".into() };
            let set = vec![PropertyChange::Set(property.clone())];
            kept.set_properties(&path("old"), set).await.unwrap();
            let keep = kept.keep.clone().unwrap();
            let (_, stat) = keep.place_of(&path("old")).unwrap();
            let (from, to) = (Spot::at(&path("old")), Spot::at(&path("new")));
            std::mem::forget(keep.moving(from, to, &stat).unwrap());
            if moves {
                let files = dir.path().join("alice/files");
                std::fs::rename(files.join("old"), files.join("new")).unwrap();
            }
            drop((kept, keep));
            let kept = home(dir.path());
            for name in ["old", "new"] {
                let found = kept.properties(&path(name)).await.unwrap();
                let wanted = if name == expected { vec![property.clone()] } else { Vec::new() };
                assert_eq!(found, wanted, "{name}, {moves}");
            }
        }
    }
}
