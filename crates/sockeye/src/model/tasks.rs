//! A task for each connection.

use std::{num::NonZeroUsize, sync::Arc, thread};

use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::{Executor, Packets, Run, Sources, runtime, serve_sources};
use crate::{
    Error, Report,
    server::{Job, PacketJob, ServerContext},
};

/// Makes each piece of work a task of the current runtime.
#[derive(Debug)]
pub(super) struct Spawn {
    server: Arc<ServerContext>,
    tasks: TaskTracker,
}

impl Executor for Spawn {
    async fn connection(&self, job: Job) {
        self.tasks.spawn(job.run(Arc::clone(&self.server)));
    }

    async fn packet(&self, job: PacketJob) {
        self.tasks.spawn(job.run());
    }
}

/// Serves `sources` with a task for each connection, until all of them have ended.
pub(super) async fn serve(server: Arc<ServerContext>, sources: Sources) -> std::io::Result<()> {
    let tasks = TaskTracker::new();
    let spawn = Spawn { server: Arc::clone(&server), tasks: tasks.clone() };
    serve_sources(&server, sources, &spawn, Packets::Tasks(&tasks)).await?;
    tasks.close();
    tasks.wait().await;
    Ok(())
}

pub(super) fn run(run: Run) -> Result<Report, Error> {
    let available = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let workers = run.settings.workers.unwrap_or_else(available).max(1);
    run_with(run, workers)
}

/// Serves with so many workers.
pub(super) fn run_with(run: Run, workers: usize) -> Result<Report, Error> {
    // One worker needs nobody to steal from: the runtime then lives in this thread.
    let runtime =
        if workers == 1 { runtime::current_thread() } else { runtime::work_stealing(workers) }
            .map_err(Error::system("cannot start the runtime"))?;
    let report = runtime.block_on(run_async(run));
    runtime.shutdown_background();
    report
}

/// Serves on the caller's runtime.
pub(super) async fn run_async(run: Run) -> Result<Report, Error> {
    run.supervise(|server, sources| async move {
        // On a worker, where the tasks that it starts will run.
        let accepting = TaskTracker::new().spawn(serve(server, sources));
        let accepting = AbortOnDropHandle::new(accepting);
        let served = accepting.await.unwrap_or_else(|ended| Err(std::io::Error::other(ended)));
        served.map_err(Error::system("cannot serve"))
    })
    .await
}
