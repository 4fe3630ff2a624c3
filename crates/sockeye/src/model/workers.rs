//! Threads that run one piece of work at a time, each in a runtime of its own.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::runtime::ForThread;
use crate::server::{Job, PacketJob, ServerContext};

/// A piece of work for a thread.
#[derive(Debug)]
pub(super) enum Work {
    Connection(Box<Job>),
    Packet(Box<PacketJob>),
}

/// How long a thread stays without work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    /// Until the server stops.
    Always,
    /// For so long: the next connection is spared a new thread and runtime.
    For(Duration),
}

/// Threads, and those of them that wait for work, which end when this is dropped.
#[derive(Debug)]
pub(super) struct Workers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    server: Arc<ServerContext>,
    stay: Stay,
    /// The last to come is the first to go: its stack and runtime are still in the caches.
    idle: Mutex<Vec<oneshot::Sender<Work>>>,
    /// Nothing is given any more.
    done: CancellationToken,
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.0.done.cancel();
    }
}

impl Workers {
    pub(super) fn new(server: &Arc<ServerContext>, stay: Stay) -> Self {
        let (server, done) = (Arc::clone(server), CancellationToken::new());
        Self(Arc::new(Shared { server, stay, idle: Mutex::new(Vec::new()), done }))
    }

    /// Gives `work` to a waiting thread; gives it back if there is none.
    pub(super) fn give(&self, mut work: Work) -> Result<(), Work> {
        while let Some(idle) = self.0.idle().pop() {
            match idle.send(work) {
                Ok(()) => return Ok(()),
                // That one has ended meanwhile.
                Err(returned) => work = returned,
            }
        }
        Err(work)
    }

    /// Starts a thread that begins with `first`, or waits if there is nothing yet.
    ///
    /// # Errors
    /// If the system has no thread or descriptor left; `first` is as it was.
    pub(super) fn start(&self, first: &mut Option<Work>) -> io::Result<()> {
        let runtime = ForThread::new()?;
        let shared = Arc::clone(&self.0);
        let token = self.0.server.registry.token();
        // A thread that cannot be had takes what it was to own along.
        let given = Arc::new(Mutex::new(first.take()));
        let begin = Arc::clone(&given);
        let thread = thread::Builder::new().name("sockeye-conn".to_owned()).spawn(move || {
            let first = begin.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(begin);
            runtime.block_on(shared.serve(first));
            drop((runtime, shared, token));
        });
        if thread.is_err() {
            *first = given.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        thread.map(drop)
    }
}

impl Shared {
    async fn serve(&self, first: Option<Work>) {
        let mut next = first;
        loop {
            match next {
                Some(Work::Connection(job)) => job.run(Arc::clone(&self.server)).await,
                Some(Work::Packet(job)) => job.run().await,
                None => {}
            }
            next = Some(match self.wait().await {
                Some(work) => work,
                None => return,
            });
        }
    }

    /// Waits for work; `None` when there is none for too long, or no more will come.
    async fn wait(&self) -> Option<Work> {
        let (idle, mut work) = oneshot::channel();
        {
            let mut waiting = self.idle();
            waiting.retain(|idle| !idle.is_closed());
            waiting.push(idle);
        }
        let too_long = async {
            match self.stay {
                Stay::Always => std::future::pending().await,
                Stay::For(time) => tokio::time::sleep(time).await,
            }
        };
        tokio::select! {
            biased;
            given = &mut work => return given.ok(),
            () = too_long => {}
            () = self.done.cancelled() => {}
        }
        // What is given from now on comes back to the giver; what was given just before is here.
        work.close();
        work.try_recv().ok()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<oneshot::Sender<Work>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
