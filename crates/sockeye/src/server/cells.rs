//! What each child process is at, in memory that the server shares with all of them.
//!
//! One cell for each child that may run: the server takes one for each piece of work, the child
//! writes it, the other children only read it, and the server clears it when the child has ended,
//! however that was.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
        },
    },
    thread,
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

use super::{
    context::ServerContext,
    info::{ConnId, ConnInfo},
    limits::Site,
    registry::OpenConnection,
};
use crate::{SocketName, addr::UnixName, sys::shared::Shared};

/// How far a child has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
enum Mark {
    /// It was ordered from a zygote; whoever claims the order first has it.
    Ordered,
    /// The child has claimed its order.
    Running,
    /// The child has run its work to the end.
    Finished,
}

/// The first word of a cell: how far the child has come, which, and of which order.
///
/// One word, as the child that claims an order and the server that revokes it race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Progress {
    mark: Mark,
    round: u32,
    pid: u32,
}

impl Progress {
    const fn to_bits(self) -> u64 {
        (self.round as u64) << 34 | (self.pid as u64) << 2 | self.mark as u64
    }

    fn from_bits(bits: u64) -> Self {
        let mark = match bits & 3 {
            0 => Mark::Ordered,
            1 => Mark::Running,
            _ => Mark::Finished,
        };
        let number = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(0);
        Self { mark, round: number(bits >> 34), pid: number(bits >> 2) }
    }

    const fn ordered(round: u32) -> Self {
        Self { mark: Mark::Ordered, round, pid: 0 }
    }
}

/// Orders are counted up to here, and then from 0 again.
const ROUNDS: u32 = 1 << 30;

/// The words of a cell.
#[derive(Clone, Copy, Debug)]
enum Word {
    Progress,
    /// The number of the connection that the child runs, or 0; written last.
    Conn,
    /// Whether the connection was cut: its child has counted that.
    Cut,
    /// The peer: 0 for a Unix one, else the port and what tells IPv4 from IPv6.
    Port,
    IpHigh,
    IpLow,
    /// When the connection was accepted, in milliseconds of the monotonic clock.
    Since,
    /// The site that the connection counts for: its hash, with [`ENTERING`].
    Site,
    /// How many datagrams a prefork worker has in hand.
    Packets,
}

const WORDS: usize = 9;

/// Marks an IPv4 or IPv6 port, so that it is never 0.
const IPV4: u64 = 4 << 16;
const IPV6: u64 = 6 << 16;

/// Set while a child does not know yet whether its site has room.
const ENTERING: u64 = 1;

/// How often a child asks whether its site has room, when others ask at the same moment.
const TRIES: u32 = 10;

/// The cells of one server.
#[derive(Debug)]
pub(crate) struct Cells {
    words: Shared<AtomicU64>,
    /// Those that no child has now. The server alone takes them.
    free: Mutex<Vec<u32>>,
}

/// A cell that is taken for a child: empty again, and free, when this is dropped.
#[derive(Debug)]
pub(crate) struct Taken {
    server: Arc<ServerContext>,
    index: u32,
}

impl Taken {
    /// The number by which the child knows it.
    pub(crate) const fn index(&self) -> u32 {
        self.index
    }

    pub(crate) fn cell(&self) -> Cell<'_> {
        self.server.cells.at(self.index)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.cell().clear();
        self.server.cells.free().push(self.index);
    }
}

impl ServerContext {
    /// Takes a cell for a child. There are as many as pieces of work that may run at once.
    pub(crate) fn take_cell(self: &Arc<Self>) -> Option<Taken> {
        let index = self.cells.free().pop()?;
        Some(Taken { server: Arc::clone(self), index })
    }
}

/// One child's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'a> {
    cells: &'a Cells,
    first: usize,
}

impl Cells {
    pub(crate) fn new(children: usize) -> io::Result<Self> {
        let words = Shared::zeroed(children * WORDS)?;
        let free = (0..u32::try_from(children).unwrap_or(u32::MAX)).rev().collect();
        Ok(Self { words, free: Mutex::new(free) })
    }

