//! A process for each connection.

use std::{io, sync::Arc};

use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::{Executor, Packets, Run, runtime, serve_sources};
use crate::{
    Error, Report,
    server::{Job, PacketJob, ServerContext, Taken},
    zygote::{Dispatcher, Task, Work},
};

/// Hands each piece of work to a child of the zygote.
#[derive(Debug)]
struct Forks {
    server: Arc<ServerContext>,
    work: mpsc::Sender<Work>,
}

impl Forks {
    async fn order(&self, cell: Option<Taken>, task: Task) {
        // There are as many cells as permits, and each task holds a permit.
        let Some(cell) = cell else { return };
        // A dispatcher that is gone has said why.
        let _ = self.work.send(Work { cell, task }).await;
    }
}

impl Executor for Forks {
    async fn connection(&self, mut job: Job) {
        let cell = job.admission.take_cell();
        self.order(cell, Task::Connection(job)).await;
    }

    async fn packet(&self, job: PacketJob) {
        self.order(self.server.take_cell(), Task::Packet(job)).await;
    }
}

pub(super) fn run(mut run: Run) -> Result<Report, Error> {
    let zygotes = run.zygotes.take().ok_or(Error::Fork(io::ErrorKind::NotFound.into()))?;
    let runtime = runtime::current_thread().map_err(Error::system("cannot start the runtime"))?;
    runtime.block_on(run.supervise(|server, sources| async move {
        let tasks = TaskTracker::new();
        let dispatcher = Dispatcher::new(&server, zygotes, &tasks).map_err(Error::Fork)?;
        let (work, ordered) = mpsc::channel(1);
        let dispatching = tasks.spawn(dispatcher.run(ordered));
        let forks = Forks { server: Arc::clone(&server), work };
        serve_sources(&Arc::clone(&server), sources, &forks, Packets::Executor)
            .await
            .map_err(Error::system("cannot serve"))?;
        drop(forks);
        let dispatched = dispatching.await.unwrap_or_else(|ended| Err(io::Error::other(ended)));
        dispatched.map_err(Error::Fork)
    }))
}
