//! Sessions of several servers in one pool, from which another server may resume them.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use rustls::{
    ServerConfig,
    server::{ProducesTickets, StoresServerSessions},
};

use super::TlsServer;

/// What a server does handshakes with, and so its sessions; and its number.
type Numbered = (u64, Arc<ServerConfig>);

/// The sessions of several servers, each under a number that its owner gives it.
///
/// It is for clients that have one store of sessions for several connections which belong together: with
/// [`TlsServer::resuming_from`] each of them resumes what was made with any.
#[derive(Clone, Debug, Default)]
pub struct SessionPool(Arc<Mutex<VecDeque<Numbered>>>);

impl SessionPool {
    /// Puts the sessions of a server in, those that are there and those to come.
    pub fn put(&self, number: u64, server: &TlsServer) {
        self.lock().push_back((number, server.config()));
    }

    /// Takes those out again that were put in under this number.
    pub fn take(&self, number: u64) {
        self.lock().retain(|(other, _)| *other != number);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Numbered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// With which server of a pool a session was made that was resumed.
#[derive(Clone, Debug)]
pub struct ResumedWith(Arc<AtomicU64>);

impl ResumedWith {
    /// Under which number it is in the pool; none if the session was the resuming server's own, or there was none.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        Some(self.0.load(Relaxed)).filter(|number| *number != OWN)
    }
}

/// Stands for the own sessions.
const OWN: u64 = u64::MAX;

/// A server's own sessions, and those of a pool.
#[derive(Debug)]
pub(super) struct Pooled {
    own: Arc<ServerConfig>,
    pool: SessionPool,
    found: Arc<AtomicU64>,
}

impl Pooled {
    /// New sessions are those of `own`.
    pub(super) fn new(own: Arc<ServerConfig>, pool: SessionPool) -> Self {
        Self { own, pool, found: Arc::new(AtomicU64::new(OWN)) }
    }

    pub(super) fn resumed_with(&self) -> ResumedWith {
        ResumedWith(Arc::clone(&self.found))
    }

    /// What the first of them knows that knows it.
    fn find(&self, know: impl Fn(&ServerConfig) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        self.found.store(OWN, Relaxed);
        know(&self.own).or_else(|| {
            // The latest first.
            self.pool.lock().iter().rev().find_map(|(number, config)| {
                let known = know(config)?;
                self.found.store(*number, Relaxed);
                Some(known)
            })
        })
    }
}

impl ProducesTickets for Pooled {
    fn enabled(&self) -> bool {
        self.own.ticketer.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.own.ticketer.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.own.ticketer.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.find(|it| it.ticketer.decrypt(cipher))
    }
}

impl StoresServerSessions for Pooled {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.own.session_storage.put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.find(|it| it.session_storage.get(key))
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.find(|it| it.session_storage.take(key))
    }

    fn can_cache(&self) -> bool {
        self.own.session_storage.can_cache()
    }
}
