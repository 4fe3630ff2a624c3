//! A home's marks: asked for and set, and following what happens to its files.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use rustix::fs::{AtFlags, Stat};

use super::{
    Claim, Lock, LockRequest, LockToken, MAX_LOCK_OWNER, MAX_LOCK_TIMEOUT, MAX_LOCKS, Marks,
    Property, PropertyChange, Spot, Touch,
    database::{Move, Setting, Total},
    lock::LockTable,
};
use crate::{
    Error, FilePath, Home, Name, Result,
    keep::{Keep, locked},
    lookup,
};

/// The marks of a home that is open.
#[derive(Debug)]
pub(crate) struct Marked {
    marks: Marks,
    /// How many properties there are.
    properties: AtomicU64,
    locks: Mutex<LockTable>,
    /// How many locks there are, some of which may have ended.
    lock_count: AtomicUsize,
}

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

impl Marked {
    /// Looks up what there is of the home. Blocks.
    pub(crate) fn open(marks: Marks) -> Result<Self> {
        let home = Arc::clone(&marks.home);
        let (total, kept) = marks.ask(move |db| Ok((db.total(&home)?, db.locks(&home)?)))?;
        let mut locks = LockTable::default();
        kept.into_iter().for_each(|lock| locks.add(lock));
        let lock_count = AtomicUsize::new(locks.count());
        let properties = AtomicU64::new(total.properties);
        Ok(Self { marks, properties, locks: Mutex::new(locks), lock_count })
    }

    /// Whether the home has nothing here.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_properties() && !self.has_locks()
    }

    fn has_properties(&self) -> bool {
        self.properties.load(Ordering::Acquire) > 0
    }

    fn has_locks(&self) -> bool {
        self.lock_count.load(Ordering::Acquire) > 0
    }

    fn note(&self, total: Total) {
        self.properties.store(total.properties, Ordering::Release);
    }

    fn home(&self) -> Arc<str> {
        Arc::clone(&self.marks.home)
    }

    /// Ends the locks that are meant, as what they are of is no longer there.
    fn end_locks(&self, is_meant: impl Fn(&Lock) -> bool) -> Result<()> {
        if !self.has_locks() {
            return Ok(());
        }
        let ended = {
            let mut locks = locked(&self.locks);
            let ended = locks.take(is_meant);
            self.lock_count.store(locks.count(), Ordering::Release);
            ended
        };
        if ended.is_empty() {
            return Ok(());
        }
        self.marks.ask(move |db| db.remove_locks(&ended))
    }

    /// Forgets the properties of this and all beneath it.
    fn forget(&self, spot: Spot) -> Result<()> {
        if !self.has_properties() {
            return Ok(());
        }
        let home = self.home();
        let forgotten = self.marks.ask(move |db| match db.knows(&home, &spot)? {
            true => db.forget(&home, &spot).map(Some),
            false => Ok(None),
        });
        if let Some(total) = forgotten? {
            self.note(total);
        }
        Ok(())
    }
}

