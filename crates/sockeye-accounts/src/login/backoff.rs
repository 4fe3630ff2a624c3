//! Waiting after failed logins: per name and origin, so that nobody can lock another out.
//!
//! An attempt is charged before it is checked, so that many at once gain nothing, and the charge is
//! taken back if it was right. The same wrong secret again is answered from memory: a device that keeps
//! trying an old password neither costs a hash nor makes its owner wait.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sockeye::Site;
use tokio::time::Instant;

use super::credentials::Origin;

/// How long to wait after failed logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    /// After the first failure; each further one doubles it. 200 ms by default.
    pub first: Duration,
    /// At most; 5 minutes by default.
    pub longest: Duration,
    /// How long after the end of the wait a failure is forgotten; 15 minutes by default.
    pub forget: Duration,
    /// How many names and origins are remembered; 65,536 by default. Beyond, those whose wait ends
    /// first are forgotten.
    pub entries: usize,
}

impl Default for BackOff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            longest: Duration::from_secs(5 * 60),
            forget: Duration::from_secs(15 * 60),
            entries: 65_536,
        }
    }
}

impl BackOff {
    fn after(&self, failures: u32) -> Duration {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(self.longest)
    }
}

/// A keyed hash of a name and an origin, or of a secret tried there.
pub(crate) type Mark = [u8; 16];

/// What an attempt is charged to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    /// The name and the origin together.
    here: Mark,
    /// The name alone.
    name: Mark,
}

/// The failures remembered.
#[derive(Debug)]
pub(crate) struct Failures {
    settings: BackOff,
    key: [u8; 32],
    table: Mutex<HashMap<Mark, Failure>>,
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    /// Whose name it was.
    name: Mark,
    count: u32,
    until: Instant,
    /// The last secret that was found wrong, and the number of account changes then: a change may
    /// have made it right.
    wrong: Option<(Mark, u64)>,
}

/// Whether an attempt may go on.
#[derive(Debug)]
pub(crate) enum Gate<'a> {
    /// It may, and is charged.
    Open(Charge<'a>),
    /// Not before this has passed.
    Wait(Duration),
    /// This secret was found wrong here before.
    KnownWrong,
}

/// A charged attempt. Dropped without a word, it counts as failed.
#[derive(Debug)]
pub(crate) struct Charge<'a> {
    failures: &'a Failures,
    mark: Mark,
    secret: Mark,
    changes: u64,
}

impl Failures {
    pub(crate) fn new(settings: BackOff, key: [u8; 32]) -> Self {
        Self { settings, key, table: Mutex::default() }
    }

    /// What attempts with a name, in any case, from an origin are charged to.
    pub(crate) fn marks(&self, name: &str, origin: Origin) -> Marks {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        match origin.map(Site::ip) {
            None => hasher.update(b"l"),
            Some(IpAddr::V4(address)) => hasher.update(b"4").update(&address.octets()),
            Some(IpAddr::V6(first)) => hasher.update(b"6").update(&first.octets()),
        };
        hasher.update(name.to_ascii_lowercase().as_bytes());
        Marks { here: cut(&hasher), name: self.name_mark(name) }
    }

    /// Forgets all failures with a name, wherever they came from: its password was set anew.
    pub(crate) fn forget(&self, name: &str) {
        let name = self.name_mark(name);
        self.table().retain(|_, failure| failure.name != name);
    }

    fn name_mark(&self, name: &str) -> Mark {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        cut(hasher.update(b"n").update(name.to_ascii_lowercase().as_bytes()))
    }

    /// Charges an attempt, if it may go on. `changes` is how many changes of accounts there were.
    pub(crate) fn enter(&self, marks: Marks, credential: &[u8; 32], changes: u64) -> Gate<'_> {
        let (now, secret) = (Instant::now(), self.secret_mark(credential));
        let Marks { here: mark, name } = marks;
        let mut table = self.table();
        let known = table.get(&mark).filter(|failure| now < failure.until + self.settings.forget);
        let mut failure =
            known.copied().unwrap_or(Failure { name, count: 0, until: now, wrong: None });
        if failure.wrong == Some((secret, changes)) {
            return Gate::KnownWrong;
        }
        if let Some(wait) = failure.until.checked_duration_since(now).filter(|w| !w.is_zero()) {
            return Gate::Wait(wait);
        }
        failure.count += 1;
        failure.until = now + self.settings.after(failure.count);
        self.make_room(&mut table, now);
        table.insert(mark, failure);
        Gate::Open(Charge { failures: self, mark, secret, changes })
    }

    fn secret_mark(&self, credential: &[u8; 32]) -> Mark {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        cut(hasher.update(b"s").update(credential))
    }

    fn make_room(&self, table: &mut HashMap<Mark, Failure>, now: Instant) {
        let most = self.settings.entries.max(1);
        if table.len() < most {
            return;
        }
        table.retain(|_, failure| now < failure.until + self.settings.forget);
        if table.len() < most {
            return;
        }
        // A quarter at once, so that this is seldom.
        let mut ends: Vec<_> = table.values().map(|failure| failure.until).collect();
        let at = (ends.len() / 4).min(ends.len() - 1);
        let (_, end, _) = ends.select_nth_unstable(at);
        let end = *end;
        table.retain(|_, failure| failure.until > end);
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Mark, Failure>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.table().len()
    }
}

