//! Accepting: it never gives up.
//!
//! An error of one connection is passed over. When descriptors or memory have run out, accepting
//! pauses, from 5 ms up to 1 s; when that lasts, waiting connections are closed with the help of
//! a spare descriptor, so that their clients learn it.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    os::fd::{AsRawFd, RawFd},
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    process::{Resource, getrlimit},
};
use tokio::io::{Interest, unix::AsyncFd};

use super::{
    backoff::Backoff,
    context::ServerContext,
    service::{Route, StreamSource},
    stats::Counter,
    warn_limit::WarnLimit,
};
use crate::{
    Listener,
    socket::{Accepted, has_input},
    sys::{registration::watch, served::Served},
};

/// How long a shortage lasts before waiting connections are closed.
const SHED_AFTER: Duration = Duration::from_secs(1);
/// Most connections closed at once.
const SHED_AT_ONCE: usize = 64;
/// Descriptors that taking a backlog leaves to those who handle it.
const LEFT_FOR_HANDLERS: RawFd = 64;

/// The listeners that one loop accepts from, in fair turn.
#[derive(Debug)]
pub(crate) struct Incoming {
    server: Arc<ServerContext>,
    sources: Vec<Watched>,
    next: usize,
    shortage: Shortage,
}

/// A connection that was taken from a backlog, and where it goes. It does not hold its listener
/// open.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) accepted: Accepted,
    pub(crate) route: Arc<Route>,
    /// The place of the listener among the server's.
    pub(crate) source: u16,
}

impl Waiting {
    fn new(source: &StreamSource, accepted: Accepted) -> Self {
        Self { accepted, route: Arc::clone(&source.route), source: source.index }
    }
}

/// One listener, watched by the current runtime.
#[derive(Debug)]
struct Watched {
    listener: AsyncFd<Arc<Served<Listener>>>,
    source: Arc<StreamSource>,
}

/// What an accept error means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// This connection's alone: take the next.
    Connection,
    /// Descriptors or memory have run out: pause.
    Resources,
}

impl Trouble {
    fn of(error: &io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => Self::Resources,
            // The listener itself is broken: asking again at once would only burn the processor.
            Some(Errno::INVAL | Errno::BADF | Errno::NOTSOCK | Errno::OPNOTSUPP) => Self::Resources,
            _ => Self::Connection,
        }
    }
}