    fn free(&self) -> MutexGuard<'_, Vec<u32>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    const fn at(&self, slot: u32) -> Cell<'_> {
        Cell { cells: self, first: slot as usize * WORDS }
    }

    /// The cell of a child, by its number.
    pub(crate) fn cell(&self, slot: u32) -> Option<Cell<'_>> {
        (slot as usize * WORDS < self.words.len()).then(|| self.at(slot))
    }

    /// The connections that prefork workers have open.
    pub(crate) fn open(&self) -> Vec<OpenConnection> {
        self.with_open().filter_map(|cell| cell.connection()).collect()
    }

    /// How many those are.
    pub(crate) fn count_open(&self) -> usize {
        self.with_open().count()
    }

    /// How many datagrams prefork workers have in hand.
    pub(crate) fn count_packets(&self) -> u64 {
        self.all().map(|cell| cell.packets()).sum()
    }

    fn with_open(&self) -> impl Iterator<Item = Cell<'_>> {
        self.all().filter(|cell| cell.word(Word::Conn).load(Acquire) != 0 && !cell.is_cut())
    }

    fn all(&self) -> impl Iterator<Item = Cell<'_>> {
        (0..self.words.len()).step_by(WORDS).map(|first| Cell { cells: self, first })
    }
}

impl Cell<'_> {
    fn word(&self, word: Word) -> &AtomicU64 {
        &self.cells.words[self.first + word as usize]
    }

    fn progress(&self) -> Progress {
        Progress::from_bits(self.word(Word::Progress).load(Acquire))
    }

    /// Takes the cell for a new child: the number of its order.
    pub(crate) fn order(&self) -> u32 {
        let round = (self.progress().round + 1) % ROUNDS;
        self.word(Word::Progress).store(Progress::ordered(round).to_bits(), Release);
        round
    }

    /// Whether this process may carry out an order: not if it was revoked.
    pub(crate) fn claim(&self, round: u32) -> bool {
        let running = Progress { mark: Mark::Running, round, pid: std::process::id() };
        self.step(Progress::ordered(round), running).is_ok()
    }

    /// Revokes an order whose zygote has died: the number of the next, or the pid of the child
    /// that has claimed it.
    pub(crate) fn revoke(&self, round: u32) -> Result<u32, u32> {
        let next = (round + 1) % ROUNDS;
        self.step(Progress::ordered(round), Progress::ordered(next))
            .map(|()| next)
            .map_err(|claimed| claimed.pid)
    }

    fn step(&self, from: Progress, to: Progress) -> Result<(), Progress> {
        self.word(Word::Progress)
            .compare_exchange(from.to_bits(), to.to_bits(), AcqRel, Acquire)
            .map(drop)
            .map_err(Progress::from_bits)
    }

    /// Notes that the child has run its work to the end.
    pub(crate) fn finish(&self) {
        let finished = Progress { mark: Mark::Finished, ..self.progress() };
        self.word(Word::Progress).store(finished.to_bits(), Release);
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.progress().mark == Mark::Finished
    }

    /// Notes the connection that the child runs now.
    pub(crate) fn open(&self, info: &ConnInfo) {
        let (port, ip) = match info.peer() {
            SocketName::Inet(SocketAddr::V4(peer)) => {
                (IPV4 | u64::from(peer.port()), peer.ip().to_ipv6_mapped().to_bits())
            }
            SocketName::Inet(SocketAddr::V6(peer)) => {
                (IPV6 | u64::from(peer.port()), peer.ip().to_bits())
            }
            SocketName::Unix(_) => (0, 0),
        };
        let age = u64::try_from(info.since().elapsed().as_millis()).unwrap_or(u64::MAX);
        for (word, value) in [
            (Word::Cut, 0),
            (Word::Port, port),
            (Word::IpHigh, high(ip)),
            (Word::IpLow, low(ip)),
            (Word::Since, now_millis().saturating_sub(age)),
        ] {
            self.word(word).store(value, Relaxed);
        }
        self.word(Word::Conn).store(info.id().get(), Release);
    }

    /// Notes that the child's connection was cut, and is counted as that.
    pub(crate) fn set_cut(&self) {
        self.word(Word::Cut).store(1, Release);
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.word(Word::Cut).load(Acquire) == 1
    }

    /// The connection that the child runs, or was cut from.
    pub(crate) fn connection(&self) -> Option<OpenConnection> {
        let id = self.word(Word::Conn).load(Acquire);
        if id == 0 {
            return None;
        }
        let [port, ip_high, ip_low, since] = [Word::Port, Word::IpHigh, Word::IpLow, Word::Since]
            .map(|word| self.word(word).load(Relaxed));
        let age = Duration::from_millis(now_millis().saturating_sub(since));
        Some(OpenConnection { id: ConnId(id), peer: peer(port, ip_high, ip_low), age })
    }

    /// Notes that the connection has ended. If it was cut, its name stays for the report.
    pub(crate) fn close(&self) {
        self.leave_site();
        if !self.is_cut() {
            self.word(Word::Conn).store(0, Release);
        }
    }

    /// Notes that the worker has so many datagrams more in hand.
    pub(crate) fn take_packets(&self, count: u64) {
        self.word(Word::Packets).fetch_add(count, AcqRel);
    }

    /// Notes that so many of them have ended.
    pub(crate) fn release_packets(&self, count: u64) {
        self.word(Word::Packets).fetch_sub(count, AcqRel);
    }

    /// How many datagrams the worker has in hand.
    pub(crate) fn packets(&self) -> u64 {
        self.word(Word::Packets).load(Acquire)
    }

    /// Forgets what a child had in hand that has ended.
    fn clear(&self) {
        self.leave_site();
        for word in [Word::Conn, Word::Cut, Word::Packets] {
            self.word(word).store(0, Release);
        }
    }

    /// Counts the child's connection for a site, unless `max` others count for it already.
    ///
    /// Never more than `max` are counted. Children that enter at the same moment see each other;
    /// then each steps back and asks again.
    pub(crate) fn enter_site(&self, site: Site, max: usize) -> bool {
        let site = hash(site);
        let mine = self.word(Word::Site);
        for attempt in 0..TRIES {
            mine.store(site | ENTERING, SeqCst);
            let (inside, entering) = self.others_of(site);
            if inside + entering < max {
                mine.store(site, SeqCst);
                return true;
            }
            mine.store(0, SeqCst);
            if inside >= max {
                break;
            }
            // The lower number asks again sooner.
            let turn = u32::try_from(self.first / WORDS % 16).unwrap_or(0);
            thread::sleep(Duration::from_micros(20) * (1 + turn) * (1 + attempt));
        }
        false
    }

    /// How many other children count for a site, and how many would like to.
    fn others_of(&self, site: u64) -> (usize, usize) {
        let (mut inside, mut entering) = (0, 0);
        let sites = self.cells.words.chunks_exact(WORDS).map(|cell| &cell[Word::Site as usize]);
        for other in sites.filter(|&other| !std::ptr::eq(other, self.word(Word::Site))) {
            match other.load(SeqCst) {
                value if value == site => inside += 1,
                value if value == site | ENTERING => entering += 1,
                _ => {}
            }
        }
        (inside, entering)
    }

    fn leave_site(&self) {
        self.word(Word::Site).store(0, SeqCst);
    }
}

