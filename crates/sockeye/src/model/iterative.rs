//! One after the other, in the calling thread.

use std::sync::Arc;

use super::{Executor, Packets, Run, runtime, serve_sources};
use crate::{
    Error, Report,
    server::{Job, PacketJob, ServerContext},
};

/// Runs each piece of work where it stands.
#[derive(Debug)]
pub(crate) struct Inline(pub(crate) Arc<ServerContext>);

impl Executor for Inline {
    async fn connection(&self, job: Job) {
        self.0.take_up_reload();
        job.run(Arc::clone(&self.0)).await;
    }

    async fn packet(&self, job: PacketJob) {
        job.run().await;
    }
}

pub(super) fn run(run: Run) -> Result<Report, Error> {
    let runtime = runtime::current_thread().map_err(Error::system("cannot start the runtime"))?;
    let inline = Inline(Arc::clone(&run.server));
    let report = runtime.block_on(run.supervise(|server, sources| async move {
        serve_sources(&server, sources, &inline, Packets::InTurn)
            .await
            .map_err(Error::system("cannot serve"))
    }));
    runtime.shutdown_background();
    report
}
