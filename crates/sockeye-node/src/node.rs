//! The node: what a data folder becomes while somebody holds its lock.
//!
//! It joins what the floors below keep: configuration, accounts, homes, the journal. It listens nowhere;
//! that is [`Serving`](crate::control::Serving)'s matter, and a verb of the program opens a node without it.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use sockeye::ServerHandle;
use sockeye_store::{Pool, PoolLimits};

use crate::{config::Config, counters::Counters, data::DataFolder, listeners::Listen};

/// A node; shared by everything that serves it.
#[derive(Debug)]
pub struct Node {
    folder: DataFolder,
    config: RwLock<Arc<Config>>,
    pool: Pool,
    phase: AtomicU8,
    since: Instant,
    counters: Counters,
    /// The servers of the open listeners, for what is told of them.
    servers: RwLock<Vec<(Listen, ServerHandle)>>,
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
    Data(#[from] crate::data::DataError),
}

impl Node {
    /// Opens what `folder` keeps. The caller holds the folder's lock, and goes on holding it.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn open(folder: &DataFolder, config: Config) -> Result<Arc<Self>, NodeError> {
        let threads = config.settings.limits_disk_threads.count();
        let pool = Pool::new(PoolLimits { running: threads, ..PoolLimits::default() });
        Ok(Arc::new(Self {
            folder: folder.clone(),
            config: RwLock::new(Arc::new(config)),
            pool,
            phase: AtomicU8::new(Phase::Starting as u8),
            since: Instant::now(),
            counters: Counters::default(),
            servers: RwLock::default(),
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

    /// The threads that wait for the disk.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
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

    /// The `number` counters of a protocol or a part of it, called `name`: the same at each call, so that a
    /// reload loses nothing.
    #[must_use]
    pub fn counters(&self, name: &'static str, number: usize) -> Arc<[AtomicU64]> {
        self.counters.of(name, number)
    }

    /// The open listeners with their servers, whose counters can be read.
    #[must_use]
    pub fn servers(&self) -> Vec<(Listen, ServerHandle)> {
        self.servers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_servers(&self, servers: Vec<(Listen, ServerHandle)>) {
        *self.servers.write().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
    }

    /// From now on this configuration holds.
    pub(crate) fn configure(&self, config: Config) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// Brings everything to the disk, at the end.
    pub async fn close(&self) {}
}
