//! The node: what a data folder becomes while somebody holds its lock.
//!
//! It joins what the floors below keep: configuration, accounts, homes, the journal. It listens nowhere;
//! that is [`Serving`](crate::control::Serving)'s matter, and a verb of the program opens a node without it.

use std::{
    sync::{
        Arc, OnceLock, PoisonError, RwLock, Weak,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    time::Instant,
};

use sockeye::{ServerHandle, pool::PoolError};
use sockeye_accounts::{
    AccountName, AccountQuery, Accounts, NewPassword, Quota, Role, Secret, Sqlite,
};
use sockeye_journal::{Journal, Operation, Outcome, Record};
use sockeye_store::{Digests, Marks, Pool, PoolLimits};

use crate::{
    Gate, Homes, Recorder,
    command::{Answer, Command, Commander, Execute as _, Refusal},
    config::Config,
    control::Serving,
    data::{DataError, DataFolder},
    links,
    listeners::Listen,
    singletons::Singletons,
};

/// The first administrator's name.
pub const FIRST_ADMIN: &str = "admin";

/// What the journal calls what this program does by itself.
pub(crate) const PROTOCOL: &str = "node";

/// A node; shared by everything that serves it.
#[derive(Debug)]
pub struct Node {
    folder: DataFolder,
    config: RwLock<Arc<Config>>,
    gate: Arc<Gate>,
    recorder: Recorder,
    pool: Pool,
    marks: Marks,
    phase: AtomicU8,
    since: Instant,
    singletons: Singletons,
    /// The servers of the open listeners, for what is told of them.
    servers: RwLock<Vec<(Listen, ServerHandle)>>,
    /// What serves it, for commands that are given from within.
    serving: OnceLock<Weak<Serving>>,
}

/// Where a node is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// It does not serve yet.
    Starting,
    /// It serves.
    Ready,
    /// It finishes what was begun, and takes nothing new.
    Draining,
}

