//! The accounts as a running server has them: a source, and what is known of it for the moment.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sockeye::pool::{Pool, PoolLimits};

use crate::{
    Account, AccountQuery, BackOff, CacheSettings, Commander, Error, HashCost, Key, LinkKey,
    Observer, Page, Result, Shared, SharedName, Source, Token, Who,
    live::Lives,
    login::{Cache, Failures, Flights, Origin, Shares},
    password::Hasher,
    random,
    source::MAX_PAGE,
};

/// Changes that wait for their turn, at most.
const CHANGES_WAITING: usize = 256;

/// How logins are bounded.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// What a password's hash costs. An account whose hash was made at another cost gets a new one at
    /// its next login; until then its logins take that cost's time.
    pub cost: HashCost,
    /// Hashes computed at once; each takes a core and [`HashCost::memory`]. Half the cores by default,
    /// at least 1 and at most 4.
    pub hashes: usize,
    /// Hashes that wait for their turn; 64 by default. Beyond, logins are refused as busy.
    pub hashes_waiting: usize,
    /// Hashes computed or waiting for one IPv4 address or IPv6 /64; 16 by default, so that one
    /// address cannot take all places. While half of all places are taken, one has only one.
    pub hashes_per_origin: usize,
    /// Logins being verified at once, those that wait for a hash included; 1,024 by default.
    pub logins: usize,
    /// Logins at once of one IPv4 address or IPv6 /64, those included that wait for what comes of the same
    /// credentials; 128 by default.
    pub logins_per_origin: usize,
    /// How long to wait after failed logins.
    pub back_off: BackOff,
    /// Which verified credentials are remembered.
    pub cache: CacheSettings,
    /// What the links of shares are made with; by default a new one, so that older links lead nowhere.
    pub links: LinkKey,
}

impl Default for Settings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            cost: HashCost::default(),
            hashes: (cores / 2).clamp(1, 4),
            hashes_waiting: 64,
            hashes_per_origin: 16,
            logins: 1024,
            logins_per_origin: 128,
            back_off: BackOff::default(),
            cache: CacheSettings::default(),
            links: LinkKey::generate(),
        }
    }
}

/// How many logins came to which end since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginCounts {
    /// Answered from the cache of verified credentials.
    pub cached: u64,
    /// Verified anew.
    pub verified: u64,
    /// Refused as wrong.
    pub wrong: u64,
    /// Refused as too soon after failed ones.
    pub waiting: u64,
    /// Refused for lack of room.
    pub busy: u64,
    /// Failed with the source.
    pub failed: u64,
    /// Passwords that a hash was computed for, right or wrong.
    pub hashed: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) cached: AtomicU64,
    pub(crate) verified: AtomicU64,
    pub(crate) wrong: AtomicU64,
    pub(crate) waiting: AtomicU64,
    pub(crate) busy: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) hashed: AtomicU64,
}

/// The accounts: looked up, changed, and logged in to. Clones are the same.
///
/// All changes go through here, so that running sessions and remembered credentials know of them at
/// once. It needs a tokio runtime with time enabled.
#[derive(Clone)]
pub struct Accounts {
    inner: Arc<Inner>,
    /// Who commands what is changed by this handle.
    by: Arc<Commander>,
}

pub(crate) struct Inner {
    pub(crate) source: Box<dyn Source>,
    pub(crate) observer: Box<dyn Observer>,
    pub(crate) lives: Lives,
    pub(crate) cache: Cache,
    pub(crate) failures: Failures,
    pub(crate) flights: Flights,
    pub(crate) hasher: Hasher,
    pub(crate) links: LinkKey,
    /// Logins that came from somewhere.
    pub(crate) arrivals: Arc<Shares<Origin>>,
    /// Logins being verified.
    pub(crate) places: Arc<Shares<()>>,
    /// Hashes for somebody from somewhere.
    pub(crate) hashes: Arc<Shares<Origin>>,
    /// Where changes are made, one after the other, to their end even if who asked has gone.
    pub(crate) changes: Pool,
    pub(crate) counts: Counts,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("source", &self.inner.source).finish_non_exhaustive()
    }
}

