//! A fixed number of threads.

use super::{
    Executor, Packets, Run, runtime, serve_sources,
    workers::{Stay, Work, Workers},
};
use crate::{
    Error, Report,
    server::{Job, PacketJob},
};

/// Hands each piece of work to a thread that waits for it.
#[derive(Debug)]
struct Pool(Workers);

impl Pool {
    /// A permit says that a thread is free, which may be about to say so itself.
    async fn run(&self, mut work: Work) {
        while let Err(returned) = self.0.give(work) {
            work = returned;
            tokio::task::yield_now().await;
        }
    }
}

impl Executor for Pool {
    async fn connection(&self, job: Job) {
        self.run(Work::Connection(Box::new(job))).await;
    }

    async fn packet(&self, job: PacketJob) {
        self.run(Work::Packet(Box::new(job))).await;
    }
}

pub(super) fn run(run: Run, threads: usize) -> Result<Report, Error> {
    let runtime = runtime::current_thread().map_err(Error::system("cannot start the runtime"))?;
    runtime.block_on(run.supervise(|server, sources| async move {
        let workers = Workers::new(&server, Stay::Always);
        for _ in 0..threads {
            workers.start(&mut None).map_err(Error::system("cannot start a thread"))?;
        }
        serve_sources(&server, sources, &Pool(workers), Packets::Executor)
            .await
            .map_err(Error::system("cannot serve"))
    }))
}
