//! How much comes into a drop box.
//!
//! A file is counted for good just before it is put in its place, by one statement of the accounts: of many at the same
//! time, no more than there may be. While files come they are counted here, so that together they take no more room of
//! the owner's than the box has left. What is on its way is forgotten at a restart, with the files themselves.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sockeye_accounts::{Rights, Share, ShareId};
use sockeye_journal::Operation;

use crate::{
    Error, Result,
    act::{Act, Contents},
    gate::accounts_failed,
    namespace::Reached,
    seat::Seat,
};

/// What is on its way into drop boxes: files and bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drops(Arc<Mutex<HashMap<ShareId, (u64, u64)>>>);

/// A file on its way into a drop box.
#[derive(Debug)]
pub(crate) struct Dropping {
    drops: Drops,
    /// The share as it was when the file began to come.
    share: Share,
    /// The folders in the box that it lies in, which are made with it.
    folders: Vec<Reached<'static>>,
    bytes: u64,
}

impl Drops {
    /// A file begins to come, of which so many bytes are announced.
    fn enter(&self, share: Share, folders: Vec<Reached<'static>>, bytes: u64) -> Result<Dropping> {
        {
            let mut under_way = self.table();
            let (files, all) = under_way.get(&share.id).copied().unwrap_or_default();
            if !share.has_room_for(files + 1, all.saturating_add(bytes)) {
                return Err(Error::BoxFull);
            }
            under_way.insert(share.id, (files + 1, all.saturating_add(bytes)));
        }
        Ok(Dropping { drops: self.clone(), share, folders, bytes })
    }

    fn table(&self) -> MutexGuard<'_, HashMap<ShareId, (u64, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dropping {
    /// The folders in the box that it lies in; none the next time.
    pub(crate) fn take_folders(&mut self) -> Vec<Reached<'static>> {
        mem::take(&mut self.folders)
    }

    /// So much of it is there, or about to be.
    ///
    /// # Errors
    /// [`Error::BoxFull`].
    pub(crate) fn grow(&mut self, to: u64) -> Result<()> {
        let Some(more @ 1..) = to.checked_sub(self.bytes) else { return Ok(()) };
        let mut under_way = self.drops.table();
        let (files, all) = under_way.entry(self.share.id).or_default();
        if !self.share.has_room_for(*files, all.saturating_add(more)) {
            return Err(Error::BoxFull);
        }
        *all = all.saturating_add(more);
        self.bytes = to;
        Ok(())
    }
}

impl Drop for Dropping {
    fn drop(&mut self) {
        let mut under_way = self.drops.table();
        if let Some((files, bytes)) = under_way.get_mut(&self.share.id) {
            *files = files.saturating_sub(1);
            *bytes = bytes.saturating_sub(self.bytes);
            if *files == 0 {
                under_way.remove(&self.share.id);
            }
        }
    }
}

impl Seat {
    /// Makes these folders in a drop box, the uppermost first, as far as they are not there; whether one was made.
    ///
    /// # Errors
    /// What holds for every change, see [`Session::mkdir`](crate::Session::mkdir).
    pub(crate) async fn make_way(self: &Arc<Self>, folders: Vec<Reached<'static>>) -> Result<bool> {
        let mut made = false;
        for folder in folders {
            let place = self.place(&folder, Rights::WRITE).await?;
            if place.home.stat(&place.path).await.is_ok() {
                continue;
            }
            let act = Act::begin(self, Operation::MakeFolder, &folder);
            let making = async move {
                match place.home.mkdir(&place.path).await {
                    // Another file of the same folder was quicker.
                    Ok(()) | Err(sockeye_store::Error::Exists) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            };
            act.carry_out(making, |()| Contents::NONE).await?;
            made = true;
        }
        Ok(made)
    }

    /// Takes note that a file begins to come, if it comes into a drop box.
    ///
    /// # Errors
    /// [`Error::BoxFull`] if the box takes no more, or not so much; [`Error::Ended`] if it was revoked; [`Error::Io`].
    pub(crate) async fn begin_drop(
        &self,
        path: &Reached<'_>,
        announced: Option<u64>,
    ) -> Result<Option<Dropping>> {
        let Some(visit) = self.visit() else { return Ok(None) };
        let share = match self.gate().accounts().find_share(visit.share().id).await {
            Ok(share) => share,
            Err(error) => {
                return Err(match accounts_failed(error) {
                    Error::NotFound => Error::Ended,
                    other => other,
                });
            }
        };
        let folders = visit.folders_to(path);
        self.gate().drops().enter(share, folders, announced.unwrap_or(0)).map(Some)
    }

    /// Counts a file of so many bytes that is about to be put in its place, if it comes into a drop box.
    ///
    /// # Errors
    /// [`Error::BoxFull`]; [`Error::Io`].
    pub(crate) async fn count_drop(&self, bytes: u64) -> Result<()> {
        let Some(visit) = self.visit() else { return Ok(()) };
        let counted = self.gate().accounts().count_drop(visit.share().id, bytes).await;
        match counted.map_err(accounts_failed)? {
            true => Ok(()),
            false => Err(Error::BoxFull),
        }
    }

    /// Takes that back, as the file could not be put there.
    pub(crate) async fn uncount_drop(&self, bytes: u64) {
        let Some(visit) = self.visit() else { return };
        let share = visit.share().id;
        if let Err(error) = self.gate().accounts().uncount_drop(share, bytes).await {
            tracing::warn!(%share, %error, "a file that did not come stays counted");
        }
    }
}
