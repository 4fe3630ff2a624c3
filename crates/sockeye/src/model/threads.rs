//! A thread for each connection.

use std::{sync::Arc, time::Duration};

use super::{
    Executor, Packets, Run, runtime, serve_sources,
    workers::{Stay, Work, Workers},
};
use crate::{
    Error, Report,
    server::{Counter, Job, PacketJob, ServerContext},
};

/// How long a thread waits for another connection when it has finished one: longer than the
/// rest of that one may take, which runs on in the thread's runtime.
const LINGER: Duration = Duration::from_millis(1100);

/// Gives each piece of work a thread: one that has just finished, or a new one.
#[derive(Debug)]
struct Threads {
    server: Arc<ServerContext>,
    workers: Workers,
}

/// First pause when there is no thread or descriptor for another runtime.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// How long work waits for a thread until it is refused. Whoever comes after it waits in the backlog.
const PATIENCE: Duration = Duration::from_secs(1);

impl Threads {
    async fn run(&self, work: Work) {
        let mut pause = FIRST_PAUSE;
        let mut waiting = Some(work);
        while let Some(work) = waiting.take() {
            let Err(work) = self.workers.give(work) else { return };
            waiting = Some(work);
            let Err(error) = self.workers.start(&mut waiting) else { return };
            if pause > PATIENCE {
                self.server.counters.count(Counter::RefusedNoWorker);
                tracing::warn!(
                    %error,
                    "closed a connection: no thread for it; lower the model's number"
                );
                return;
            }
            self.server.counters.count(Counter::AcceptBackoffs);
            tokio::select! {
                () = tokio::time::sleep(pause) => pause *= 2,
                () = self.server.shutdown.cut_now() => break,
            }
        }
        if let Some(Work::Connection(job)) = waiting {
            self.server.cut(job.info.id());
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
        let threads = Threads { server: Arc::clone(&server), workers };
        serve_sources(&server, sources, &threads, Packets::Executor)
            .await
            .map_err(Error::system("cannot serve"))
    }))
}
