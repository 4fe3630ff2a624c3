//! A home's marks: asked for and set, and begun and ended with its files.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use super::{
    Claim, Lock, LockRequest, LockToken, MAX_LOCK_OWNER, MAX_LOCK_TIMEOUT, MAX_LOCKS, Marks,
    Property, PropertyChange, Spot, Touch,
    database::{Setting, Total},
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
    pub(super) marks: Marks,
    /// How many properties there are.
    properties: AtomicU64,
    locks: Mutex<LockTable>,
    /// How many locks there are, some of which may have ended.
    lock_count: AtomicUsize,
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

    pub(super) fn has_properties(&self) -> bool {
        self.properties.load(Ordering::Acquire) > 0
    }

    fn has_locks(&self) -> bool {
        self.lock_count.load(Ordering::Acquire) > 0
    }

    pub(super) fn note(&self, total: Total) {
        self.properties.store(total.properties, Ordering::Release);
    }

    pub(super) fn home(&self) -> Arc<str> {
        Arc::clone(&self.marks.home)
    }

    /// Ends the locks that are meant, as what they are of is no longer there.
    pub(super) fn end_locks(&self, is_meant: impl Fn(&Lock) -> bool) -> Result<()> {
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
pub(super) fn told(what: &'static str, done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "{what}");
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
