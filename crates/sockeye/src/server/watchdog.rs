//! The watchdog of a process: cuts connections, and wakes those that have waited too long.
//!
//! One for all connections, so that none needs a timer of its own: waiting for a peer then arms no
//! timer in the system, and a connection that is served pays nothing for its limits.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    Limits,
    clock::{self, Time},
    context::ServerContext,
    deadline::{Deadline, TaskWaker, nanoseconds},
};

/// What the watchdog sees of one connection.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(super) read: Deadline,
    pub(super) line: Deadline,
    pub(super) write: Deadline,
    cut: AtomicBool,
    task: TaskWaker,
}

impl Watched {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            read: Deadline::new("sent nothing", limits.read_idle),
            line: Deadline::new("did not finish its line", limits.line_time),
            write: Deadline::new("read nothing", limits.write_stall),
            cut: AtomicBool::new(false),
            task: TaskWaker::default(),
        }
    }

    /// Ready once the connection is cut. Of the tasks that poll, the last is woken.
    pub(super) fn poll_cut(&self, cx: &Context<'_>) -> Poll<()> {
        self.task.set(cx);
        if self.cut.load(Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    }

    pub(super) fn cut(&self) {
        self.cut.store(true, Relaxed);
        // The lock in there orders both.
        self.task.wake();
    }

    const fn deadlines(&self) -> [&Deadline; 3] {
        [&self.read, &self.line, &self.write]
    }
}

/// Least time between two looks at the connections, as a part of the shortest limit: so much later
/// than its limit a connection may be woken.
const PART: u32 = 32;
const LEAST_PAUSE: Duration = Duration::from_millis(1);

/// How the watchdog is told of limits that are shorter than those it knows.
#[derive(Debug)]
pub(crate) struct Watchdog {
    told: Notify,
    /// The shortest limit that the next look will be in time for, in nanoseconds; the highest number
    /// while there is none.
    shortest: AtomicU64,
}

impl Default for Watchdog {
    fn default() -> Self {
        Self { told: Notify::new(), shortest: AtomicU64::new(u64::MAX) }
    }
}

impl Watchdog {
    /// Must be called when a connection has set itself a limit, or has brought one along.
    pub(super) fn tell(&self, limit: Option<Duration>) {
        if nanoseconds(limit) < self.shortest.load(Relaxed) {
            self.told.notify_one();
        }
    }

    /// Watches over the connections of this process; never returns.
    pub(crate) async fn run(&self, server: &Arc<ServerContext>) {
        let mut next = None;
        loop {
            let time = async {
                match next {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                () = server.shutdown.cut_now() => break,
                () = self.told.notified() => {}
                () = time => {}
            }
            next = self.look(server);
        }
        // Whoever is admitted from now on looks for itself.
        server.registry.for_each_watched(|watched| watched.cut());
        pending().await
    }

    /// Calls whoever is late; how long until the next look, if anybody has a limit.
    fn look(&self, server: &ServerContext) -> Option<Duration> {
        let now = clock::exact();
        let mut shortest = None::<Duration>;
        let mut earliest = None::<Time>;
        server.registry.for_each_watched(|watched| {
            for deadline in watched.deadlines() {
                let Some(limit) = deadline.limit() else { continue };
                shortest = Some(shortest.map_or(limit, |shortest| shortest.min(limit)));
                match deadline.expiry() {
                    Some(expiry) if expiry <= now => deadline.call(),
                    Some(expiry) => {
                        earliest = Some(earliest.map_or(expiry, |earliest| earliest.min(expiry)));
                    }
                    None => {}
                }
            }
        });
        self.shortest.store(nanoseconds(shortest), Relaxed);
        let limit = shortest?;
        // A wait that begins now is late no earlier than after the shortest limit.
        let pause = earliest.map_or(limit, |earliest| now.until(earliest).min(limit));
        Some(pause.max(limit / PART).max(LEAST_PAUSE))
    }
}
