//! The connections open now: who they are, how many from one site, when the last has gone.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use super::{
    context::ServerContext,
    info::{ConnId, ConnInfo},
    limits::Site,
    stats::Counter,
    watchdog::Watched,
};
use crate::SocketName;

/// The connections open in this process.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    open: Mutex<Open>,
    tracker: TaskTracker,
}

#[derive(Debug, Default)]
struct Open {
    connections: HashMap<ConnId, Entry>,
    sites: HashMap<Site, usize>,
    cut: Vec<OpenConnection>,
}

/// An open connection.
#[derive(Debug)]
struct Entry {
    peer: SocketName,
    since: Instant,
    watched: Arc<Watched>,
}

impl Entry {
    fn named(&self, id: ConnId) -> OpenConnection {
        OpenConnection { id, peer: self.peer.clone(), age: self.since.elapsed() }
    }
}

/// A connection that is open, or was open when the server was cut.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OpenConnection {
    /// Its number.
    pub id: ConnId,
    /// Its client.
    pub peer: SocketName,
    /// How long it has been open.
    pub age: Duration,
}

impl Registry {
    /// A token that [`closed`](Self::closed) waits for: held by every task and thread.
    pub(crate) fn token(&self) -> TaskTrackerToken {
        self.tracker.token()
    }

    /// Starts a task of the current runtime that [`closed`](Self::closed) waits for.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(task);
    }

    /// Waits until every connection, task and thread has ended.
    pub(crate) async fn closed(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// The connections open now, the oldest first.
    pub(crate) fn open(&self) -> Vec<OpenConnection> {
        let mut open: Vec<_> =
            self.lock().connections.iter().map(|(&id, entry)| entry.named(id)).collect();
        open.sort_by_key(|conn| conn.id);
        open
    }

    /// Shows the watchdog every connection.
    pub(super) fn for_each_watched(&self, look: impl FnMut(&Watched)) {
        self.lock().connections.values().map(|entry| &*entry.watched).for_each(look);
    }

    /// Counts one more connection for a site, unless it has `max`.
    fn enter_site(&self, site: Site, max: usize) -> bool {
        let mut open = self.lock();
        let count = open.sites.entry(site).or_default();
        let room = *count < max;
        if room {
            *count += 1;
        } else if *count == 0 {
            open.sites.remove(&site);
        }
        room
    }

    /// Notes that a connection is being cut.
    pub(crate) fn note_cut(&self, id: ConnId) {
        let mut open = self.lock();
        if let Some(entry) = open.connections.remove(&id) {
            open.cut.push(entry.named(id));
        }
    }

    /// Notes that a connection was cut that is not in this registry.
    pub(crate) fn note_unlisted_cut(&self, connection: OpenConnection) {
        self.lock().cut.push(connection);
    }

    /// The connections that were cut, and those that hang on although they were.
    pub(crate) fn cut(&self) -> Vec<OpenConnection> {
        let mut cut = std::mem::take(&mut self.lock().cut);
        cut.extend(self.open());
        cut.sort_by_key(|conn| conn.id);
        cut
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place in the server: while it lives, the connection counts.
#[derive(Debug)]
pub(crate) struct Admission {
    server: Arc<ServerContext>,
    id: ConnId,
    watched: Arc<Watched>,
    site: Option<Site>,
    /// Whether it counts as active here, and not in the server that this process is a child of.
    counted: bool,
    _permit: Option<OwnedSemaphorePermit>,
    _token: TaskTrackerToken,
}

impl Admission {
    /// Enters a connection; `None`, counted, if its site has too many.
    pub(crate) fn enter(
        server: &Arc<ServerContext>,
        info: &ConnInfo,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Option<Self> {
        let mut admission = Self::new(server, info, true, permit);
        if let Some(cell) = server.own_cell() {
            cell.open(info);
        }
        server.counters.count(Counter::Active);
        // Behind a proxy the client is known only later.
        let ip = if info.listener().proxy { None } else { info.ip() };
        ip.is_none_or(|ip| admission.enter_site(ip)).then_some(admission)
    }

    /// The place of a connection that the server has entered already, in the child that runs it.
    pub(crate) fn in_child(server: &Arc<ServerContext>, info: &ConnInfo) -> Self {
        Self::new(server, info, false, None)
    }

    fn new(
        server: &Arc<ServerContext>,
        info: &ConnInfo,
        counted: bool,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let watched = Arc::new(Watched::new(&server.limits));
        let (peer, since) = (info.peer().clone(), info.since());
        let entry = Entry { peer, since, watched: Arc::clone(&watched) };
        server.registry.lock().connections.insert(info.id(), entry);
        for limit in [server.limits.read_idle, server.limits.write_stall, server.limits.line_time] {
            server.watchdog.tell(limit);
        }
        Self {
            server: Arc::clone(server),
            id: info.id(),
            watched,
            site: None,
            counted,
            _permit: permit,
            _token: server.registry.token(),
        }
    }

    /// What the watchdog sees of the connection.
    pub(super) const fn watched(&self) -> &Arc<Watched> {
        &self.watched
    }

    /// Counts the connection for its site; `false`, counted, if that has too many.
    pub(crate) fn enter_site(&mut self, ip: IpAddr) -> bool {
        let Some(max) = self.server.limits.max_per_ip else { return true };
        let site = Site::of(ip);
        let entered = match self.server.own_cell() {
            Some(cell) => cell.enter_site(site, max),
            None => self.server.registry.enter_site(site, max),
        };
        if entered {
            self.site = Some(site);
        } else {
            self.server.counters.count(Counter::RefusedPerIp);
            tracing::debug!(%ip, max, "refused: too many from one address");
        }
        entered
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = self.server.registry.lock();
        open.connections.remove(&self.id);
        if let Some(site) = self.site
            && let Some(count) = open.sites.get_mut(&site)
        {
            *count -= 1;
            if *count == 0 {
                open.sites.remove(&site);
            }
        }
        drop(open);
        if self.counted {
            self.server.counters.subtract_one(Counter::Active);
        }
        if let Some(cell) = self.server.own_cell() {
            cell.close();
        }
    }
}