impl Incoming {
    /// Watches `sources` in the current runtime.
    pub(crate) fn watch(
        server: &Arc<ServerContext>,
        sources: &[Arc<StreamSource>],
    ) -> io::Result<Self> {
        let watched = |source: &Arc<StreamSource>| {
            watch(Arc::clone(&source.listener), Interest::READABLE)
                .map(|listener| Watched { listener, source: Arc::clone(source) })
        };
        Ok(Self {
            server: Arc::clone(server),
            sources: sources.iter().map(watched).collect::<io::Result<_>>()?,
            next: 0,
            shortage: Shortage::new(),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Waits until a listener has a connection to give: which. Cancellation safe.
    pub(crate) async fn ready(&mut self) -> usize {
        poll_fn(|cx| {
            std::task::ready!(self.shortage.backoff.poll_over(cx));
            let count = self.sources.len();
            let turns = (0..count).map(|turn| (self.next + turn) % count);
            for index in turns {
                // A runtime that can no longer watch is shutting down: it gives nothing.
                if let Poll::Ready(Ok(_)) = self.sources[index].listener.poll_read_ready(cx) {
                    return Poll::Ready(index);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Takes a connection from a listener that was ready, if it is still there.
    pub(crate) fn take(&mut self, index: usize) -> Option<Waiting> {
        let Watched { listener, source } = &self.sources[index];
        self.next = index + 1;
        // Clears the readiness if nothing was there.
        match listener.try_io(Interest::READABLE, |listener| listener.try_accept()) {
            Ok(accepted) => {
                self.shortage.over();
                if self.server.is_child() {
                    // Another process may be draining the same listener already.
                    accepted.admit();
                }
                Some(Waiting::new(source, accepted))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) if Trouble::of(&error) == Trouble::Resources => {
                self.server.counters.count(Counter::AcceptBackoffs);
                if self.shortage.pause(&error) {
                    self.shed();
                }
                None
            }
            Err(error) => {
                tracing::debug!(%error, "a connection ended in the backlog");
                None
            }
        }
    }

    /// Takes all that waits in the backlogs now and closes the listeners: for the drain. What
    /// comes after so many as a backlog holds came after the drain began.
    ///
    /// Listeners whose connections cannot be taken, as descriptors or memory have run out, stay
    /// open: `true` if there are none.
    pub(crate) fn take_all(&mut self, waiting: &mut VecDeque<Waiting>) -> bool {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let last = RawFd::try_from(files).unwrap_or(RawFd::MAX) - LEFT_FOR_HANDLERS;
        self.sources.retain(|Watched { source, .. }| {
            source.listener.turn_away();
            for _ in 0..=source.route.addr.options.backlog_or_default() {
                match source.listener.try_accept() {
                    Ok(accepted) => {
                        accepted.admit();
                        let nearly_out = accepted.fd.as_raw_fd() >= last;
                        waiting.push_back(Waiting::new(source, accepted));
                        if nearly_out {
                            return true;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                    Err(error) if Trouble::of(&error) == Trouble::Resources => return true,
                    Err(_) => {}
                }
            }
            false
        });
        self.sources.is_empty()
    }

    /// Lets nobody else into the backlogs.
    pub(crate) fn turn_away(&self) {
        for Watched { source, .. } in &self.sources {
            source.listener.turn_away();
        }
    }

    /// Closes the listeners that have nobody in their backlog, once nobody else is let in: whether
    /// any are left.
    pub(crate) fn close_empty(&mut self) -> bool {
        self.sources.retain(|Watched { source, .. }| has_input(&*source.listener));
        !self.sources.is_empty()
    }

    /// A connection that waits in a backlog now, if there is one.
    pub(crate) fn accept_waiting(&mut self) -> Option<Waiting> {
        for Watched { source, .. } in &self.sources {
            loop {
                match source.listener.try_accept() {
                    Ok(accepted) => {
                        accepted.admit();
                        return Some(Waiting::new(source, accepted));
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if Trouble::of(&error) == Trouble::Resources => break,
                    Err(_) => {}
                }
            }
        }
        None
    }

    /// Closes connections that wait in the backlogs, using the spare descriptor.
    fn shed(&mut self) {
        let spare = self.shortage.spare.take().or_else(spare_descriptor);
        let Some(spare) = spare else { return };
        drop(spare);
        let mut closed = 0;
        while closed < SHED_AT_ONCE {
            let Some(waiting) = self.accept_waiting() else { break };
            drop(waiting);
            closed += 1;
            self.server.counters.count(Counter::Accepted);
            self.server.counters.count(Counter::RefusedNoDescriptors);
        }
        self.shortage.spare = spare_descriptor();
        tracing::debug!(closed, "closed waiting connections");
    }
}

/// A time in which descriptors or memory have run out.
#[derive(Debug)]
struct Shortage {
    since: Option<Instant>,
    backoff: Backoff,
    warnings: WarnLimit,
    spare: Option<rustix::fd::OwnedFd>,
}

fn spare_descriptor() -> Option<rustix::fd::OwnedFd> {
    rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC).ok()
}

impl Shortage {
    fn new() -> Self {
        Self {
            since: None,
            backoff: Backoff::new(),
            warnings: WarnLimit::default(),
            spare: spare_descriptor(),
        }
    }

    fn over(&mut self) {
        if self.since.take().is_some() {
            self.backoff.reset();
            tracing::info!("accepting again");
        }
    }

    /// Begins a pause; whether the shortage has lasted so long that connections are to be shed.
    fn pause(&mut self, error: &io::Error) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        if self.warnings.due() {
            tracing::warn!(
                %error,
                "cannot accept: pausing; raise the limit on open files (LimitNOFILE=, ulimit -n) \
                 or lower max_connections"
            );
        }
        self.backoff.begin();
        since.elapsed() >= SHED_AFTER
    }
}
