//! Who has a session now, over every protocol: so that an administrator can see it, and end it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

use sockeye_accounts::{AccountId, Commander, SignInId};
use sockeye_journal::{Operation, Outcome, Record};
use tokio_util::sync::CancellationToken;

use crate::{Gate, Peer, Result, Sessions, gate::accounts_failed};

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
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    all: BTreeMap<u64, (Present, CancellationToken)>,
    /// How many long sessions an account has over a protocol, where it has any.
    long: HashMap<Seats, usize>,
}

/// What long sessions are counted by: the account and the protocol.
type Seats = (AccountId, &'static str);

/// The presence of one session, for as long as it lasts.
#[derive(Debug)]
pub(crate) struct Presence {
    id: u64,
    end: CancellationToken,
    /// What it is counted by, if it is.
    counted: Option<Seats>,
    all: Presences,
}

/// An account has as many sessions over a protocol as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    pub(crate) most: usize,
}

impl Presences {
    /// Enters a session, if there may be one more; what its id is said to be does not matter.
    pub(crate) fn enter(
        &self,
        mut present: Present,
        sessions: Sessions,
    ) -> std::result::Result<Arc<Presence>, TooMany> {
        let id = self.0.last.fetch_add(1, Relaxed) + 1;
        let end = CancellationToken::new();
        present.id = id;
        let mut table = self.lock();
        let counted = match (sessions, present.account_id) {
            (Sessions::Long { most }, Some(account)) => {
                let seats = (account, present.protocol);
                let taken = table.long.get(&seats).copied().unwrap_or(0);
                if taken >= most {
                    return Err(TooMany { most });
                }
                table.long.insert(seats, taken + 1);
                Some(seats)
            }
            _ => None,
        };
        table.all.insert(id, (present, end.clone()));
        drop(table);
        Ok(Arc::new(Presence { id, end, counted, all: self.clone() }))
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// A session is over; what it was counted by.
    fn leave(&mut self, id: u64, counted: Option<Seats>) {
        self.all.remove(&id);
        let Some(seats) = counted else { return };
        if let Some(taken) = self.long.get_mut(&seats) {
            *taken -= 1;
            if *taken == 0 {
                self.long.remove(&seats);
            }
        }
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
        self.all.lock().leave(self.id, self.counted);
    }
}

impl Gate {
    /// Who has a session now, in the order in which they began: at most `limit`, those after the id `after`.
    #[must_use]
    pub fn present(&self, after: u64, limit: usize) -> Vec<Present> {
        let table = self.presences().lock();
        let mut found: Vec<Present> = Vec::new();
        for (present, _) in table.all.values() {
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
            let table = self.presences().lock();
            let Some((present, _)) = table.all.get(&id) else { return Ok(None) };
            let alike = table.all.values().filter(|(other, _)| other.is_like(present));
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
