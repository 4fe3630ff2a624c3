//! The watchdog of a process: cuts connections, and wakes those that have waited too long.
//!
//! One for all connections, so that none needs a timer of its own: waiting for a peer then arms no
//! timer in the system, and a connection that is served pays nothing for its limits.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    Limits,
    clock::{self, Time},
    context::ServerContext,
    deadline::{Deadline, TaskWaker},
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

    /// Cuts the connection once what is returned, if it is polled already, has been woken.
    #[must_use]
    pub(super) fn cut(&self) -> Option<Waker> {
        self.cut.store(true, Relaxed);
        // The lock in there orders both.
        self.task.get()
    }

    const fn deadlines(&self) -> [&Deadline; 3] {
        [&self.read, &self.line, &self.write]
    }
}

/// Least time between two looks at the connections, as a part of the shortest limit: so much later
/// than its limit a connection may be woken.
const PART: u32 = 32;
const LEAST_PAUSE: Duration = Duration::from_millis(1);

/// Wakes the watchdog before its time.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    told: Notify,
}

/// What the watchdog will be in time for. Kept under one lock with the connections, so that a new
/// limit is either seen at the next look or told.
#[derive(Debug, Default)]
pub(super) struct Attention {
    /// The shortest limit at the last look; none while nobody had one.
    shortest: Option<Duration>,
}

impl Attention {
    /// Whether the watchdog would be late for a limit.
    pub(super) fn misses(&self, limit: Option<Duration>) -> bool {
        limit.is_some_and(|limit| self.shortest.is_none_or(|shortest| limit < shortest))
    }
}

impl Watchdog {
    /// Tells of a limit that the watchdog would be late for.
    pub(super) fn tell(&self) {
        self.told.notify_one();
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
            next = Self::look(server);
        }
        server.registry.cut_all();
        pending().await
    }

    /// Calls whoever is late; how long until the next look, if anybody has a limit.
    fn look(server: &ServerContext) -> Option<Duration> {
        let now = clock::exact();
        let mut late = Vec::new();
        let mut shortest = None::<Duration>;
        let mut earliest = None::<Time>;
        server.registry.look(|connections, attention| {
            for deadline in connections.flat_map(Watched::deadlines) {
                let Some(limit) = deadline.limit() else { continue };
                shortest = Some(shortest.map_or(limit, |shortest| shortest.min(limit)));
                match deadline.expiry() {
                    Some(expiry) if expiry <= now => late.extend(deadline.call()),
                    Some(expiry) => {
                        earliest = Some(earliest.map_or(expiry, |earliest| earliest.min(expiry)));
                    }
                    None => {}
                }
            }
            attention.shortest = shortest;
        });
        late.into_iter().for_each(Waker::wake);
        let limit = shortest?;
        // A wait that begins now is late no earlier than after the shortest limit.
        let pause = earliest.map_or(limit, |earliest| now.until(earliest).min(limit));
        Some(pause.max(limit / PART).max(LEAST_PAUSE))
    }
}
