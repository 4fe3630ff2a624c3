//! What all of one server shares: limits, counters, the way down, the open connections.

use std::{
    os::fd::OwnedFd,
    sync::{Arc, OnceLock},
};

use tokio::sync::Semaphore;

use super::{
    Limits,
    registry::Registry,
    reload::Reload,
    shutdown::Shutdown,
    stats::{Counter, Counters},
};
use crate::{Addr, Model};

/// Shared by everything that belongs to one server.
#[derive(Debug)]
pub(crate) struct ServerContext {
    pub(crate) model: Model,
    pub(crate) limits: Limits,
    pub(crate) addrs: Vec<Addr>,
    pub(crate) counters: Counters,
    pub(crate) shutdown: Shutdown,
    pub(crate) registry: Registry,
    /// How many connections run at once.
    pub(crate) capacity: usize,
    /// One permit for each connection that may run.
    pub(crate) permits: Arc<Semaphore>,
    /// One permit for each datagram that may be in flight.
    pub(crate) packet_permits: Arc<Semaphore>,
    /// What a reload does.
    pub(crate) reload: Reload,
    /// In a child: where to ask the server to drain.
    pub(crate) ask_drain: OnceLock<OwnedFd>,
}

impl ServerContext {
    pub(crate) fn new(
        model: Model,
        limits: Limits,
        addrs: Vec<Addr>,
        counters: Counters,
        reload: Reload,
    ) -> Self {
        let capacity = model
            .capacity()
            .unwrap_or(usize::MAX)
            .min(limits.max_connections)
            .clamp(1, Semaphore::MAX_PERMITS);
        let packets = limits.max_packets_in_flight.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            model,
            limits,
            addrs,
            counters,
            shutdown: Shutdown::default(),
            registry: Registry::default(),
            capacity,
            permits: Arc::new(Semaphore::new(capacity)),
            packet_permits: Arc::new(Semaphore::new(packets)),
            reload,
            ask_drain: OnceLock::new(),
        }
    }

    pub(crate) fn at_capacity(&self) -> bool {
        self.counters.get(Counter::Active) >= self.capacity as u64
    }
}
