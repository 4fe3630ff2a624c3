//! A time in which the system has no process for another child: work is held, not refused at once.

use std::{collections::VecDeque, io};

use tokio::time::Instant;

use super::dispatcher::{Task, Work};
use crate::{
    model::Patience,
    server::{Counter, ServerContext, WarnLimit},
};

/// What waits for a process, and until when.
#[derive(Debug)]
pub(super) struct Shortage {
    /// Whether the last fork failed.
    lasts: bool,
    held: VecDeque<(Box<Work>, Patience)>,
    try_at: Instant,
    warnings: WarnLimit,
}

impl Shortage {
    pub(super) fn none() -> Self {
        let (held, warnings) = (VecDeque::new(), WarnLimit::default());
        Self { lasts: false, held, try_at: Instant::now(), warnings }
    }

    /// How many orders may be under way, at most `most`. In a shortage one is enough to see
    /// whether it is over: whoever comes after it waits in the backlog.
    pub(super) fn room(&self, most: usize) -> usize {
        match (self.holds(), self.lasts) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => most,
        }
    }

    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// When what is held is to be tried again.
    pub(super) const fn try_at(&self) -> Instant {
        self.try_at
    }

    pub(super) fn next_try(&mut self) -> VecDeque<(Box<Work>, Patience)> {
        std::mem::take(&mut self.held)
    }

    /// A fork has succeeded.
    pub(super) const fn over(&mut self) {
        self.lasts = false;
    }

    /// There is no process for a piece of work: it is tried again, or refused in the end.
    pub(super) fn hold(
        &mut self,
        server: &ServerContext,
        work: Box<Work>,
        mut patience: Patience,
        error: &io::Error,
    ) {
        self.lasts = true;
        if let Task::Worker { .. } = work.task {
            // Whoever ordered it is told so by the drop, and orders it again in its own time.
            return self.warn(error, "no process for a worker yet");
        }
        let Some(pause) = patience.pause() else {
            let (counter, what) = match work.task {
                Task::Packet(_) => (Counter::PacketsShed, "dropped a datagram: no process for it"),
                _ => (Counter::RefusedNoWorker, "closed a connection: no process for it"),
            };
            server.counters.count(counter);
            return self.warn(error, what);
        };
        let try_at = Instant::now() + pause;
        if self.holds() {
            self.try_at = self.try_at.max(try_at);
        } else {
            server.counters.count(Counter::AcceptBackoffs);
            self.try_at = try_at;
        }
        self.held.push_back((work, patience));
    }

    /// The server is being cut: so is what has no process yet.
    pub(super) fn cut_held(&mut self, server: &ServerContext) {
        for (work, _) in self.held.drain(..) {
            match work.task {
                Task::Connection(job) => server.cut(job.info.id()),
                Task::Packet(job) => job.cut(),
                Task::Worker { .. } => {}
            }
        }
    }

    /// Warns once in a while.
    pub(super) fn warn(&self, error: &io::Error, what: &str) {
        if self.warnings.due() {
            tracing::warn!(
                %error,
                "{what}; raise the limits on processes and open files (TasksMax=, LimitNOFILE=, \
                 ulimit -u, ulimit -n) or lower the model's number"
            );
        }
    }
}
