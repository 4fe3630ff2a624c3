//! From a socket to whoever runs its handler: the loops that all models share.

use std::{future::Future, io, pin::pin, sync::Arc};

use futures_util::future::{join, join_all};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::TaskTracker;

use crate::{
    server::{
        Admission, Counter, Incoming, Job, PacketJob, PacketLoop, PacketSource, ServerContext,
        StreamSource,
    },
    socket::Accepted,
};

/// Runs admitted work: at once and to its end, or by handing it on.
pub(crate) trait Executor: Sync {
    /// Runs a connection, or hands it on.
    fn connection(&self, job: Job) -> impl Future<Output = ()> + Send;

    /// Handles a datagram, or hands it on.
    fn packet(&self, job: PacketJob) -> impl Future<Output = ()> + Send;
}

/// The sockets of a server, as one runtime serves them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    pub(crate) streams: Vec<Arc<StreamSource>>,
    pub(crate) packets: Vec<Arc<PacketSource>>,
}

/// How a loop treats datagrams.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Packets<'a> {
    /// Received in batches and handled one after the other.
    InTurn,
    /// Received in batches; a handler that waits becomes a task of this tracker.
    Tasks(&'a TaskTracker),
    /// Received one by one and handed to the executor.
    Executor,
}

/// Serves all sockets of a server in the current runtime until the drain has emptied them.
pub(crate) async fn serve_sources(
    server: &Arc<ServerContext>,
    sources: Sources,
    executor: &impl Executor,
    packets: Packets<'_>,
) -> io::Result<()> {
    let incoming = Incoming::watch(server, &sources.streams)?;
    let slots = if matches!(packets, Packets::Executor) { 1 } else { PacketLoop::BATCH };
    let mut loops = Vec::new();
    for source in &sources.packets {
        let packet_loop = PacketLoop::watch(server, source, slots)?;
        loops.push(async move {
            match packets {
                Packets::Executor => packet_loop.run(executor).await,
                Packets::InTurn => packet_loop.run_here(None).await,
                Packets::Tasks(tasks) => packet_loop.run_here(Some(tasks)).await,
            }
        });
    }
    // What is drained is closed as soon as all of it is.
    drop(sources);
    join(accept_loop(server, incoming, executor), join_all(loops)).await;
    Ok(())
}

/// Accepts until the drain begins, then until the backlogs are empty.
///
/// A connection is accepted only once there is a permit to run it, so that the rest wait in the
/// system's backlog.
pub(crate) async fn accept_loop(
    server: &Arc<ServerContext>,
    mut incoming: Incoming,
    executor: &impl Executor,
) {
    if incoming.is_empty() {
        return server.shutdown.draining().await;
    }
    let mut draining = pin!(server.shutdown.draining());
    loop {
        let next = async {
            let index = incoming.ready().await;
            (index, permit(server).await)
        };
        let (index, permit) = tokio::select! {
            biased;
            () = &mut draining => break,
            next = next => next,
        };
        if let Some((source, accepted)) = incoming.take(index) {
            admit(server, source, accepted, permit, executor).await;
        }
    }
    // Where newcomers cannot be kept out, there is an end all the same.
    for _ in 0..incoming.turn_away() {
        let Some((source, accepted)) = incoming.accept_waiting() else { break };
        tokio::select! {
            biased;
            () = server.shutdown.cut_now() => break,
            permit = permit(server) => admit(server, source, accepted, permit, executor).await,
        }
    }
}

/// Waits for the right to run one more connection.
pub(crate) async fn permit(server: &Arc<ServerContext>) -> Option<OwnedSemaphorePermit> {
    // The semaphore is never closed.
    Arc::clone(&server.permits).acquire_owned().await.ok()
}

async fn admit(
    server: &Arc<ServerContext>,
    source: Arc<StreamSource>,
    accepted: Accepted,
    permit: Option<OwnedSemaphorePermit>,
    executor: &impl Executor,
) {
    server.counters.count(Counter::Accepted);
    let info = crate::ConnInfo::new(server, &source, &accepted);
    if let Some(admission) = Admission::enter(server, &info, permit) {
        let (route, source) = (Arc::clone(&source.route), source.index);
        executor.connection(Job { accepted, info, route, source, admission }).await;
    }
}
