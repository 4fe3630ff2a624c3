//! Who has a session now, over every protocol: so that an administrator can see it, and end it.

mod doing;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use sockeye_accounts::{AccountId, Commander, SignInId};
use sockeye_journal::{Operation, Outcome, Record};
use tokio_util::sync::CancellationToken;

pub use doing::Activity;
pub(crate) use doing::UnderWay;

use crate::{Gate, Peer, Result, Sessions, gate::accounts_failed};
use doing::Doings;

/// Who has a session. Where a session is as long as a connection, each is one; of other protocols, several connections of
/// the same account from the same place, by the same sign-in, are.
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
    /// Whether that is encrypted.
    pub tls: bool,
    /// From where.
    pub peer: Peer,
    /// The sign-in that it goes by.
    pub sign_in: Option<SignInId>,
    /// Whether it came by a share's link of the account's.
    pub by_link: bool,
    /// Since when.
    pub since: SystemTime,
    /// For how long nothing was done; not at all while something is.
    pub idle: Duration,
    /// What is being read and written: the first few.
    pub doing: Vec<Activity>,
}

/// Which sessions are to be ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Those of this id.
    One(u64),
    /// All of an account.
    Of(AccountId),
}

/// What sessions that are one have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    account: Option<AccountId>,
    protocol: &'static str,
    tls: bool,
    peer: Peer,
    sign_in: Option<SignInId>,
    by_link: bool,
    /// The number of a session that is one by itself.
    own: Option<u64>,
}

impl Key {
    fn of(present: &Present, own: Option<u64>) -> Self {
        Self {
            own,
            tls: present.tls,
            account: present.account_id,
            protocol: present.protocol,
            peer: present.peer.clone(),
            sign_in: present.sign_in,
            by_link: present.by_link,
        }
    }
}

/// All that have a session; clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presences(Arc<Mutex<All>>);

#[derive(Debug, Default)]
struct All {
    last: u64,
    groups: BTreeMap<u64, Group>,
    ids: HashMap<Key, u64>,
    /// How many long sessions an account has over a protocol, where it has any.
    long: HashMap<Seats, usize>,
}

/// Sessions that are one.
#[derive(Debug)]
struct Group {
    present: Present,
    key: Key,
    doings: Arc<Doings>,
    /// How many they are.
    sessions: usize,
    end: CancellationToken,
}

