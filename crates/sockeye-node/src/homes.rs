//! The homes that are open: each once, for all sessions and protocols, as the space of each is counted in one place.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sockeye_accounts::{AccountId, Quota, SharedId};
use sockeye_store::{Amount, Home, Keeping, Pool};
use tokio::sync::Mutex as AsyncMutex;

use crate::{Error, Result};

/// Whose home it is, which also says where it lies in the data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// An account's, in `homes/ULID`.
    Account(AccountId),
    /// A shared folder's, in `shared/ULID`.
    Shared(SharedId),
    /// Everybody's, in `public`.
    Public,
}

/// The homes of a data folder, each opened when it is needed for the first time.
#[derive(Debug)]
pub struct Homes {
    data: PathBuf,
    keeping: Keeping,
    /// How many may be open without being used.
    spare: usize,
    open: Mutex<HashMap<Owner, Slot>>,
}

/// A home that is open, or being opened: never by two at once.
type Slot = Arc<AsyncMutex<Option<Home>>>;

impl Homes {
    /// The homes below the data folder `data`, each kept as `keeping` says but for its quota; about `spare`
    /// are kept open without being used.
    #[must_use]
    pub fn new(data: PathBuf, keeping: Keeping, spare: usize) -> Self {
        Self { data, keeping, spare, open: Mutex::default() }
    }

    /// The home of this owner, if it is open and nobody is just opening it. Never waits.
    #[must_use]
    pub fn get(&self, owner: Owner) -> Option<Home> {
        let slot = Arc::clone(self.slots().get(&owner)?);
        let home = slot.try_lock().ok()?;
        home.clone()
    }

    /// Whether what is removed from a home is kept for a time.
    #[must_use]
    pub fn keeps_trash(&self) -> bool {
        !self.keeping.trash_for.is_zero()
    }

    /// The home of this owner to look into, open or not; none if it has none yet. One that is not open is not opened for
    /// changes by this, nor kept open.
    ///
    /// Cancellation: safe.
    pub async fn look(&self, owner: Owner) -> Option<Home> {
        if let Some(home) = self.get(owner) {
            return Some(home);
        }
        let (folder, pool) = (self.folder(owner), self.keeping.pool.clone());
        self.keeping.pool.run(move || Home::look(&folder, pool).ok()).await.ok()?
    }

    /// What the home of this owner holds, uploads under way apart; none if it has none yet, or was neither opened nor
    /// closed well. It is not opened for this.
    ///
    /// Cancellation: safe.
    pub async fn contents(&self, owner: Owner) -> Option<Amount> {
        if let Some(home) = self.get(owner) {
            let space = home.space().await.ok()?;
            return Some(Amount { bytes: space.bytes, entries: space.entries });
        }
        let folder = self.folder(owner);
        self.keeping.pool.run(move || Home::closed_with(&folder)).await.ok()?
    }

