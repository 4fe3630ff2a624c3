//! What all of one server shares: limits, counters, the way down, the open connections.

use std::{
    io,
    os::fd::OwnedFd,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

use super::{
    Limits,
    cells::{Cell, Cells},
    info::ConnId,
    registry::Registry,
    reload::Reload,
    shutdown::Shutdown,
    stats::{Counter, Counters, Stats},
    watchdog::Watchdog,
};
use crate::{Addr, Model};

/// Most connections that are read to their end after they were handled; more are closed at once.
const MOST_LINGERING: usize = 1024;

/// The number of no cell.
const NO_SLOT: u32 = u32::MAX;

/// Shared by everything that belongs to one server.
#[derive(Debug)]
pub(crate) struct ServerContext {
    pub(crate) model: Model,
    pub(crate) limits: Limits,
    pub(crate) addrs: Vec<Addr>,
    pub(crate) counters: Counters,
    pub(crate) shutdown: Shutdown,
    pub(crate) registry: Registry,
    pub(crate) watchdog: Watchdog,
    /// How many connections run at once.
    pub(crate) capacity: usize,
    /// Most connections from one site; the highest number is no limit.
    max_per_site: AtomicUsize,
    /// One permit for each connection that may run.
    pub(crate) permits: Arc<Semaphore>,
    /// One permit for each connection that still has something to read after its end.
    pub(crate) lingering: Arc<Semaphore>,
    /// One permit for each datagram that may be in flight.
    pub(crate) packet_permits: Arc<Semaphore>,
    /// What a reload does.
    pub(crate) reload: Reload,
    /// What the children are at.
    pub(crate) cells: Cells,
    /// In a child: the number of its cell.
    slot: AtomicU32,
    /// In a child: where to ask the server to drain.
    pub(crate) ask_drain: OnceLock<OwnedFd>,
}

impl ServerContext {
    /// # Errors
    /// If shared memory cannot be had.
    pub(crate) fn new(
        model: Model,
        limits: Limits,
        addrs: Vec<Addr>,
        reload: Reload,
    ) -> io::Result<Self> {
        let capacity = model
            .capacity()
            .unwrap_or(usize::MAX)
            .min(limits.max_connections)
            .clamp(1, Semaphore::MAX_PERMITS);
        let packets = limits.max_packets_in_flight.clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self {
            model,
            max_per_site: AtomicUsize::new(limits.max_per_ip.unwrap_or(usize::MAX)),
            limits,
            addrs,
            counters: Counters::new()?,
            shutdown: Shutdown::default(),
            registry: Registry::default(),
            watchdog: Watchdog::default(),
            capacity,
            permits: Arc::new(Semaphore::new(capacity)),
            lingering: Arc::new(Semaphore::new(MOST_LINGERING)),
            packet_permits: Arc::new(Semaphore::new(packets)),
            reload,
            cells: Cells::new(if model.forks() { capacity } else { 0 })?,
            slot: AtomicU32::new(NO_SLOT),
            ask_drain: OnceLock::new(),
        })
    }

    /// Most connections from one site, if that is limited.
    pub(crate) fn max_per_site(&self) -> Option<usize> {
        Some(self.max_per_site.load(Relaxed)).filter(|max| *max != usize::MAX)
    }

    /// From now on so many connections from one site are let in.
    pub(crate) fn set_max_per_site(&self, max: Option<usize>) {
        self.max_per_site.store(max.unwrap_or(usize::MAX), Relaxed);
    }

    /// The cell of the child that this process is.
    pub(crate) fn own_cell(&self) -> Option<Cell<'_>> {
        // There are not as many.
        self.cells.cell(self.slot.load(Relaxed))
    }

    /// From now on this process is the child that has this cell.
    pub(crate) fn set_own_cell(&self, slot: u32) {
        self.slot.store(slot, Relaxed);
    }

    /// Sees to it that a limit which a connection has set itself is kept.
    pub(crate) fn limit_set(&self, limit: Option<Duration>) {
        if self.registry.misses(limit) {
            self.watchdog.tell();
        }
    }

    /// Ends every connection now.
    pub(crate) fn cut_all(&self) {
        self.shutdown.cut();
        self.registry.cut_all();
    }

    /// Counts and notes that a connection is being cut.
    pub(crate) fn cut(&self, id: ConnId) {
        self.counters.count(Counter::Cut);
        match self.own_cell() {
            Some(cell) => cell.set_cut(),
            None => self.registry.note_cut(id),
        }
    }

    /// Whether this process is a child of the zygote.
    pub(crate) fn is_child(&self) -> bool {
        self.ask_drain.get().is_some()
    }

    /// Whether this process hands each connection to a child of its own.
    pub(crate) fn forks_for_each(&self) -> bool {
        matches!(self.model, Model::ForkPerConnection { .. }) && !self.is_child()
    }

    /// How many connections are being handled now.
    ///
    /// What a worker runs is read from its cell, and not counted up and down: a worker that is
    /// killed between two steps could not undo the first.
    fn active(&self) -> u64 {
        match self.model {
            Model::Prefork(_) => self.cells.count_open() as u64,
            _ => self.counters.get(Counter::Active),
        }
    }

    /// How many datagrams are in hand now; as with connections, those of workers are read from
    /// their cells.
    fn packets_active(&self) -> u64 {
        match self.model {
            Model::Prefork(_) => self.cells.count_packets(),
            _ => self.counters.get(Counter::PacketsActive),
        }
    }

    /// The counters now.
    pub(crate) fn stats(&self) -> Stats {
        let (active, packets_active) = (self.active(), self.packets_active());
        Stats { active, packets_active, ..self.counters.snapshot() }
    }

    pub(crate) fn at_capacity(&self) -> bool {
        self.active() >= self.capacity as u64
    }
}
