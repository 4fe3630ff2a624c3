//! The connections open now: who they are, how many from one site, when the last has gone.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::{Duration, Instant},
};

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use super::{
    cells::Taken,
    context::ServerContext,
    info::{ConnId, ConnInfo},
    limits::{Limits, Site},
    stats::Counter,
    watchdog::{Attention, Watched},
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
    attention: Attention,
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

    /// Makes room for a connection, so that a process forked after this need not.
    pub(crate) fn make_room(&self) {
        self.lock().connections.reserve(1);
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

    /// Shows the watchdog every connection. Nothing may be woken or dropped meanwhile.
    pub(super) fn look(
        &self,
        look: impl FnOnce(&mut dyn Iterator<Item = &Watched>, &mut Attention),
    ) {
        let Open { connections, attention, .. } = &mut *self.lock();
        look(&mut connections.values().map(|entry| &*entry.watched), attention);
    }

    /// Cuts every connection; those that are admitted later ask for themselves.
    pub(super) fn cut_all(&self) {
        let mut cut = Vec::new();
        self.look(|connections, _| cut.extend(connections.filter_map(Watched::cut)));
        cut.into_iter().for_each(Waker::wake);
    }

    /// Whether the watchdog has to be told of a limit that a connection has now.
    pub(super) fn misses(&self, limit: Option<Duration>) -> bool {
        self.lock().attention.misses(limit)
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
    /// The cell of the child that is to run it; before the permit, as there are as many as permits.
    cell: Option<Taken>,
    site: Option<Site>,
    /// Whether it counts as active here: what a child runs counts by its cell, or in the server.
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
        let cell = server.own_cell();
        let mut admission = Self::new(server, info, cell.is_none(), permit);
        match cell {
            Some(cell) => cell.open(info),
            None => server.counters.count(Counter::Active),
        }
        if server.forks_for_each() {
            admission.cell = server.take_cell();
        }
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
        let Limits { read_idle, write_stall, line_time, .. } = server.limits;
        let mut open = server.registry.lock();
        open.connections.insert(info.id(), entry);
        let missed = [read_idle, write_stall, line_time].map(|limit| open.attention.misses(limit));
        drop(open);
        if missed.contains(&true) {
            server.watchdog.tell();
        }
        Self {
            server: Arc::clone(server),
            id: info.id(),
            watched,
            cell: None,
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

    /// The cell of the child that is to run the connection, from now on the caller's.
    pub(crate) const fn take_cell(&mut self) -> Option<Taken> {
        self.cell.take()
    }

    /// Counts the connection for its site; `false`, counted, if that has too many.
    pub(crate) fn enter_site(&mut self, ip: IpAddr) -> bool {
        let Some(max) = self.server.max_per_site() else { return true };
        let site = Site::of(ip);
        let cell = self.cell.as_ref().map(Taken::cell).or_else(|| self.server.own_cell());
        let entered = if let Some(cell) = cell {
            cell.enter_site(site, max)
        } else {
            let entered = self.server.registry.enter_site(site, max);
            self.site = entered.then_some(site);
            entered
        };
        if !entered {
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
            self.server.counters.subtract(Counter::Active, 1);
        }
        if let Some(cell) = self.server.own_cell() {
            cell.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Model, server::reload::Reload};

    /// Steps in a connection's life after which its worker may be killed.
    const STEPS: [fn(&Arc<ServerContext>, &ConnInfo); 3] = [
        |server, info| server.own_cell().unwrap().open(info),
        |server, info| std::mem::forget(Admission::enter(server, info, None).unwrap()),
        |server, info| drop(Admission::enter(server, info, None).unwrap()),
    ];

    #[test]
    fn a_worker_that_is_killed_at_any_step_leaves_no_connection_counted() {
        let reload = Reload::new(None);
        let server =
            ServerContext::new(Model::Prefork(1), Limits::default(), Vec::new(), reload).unwrap();
        let server = Arc::new(server);
        let info = ConnInfo {
            id: ConnId(1),
            peer: SocketName::Inet(([192, 0, 2, 1], 80).into()),
            proxied: None,
            listener: Arc::new("tcp://127.0.0.1:1".parse().unwrap()),
            since: Instant::now(),
        };
        for (step, active) in STEPS.into_iter().zip([1, 1, 0]) {
            // Both the server and its worker.
            let cell = server.take_cell().unwrap();
            server.set_own_cell(cell.index());
            step(&server, &info);
            assert_eq!(server.stats().active, active);
            drop(cell);
            assert_eq!(server.stats().active, 0);
        }
    }
}
