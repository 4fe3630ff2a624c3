//! What a session does now: which files it reads or writes, how far it is, and since when it has done nothing.
//!
//! Each session writes this down for itself, so that nobody waits for anybody else; only who asks looks at all of them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use sockeye_journal::Operation;

/// Most of what a session does at once that is told of it.
const MOST_TOLD: usize = 4;

/// A file that is being read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// What is done to it.
    pub operation: Operation,
    /// Its path, as the log has it.
    pub path: Vec<u8>,
    /// Bytes of it that went by so far.
    pub bytes: u64,
    /// Since when.
    pub since: SystemTime,
}

/// What sessions that are one do.
#[derive(Debug)]
pub(super) struct Doings {
    begun: Instant,
    /// Nanoseconds from `begun` to when something was done last.
    last: AtomicU64,
    under_way: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    last: u64,
    each: BTreeMap<u64, Arc<Doing>>,
}

#[derive(Debug)]
struct Doing {
    number: u64,
    /// Whose it is; in there it stands itself for as long as it lasts.
    of: Arc<Doings>,
    operation: Operation,
    path: Box<[u8]>,
    bytes: AtomicU64,
    since: SystemTime,
}

/// Something that is under way, for as long as this lives.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Doing>);

impl Default for Doings {
    fn default() -> Self {
        Self { begun: Instant::now(), last: AtomicU64::new(0), under_way: Mutex::default() }
    }
}

impl Doings {
    /// Something was done at this moment.
    pub(super) fn touch(&self, now: Instant) {
        let nanos = now.saturating_duration_since(self.begun).as_nanos();
        self.last.fetch_max(u64::try_from(nanos).unwrap_or(u64::MAX), Relaxed);
    }

    /// For how long nothing was done; not at all while something is under way.
    pub(super) fn idle(&self) -> Duration {
        if !self.lock().each.is_empty() {
            return Duration::ZERO;
        }
        self.begun.elapsed().saturating_sub(Duration::from_nanos(self.last.load(Relaxed)))
    }

    /// What is under way, what began first in front.
    pub(super) fn told(&self) -> Vec<Activity> {
        let told = |doing: &Arc<Doing>| Activity {
            operation: doing.operation,
            path: doing.path.to_vec(),
            bytes: doing.bytes.load(Relaxed),
            since: doing.since,
        };
        self.lock().each.values().take(MOST_TOLD).map(told).collect()
    }

    /// Notes that this is done from now on.
    pub(super) fn begin(
        self: &Arc<Self>,
        operation: Operation,
        path: &[u8],
        since: SystemTime,
    ) -> UnderWay {
        let mut all = self.lock();
        all.last += 1;
        let doing = Arc::new(Doing {
            number: all.last,
            of: Arc::clone(self),
            operation,
            path: path.into(),
            bytes: AtomicU64::new(0),
            since,
        });
        all.each.insert(doing.number, Arc::clone(&doing));
        UnderWay(doing)
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// How many bytes went by so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.bytes.load(Relaxed)
    }

    /// So many bytes went by.
    pub(crate) fn reached(&self, bytes: u64) {
        self.0.bytes.store(bytes, Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Doing { of, number, .. } = &*self.0;
        of.touch(Instant::now());
        of.lock().each.remove(number);
    }
}
