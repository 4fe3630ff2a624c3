//! How long an operation may wait for the peer.
//!
//! Waiting costs no timer and no reading of the exact clock: the connection notes since when it waits,
//! and the [watchdog](super::watchdog) wakes it when that was too long ago.

use std::{
    future::{Future, poll_fn},
    io,
    pin::pin,
    ptr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicPtr, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    task::{Context, Poll, RawWakerVTable, Waker},
    time::Duration,
};

use super::{
    clock::{self, Time},
    failure::DeadlineError,
};

/// The time since the last progress of one direction, bounded.
///
/// Progress costs one store. A wait that is cancelled and begun again goes on counting; only progress
/// ends it. Shared between the connection, which waits, and the watchdog, which looks.
#[derive(Debug)]
pub(crate) struct Deadline {
    what: &'static str,
    /// In nanoseconds; the highest number is no limit.
    limit: AtomicU64,
    /// When the wait began; 0 while there is none.
    since: AtomicU64,
    /// The watchdog's word that it has been too long, which the connection checks.
    late: AtomicBool,
    waker: TaskWaker,
}

const NO_LIMIT: u64 = u64::MAX;

/// A limit in nanoseconds; the highest number if there is none.
fn nanoseconds(limit: Option<Duration>) -> u64 {
    let Some(limit) = limit else { return NO_LIMIT };
    u64::try_from(limit.as_nanos()).unwrap_or(NO_LIMIT)
}

impl Deadline {
    pub(crate) fn new(what: &'static str, limit: Option<Duration>) -> Self {
        Self {
            what,
            limit: AtomicU64::new(nanoseconds(limit)),
            since: AtomicU64::new(0),
            late: AtomicBool::new(false),
            waker: TaskWaker::default(),
        }
    }

    /// Sets another limit, and counts from now.
    pub(crate) fn set_limit(&self, limit: Option<Duration>) {
        self.limit.store(nanoseconds(limit), Relaxed);
        self.progress();
    }

    /// The limit, if there is one.
    pub(crate) fn limit(&self) -> Option<Duration> {
        let limit = self.limit.load(Relaxed);
        (limit != NO_LIMIT).then(|| Duration::from_nanos(limit))
    }

    /// Notes that the peer did something.
    pub(crate) fn progress(&self) {
        self.since.store(0, Relaxed);
    }

    /// Called when the operation must wait: an error when the peer has had its time.
    pub(crate) fn poll_expired(&self, cx: &Context<'_>) -> Poll<io::Error> {
        let limit = self.limit.load(Relaxed);
        if limit == NO_LIMIT {
            return Poll::Pending;
        }
        if self.since.load(Relaxed) == 0 {
            self.since.store(clock::coarse().0, Relaxed);
        }
        self.waker.set(cx);
        // The watchdog says so first and wakes then: it is seen here or wakes this task.
        if self.late.load(Acquire) {
            self.late.store(false, Relaxed);
            // The peer may have moved just before.
            if self.expiry().is_some_and(|expiry| expiry <= clock::exact()) {
                let error = DeadlineError { what: self.what, limit: Duration::from_nanos(limit) };
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, error));
            }
        }
        Poll::Pending
    }

    /// When the wait that is under way, if there is one, will have been too long.
    pub(crate) fn expiry(&self) -> Option<Time> {
        let since = self.since.load(Relaxed);
        // The coarse clock may be behind by one of its ticks: nobody shall be cut too early.
        (since != 0)
            .then(|| Time(since).after(self.limit.load(Relaxed)).after(clock::coarse_tick()))
    }

    /// The watchdog has seen that the expiry is past: who is to be woken.
    #[must_use]
    pub(crate) fn call(&self) -> Option<Waker> {
        self.late.store(true, Release);
        self.waker.get()
    }

    /// Runs one operation under the deadline.
    pub(crate) async fn guard<T>(
        &self,
        operation: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        let mut operation = pin!(operation);
        let result = poll_fn(|cx| match operation.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => self.poll_expired(cx).map(Err),
        })
        .await;
        if result.is_ok() {
            self.progress();
        }
        result
    }
}

/// The task that waits, to be woken from elsewhere. Setting the same again costs two loads.
#[derive(Debug, Default)]
pub(crate) struct TaskWaker {
    waker: Mutex<Option<Waker>>,
    /// What the waker consists of: as long as it is kept here, no other is made of the same.
    data: AtomicPtr<()>,
    table: AtomicPtr<RawWakerVTable>,
}

impl TaskWaker {
    /// Makes the task of `cx` the one to be woken. To be called by one task at a time.
    pub(crate) fn set(&self, cx: &Context<'_>) {
        let data = cx.waker().data().cast_mut();
        let table = ptr::from_ref(cx.waker().vtable()).cast_mut();
        if self.table.load(Relaxed) == table && self.data.load(Relaxed) == data {
            return;
        }
        *self.slot() = Some(cx.waker().clone());
        self.data.store(data, Relaxed);
        self.table.store(table, Relaxed);
    }

    /// The task to be woken, if there is one. Not under a lock: it may come here, or drop what it is.
    pub(crate) fn get(&self) -> Option<Waker> {
        self.slot().clone()
    }

    fn slot(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
