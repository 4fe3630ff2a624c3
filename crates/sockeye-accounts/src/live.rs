//! What running sessions hold of an account: always its newest state, and the word that it has ended.
//!
//! Nothing here looks at a source: whoever changes an account tells it.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio_util::sync::CancellationToken;

use crate::{Account, AccountId, ShareId, SignInId, TokenId};

/// A handle on one account for as long as a session runs; clones are the same.
#[derive(Clone)]
pub struct Live {
    state: Arc<LiveState>,
    /// Ends this session: the account's end, or that of what it began with.
    end: CancellationToken,
}

#[derive(Debug)]
struct LiveState {
    current: RwLock<Arc<Account>>,
    /// The revision of `current`, to be compared without a lock.
    revision: AtomicU64,
    end: CancellationToken,
    /// The ends of sessions that began with something that can end before the account.
    ends: Mutex<HashMap<Began, CancellationToken>>,
}

/// What a session began with, if that can end before the account does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Began {
    /// An access token.
    Token(TokenId),
    /// A share's link.
    Share(ShareId),
    /// A sign-in.
    SignIn(SignInId),
}

impl Live {
    /// The account as it is now; never waits for anything but a moment's lock.
    #[must_use]
    pub fn current(&self) -> Arc<Account> {
        Arc::clone(&self.state.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the account was locked or removed, or what the session began with was: a token, a
    /// link, a sign-in.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.end.is_cancelled()
    }

    /// Waits for [`Live::is_ended`].
    ///
    /// Cancellation: safe.
    pub async fn ended(&self) {
        self.end.cancelled().await;
    }

    /// The revision of [`Live::current`], without taking it.
    pub(crate) fn revision(&self) -> u64 {
        self.state.revision.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (account, ended) = (self.current(), self.is_ended());
        f.debug_struct("Live").field("name", &account.name).field("ended", &ended).finish()
    }
}

impl LiveState {
    fn new(account: Account) -> Self {
        Self {
            revision: AtomicU64::new(account.revision),
            current: RwLock::new(Arc::new(account)),
            end: CancellationToken::new(),
            ends: Mutex::default(),
        }
    }

    /// What ends a session that began with this, or with a password.
    fn end_for(&self, began: Option<Began>) -> CancellationToken {
        let Some(began) = began else { return self.end.clone() };
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.entry(began).or_insert_with(|| self.end.child_token()).clone()
    }

    /// Takes a newer state; an older one is dropped.
    fn refresh(&self, account: Account) {
        let ends = account.locked;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if account.revision > current.revision {
            // First the revision: whoever compares it with an older one is told that it is old.
            self.revision.store(account.revision, Ordering::Release);
            *current = Arc::new(account);
        }
        drop(current);
        if ends {
            self.end.cancel();
        }
    }
}

/// All accounts that sessions hold, by id.
#[derive(Debug, Default)]
pub(crate) struct Lives(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    lives: HashMap<AccountId, Weak<LiveState>>,
    /// How many entries there may be until those that nobody holds are swept out.
    sweep_at: usize,
    /// Counts the changes of accounts: what was read before one may be old.
    changes: u64,
}

/// Fewest entries at which a sweep is worth it.
const SWEEP_AT_LEAST: usize = 64;

impl Lives {
    /// How many changes there were: to be asked before an account is read.
    pub(crate) fn changes(&self) -> u64 {
        self.table().changes
    }

    /// The handle on `account` for a session that begins with this, or with a password.
    ///
    /// `None` if there was a change since there were `changes`: what was read then may be old.
    pub(crate) fn enter(
        &self,
        account: Account,
        changes: u64,
        began: Option<Began>,
    ) -> Option<Live> {
        let mut table = self.table();
        if table.changes != changes {
            return None;
        }
        let known = table.lives.get(&account.id).and_then(Weak::upgrade);
        let state = known.filter(|state| !state.end.is_cancelled()).unwrap_or_else(|| {
            table.sweep();
            let id = account.id;
            let state = Arc::new(LiveState::new(account));
            table.lives.insert(id, Arc::downgrade(&state));
            state
        });
        // Under the lock, so that the end of what it began with, if it comes now, finds the session.
        Some(Live { end: state.end_for(began), state })
    }

    /// Tells of an account's new state; one that is locked ends its sessions.
    pub(crate) fn refresh(&self, account: Account) {
        if let Some(state) = self.changed(account.id) {
            state.refresh(account);
        }
    }