/// Why a node could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The data folder, or what it is made of.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The accounts.
    #[error(transparent)]
    Accounts(#[from] sockeye_accounts::Error),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] sockeye_journal::Error),
    /// The threads that wait for the disk.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

impl Node {
    /// Opens what `folder` keeps, on a runtime. The caller holds the folder's lock, and goes on holding it
    /// until the node is [closed](Self::close).
    ///
    /// # Errors
    /// [`NodeError`]: among others, accounts or a journal of a newer version.
    pub async fn open(folder: &DataFolder, config: Config) -> Result<Arc<Self>, NodeError> {
        let settings = &config.settings;
        let threads = settings.limits_disk_threads.count();
        let pool = Pool::new(PoolLimits { running: threads, ..PoolLimits::default() });
        // What an interrupted backup left.
        let _ = std::fs::remove_dir_all(folder.snapshots());
        let (path, kept) = (folder.journal(), settings.journal());
        let journal = pool.run(move || Journal::open(&path, kept)).await??;
        let recorder = Recorder::new(journal);
        let source = Sqlite::open(folder.database()).await?;
        let mut accounts = settings.accounts();
        let path = folder.links_key();
        accounts.links = pool.run(move || links::key(&path)).await??;
        let accounts = Accounts::new(source, accounts, recorder.clone());
        let mut keeping = settings.keeping(pool.clone());
        let path = folder.digests();
        match pool.run(move || Digests::open(&path)).await? {
            Ok(digests) => keeping.digests = Some(digests),
            // A cache: what it would know is computed anew.
            Err(error) => {
                tracing::warn!(%error, "digests are computed each time they are asked for")
            }
        }
        let path = folder.marks();
        let marks = pool.run(move || Marks::open(&path)).await?;
        let marks = marks.map_err(|error| DataError::io("open", folder.marks(), error))?;
        keeping.marks = Some(marks.clone());
        let spare = settings.limits_homes.count();
        let homes = Homes::new(folder.path().to_owned(), keeping, spare);
        let gate = Gate::new(accounts, homes, &recorder);
        apply(&config, &gate);
        Ok(Arc::new(Self {
            folder: folder.clone(),
            config: RwLock::new(Arc::new(config)),
            gate,
            recorder,
            pool,
            marks,
            phase: AtomicU8::new(Phase::Starting as u8),
            since: Instant::now(),
            singletons: Singletons::default(),
            servers: RwLock::default(),
            serving: OnceLock::new(),
        }))
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// The configuration that holds now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The gate, where sessions come from.
    #[must_use]
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// The accounts.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        self.gate.accounts()
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        self.gate.journal()
    }

    /// The threads that wait for the disk.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The properties and locks of all homes.
    pub(crate) fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Where it is on its way.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }

    /// When it was opened.
    #[must_use]
    pub fn since(&self) -> Instant {
        self.since
    }

    /// The node's one value of this type, made when it is first asked for: what a protocol has for all its listeners
    /// together, and keeps across reloads. A type is its protocol's own.
    #[must_use]
    pub fn singleton<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.singletons.of()
    }

    /// The open listeners with their servers, whose counters can be read.
    #[must_use]
    pub fn servers(&self) -> Vec<(Listen, ServerHandle)> {
        self.servers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on commands from within go to what serves it.
    pub(crate) fn set_serving(&self, serving: &Arc<Serving>) {
        // It is served once.
        let _ = self.serving.set(Arc::downgrade(serving));
    }

    /// Carries out a command that is given from within, as by a page: what serves the node does, if it is served.
    ///
    /// # Errors
    /// [`Refusal`].
    ///
    /// # Cancel safety
    /// Not cancellation safe: what was begun may be done in part.
    pub async fn command(&self, command: Command, by: Commander) -> Result<Answer, Refusal> {
        match self.serving.get().and_then(Weak::upgrade) {
            Some(serving) => serving.execute(command, by).await,
            None => self.execute(command, by).await,
        }
    }

    pub(crate) fn set_servers(&self, servers: Vec<(Listen, ServerHandle)>) {
        *self.servers.write().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
    }

    /// From now on this configuration holds.
    pub(crate) fn configure(&self, config: Config) {
        apply(&config, &self.gate);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// What records commands.
    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Records what the node itself does.
    pub(crate) fn record(&self, operation: Operation, detail: &str) {
        let record = Record::new(operation, Outcome::Ok, PROTOCOL);
        self.gate.record(&Record { detail: Some(detail), ..record });
    }

    /// Whether there is no account at all, as at the first start.
    ///
    /// # Errors
    /// What the accounts refuse.
    pub async fn is_without_accounts(&self) -> Result<bool, NodeError> {
        let query = AccountQuery { limit: 1, ..AccountQuery::default() };
        Ok(self.accounts().list(&query).await?.entries.is_empty())
    }

    /// Makes the first administrator, [`FIRST_ADMIN`], with a password to be changed.
    ///
    /// # Errors
    /// What the accounts refuse.
    pub async fn add_first_admin(&self, password: Secret) -> Result<(), NodeError> {
        let name: AccountName = FIRST_ADMIN.parse().map_err(|_| {
            sockeye_accounts::Error::Invalid("the first administrator's name is no name")
        })?;
        let password = NewPassword::Initial(password);
        self.accounts().add(name, Role::Admin, Quota::NONE, password).await?;
        Ok(())
    }

    /// Finishes what is under way and brings everything to the disk; nothing can be asked afterwards.
    ///
    /// # Errors
    /// The first thing that could not be brought there; the rest was.
    ///
    /// Cancellation: the rest stays as it is, and is mended at the next start.
    pub async fn close(&self) -> Result<(), NodeError> {
        self.gate.finish().await;
        self.recorder.record_counted(true);
        let gate = Arc::clone(&self.gate);
        let journal = self.pool.run(move || {
            let homes = gate.homes();
            for (owner, home) in homes.all() {
                homes.forget(owner);
                // The last one to have it writes down what it holds.
                drop(home);
            }
            gate.journal().close()
        });
        let journal = journal.await;
        self.accounts().close().await?;
        Ok(journal??)
    }
}

/// Tells the gate what can change while it runs.
fn apply(config: &Config, gate: &Gate) {
    gate.set_public(config.settings.public);
    gate.set_account_rate(config.settings.bandwidth_account.map(|rate| rate.0));
}
