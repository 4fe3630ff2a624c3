//! A fixed number of processes, forked beforehand.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::{Run, runtime};
use crate::{
    Error, Report,
    server::{Counter, ServerContext},
    zygote::{Dispatcher, Task, Work},
};

/// First pause before a worker that died at once is replaced.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A worker that lived as long as this died of something new.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);

pub(super) fn run(mut run: Run, workers: usize) -> Result<Report, Error> {
    let zygotes = run.zygotes.take().ok_or(Error::Fork(io::ErrorKind::NotFound.into()))?;
    let runtime = runtime::current_thread().map_err(Error::system("cannot start the runtime"))?;
    runtime.block_on(run.supervise(|server, sources| async move {
        let tasks = TaskTracker::new();
        let dispatcher = Dispatcher::new(&server, zygotes, &tasks).map_err(Error::Fork)?;
        let (work, ordered) = mpsc::channel(1);
        let dispatching = tasks.spawn(dispatcher.run(ordered));
        // More than may run at once would have nothing to do.
        for _ in 0..workers.min(server.capacity) {
            tasks.spawn(keep_alive(Arc::clone(&server), work.clone()));
        }
        server.shutdown.draining().await;
        // The workers' own copies, and the zygotes', close with them.
        drop((sources, work));
        let dispatched = dispatching.await.unwrap_or_else(|ended| Err(io::Error::other(ended)));
        dispatched.map_err(Error::Fork)
    }))
}

/// Keeps one worker running until the drain.
async fn keep_alive(server: Arc<ServerContext>, work: mpsc::Sender<Work>) {
    let _token = server.registry.token();
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        let (ended, mut worker) = oneshot::channel();
        // There is one for each worker.
        let Some(cell) = server.take_cell() else { return };
        tokio::select! {
            biased;
            () = server.shutdown.draining() => return,
            sent = work.send(Work { cell, task: Task::Worker { ended } }) => if sent.is_err() { return },
        }
        // An error means that the order was refused or lost: no worker has died.
        let began = tokio::select! {
            ended = &mut worker => ended.is_ok(),
            () = server.shutdown.draining() => {
                // Nobody orders any more: the zygotes end, and with them their listeners.
                drop(work);
                let _ = worker.await;
                return;
            }
        };
        if began {
            if started.elapsed() >= HEALTHY_AFTER {
                pause = FIRST_PAUSE;
            }
            tracing::warn!(pause_ms = pause.as_millis(), "a worker has died and is replaced");
            server.counters.count(Counter::WorkersRestarted);
        }
        tokio::select! {
            () = server.shutdown.draining() => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}
