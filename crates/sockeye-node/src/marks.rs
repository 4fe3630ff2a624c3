//! Properties and locks through the gate (RFC 4918 §4, §6): each needs its right, and is recorded.
//!
//! A lock is its account's. It keeps every session off, over every protocol, that does not submit its token.

use std::time::Duration;

use sockeye_accounts::Rights;
use sockeye_journal::Operation;
use sockeye_store::{
    Condition, FilePath, Lock, LockDepth, LockRequest, LockScope, LockToken, Name, Property,
    PropertyChange, UploadOptions,
};

use crate::{
    Error, Result, Session,
    change::Needed,
    seat::{Place, Way},
    session::Kind,
};

/// A lock that a session asks for.
#[derive(Clone, Debug)]
pub struct LockWish {
    /// Whether others may hold one on the same.
    pub scope: LockScope,
    /// How far down it reaches.
    pub depth: LockDepth,
    /// What its holder says of themselves to others.
    pub owner: Box<str>,
    /// How long it holds unless it is refreshed; at most [`MAX_LOCK_TIMEOUT`](crate::MAX_LOCK_TIMEOUT).
    pub timeout: Duration,
}

impl Session {
    /// The same session, which may change what these locks of its account's keep others from.
    #[must_use]
    pub fn submitting(&self, tokens: Vec<LockToken>) -> Self {
        match &self.kind {
            Kind::Seat(seat) => Self::seated(seat.submitting(tokens)),
            Kind::Guest(_) => self.clone(),
        }
    }

    /// The properties that clients gave to what `path` names, in the order of their names. Not recorded.
    ///
    /// # Errors
    /// As [`Session::stat`].
    ///
    /// Cancellation: safe.
    pub async fn properties(&self, path: &FilePath) -> Result<Vec<Property>> {
        match self.marked_place(path).await? {
            Some(place) => Ok(place.home.properties(&place.path).await?),
            None => Ok(Vec::new()),
        }
    }

    /// The properties of each of these names in the folder `path`. Not recorded.
    ///
    /// # Errors
    /// As [`Session::stat`].
    ///
    /// Cancellation: safe.
    pub async fn properties_in(
        &self,
        path: &FilePath,
        names: &[Name],
    ) -> Result<Vec<Vec<Property>>> {
        match self.marked_place(path).await? {
            Some(place) => Ok(place.home.properties_in(&place.path, names).await?),
            None => Ok(vec![Vec::new(); names.len()]),
        }
    }

    /// Changes the properties of what `path` names: all as asked, or none.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::TooManyMarks`]; [`Error::Locked`]; what holds for every change, see
    /// [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded, or not at all.
    pub async fn set_properties(
        &self,
        path: &FilePath,
        changes: Vec<PropertyChange>,
    ) -> Result<()> {
        let needed = Needed::Here(Rights::WRITE);
        let set = |at: Place| async move { Ok(at.home.set_properties(&at.path, changes).await?) };
        self.change_at(Operation::Set, path, needed, set).await
    }

    /// Locks what `path` names; where nothing is, a new file that is empty (RFC 4918 §7.3). Says whether it
    /// was made.
    ///
    /// # Errors
    /// [`Error::Locked`] if another lock is in its way; [`Error::TooManyMarks`]; those of [`Session::upload`]
    /// where a file is made; what holds for every change, see [`Session::mkdir`].
    ///
    /// Cancellation: it may be locked, or an empty file be made.
    pub async fn lock(&self, path: &FilePath, wish: LockWish) -> Result<(Lock, bool)> {
        match self.lock_present(path, wish.clone()).await {
            Err(Error::NotFound) => {}
            done => return Ok((done?, false)),
        }
        let mut options = UploadOptions::default();
        options.length = Some(0);
        options.condition = Condition::Absent;
        let made = match self.upload(path, options).await {
            Ok(upload) => upload.commit().await.map(drop),
            Err(error) => Err(error),
        };
        let is_new = match made {
            // Somebody else made it meanwhile.
            Err(Error::Exists) => false,
            made => made.map(|()| true)?,
        };
        Ok((self.lock_present(path, wish).await?, is_new))
    }

    async fn lock_present(&self, path: &FilePath, wish: LockWish) -> Result<Lock> {
        let needed = match wish.depth {
            LockDepth::Zero => Needed::Here(Rights::WRITE),
            LockDepth::Infinity => Needed::Beneath(Rights::WRITE),
        };
        let holder = self.changing()?.lock_holder();
        let locked = move |at: Place| async move {
            let LockWish { scope, depth, owner, timeout } = wish;
            let holder = holder.ok_or(Error::Denied)?;
            let request = LockRequest { scope, depth, holder, owner, timeout };
            Ok(at.outward(at.home.lock(&at.path, request).await?))
        };
        self.change_at(Operation::Lock, path, needed, locked).await
    }

    /// Lets the lock whose token is submitted, and which holds at `path`, begin anew, with this time or the one
    /// that it had.
    ///
    /// # Errors
    /// [`Error::NoSuchLock`]; what holds for every change, see [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded, or not at all.
    pub async fn refresh(&self, path: &FilePath, timeout: Option<Duration>) -> Result<Lock> {
        let needed = Needed::Here(Rights::WRITE);
        let refreshed = move |at: Place| async move {
            Ok(at.outward(at.home.refresh(&at.path, timeout).await?))
        };
        self.change_at(Operation::Lock, path, needed, refreshed).await
    }

    /// Ends a lock of the session's account that holds at `path`.
    ///
    /// # Errors
    /// [`Error::NoSuchLock`]; [`Error::Denied`] if it is another account's; what holds for every change, see
    /// [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded, or not at all.
    pub async fn unlock(&self, path: &FilePath, token: LockToken) -> Result<()> {
        let holder = self.changing()?.lock_holder();
        let unlocked = move |at: Place| async move {
            let holder = holder.ok_or(Error::Denied)?;
            Ok(at.home.unlock(&at.path, &holder, token).await?)
        };
        self.change_at(Operation::Unlock, path, Needed::Here(Rights::WRITE), unlocked).await
    }

    /// The locks that hold at `path`: those taken there, and those on folders above that reach down to it. Not
    /// recorded.
    ///
    /// # Errors
    /// As [`Session::stat`].
    ///
    /// Cancellation: safe.
    pub async fn locks_at(&self, path: &FilePath) -> Result<Vec<Lock>> {
        let Some(place) = self.marked_place(path).await? else { return Ok(Vec::new()) };
        let locks = place.home.locks_at(&place.path);
        Ok(locks.into_iter().map(|lock| place.outward(lock)).collect())
    }

    /// Whether anything in the tree that `path` lies in has properties or locks; a listing need not ask for them if not.
    ///
    /// # Errors
    /// As [`Session::stat`].
    ///
    /// Cancellation: safe.
    pub async fn has_marks(&self, path: &FilePath) -> Result<(bool, bool)> {
        let place = self.marked_place(path).await?;
        Ok(place.map_or((false, false), |it| (it.home.has_properties(), it.home.has_locks())))
    }

    /// The place whose properties and locks may be seen, if there can be any.
    async fn marked_place(&self, path: &FilePath) -> Result<Option<Place>> {
        let Kind::Seat(seat) = &self.kind else { return Ok(None) };
        Ok(match seat.way_seen(path).await? {
            Way::SharedFolders => None,
            Way::Place(place) => Some(place),
        })
    }
}