/// A number for a site, the same in every process: never 0, and even.
fn hash(site: Site) -> u64 {
    let mut hasher = DefaultHasher::new();
    site.hash(&mut hasher);
    (hasher.finish() | 2) & !ENTERING
}

fn now_millis() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let millis = now.tv_sec * 1000 + now.tv_nsec / 1_000_000;
    u64::try_from(millis).unwrap_or(0)
}

fn high(bits: u128) -> u64 {
    u64::try_from(bits >> 64).unwrap_or(0)
}

fn low(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0)
}

fn peer(port: u64, ip_high: u64, ip_low: u64) -> SocketName {
    if port == 0 {
        return SocketName::Unix(UnixName::Unnamed);
    }
    let ip = Ipv6Addr::from_bits(u128::from(ip_high) << 64 | u128::from(ip_low));
    let ip = if port & IPV6 == IPV6 { IpAddr::V6(ip) } else { ip.to_canonical() };
    let port = u16::try_from(port & 0xffff).unwrap_or(0);
    SocketName::Inet(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(text: &str) -> Site {
        Site::of(text.parse().unwrap())
    }

    #[test]
    fn a_peer_is_named_as_it_was_noted() {
        for text in ["192.0.2.1:80", "[2001:db8::1]:65535", "[::ffff:192.0.2.1]:0", "0.0.0.0:0"] {
            let name: SocketAddr = text.parse().unwrap();
            let (kind, ip) = match name {
                SocketAddr::V4(name) => (IPV4, name.ip().to_ipv6_mapped().to_bits()),
                SocketAddr::V6(name) => (IPV6, name.ip().to_bits()),
            };
            let port = kind | u64::from(name.port());
            assert_eq!(peer(port, high(ip), low(ip)), SocketName::Inet(name), "{text}");
        }
        assert_eq!(peer(0, 0, 0), SocketName::Unix(UnixName::Unnamed));
    }

    #[test]
    fn an_order_is_carried_out_by_one_child_or_revoked() {
        let cells = Cells::new(1).unwrap();
        let cell = cells.cell(0).unwrap();
        let first = cell.order();
        assert!(cell.claim(first));
        assert!(!cell.claim(first));
        assert_eq!(cell.revoke(first), Err(std::process::id()));
        assert!(!cell.is_finished());
        cell.finish();
        assert!(cell.is_finished());
        assert_eq!(cell.revoke(first), Err(std::process::id()));
        let second = cell.order();
        assert!(!cell.claim(first) && !cell.is_finished());
        let third = cell.revoke(second).unwrap();
        assert!(!cell.claim(second));
        assert!(cell.claim(third));
    }

    #[test]
    fn progress_fits_into_a_word() {
        for mark in [Mark::Ordered, Mark::Running, Mark::Finished] {
            let progress = Progress { mark, round: ROUNDS - 1, pid: u32::MAX };
            assert_eq!(Progress::from_bits(progress.to_bits()), progress);
        }
    }

    #[test]
    fn a_site_has_room_for_so_many_children_and_no_more() {
        let cells = Cells::new(4).unwrap();
        let cell = |slot| cells.cell(slot).unwrap();
        assert!(cell(0).enter_site(site("192.0.2.1"), 2));
        assert!(cell(1).enter_site(site("192.0.2.1"), 2));
        assert!(!cell(2).enter_site(site("192.0.2.1"), 2));
        assert!(cell(2).enter_site(site("192.0.2.2"), 2));
        cell(0).close();
        assert!(cell(3).enter_site(site("192.0.2.1"), 2));
        assert!(cells.cell(4).is_none());
    }

    #[test]
    fn children_that_enter_at_once_are_never_too_many_and_never_none() {
        let cells = Cells::new(16).unwrap();
        for _ in 0..200 {
            let entered: usize = thread::scope(|scope| {
                let enter = |slot| {
                    let cell = cells.cell(slot).unwrap();
                    scope.spawn(move || cell.enter_site(site("192.0.2.1"), 3))
                };
                let entering: Vec<_> = (0..4).map(enter).collect();
                entering.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
            });
            assert!((1..=3).contains(&entered), "{entered}");
            (0..4).for_each(|slot| cells.cell(slot).unwrap().clear());
        }
    }
}
