//! The TLS sessions of control connections. Some clients keep one store of sessions for all of their connections, and offer
//! for a data connection what they began with another control connection than its own.
//!
//! Whoever can resume a session of the same account at the same address is who is to be served, and that is what resuming
//! is to prove. A connection whose client has not logged in yet may still turn out to be one of the account's.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sockeye::tls::{ResumedWith, SessionPool, TlsServer};
use sockeye_node::Owner;
use tokio::sync::watch;

/// Most control connections from one address whose sessions are known: the latest.
const MOST: usize = 64;

/// Who a control connection's client is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Client {
    /// It has not logged in, or not again.
    #[default]
    Unknown,
    /// All that this account is.
    Account(Owner),
    /// Somebody with less than an account's password: a token, or nothing.
    Other,
}

/// The sessions of all control connections under TLS, by the clients' address.
#[derive(Debug, Default)]
pub(crate) struct TlsSessions(Mutex<HashMap<IpAddr, Neighbours>>);

/// The control connections from one address.
#[derive(Debug, Default)]
struct Neighbours {
    /// How many there are.
    here: usize,
    /// How many there were.
    count: u64,
    /// The sessions of the latest of them, and of some that have ended since; whose they are, by the same number.
    sessions: SessionPool,
    clients: BTreeMap<u64, watch::Receiver<Client>>,
}

/// A control connection among those from its address; dropped, it is none of them any more.
#[derive(Debug)]
pub(crate) struct Neighbour {
    all: Arc<TlsSessions>,
    from: IpAddr,
    client: watch::Sender<Client>,
}

/// Whose session was resumed, which may be that of another control connection.
#[derive(Clone, Debug)]
pub(crate) struct Resumed {
    with: ResumedWith,
    all: Arc<TlsSessions>,
    from: IpAddr,
    wanted: Client,
}

impl TlsSessions {
    /// Takes up a control connection that begins TLS, with its sessions.
    pub(crate) fn enter(self: &Arc<Self>, from: IpAddr, server: &TlsServer) -> Neighbour {
        let client = watch::Sender::default();
        let mut all = self.lock();
        let neighbours = all.entry(from).or_default();
        neighbours.here += 1;
        neighbours.count += 1;
        neighbours.sessions.put(neighbours.count, server);
        neighbours.clients.insert(neighbours.count, client.subscribe());
        if neighbours.clients.len() > MOST
            && let Some((oldest, _)) = neighbours.clients.pop_first()
        {
            neighbours.sessions.take(oldest);
        }
        Neighbour { all: Arc::clone(self), from, client }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Neighbours>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Neighbour {
    /// It is known now who its client is, or not any more.
    pub(crate) fn is(&self, client: Client) {
        self.client.send_replace(client);
    }

    /// A copy of this connection's own sessions with those of the others, and whose will be resumed with it.
    pub(crate) fn with_others(&self, own: &TlsServer) -> (TlsServer, Option<Resumed>) {
        let (all, from, wanted) = (Arc::clone(&self.all), self.from, *self.client.borrow());
        let sessions = match wanted {
            Client::Account(_) => all.lock().get(&from).map(|it| it.sessions.clone()),
            Client::Unknown | Client::Other => None,
        };
        let Some(sessions) = sessions else { return (own.clone(), None) };
        let (server, with) = own.resuming_from(&sessions);
        (server, Some(Resumed { with, all, from, wanted }))
    }
}

impl Resumed {
    /// Whether the session is of the same client: its own, or of a connection of the same account, which may be known only
    /// once that has logged in.
    pub(crate) async fn is_same(&self) -> bool {
        let Some(number) = self.with.number() else { return true };
        let client =
            self.all.lock().get(&self.from).and_then(|it| it.clients.get(&number).cloned());
        let Some(mut client) = client else { return false };
        // Where it ends without being known, it is nobody's.
        let known = client.wait_for(|client| *client != Client::Unknown).await;
        known.is_ok_and(|known| *known == self.wanted)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(neighbours) = all.get_mut(&self.from) {
            neighbours.here -= 1;
            if neighbours.here == 0 {
                all.remove(&self.from);
            }
        }
    }
}
