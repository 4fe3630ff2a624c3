//! Who has a session now, over every protocol: so that an administrator can see it, and end it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

use sockeye_accounts::{AccountId, Commander, SignInId};
use sockeye_journal::{Operation, Outcome, Record};
use tokio_util::sync::CancellationToken;

use crate::{Gate, Peer, Result, gate::accounts_failed};

/// Who has a session. Several connections of the same account from the same place over the same protocol, by the
/// same sign-in, are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// What it is ended by.
    pub id: u64,
    /// Whose it is; none of an anonymous visitor.
    pub account: Option<Box<str>>,
    /// The account's id.
    pub account_id: Option<AccountId>,
    /// Over which protocol.
    pub protocol: &'static str,
    /// From where.
    pub peer: Peer,
    /// The sign-in that it goes by.
    pub sign_in: Option<SignInId>,
    /// Whether it came by a share's link of the account's.
    pub by_link: bool,
    /// Since when.
    pub since: SystemTime,
}

impl Present {
    fn is_like(&self, other: &Self) -> bool {
        self.account_id == other.account_id
            && self.protocol == other.protocol
            && self.peer == other.peer
            && self.sign_in == other.sign_in
            && self.by_link == other.by_link
    }
}

/// All that have a session; clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presences(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last: AtomicU64,
    all: Mutex<BTreeMap<u64, (Present, CancellationToken)>>,
}

/// The presence of one session, for as long as it lasts.
#[derive(Debug)]
pub(crate) struct Presence {
    id: u64,
    end: CancellationToken,
    all: Presences,
}

impl Presences {
    /// Enters a session; what its id is said to be does not matter.
    pub(crate) fn enter(&self, mut present: Present) -> Arc<Presence> {
        let id = self.0.last.fetch_add(1, Relaxed) + 1;
        let end = CancellationToken::new();
        present.id = id;
        self.lock().insert(id, (present, end.clone()));
        Arc::new(Presence { id, end, all: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, (Present, CancellationToken)>> {
        self.0.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Presence {
    /// Whether it was ended by an administrator.
    pub(crate) fn is_ended(&self) -> bool {
        self.end.is_cancelled()
    }

    /// Waits for that. Cancellation: safe.
    pub(crate) async fn ended(&self) {
        self.end.cancelled().await;
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.all.lock().remove(&self.id);
    }
}

impl Gate {
    /// Who has a session now, in the order in which they began: at most `limit`, those after the id `after`.
    #[must_use]
    pub fn present(&self, after: u64, limit: usize) -> Vec<Present> {
        let all = self.presences().lock();
        let mut found: Vec<Present> = Vec::new();
        for (present, _) in all.values() {
            if found.len() > limit {
                break;
            }
            if !found.iter().any(|known| known.is_like(present)) {
                found.push(present.clone());
            }
        }
        found.retain(|present| present.id > after);
        found.truncate(limit);
        found
    }

    /// Ends a session, with those that are [one](Present) with it, and the sign-in that it goes by; recorded as a
    /// logout, with who commanded it. Whoever knows the password can begin another. `None` if there is no such session.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if the sign-in could not be ended.
    ///
    /// Cancellation: the sign-in may not be ended.
    pub async fn end_present(&self, id: u64, by: &Commander) -> Result<Option<Present>> {
        let (present, ends) = {
            let all = self.presences().lock();
            let Some((present, _)) = all.get(&id) else { return Ok(None) };
            let alike = all.values().filter(|(other, _)| other.is_like(present));
            (present.clone(), alike.map(|(_, end)| end.clone()).collect::<Vec<_>>())
        };
        ends.iter().for_each(CancellationToken::cancel);
        if let (Some(account), Some(sign_in)) = (present.account_id, present.sign_in) {
            match self.accounts().end_sign_in(account, sign_in).await.map_err(accounts_failed) {
                Ok(_) | Err(crate::Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        let detail = format!("ended by {by}");
        self.record(&Record {
            account: present.account.as_deref(),
            from: Some(present.peer.recorded()),
            detail: Some(&detail),
            ..Record::new(Operation::Logout, Outcome::Ok, present.protocol)
        });
        Ok(Some(present))
    }
}