    /// Ends all sessions of an account that is there no more, or of which nothing is known any more.
    pub(crate) fn end(&self, id: AccountId) {
        if let Some(state) = self.changed(id) {
            state.end.cancel();
        }
    }

    /// Ends the sessions of an account that began with this.
    pub(crate) fn end_begun_with(&self, id: AccountId, began: Began) {
        if let Some(state) = self.changed(id) {
            let mut ends = state.ends.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(end) = ends.remove(&began) {
                end.cancel();
            }
        }
    }

    /// Ends the sessions of an account that began with any sign-in.
    pub(crate) fn end_sign_ins(&self, id: AccountId) {
        if let Some(state) = self.changed(id) {
            let mut ends = state.ends.lock().unwrap_or_else(PoisonError::into_inner);
            ends.retain(|began, end| match began {
                Began::SignIn(_) => {
                    end.cancel();
                    false
                }
                Began::Token(_) | Began::Share(_) => true,
            });
        }
    }

    /// The accounts that sessions hold now.
    pub(crate) fn ids(&self) -> Vec<AccountId> {
        let table = self.table();
        table.lives.iter().filter(|(_, live)| live.strong_count() > 0).map(|(id, _)| *id).collect()
    }

    /// Counts a change that may concern any account that nobody holds.
    pub(crate) fn count_change(&self) {
        self.table().changes += 1;
    }

    fn changed(&self, id: AccountId) -> Option<Arc<LiveState>> {
        let mut table = self.table();
        table.changes += 1;
        table.lives.get(&id).and_then(Weak::upgrade)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Drops the entries that nobody holds, once there are twice as many as were held the last time.
    fn sweep(&mut self) {
        if self.lives.len() >= self.sweep_at.max(SWEEP_AT_LEAST) {
            self.lives.retain(|_, live| live.strong_count() > 0);
            self.sweep_at = self.lives.len() * 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;

    #[test]
    fn a_change_reaches_every_handle() {
        let lives = Lives::default();
        let first = lives.enter(Account::alice(1), 0, None).unwrap();
        let second = lives.enter(Account::alice(1), 0, None).unwrap();
        lives.refresh(Account { role: Role::Guest, ..Account::alice(2) });
        assert_eq!((first.current().role, second.current().role), (Role::Guest, Role::Guest));
        lives.refresh(Account::alice(1));
        assert_eq!(first.current().revision, 2, "older news is no news");
    }

    #[test]
    fn what_was_read_before_a_change_does_not_become_a_handle() {
        let lives = Lives::default();
        let read_at = lives.changes();
        lives.refresh(Account::alice(2));
        assert!(lives.enter(Account::alice(1), read_at, None).is_none());
        let live = lives.enter(Account::alice(2), lives.changes(), None).unwrap();
        assert_eq!(live.revision(), 2);
    }

    #[tokio::test]
    async fn a_lock_ends_the_sessions_and_a_later_login_begins_anew() {
        let lives = Lives::default();
        let live = lives.enter(Account::alice(1), 0, None).unwrap();
        let session =
            lives.enter(Account::alice(1), 0, Some(Began::Token(TokenId::generate()))).unwrap();
        lives.refresh(Account { locked: true, ..Account::alice(2) });
        assert!(live.is_ended() && session.is_ended());
        live.ended().await;
        let again = lives.enter(Account::alice(3), lives.changes(), None).unwrap();
        assert!(!again.is_ended() && live.is_ended());
    }

    #[test]
    fn a_revoked_token_ends_its_own_sessions_alone() {
        let lives = Lives::default();
        let (one, other) = (Began::Token(TokenId::generate()), Began::Token(TokenId::generate()));
        let [first, second, third, live] = [Some(one), Some(one), Some(other), None]
            .map(|token| lives.enter(Account::alice(1), 0, token).unwrap());
        lives.end_begun_with(Account::alice(1).id, one);
        assert!(first.is_ended() && second.is_ended());
        assert!(!third.is_ended() && !live.is_ended());
    }

    #[test]
    fn accounts_that_nobody_holds_are_swept_out() {
        let lives = Lives::default();
        for n in 0..10_000_u128 {
            let id = AccountId::from_bytes(n.to_be_bytes());
            drop(lives.enter(Account { id, ..Account::alice(1) }, 0, None).unwrap());
        }
        assert!(lives.table().lives.len() <= SWEEP_AT_LEAST);
    }
}
