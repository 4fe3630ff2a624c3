//! The gate: what all sessions of a node share, and the one way to a session.

use std::{
    collections::HashMap,
    future::ready,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use sockeye_accounts::{
    AccountId, Accounts, Credentials, Login, Quota, Refused, SharedId, SharedName,
};
use sockeye_journal::{Journal, Operation, Outcome, Record, State, Ticket};
use sockeye_store::Home;
use tokio::{runtime::Handle, task::JoinHandle};
use tokio_util::task::TaskTracker;

use crate::{
    Error, Homes, Origin, Owner, Recorder, Result, Session, Sessions,
    pace::{Bucket, Pace},
    presence::{Presences, TooMany},
    refusals::Recurring,
    seat::{Holder, Seat},
    share::{Downloads, Drops},
};

/// What all sessions of a node share: its accounts, its homes and its journal.
///
/// Every session comes from here, and goes through here at each operation.
#[derive(Debug)]
pub struct Gate {
    accounts: Accounts,
    homes: Homes,
    recorder: Recorder,
    /// Whether everybody may read the public tree.
    public: AtomicBool,
    limits: Mutex<Bandwidth>,
    shared: Mutex<SharedNames>,
    /// Changes under way, which are carried to their end.
    tasks: TaskTracker,
    runtime: Handle,
    /// Downloads by shares' links that were counted a short while ago.
    downloads: Downloads,
    /// What is on its way into drop boxes.
    drops: Drops,
    /// Who has a session.
    presences: Presences,
    /// Data connections that were refused for want of a port.
    wanting_ports: AtomicU64,
}

/// What accounts' bytes go through.
#[derive(Debug, Default)]
struct Bandwidth {
    /// Bytes a second of each account.
    rate: Option<u64>,
    /// Of accounts that have sessions.
    buckets: HashMap<AccountId, Weak<Bucket>>,
    /// How many there may be until those of nobody are swept out.
    sweep_at: usize,
}

/// The shared folders that were asked for, so that not every operation asks the accounts.
#[derive(Debug, Default)]
struct SharedNames {
    ids: HashMap<SharedName, SharedId>,
    /// Counts the changes: what was asked for before one may be old.
    changes: u64,
}

/// Fewest buckets at which a sweep is worth it.
const SWEEP_AT_LEAST: usize = 64;

impl Gate {
    /// A gate to these, whose changes are carried out on the current runtime, whichever asks for them. It records where
    /// `recorder` does, which observes the accounts, and which tells the homes of their quotas from now on.
    ///
    /// # Panics
    /// Outside a runtime.
    #[must_use]
    pub fn new(accounts: Accounts, homes: Homes, recorder: &Recorder) -> Arc<Self> {
        let gate = Arc::new(Self {
            accounts,
            homes,
            recorder: recorder.clone(),
            public: AtomicBool::new(false),
            limits: Mutex::default(),
            shared: Mutex::default(),
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
            downloads: Downloads::default(),
            drops: Drops::default(),
            presences: Presences::default(),
            wanting_ports: AtomicU64::new(0),
        });
        recorder.tell(&gate);
        gate
    }

    /// Waits until every change under way is done and recorded. To be called once nobody asks for more.
    ///
    /// Cancellation: safe.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The accounts.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The homes. Protocols never see them: they have sessions.
    #[must_use]
    pub fn homes(&self) -> &Homes {
        &self.homes
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        self.recorder.log().journal()
    }

    pub(crate) fn presences(&self) -> &Presences {
        &self.presences
    }

    pub(crate) fn downloads(&self) -> &Downloads {
        &self.downloads
    }

    pub(crate) fn drops(&self) -> &Drops {
        &self.drops
    }

    /// How often what was done: operation, outcome, as the journal calls them, and number.
    #[must_use]
    pub fn operations(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.recorder.log().operations().counted()
    }

    /// Counts a client that was refused as there was no port for its data.
    pub fn count_wanting_port(&self) {
        self.wanting_ports.fetch_add(1, Ordering::Relaxed);
    }

    /// How many clients were refused as there was no port for their data.
    #[must_use]
    pub fn wanting_ports(&self) -> u64 {
        self.wanting_ports.load(Ordering::Relaxed)
    }

    /// Why nothing can be changed at present, if that is so.
    #[must_use]
    pub fn read_only(&self) -> Option<String> {
        self.check_writable().err().map(|error| error.to_string())
    }

    /// Opens the public tree to everybody, or closes it; at once, also for those who are in it.
    pub fn set_public(&self, public: bool) {
        self.public.store(public, Ordering::Relaxed);
    }

    /// Whether everybody may read the public tree.
    #[must_use]
    pub fn public(&self) -> bool {
        self.public.load(Ordering::Relaxed)
    }

    /// Sets how many bytes a second each account may send and receive, over all its sessions; at once, also
    /// for sessions that there are.
    pub fn set_account_rate(&self, rate: Option<u64>) {
        let mut limits = self.limits();
        limits.rate = rate;
        for bucket in limits.buckets.values().filter_map(Weak::upgrade) {
            bucket.set_rate(rate);
        }
    }

    /// The session of who has these credentials. Recorded; a refusal is by the accounts' [observer](crate::Recorder).
    ///
    /// # Errors
    /// [`LoginError`], whose text may be told to whoever asks.
    ///
    /// Cancellation: an attempt that was begun counts.
    pub async fn login(
        self: &Arc<Self>,
        credentials: &Credentials,
        origin: Origin,
    ) -> Result<Session, LoginError> {
        let begun = Instant::now();
        let login = self.accounts.login(credentials, &origin.attempt()).await?;
        let account = login.account();
        let seated = self.seat_of(login.clone(), origin.clone()).await;
        let record = |detail| Record {
            account: Some(account.name.as_str()),
            took: Some(begun.elapsed()),
            detail,
            ..origin.record(Operation::Login, Outcome::Ok)
        };
        match &seated {
            Err(refused @ LoginError::TooMany { .. }) => {
                let why = refused.to_string();
                self.turn_away(Recurring::Login, &origin, &record(Some(&why)));
            }
            // Whoever goes by a sign-in logged in when it was made.
            Ok(_) if login.sign_in().is_none() => {
                let label = login.token().map(|token| token.label.as_str());
                self.record(&record(label));
            }
            Ok(_) | Err(_) => {}
        }
        seated
    }

    /// The session of who has these credentials, if they were verified a short while ago and the home is open:
    /// never waits. For protocols that send credentials with every request; not recorded as a login.
    #[must_use]
    pub fn login_known(
        self: &Arc<Self>,
        credentials: &Credentials,
        origin: &Origin,
    ) -> Option<Session> {
        let login = self.accounts.login_cached(credentials, &origin.attempt())?;
        let home = self.homes.get(Owner::Account(login.account().id))?;
        self.seat(login, home, origin.clone()).ok()
    }

    /// A session of anybody, who may read the public tree; none while it is closed. A [long](crate::Sessions::Long) one is
    /// recorded as a login of [nobody's](crate::ANONYMOUS), or counted if there are many from there; what was given for a
    /// password is in no record.
    #[must_use]
    pub fn anonymous(self: &Arc<Self>, origin: Origin) -> Option<Session> {
        let pace = Pace::through(origin.listener.clone());
        let is_long = matches!(origin.sessions, Sessions::Long { .. });
        let (login, from) = (origin.record(Operation::Login, Outcome::Ok), origin.peer.ip());
        let seat = || Seat::new(Arc::clone(self), Holder::Anonymous, origin, pace).ok();
        let seat = self.public().then(seat).flatten()?;
        if is_long && self.recorder.count(Recurring::Visit, from) {
            self.record(&Record { account: seat.recorded_name(), ..login });
        }
        Some(Session::seated(seat))
    }

    /// The session of this login, whose home is opened if it is not.
    pub(crate) async fn seat_of(
        self: &Arc<Self>,
        login: Login,
        origin: Origin,
    ) -> Result<Session, LoginError> {
        let owner = Owner::Account(login.account().id);
        let quota = || ready(Ok::<_, Error>(login.account().quota));
        let home = self.homes.open_now(owner, quota).await?;
        self.seat(login, home, origin)
    }

    pub(crate) fn seat(
        self: &Arc<Self>,
        login: Login,
        home: Home,
        origin: Origin,
    ) -> Result<Session, LoginError> {
        let account = login.account();
        let buckets = [self.bucket(account.id)].into_iter().chain(origin.listener.clone());
        let pace = Pace::through(buckets);
        let name = account.name.as_str().into();
        let holder = Holder::Account { login, name, home };
        Ok(Session::seated(Seat::new(Arc::clone(self), holder, origin, pace)?))
    }

    /// Carries out a change to its end, also if who asked for it goes away.
    pub(crate) fn carry_out<T: Send + 'static>(
        &self,
        change: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tasks.spawn_on(change, &self.runtime)
    }

    /// Refuses changes while they could not be recorded.
    pub(crate) fn check_writable(&self) -> Result<()> {
        match self.journal().state() {
            State::Stalled(stalled) => Err(Error::ReadOnly { why: stalled.to_string() }),
            _ => Ok(()),
        }
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Writes a record; one of a change has a ticket to wait for.
    pub(crate) fn record(&self, record: &Record<'_>) -> Option<Ticket> {
        self.recorder.log().record(record)
    }

    /// The public tree, which has no quota.
    pub(crate) async fn public_home(&self) -> Result<Home> {
        match self.homes.get(Owner::Public) {
            Some(home) => Ok(home),
            None => self.homes.open(Owner::Public, Quota::NONE).await,
        }
    }

    /// The shared folder of this name.
    pub(crate) async fn shared_home(&self, name: &SharedName) -> Result<Home> {
        loop {
            let changes = {
                let known = self.shared_names();
                if let Some(id) = known.ids.get(name)
                    && let Some(home) = self.homes.get(Owner::Shared(*id))
                {
                    return Ok(home);
                }
                known.changes
            };
            let shared = self.accounts.find_shared(name).await.map_err(accounts_failed)?;
            let home = self.homes.open(Owner::Shared(shared.id), shared.quota).await?;
            let mut known = self.shared_names();
            // What was changed meanwhile may have been its quota, or that it is there.
            if known.changes == changes {
                known.ids.insert(name.clone(), shared.id);
                return Ok(home);
            }
        }
    }

    /// A shared folder was made, changed or removed.
    pub(crate) fn shared_changed(&self) {
        let mut known = self.shared_names();
        known.changes += 1;
        known.ids.clear();
    }

    fn shared_names(&self) -> MutexGuard<'_, SharedNames> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the bytes of all sessions of an account go through.
    fn bucket(&self, id: AccountId) -> Arc<Bucket> {
        let mut limits = self.limits();
        let Bandwidth { rate, buckets, sweep_at } = &mut *limits;
        if let Some(bucket) = buckets.get(&id).and_then(Weak::upgrade) {
            return bucket;
        }
        // Each sweep is paid for by as many new entries.
        if buckets.len() >= *sweep_at {
            buckets.retain(|_, bucket| bucket.strong_count() > 0);
            *sweep_at = (buckets.len() * 2).max(SWEEP_AT_LEAST);
        }
        let bucket = Arc::new(Bucket::new(*rate));
        buckets.insert(id, Arc::downgrade(&bucket));
        bucket
    }

    fn limits(&self) -> MutexGuard<'_, Bandwidth> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn accounts_failed(error: sockeye_accounts::Error) -> Error {
    match error.kind() {
        sockeye_accounts::ErrorKind::NotFound => Error::NotFound,
        _ => Error::Io(io::Error::other(error)),
    }
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The credentials were refused, or cannot be looked at now.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// They are right, and the home could not be opened.
    #[error("the home cannot be opened: {0}")]
    Home(#[from] Error),
    /// They are right, and the account has as many [sessions](crate::Sessions::Long) over this protocol as it may
    /// have.
    #[error(
        "as many sessions of this account are open as there may be at once ({most}); end one of them first"
    )]
    TooMany {
        /// How many that is.
        most: usize,
    },
}

impl From<TooMany> for LoginError {
    fn from(TooMany { most }: TooMany) -> Self {
        Self::TooMany { most }
    }
}