    /// The home of this owner, made if it is not there yet, with this quota from now on.
    ///
    /// # Errors
    /// [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn open(&self, owner: Owner, quota: Quota) -> Result<Home> {
        let slot = Arc::clone(self.slots().entry(owner).or_default());
        let mut place = slot.lock().await;
        if let Some(home) = &*place {
            home.set_quota(store_quota(quota))?;
            return Ok(home.clone());
        }
        let (folder, mut keeping) = (self.folder(owner), self.keeping.clone());
        keeping.quota = store_quota(quota);
        // Named as it lies in the data folder, which stays the same.
        let name = folder.strip_prefix(&self.data).unwrap_or(&folder).to_string_lossy();
        keeping.marks = keeping.marks.map(|marks| marks.of(&name));
        let opening = self.keeping.pool.run(move || Home::keep(&folder, keeping));
        let home = opening.await.map_err(sockeye_store::Error::from)?.map_err(Error::Io)?;
        *place = Some(home.clone());
        drop(place);
        self.close_unused().await;
        Ok(home)
    }

    /// As [`Homes::open`], with the quota of this moment: `quota` is asked again once the home is open, as a quota that was
    /// set meanwhile was told to nobody.
    ///
    /// # Errors
    /// As [`Homes::open`], and those of `quota`.
    ///
    /// Cancellation: safe.
    pub(crate) async fn open_now<E: From<Error>, Q: Future<Output = Result<Quota, E>>>(
        &self,
        owner: Owner,
        quota: impl Fn() -> Q,
    ) -> Result<Home, E> {
        let mut wanted = quota().await?;
        loop {
            let home = self.open(owner, wanted).await?;
            let now = quota().await?;
            if now == wanted {
                return Ok(home);
            }
            wanted = now;
        }
    }

    /// Sets the quota of a home that is open; one that is not gets it when it is opened.
    pub fn set_quota(&self, owner: Owner, quota: Quota) {
        if let Some(home) = self.get(owner)
            && let Err(error) = home.set_quota(store_quota(quota))
        {
            tracing::error!(%error, "a quota does not hold yet");
        }
    }

    /// Closes the home of this owner, once those who use it have done so.
    pub fn forget(&self, owner: Owner) {
        self.slots().remove(&owner);
    }

    /// How many are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.slots().len()
    }

    /// Those that are open.
    #[must_use]
    pub fn all(&self) -> Vec<(Owner, Home)> {
        let slots: Vec<_> =
            self.slots().iter().map(|(owner, slot)| (*owner, Arc::clone(slot))).collect();
        let home = |slot: Slot| slot.try_lock().ok()?.clone();
        slots.into_iter().filter_map(|(owner, slot)| Some((owner, home(slot)?))).collect()
    }

    /// Where the home of this owner lies.
    #[must_use]
    pub fn folder(&self, owner: Owner) -> PathBuf {
        match owner {
            Owner::Account(id) => self.data.join("homes").join(id.to_string()),
            Owner::Shared(id) => self.shared_folders().join(id.to_string()),
            Owner::Public => self.data.join("public"),
        }
    }

    /// Where all shared folders lie.
    pub(crate) fn shared_folders(&self) -> PathBuf {
        self.data.join("shared")
    }

    /// Where the disk is asked.
    pub(crate) fn pool(&self) -> &Pool {
        &self.keeping.pool
    }

    /// Closes homes that nobody uses, when there are more than are to be kept open.
    ///
    /// Each stays locked until it is closed, as its space must not be counted in two places.
    async fn close_unused(&self) {
        let mut closing = Vec::new();
        for slot in self.surplus() {
            if let Ok(mut home) = slot.try_lock_owned()
                && home.as_ref().is_some_and(Home::is_unused)
            {
                closing.extend(home.take().map(|unused| (unused, home)));
            }
        }
        if closing.is_empty() {
            return;
        }
        // Closing writes what was counted. A pool that is full closes them here.
        let closed = self.keeping.pool.run(move || drop(closing)).await;
        if let Err(error) = closed {
            tracing::debug!(%error, "unused homes were closed without the pool");
        }
        self.slots().retain(|_, slot| {
            let is_empty = slot.try_lock().is_ok_and(|home| home.is_none());
            // Whoever has the slot is about to open the home.
            !is_empty || Arc::strong_count(slot) > 1
        });
    }

    /// Some of the slots, if there are more than are to be kept.
    fn surplus(&self) -> Vec<Slot> {
        let slots = self.slots();
        let surplus = slots.len().saturating_sub(self.spare);
        slots.values().take(surplus.saturating_mul(2)).map(Arc::clone).collect()
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Owner, Slot>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn store_quota(quota: Quota) -> sockeye_store::Quota {
    sockeye_store::Quota { bytes: quota.bytes, entries: quota.entries }
}

#[cfg(test)]
mod tests {
    use std::{
        future::ready,
        sync::atomic::{AtomicU64, Ordering::Relaxed},
    };

    use super::*;

    #[tokio::test]
    async fn a_quota_that_is_set_while_the_home_is_opened_holds() {
        let data = tempfile::tempdir().unwrap();
        let homes = Homes::new(data.path().to_owned(), Keeping::default(), 1);
        let set = AtomicU64::new(0);
        let quota = || {
            let bytes = Some(set.fetch_add(1, Relaxed).min(1));
            ready(Ok::<_, Error>(Quota { bytes, ..Quota::NONE }))
        };
        let home = homes.open_now(Owner::Public, quota).await.unwrap();
        assert_eq!(home.space().await.unwrap().quota.bytes, Some(1));
    }
}