/// What long sessions are counted by: the account and the protocol.
type Seats = (AccountId, &'static str);

/// The presence of one session, for as long as it lasts.
#[derive(Debug)]
pub(crate) struct Presence {
    id: u64,
    end: CancellationToken,
    doings: Arc<Doings>,
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
        let mut guard = self.lock();
        let all = &mut *guard;
        let counted = match (sessions, present.account_id) {
            (Sessions::Long { most }, Some(account)) => {
                let seats = (account, present.protocol);
                let taken = all.long.get(&seats).copied().unwrap_or(0);
                if taken >= most {
                    return Err(TooMany { most });
                }
                all.long.insert(seats, taken + 1);
                Some(seats)
            }
            _ => None,
        };
        let own = matches!(sessions, Sessions::Long { .. }).then_some(all.last + 1);
        let key = Key::of(&present, own);
        let id = *all.ids.entry(key.clone()).or_insert_with(|| {
            all.last += 1;
            all.last
        });
        present.id = id;
        let new = || Group {
            present,
            key,
            doings: Arc::default(),
            sessions: 0,
            end: CancellationToken::new(),
        };
        let group = all.groups.entry(id).or_insert_with(new);
        group.sessions += 1;
        let (end, doings) = (group.end.clone(), Arc::clone(&group.doings));
        Ok(Arc::new(Presence { id, end, doings, counted, all: self.clone() }))
    }

    /// At most `limit` of them, those after the id `after`, in the order in which they began.
    fn page(&self, after: u64, limit: usize) -> Vec<Present> {
        let all = self.lock();
        let later = all.groups.range((Bound::Excluded(after), Bound::Unbounded));
        let told = |(_, Group { present, doings, .. }): (_, &Group)| Present {
            idle: doings.idle(),
            doing: doings.told(),
            ..present.clone()
        };
        later.take(limit).map(told).collect()
    }

    /// How many there are, and how many accounts have one.
    fn count(&self) -> (usize, usize) {
        let all = self.lock();
        let accounts = all.groups.values().filter_map(|group| group.present.account_id);
        (all.groups.len(), accounts.collect::<HashSet<_>>().len())
    }

    /// Those of an account.
    fn of(&self, account: AccountId) -> Vec<u64> {
        let all = self.lock();
        let its = all.groups.iter().filter(|(_, it)| it.present.account_id == Some(account));
        its.map(|(id, _)| *id).collect()
    }

    /// The one of this id, without what is done in it.
    fn find(&self, id: u64) -> Option<Present> {
        self.lock().groups.get(&id).map(|group| group.present.clone())
    }

    /// Ends those of this id. What begins from now on is another, also if it is alike.
    fn end(&self, id: u64) -> Option<Present> {
        let mut all = self.lock();
        let group = all.groups.remove(&id)?;
        all.ids.remove(&group.key);
        group.end.cancel();
        Some(group.present)
    }

    /// A session is over; what it was counted by.
    fn leave(&self, id: u64, counted: Option<Seats>) {
        let mut guard = self.lock();
        let all = &mut *guard;
        if let Some(group) = all.groups.get_mut(&id) {
            group.sessions -= 1;
            if group.sessions == 0 {
                all.ids.remove(&group.key);
                all.groups.remove(&id);
            }
        }
        let Some(seats) = counted else { return };
        if let Some(taken) = all.long.get_mut(&seats) {
            *taken -= 1;
            if *taken == 0 {
                all.long.remove(&seats);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Presence {
    /// Whether it was ended by an administrator.
    pub(crate) fn is_ended(&self) -> bool {
        self.end.is_cancelled()
    }

    /// Something was done in it at this moment.
    pub(crate) fn touch(&self, now: Instant) {
        self.doings.touch(now);
    }

    /// This is done to a file from now on, absolute, until what is given is dropped.
    pub(crate) fn begin(&self, operation: Operation, path: &[u8], since: SystemTime) -> UnderWay {
        self.doings.begin(operation, path, since)
    }

    /// Waits for that. Cancellation: safe.
    pub(crate) async fn ended(&self) {
        self.end.cancelled().await;
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.all.leave(self.id, self.counted);
    }
}

impl Gate {
    /// Who has a session now, in the order in which they began: at most `limit`, those after the id `after`.
    #[must_use]
    pub fn present(&self, after: u64, limit: usize) -> Vec<Present> {
        self.presences().page(after, limit)
    }

    /// How many sessions there are now, as [`Gate::present`] has them, and how many accounts have one.
    #[must_use]
    pub fn count_present(&self) -> (usize, usize) {
        self.presences().count()
    }

    /// Ends these sessions, each as by [`Gate::end_present`], and says how many that were.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if a sign-in could not be ended; the sessions before it have ended.
    ///
    /// Cancellation: some may have ended.
    pub async fn end_all(&self, ending: Ending, by: &Commander) -> Result<usize> {
        let ids = match ending {
            Ending::One(id) => vec![id],
            Ending::Of(account) => self.presences().of(account),
        };
        let mut ended = 0;
        for id in ids {
            ended += usize::from(self.end_present(id, by).await?.is_some());
        }
        Ok(ended)
    }

    /// Ends a session, with those that are [one](Present) with it, and the sign-in that it goes by; recorded as a
    /// logout, with who commanded it. Whoever knows the password can begin another. `None` if there is no such session.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if the sign-in could not be ended; the session goes on then, and can be ended again.
    ///
    /// Cancellation: the sign-in may have ended alone.
    pub async fn end_present(&self, id: u64, by: &Commander) -> Result<Option<Present>> {
        let Some(present) = self.presences().find(id) else { return Ok(None) };
        // First: as long as it holds, the session is there to be ended, and its end to be asked for again.
        if let (Some(account), Some(sign_in)) = (present.account_id, present.sign_in) {
            match self.accounts().end_sign_in(account, sign_in).await.map_err(accounts_failed) {
                Ok(_) | Err(crate::Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        // It may have ended with its sign-in.
        let present = self.presences().end(id).unwrap_or(present);
        let detail = format!("ended by {by}");
        self.record(&Record {
            account: present.account.as_deref(),
            from: Some(present.peer.recorded()),
            tls: Some(present.tls),
            detail: Some(&detail),
            ..Record::new(Operation::Logout, Outcome::Ok, present.protocol)
        });
        Ok(Some(present))
    }
}

#[cfg(test)]
mod tests {
    use sockeye_accounts::{NewPassword, Quota, Role};

    use super::*;
    use crate::{
        Node,
        config::{Config, Sources},
        data::{DataFolder, Hold},
        listeners::tests::PROTOCOLS,
    };

    fn enter(all: &Presences, present: Present) -> Arc<Presence> {
        all.enter(present, Sessions::Brief).unwrap()
    }

    fn from(host: u8, by_link: bool) -> Present {
        Present {
            id: 0,
            account: None,
            account_id: None,
            protocol: "http",
            tls: false,
            peer: Peer::Ip([192, 0, 2, host].into()),
            sign_in: None,
            by_link,
            since: SystemTime::now(),
            idle: Duration::ZERO,
            doing: Vec::new(),
        }
    }

    #[test]
    fn each_long_session_is_one_and_is_counted() {
        let all = Presences::default();
        let long = Sessions::Long { most: usize::MAX };
        let [one, _two] = [(); 2].map(|()| all.enter(from(1, false), long).unwrap());
        let _brief = [enter(&all, from(1, false)), enter(&all, from(1, false))];
        assert_eq!(all.count(), (3, 0));
        assert!(all.end(all.page(0, 1)[0].id).is_some());
        assert!(one.is_ended());
        assert_eq!(all.count(), (2, 0));
    }

    #[test]
    fn what_is_under_way_is_told_until_it_is_over() {
        let all = Presences::default();
        let session = enter(&all, from(1, false));
        let (read, write) = (Operation::Read, Operation::Write);
        let first = session.begin(read, b"/a", SystemTime::UNIX_EPOCH);
        let second = session.begin(write, b"/b", SystemTime::UNIX_EPOCH);
        second.reached(7);
        let told = || all.page(0, 1).remove(0).doing;
        let [a, b] = &told()[..] else { panic!("{:?}", told()) };
        assert_eq!((a.operation, &*a.path, a.bytes), (read, &b"/a"[..], 0));
        assert_eq!((b.operation, &*b.path, b.bytes), (write, &b"/b"[..], 7));
        drop(first);
        assert_eq!(told().len(), 1);
        assert_eq!(all.page(0, 1)[0].idle, Duration::ZERO, "something is under way");
        drop(second);
        assert!(told().is_empty());
        // What was done an hour ago, as far as clocks go.
        let ahead = Instant::now() + Duration::from_secs(3600);
        session.touch(ahead);
        assert_eq!(all.page(0, 1)[0].idle, Duration::ZERO);
    }

    #[test]
    fn sessions_that_are_one_are_one_and_every_page_is_full() {
        let all = Presences::default();
        // Three of each, the first of each before all the others.
        let entered: Vec<_> = (0..30).map(|n| enter(&all, from(n % 10 / 2, n % 2 == 0))).collect();
        let (mut after, mut ids) = (0, Vec::new());
        while ids.len() < 10 {
            let page = all.page(after, 3);
            assert_eq!(page.len(), 3.min(10 - ids.len()), "{page:?}");
            ids.extend(page.iter().map(|present| present.id));
            after = ids[ids.len() - 1];
        }
        assert_eq!(all.page(after, 3), []);
        drop(entered);
        assert_eq!(all.page(0, 1), []);
        let left = all.lock();
        assert!(left.groups.is_empty() && left.ids.is_empty());
    }

    #[tokio::test]
    async fn a_session_whose_sign_in_cannot_be_ended_goes_on_and_can_be_ended_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::new(dir.path().join("data"));
        let _hold = Hold::take_or_create(&folder).unwrap();
        let config = Config::load(&Sources::default(), PROTOCOLS).unwrap();
        let node = Node::open(&folder, config).await.unwrap();
        let (accounts, gate) = (node.accounts(), node.gate());
        let none = (Quota::NONE, NewPassword::None);
        let alice = accounts.add("alice".parse().unwrap(), Role::Member, none.0, none.1).await;
        let (account_id, sign_in) = (Some(alice.unwrap().id), Some(SignInId::generate()));
        let by_sign_in = Present { account_id, sign_in, ..from(1, false) };
        let session = enter(gate.presences(), by_sign_in);
        let id = gate.present(0, 1)[0].id;
        // Nothing can be changed any more.
        accounts.close().await.unwrap();
        let failed = gate.end_present(id, &Commander::Server).await;
        assert!(matches!(failed, Err(crate::Error::Io(_))), "{failed:?}");
        assert!(!session.is_ended());
        assert_eq!(gate.present(0, 1).len(), 1, "it is there to be ended again");
    }

    #[test]
    fn all_that_are_one_end_together_and_what_comes_after_is_another() {
        let all = Presences::default();
        let [one, same, other] =
            [enter(&all, from(1, false)), enter(&all, from(1, false)), enter(&all, from(1, true))];
        let id = all.page(0, 1)[0].id;
        assert!(all.end(id).is_some() && all.end(id).is_none());
        assert!(one.is_ended() && same.is_ended() && !other.is_ended());
        let again = enter(&all, from(1, false));
        assert!(!again.is_ended());
        drop((one, same));
        assert_eq!(all.page(0, 10).len(), 2, "those that ended take nothing of it along");
    }
}