impl Accounts {
    /// The accounts of `source`; `observer` is told of changes and refusals (`()` if nobody is to be).
    #[must_use]
    pub fn new(
        source: impl Source + 'static,
        settings: Settings,
        observer: impl Observer + 'static,
    ) -> Self {
        let hashing =
            PoolLimits { running: settings.hashes.max(1), waiting: settings.hashes_waiting };
        let inner = Inner {
            source: Box::new(source),
            observer: Box::new(observer),
            lives: Lives::default(),
            cache: Cache::new(settings.cache, random::bytes()),
            failures: Failures::new(settings.back_off, random::bytes()),
            flights: Flights::default(),
            hasher: Hasher::new(settings.cost, hashing),
            links: settings.links,
            arrivals: Shares::new(settings.logins_per_origin.max(1)),
            places: Shares::new(settings.logins.max(1)),
            hashes: Shares::fair(
                settings.hashes_per_origin.max(1),
                (hashing.running + hashing.waiting).div_ceil(2),
            ),
            changes: Pool::new(PoolLimits { running: 1, waiting: CHANGES_WAITING }),
            counts: Counts::default(),
        };
        Self { inner: Arc::new(inner), by: Arc::default() }
    }

    /// The same accounts; the observer is told that what is changed by this handle was commanded by `by`.
    #[must_use]
    pub fn commanded_by(&self, by: Commander) -> Self {
        Self { inner: Arc::clone(&self.inner), by: Arc::new(by) }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub(crate) fn commander(&self) -> &Commander {
        &self.by
    }

    /// The account that is meant.
    ///
    /// # Errors
    /// [`Error::NoAccount`]; [`Error::Storage`]. Cancellation: safe, as for all that only looks.
    pub async fn find(&self, who: impl Into<Who>) -> Result<Account> {
        let who = who.into();
        let record = self.inner.source.account(&who).await?;
        Ok(record.ok_or_else(|| who.missing())?.account)
    }

    /// A page of the accounts, in the order of their names.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub async fn list(&self, query: &AccountQuery) -> Result<Page<Account>> {
        self.inner.source.accounts(query).await
    }

    /// The tokens of an account, the oldest first.
    ///
    /// # Errors
    /// [`Error::NoAccount`]; [`Error::Storage`].
    pub async fn tokens(&self, who: impl Into<Who>) -> Result<Vec<Token>> {
        self.inner.source.tokens(self.find(who).await?.id).await
    }

    /// The SSH public keys of an account, the oldest first.
    ///
    /// # Errors
    /// [`Error::NoAccount`]; [`Error::Storage`].
    pub async fn keys(&self, who: impl Into<Who>) -> Result<Vec<Key>> {
        self.inner.source.keys(self.find(who).await?.id).await
    }

    /// The shared folder with exactly this name.
    ///
    /// # Errors
    /// [`Error::NoShared`]; [`Error::Storage`].
    pub async fn find_shared(&self, name: &SharedName) -> Result<Shared> {
        let found = self.inner.source.shared(name).await?;
        found.ok_or_else(|| Error::NoShared(name.to_string()))
    }

    /// A page of the shared folders, those after `after` in the order of their names without case.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub async fn list_shared(
        &self,
        after: Option<&SharedName>,
        limit: usize,
    ) -> Result<Page<Shared>> {
        self.inner.source.shared_page(after, limit).await
    }

    /// All shared folders, in that order.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub async fn all_shared(&self) -> Result<Vec<Shared>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.list_shared(after.as_ref(), MAX_PAGE).await?;
            after = page.entries.last().filter(|_| page.more).map(|shared| shared.name.clone());
            all.extend(page.entries);
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// How many logins came to which end.
    #[must_use]
    pub fn login_counts(&self) -> LoginCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts { cached, verified, wrong, waiting, busy, failed, hashed } = &self.inner.counts;
        LoginCounts {
            cached: read(cached),
            verified: read(verified),
            wrong: read(wrong),
            waiting: read(waiting),
            busy: read(busy),
            failed: read(failed),
            hashed: read(hashed),
        }
    }

    /// Copies all accounts into the new file `to`, as they are at one moment, while they are in use.
    ///
    /// # Errors
    /// [`Error::Storage`] if `to` is there already or cannot be written; [`Error::Unsupported`].
    pub async fn backup(&self, to: &Path) -> Result<()> {
        self.inner.source.backup(to).await
    }

    /// Writes what is not yet where it belongs and closes all files. Nothing can be asked afterwards.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub async fn close(&self) -> Result<()> {
        self.inner.source.close().await
    }
}