/// What is done already cannot fail any more.
fn told(what: &'static str, done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "{what}");
    }
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
    fn marked(&self) -> Result<&Marked> {
        self.marked.as_ref().ok_or_else(|| {
            let text = "nothing keeps this home's properties and locks";
            Error::Io(io::Error::new(io::ErrorKind::Unsupported, text))
        })
    }

    /// Refuses a change that a lock keeps off. Under the lock on names.
    pub(crate) fn admit(&self, claim: Option<&Claim>, path: &FilePath, what: Touch) -> Result<()> {
        match &self.marked {
            Some(marked) if marked.has_locks() => locked(&marked.locks).admit(claim, path, what),
            _ => Ok(()),
        }
    }

    /// As [`Keep::admit`] of a name that something is given, whether or not there is something.
    pub(crate) fn admit_target(&self, claim: Option<&Claim>, path: &FilePath) -> Result<()> {
        if !self.marked.as_ref().is_some_and(Marked::has_locks) {
            return Ok(());
        }
        let is_there = self.place(path)?.stat()?.is_some();
        self.admit(claim, path, if is_there { Touch::Tree } else { Touch::Name })
    }

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

    /// Something new is at `path`: whatever is known of an earlier one is not of this one.
    pub(crate) fn marks_begin(&self, path: &FilePath) {
        if let Some(marked) = &self.marked {
            told("properties of an earlier file are left over", marked.forget(Spot::at(path)));
        }
    }

    /// What was at `path` is gone for good.
    pub(crate) fn marks_end(&self, path: &FilePath) {
        let Some(marked) = &self.marked else { return };
        told("properties are left over", marked.forget(Spot::at(path)));
        told("a lock is left over", marked.end_locks(|lock| path.covers(&lock.path)));
    }

    /// Something in the trash was destroyed.
    pub(crate) fn marks_of_grave_end(&self, name: &std::ffi::CStr) {
        if let Some(marked) = &self.marked {
            told("properties are left over", marked.forget(Spot::grave(name)));
        }
    }

    /// What lies at `to` is a copy of `from` in the home `source`.
    pub(crate) fn marks_copied(&self, source: Option<&Self>, from: &FilePath, to: &FilePath) {
        let Some(marked) = &self.marked else { return };
        let beneath = |lock: &Lock| to.covers(&lock.path) && lock.path != *to;
        told("a lock is left over", marked.end_locks(beneath));
        let source = source.and_then(|source| source.marked.as_ref());
        let copied = match source.filter(|source| source.has_properties()) {
            None => marked.forget(Spot::at(to)),
            Some(source) => {
                let (home, other) = (source.home(), marked.home());
                let (from, to) = (Spot::at(from), Spot::at(to));
                let copied = marked.marks.ask(move |db| db.copy((&home, &from), (&other, &to)));
                copied.map(|total| marked.note(total))
            }
        };
        told("properties were not copied", copied);
    }

    /// Forgets the locks whose time has come.
    pub(crate) fn expire_locks(&self) -> Result<()> {
        let (Some(marked), now) = (&self.marked, SystemTime::now()) else { return Ok(()) };
        let _names = locked(&self.names);
        marked.end_locks(|lock| lock.expires <= now)
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

    fn set_properties(
        &self,
        claim: Option<&Claim>,
        path: &FilePath,
        changes: Vec<PropertyChange>,
    ) -> Result<()> {
        let marked = self.marked()?;
        let _names = locked(&self.names);
        lookup::repeated(&self.files.fd, path, lookup::looking)?;
        self.admit(claim, path, Touch::Content)?;
        let (home, spot) = (marked.home(), Spot::at(path));
        match marked.marks.ask(move |db| db.set(&home, &spot, &changes))? {
            Setting::Done(total) => marked.note(total),
            Setting::Full(what) => return Err(Error::TooManyMarks { what }),
        }
        Ok(())
    }

    fn lock(&self, path: &FilePath, wanted: LockRequest) -> Result<Lock> {
        let marked = self.marked()?;
        if wanted.owner.len() > MAX_LOCK_OWNER {
            return Err(Error::TooManyMarks { what: "the lock's owner is too long" });
        }
        let _names = locked(&self.names);
        lookup::repeated(&self.files.fd, path, lookup::looking)?;
        let now = SystemTime::now();
        marked.end_locks(|lock| lock.expires <= now)?;
        let token = LockToken::random()?;
        locked(&marked.locks).admit_lock(path, &wanted)?;
        if marked.lock_count.load(Ordering::Acquire) >= MAX_LOCKS {
            return Err(Error::TooManyMarks { what: "there are too many locks here" });
        }
        let LockRequest { scope, depth, holder, owner, timeout } = wanted;
        let timeout = timeout.min(MAX_LOCK_TIMEOUT);
        let expires = now + timeout;
        let lock =
            Lock { token, path: path.clone(), scope, depth, holder, owner, timeout, expires };
        let (home, kept) = (marked.home(), lock.clone());
        // While names are locked nobody else adds one.
        marked.marks.ask(move |db| db.put_lock(&home, &kept))?;
        let mut locks = locked(&marked.locks);
        locks.add(lock.clone());
        marked.lock_count.store(locks.count(), Ordering::Release);
        Ok(lock)
    }

    fn refresh(
        &self,
        claim: &Claim,
        path: &FilePath,
        timeout: Option<std::time::Duration>,
    ) -> Result<Lock> {
        let marked = self.marked()?;
        let _names = locked(&self.names);
        let find = |token: &LockToken| locked(&marked.locks).find(path, *token).cloned();
        let mut lock = claim.tokens.iter().find_map(find).ok_or(Error::NoSuchLock)?;
        if lock.holder != claim.holder {
            return Err(Error::Denied);
        }
        lock.timeout = timeout.unwrap_or(lock.timeout).min(MAX_LOCK_TIMEOUT);
        lock.expires = SystemTime::now() + lock.timeout;
        let (home, kept) = (marked.home(), lock.clone());
        marked.marks.ask(move |db| db.put_lock(&home, &kept))?;
        locked(&marked.locks).prolong(lock.token, lock.timeout, lock.expires);
        Ok(lock)
    }

    fn unlock(&self, path: &FilePath, holder: &str, token: LockToken) -> Result<()> {
        let marked = self.marked()?;
        let _names = locked(&self.names);
        let found = locked(&marked.locks).find(path, token).map(|lock| lock.holder.clone());
        match found {
            None => Err(Error::NoSuchLock),
            Some(other) if *other != *holder => Err(Error::Denied),
            Some(_) => marked.end_locks(|lock| lock.token == token),
        }
    }
}

