//! The ports that clients connect to for data: lent to one client at a time, by one who waits first.

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::Passive;

/// Connections that may wait at a port: the client's, and strangers' that are turned away.
const BACKLOG: u32 = 8;

/// Where ports are looked for if no range is set: what IANA leaves to whoever wants one (RFC 6335 §6).
const DYNAMIC: RangeInclusive<u16> = 49_152..=65_535;

/// How many of them are tried before the system is asked for one.
const TRIES: usize = 32;

/// The ports of a listener.
#[derive(Debug)]
pub(crate) struct Ports(Option<Range>);

#[derive(Debug)]
struct Range {
    ports: RangeInclusive<u16>,
    /// As many as there are ports that are lent to nobody; who waits longest is next.
    free: Arc<Semaphore>,
    lent: Mutex<HashSet<u16>>,
    /// Which port is tried first, so that each gets its turn.
    turn: AtomicUsize,
}

/// A port that is lent; dropped, it is free again.
#[derive(Debug)]
pub(super) struct Lease {
    _lent: Option<Lent>,
}

#[derive(Debug)]
struct Lent {
    ports: Arc<Ports>,
    port: u16,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(range) = &self.ports.0 {
            range.lent().remove(&self.port);
        }
    }
}

impl Range {
    fn lent(&self) -> MutexGuard<'_, HashSet<u16>> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a port that is lent to nobody, of which `tried` were found not to be had.
    fn take(&self, tried: &HashSet<u16>) -> Option<u16> {
        let count = self.ports.clone().count();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % count.max(1);
        let mut lent = self.lent();
        let in_turn = self.ports.clone().skip(turn).chain(self.ports.clone().take(turn));
        let port =
            in_turn.into_iter().find(|port| !lent.contains(port) && !tried.contains(port))?;
        lent.insert(port);
        Some(port)
    }
}

impl Ports {
    /// These, or any that is free.
    pub(crate) fn new(ports: Option<RangeInclusive<u16>>) -> Arc<Self> {
        Arc::new(Self(ports.map(|ports| Range {
            free: Arc::new(Semaphore::new(ports.clone().count())),
            ports,
            lent: Mutex::default(),
            turn: AtomicUsize::new(0),
        })))
    }

    /// Opens a port on this end's address `local` for `client`, waiting for one for as long as `limit`.
    ///
    /// # Errors
    /// `TimedOut` if all are lent for so long; `AddrInUse` if others have them; what the system refuses.
    ///
    /// Cancellation: safe.
    pub(crate) async fn open(
        self: &Arc<Self>,
        local: IpAddr,
        client: IpAddr,
        limit: Duration,
    ) -> io::Result<Passive> {
        let Some(range) = &self.0 else {
            return Ok(Passive::new(listen_anywhere(local)?, Lease { _lent: None }, client));
        };
        let free = Arc::clone(&range.free);
        let permit = tokio::time::timeout(limit, free.acquire_owned()).await?;
        let mut permit = permit.map_err(io::Error::other)?;
        let mut tried = HashSet::new();
        while let Some(port) = range.take(&tried) {
            let lent = Lent { ports: Arc::clone(self), port, _permit: permit };
            match listen(local, port) {
                Ok(listener) => {
                    return Ok(Passive::new(listener, Lease { _lent: Some(lent) }, client));
                }
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => return Err(error),
                Err(_) => {}
            }
            tried.insert(port);
            drop(lent);
            let again = Arc::clone(&range.free).try_acquire_owned();
            permit = again.map_err(|_| io::Error::from(io::ErrorKind::AddrInUse))?;
        }
        Err(io::ErrorKind::AddrInUse.into())
    }
}

/// Listens at a port that nobody can foretell.
///
/// The system's own choice takes none that a connection of the last minute went through, so that it looks longer and
/// longer for one, and after some 28,000 files finds none.
fn listen_anywhere(local: IpAddr) -> io::Result<TcpListener> {
    let mut random = [0; 2 * TRIES];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    for bytes in random.as_chunks().0 {
        let offset = u16::from_ne_bytes(*bytes) % (DYNAMIC.end() - DYNAMIC.start());
        match listen(local, DYNAMIC.start() + offset) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            listening => return listening,
        }
    }
    listen(local, 0)
}

/// Connections made through the port before keep it from nobody.
fn listen(local: IpAddr, port: u16) -> io::Result<TcpListener> {
    let socket = if local.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::new(local, port))?;
    socket.listen(BACKLOG)
}