impl Charge<'_> {
    /// It was right: what failed before is forgotten.
    pub(crate) fn right(self) {
        self.failures.table().remove(&self.mark);
    }

    /// It was wrong: it stays charged, and the same again is answered from memory.
    pub(crate) fn wrong(self) {
        if let Some(failure) = self.failures.table().get_mut(&self.mark) {
            failure.wrong = Some((self.secret, self.changes));
        }
    }

    /// It could not be checked: the charge is taken back.
    pub(crate) fn unchecked(self) {
        let mut table = self.failures.table();
        if let Some(failure) = table.get_mut(&self.mark) {
            failure.count -= 1;
            failure.until = Instant::now();
            if failure.count == 0 {
                table.remove(&self.mark);
            }
        }
    }
}

fn cut(hasher: &blake3::Hasher) -> Mark {
    let mut mark = [0; 16];
    hasher.finalize_xof().fill(&mut mark);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str) -> Origin {
        Some(Site::of(address.parse().unwrap()))
    }

    fn failures(entries: usize) -> Failures {
        Failures::new(BackOff { entries, ..BackOff::default() }, [1; 32])
    }

    fn fail(failures: &Failures, name: &str, secret: u8) -> Result<(), Duration> {
        match failures.enter(failures.marks(name, origin("127.0.0.1")), &[secret; 32], 0) {
            Gate::Open(charge) => {
                charge.wrong();
                Ok(())
            }
            Gate::Wait(wait) => Err(wait),
            Gate::KnownWrong => panic!("{secret} was not tried before"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_the_longest() {
        let failures = failures(16);
        let mut waits = Vec::new();
        for secret in 0..14 {
            fail(&failures, "alice", secret).unwrap();
            let wait = fail(&failures, "ALICE", 99).unwrap_err();
            waits.push(wait.as_millis());
            tokio::time::advance(wait).await;
        }
        assert_eq!(waits[..4], [200, 400, 800, 1600]);
        assert_eq!(waits[13], 300_000);
    }

    #[tokio::test(start_paused = true)]
    async fn neither_another_name_nor_another_origin_waits() {
        let failures = failures(16);
        fail(&failures, "alice", 1).unwrap();
        fail(&failures, "bob", 1).unwrap();
        let elsewhere = failures.marks("alice", origin("2001:db8::1"));
        assert!(matches!(failures.enter(elsewhere, &[1; 32], 0), Gate::Open(_)));
        assert!(fail(&failures, "alice", 2).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_wrong_secret_is_known_until_an_account_changes() {
        let failures = failures(16);
        let mark = failures.marks("alice", origin("127.0.0.1"));
        fail(&failures, "alice", 1).unwrap();
        assert!(matches!(failures.enter(mark, &[1; 32], 0), Gate::KnownWrong));
        tokio::time::advance(Duration::from_millis(200)).await;
        assert!(matches!(failures.enter(mark, &[1; 32], 0), Gate::KnownWrong));
        assert!(matches!(failures.enter(mark, &[1; 32], 1), Gate::Open(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_are_charged_before_any_is_checked() {
        let failures = failures(16);
        let mark = failures.marks("alice", origin("127.0.0.1"));
        let Gate::Open(first) = failures.enter(mark, &[1; 32], 0) else { panic!("refused") };
        assert!(matches!(failures.enter(mark, &[2; 32], 0), Gate::Wait(_)));
        first.right();
        assert_eq!(failures.len(), 0);
        assert!(matches!(failures.enter(mark, &[2; 32], 0), Gate::Open(_)));
        assert_eq!(failures.len(), 1, "dropped without a word, it counts as failed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_can_be_forgotten_wherever_it_failed() {
        let failures = failures(16);
        let elsewhere = failures.marks("alice", None);
        for _ in 0..2 {
            fail(&failures, "alice", 1).unwrap();
            fail(&failures, "bob", 1).unwrap();
            assert!(matches!(failures.enter(elsewhere, &[1; 32], 0), Gate::Open(_)));
            failures.forget("Alice");
            assert_eq!(failures.len(), 1);
            tokio::time::advance(Duration::from_secs(3600)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_checked_is_not_charged() {
        let failures = failures(16);
        let mark = failures.marks("alice", origin("127.0.0.1"));
        let Gate::Open(charge) = failures.enter(mark, &[1; 32], 0) else { panic!("refused") };
        charge.unchecked();
        assert_eq!(failures.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_forgotten_after_a_while() {
        let failures = failures(16);
        for secret in 0..3 {
            fail(&failures, "alice", secret).unwrap();
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        tokio::time::advance(Duration::from_secs(15 * 60)).await;
        fail(&failures, "alice", 7).unwrap();
        assert_eq!(fail(&failures, "alice", 8).unwrap_err().as_millis(), 200);
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_never_grows_beyond_its_bound() {
        let failures = failures(100);
        for n in 0..1000 {
            fail(&failures, &format!("name{n}"), 1).unwrap();
            assert!(failures.len() <= 100);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert!(failures.len() >= 50);
    }
}
