//! A thread for each connection.

use std::{future::Future, sync::Arc, thread};

use super::{Executor, Packets, Run, runtime, serve_sources};
use crate::{
    Error, Report,
    server::{Counter, Job, PacketJob, ServerContext},
};

/// Starts a thread for each piece of work.
#[derive(Debug)]
struct Threads(Arc<ServerContext>);

impl Threads {
    /// Runs `work` in a new thread with a runtime of its own. Work that gets none is dropped,
    /// which closes its connection.
    fn start(&self, work: impl Future<Output = ()> + Send + 'static) {
        let token = self.0.registry.token();
        let server = Arc::clone(&self.0);
        let thread = thread::Builder::new().name("sockeye-conn".to_owned()).spawn(move || {
            match runtime::current_thread() {
                Ok(runtime) => {
                    runtime.block_on(work);
                    runtime.shutdown_background();
                }
                Err(error) => no_worker(&server, &error),
            }
            drop(token);
        });
        if let Err(error) = thread {
            no_worker(&self.0, &error);
        }
    }
}

fn no_worker(server: &ServerContext, error: &std::io::Error) {
    server.counters.count(Counter::RefusedNoWorker);
    tracing::warn!(%error, "closed a connection: no thread for it; lower the model's number");
}

impl Executor for Threads {
    async fn connection(&self, job: Job) {
        self.start(job.run(Arc::clone(&self.0)));
    }

    async fn packet(&self, job: PacketJob) {
        self.start(job.run());
    }
}

pub(super) fn run(run: Run) -> Result<Report, Error> {
    let runtime = runtime::current_thread().map_err(Error::system("cannot start the runtime"))?;
    let threads = Threads(Arc::clone(&run.server));
    runtime.block_on(run.supervise(|server, sources| async move {
        serve_sources(&server, sources, &threads, Packets::Executor)
            .await
            .map_err(Error::system("cannot serve"))
    }))
}
