//! A thread for each connection.

use std::{sync::Arc, time::Duration};

use super::{
    Executor, Packets, Patience, Run, runtime, serve_sources,
    workers::{Stay, Work, Workers},
};
use crate::{
    Error, Report,
    server::{Counter, Job, PacketJob, ServerContext, WarnLimit},
};

/// How long a thread waits for another connection when it has finished one: longer than the
/// rest of that one may take, which runs on in the thread's runtime.
const LINGER: Duration = Duration::from_millis(1100);

/// Gives each piece of work a thread: one that has just finished, or a new one.
#[derive(Debug)]
struct Threads {
    server: Arc<ServerContext>,
    workers: Workers,
    warnings: WarnLimit,
}

impl Threads {
    /// Runs work once there is a thread for it. Whoever comes after it waits in the backlog.
    async fn run(&self, work: Work) {
        let mut patience = Patience::default();
        let mut waiting = Some(work);
        while let Some(work) = waiting.take() {
            let Err(work) = self.workers.give(work) else { return };
            waiting = Some(work);
            let Err(error) = self.workers.start(&mut waiting) else { return };
            let Some(pause) = patience.pause() else {
                let (counter, what) = match waiting {
                    Some(Work::Packet(_)) => (Counter::PacketsShed, "dropped a datagram"),
                    _ => (Counter::RefusedNoWorker, "closed a connection"),
                };
                self.server.counters.count(counter);
                if self.warnings.due() {
                    tracing::warn!(%error, "{what}: no thread for it; lower the model's number");
                }
                return;
            };
            self.server.counters.count(Counter::AcceptBackoffs);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.server.shutdown.cut_now() => break,
            }
        }
        match waiting {
            Some(Work::Connection(job)) => self.server.cut(job.info.id()),
            Some(Work::Packet(job)) => job.cut(),
            None => {}
        }
    }
}

impl Executor for Threads {
    async fn connection(&self, job: Job) {
        self.run(Work::Connection(Box::new(job))).await;
    }

    async fn packet(&self, job: PacketJob) {
        self.run(Work::Packet(Box::new(job))).await;
    }
}

pub(super) fn run(run: Run) -> Result<Report, Error> {
    let runtime = runtime::current_thread().map_err(Error::system("cannot start the runtime"))?;
    runtime.block_on(run.supervise(|server, sources| async move {
        let workers = Workers::new(&server, Stay::For(LINGER));
        let threads =
            Threads { server: Arc::clone(&server), workers, warnings: WarnLimit::default() };
        serve_sources(&server, sources, &threads, Packets::Executor)
            .await
            .map_err(Error::system("cannot serve"))
    }))
}