impl Home {
    /// The same home, for who claims this: what they lock keeps others off, and not them.
    #[must_use]
    pub fn claiming(mut self, claim: Option<Arc<Claim>>) -> Self {
        self.claim = claim;
        self
    }

    /// Whether the home has properties at all; never waits.
    #[must_use]
    pub fn has_properties(&self) -> bool {
        self.marked().is_some_and(Marked::has_properties)
    }

    /// Whether the home has locks at all; never waits.
    #[must_use]
    pub fn has_locks(&self) -> bool {
        self.marked().is_some_and(Marked::has_locks)
    }

    fn marked(&self) -> Option<&Marked> {
        self.keep.as_ref()?.marked.as_ref()
    }

    /// The properties of what `path` names, in the order of their names. Of what is not there, there are none.
    ///
    /// # Errors
    /// [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn properties(&self, path: &FilePath) -> Result<Vec<Property>> {
        let all = self.properties_of(vec![Spot::at(path)]).await?;
        Ok(all.into_iter().flatten().collect())
    }

    /// The properties of each of these names in `folder`.
    ///
    /// # Errors
    /// As [`Home::properties`].
    ///
    /// Cancellation: safe.
    pub async fn properties_in(
        &self,
        folder: &FilePath,
        names: &[Name],
    ) -> Result<Vec<Vec<Property>>> {
        if !self.has_properties() {
            return Ok(vec![Vec::new(); names.len()]);
        }
        let spot = |name: &Name| {
            let slash: &[u8] = if folder.is_root() { b"" } else { b"/" };
            Spot::from_bytes([folder.as_bytes(), slash, name.as_bytes()].concat())
        };
        self.properties_of(names.iter().map(spot).collect()).await
    }

    async fn properties_of(&self, spots: Vec<Spot>) -> Result<Vec<Vec<Property>>> {
        if !self.has_properties() {
            return Ok(vec![Vec::new(); spots.len()]);
        }
        self.slow(move |keep| {
            let marked = keep.marked()?;
            let home = marked.home();
            marked.marks.ask(move |db| db.properties(&home, &spots))
        })
        .await
    }

    /// Makes all these changes of the properties of what `path` names, or none. To remove what is not there is no error.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Locked`]; [`Error::TooManyMarks`]; [`Error::ReadOnly`]; [`Error::Busy`];
    /// [`Error::Io`].
    ///
    /// Cancellation: they may or may not be made, as a whole.
    pub async fn set_properties(
        &self,
        path: &FilePath,
        changes: Vec<PropertyChange>,
    ) -> Result<()> {
        self.shows(path)?;
        changes.iter().try_for_each(PropertyChange::check)?;
        let (path, claim) = (path.clone(), self.claim.clone());
        self.slow(move |keep| keep.set_properties(claim.as_deref(), &path, changes)).await
    }

    /// Locks what `path` names.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Locked`] if another lock is in its way; [`Error::TooManyMarks`];
    /// [`Error::ReadOnly`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: it may or may not be locked.
    pub async fn lock(&self, path: &FilePath, wanted: LockRequest) -> Result<Lock> {
        self.shows(path)?;
        let path = path.clone();
        self.slow(move |keep| keep.lock(&path, wanted)).await
    }

    /// Lets the lock that is claimed and holds at `path` begin anew, with this time or the one that it had.
    ///
    /// # Errors
    /// [`Error::NoSuchLock`]; [`Error::Denied`] if it is somebody else's; [`Error::ReadOnly`]; [`Error::Busy`];
    /// [`Error::Io`].
    ///
    /// Cancellation: it may or may not begin anew.
    pub async fn refresh(
        &self,
        path: &FilePath,
        timeout: Option<std::time::Duration>,
    ) -> Result<Lock> {
        let claim = self.claim.clone().ok_or(Error::NoSuchLock)?;
        let path = path.clone();
        self.slow(move |keep| keep.refresh(&claim, &path, timeout)).await
    }

    /// Ends a lock of `holder`'s that holds at `path`.
    ///
    /// # Errors
    /// As [`Home::refresh`].
    ///
    /// Cancellation: it may or may not be ended.
    pub async fn unlock(&self, path: &FilePath, holder: &str, token: LockToken) -> Result<()> {
        let (path, holder) = (path.clone(), Box::<str>::from(holder));
        self.slow(move |keep| keep.unlock(&path, &holder, token)).await
    }

    /// The locks that hold at `path`: those taken there, and those on folders above that reach down to it. Never waits for a
    /// disk.
    #[must_use]
    pub fn locks_at(&self, path: &FilePath) -> Vec<Lock> {
        match self.marked() {
            Some(marked) if marked.has_locks() => {
                let locks = locked(&marked.locks);
                locks.covering(path, SystemTime::now()).into_iter().cloned().collect()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Keeping, PropertyName, UploadOptions};

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
