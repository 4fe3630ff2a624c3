//! From a socket to whoever runs its handler: the loops that all models share.

use std::{
    collections::VecDeque, future::Future, io, os::fd::AsFd, pin::pin, sync::Arc, time::Duration,
};

use futures_util::future::{join, join_all};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::TaskTracker;

use crate::{
    ConnInfo,
    server::{
        Admission, Counter, Incoming, Job, OpenConnection, PacketJob, PacketLoop, PacketSource,
        ServerContext, StreamSource, Waiting, turn_away,
    },
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
    /// Received and handled one by one: the next is another process's, if this one is busy.
    OneByOne,
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
    let slots = match packets {
        Packets::InTurn | Packets::Tasks(_) => PacketLoop::BATCH,
        Packets::OneByOne | Packets::Executor => 1,
    };
    let mut loops = Vec::new();
    for source in &sources.packets {
        let packet_loop = PacketLoop::watch(server, source, slots)?;
        loops.push(async move {
            match packets {
                Packets::Executor => packet_loop.run(executor).await,
                Packets::InTurn | Packets::OneByOne => packet_loop.run_here(None).await,
                Packets::Tasks(tasks) => packet_loop.run_here(Some(tasks)).await,
            }
        });
    }
    // What is drained is closed as soon as all of it is.
    drop(sources);
    join(accept_loop(server, incoming, executor), join_all(loops)).await;
    Ok(())
}

/// Accepts until the drain begins; then takes what waits in the backlogs, closes the listeners
/// and runs that.
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
    let mut waiting = VecDeque::new();
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
        let Some(accepted) = incoming.take(index) else { continue };
        let mut admitted = pin!(admit(server, accepted, permit, executor));
        tokio::select! {
            biased;
            () = &mut admitted => {}
            () = &mut draining => {
                // It runs where it stands, maybe for long: nobody may queue behind it meanwhile.
                if server.is_child() {
                    incoming.turn_away();
                    closing_meanwhile(&mut incoming, admitted).await;
                } else {
                    incoming.take_all(&mut waiting);
                    admitted.await;
                }
                break;
            }
        }
    }
    if server.is_child() {
        drain_in_turn(server, incoming, executor).await;
    } else {
        drain(server, incoming, waiting, executor).await;
    }
}

/// Runs what waits in backlogs that other processes share: one connection at a time, as what one
/// process took ahead the others could not run.
async fn drain_in_turn(
    server: &Arc<ServerContext>,
    mut incoming: Incoming,
    executor: &impl Executor,
) {
    incoming.turn_away();
    while !server.shutdown.is_cut() && incoming.close_empty() {
        let permit = closing_meanwhile(&mut incoming, permit(server)).await;
        let Some(accepted) = incoming.accept_waiting() else {
            // Another process was faster, or there is no descriptor for it yet.
            drop(permit);
            tokio::time::sleep(LOOK_PAUSE).await;
            continue;
        };
        closing_meanwhile(&mut incoming, admit(server, accepted, permit, executor)).await;
    }
}

/// How often a process that is busy looks whether others have emptied a backlog.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// Does something that may take long, and meanwhile closes those listeners that turn newcomers
/// away and have nobody left in their backlog: only then are newcomers refused, and need not wait.
async fn closing_meanwhile<T>(incoming: &mut Incoming, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    while incoming.close_empty() {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep(LOOK_PAUSE) => {}
        }
    }
    work.await
}

/// How long the drain waits for descriptors when it holds none that it could free itself.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(20);

/// Runs what waits in the backlogs, until the cut.
async fn drain(
    server: &Arc<ServerContext>,
    mut incoming: Incoming,
    mut waiting: VecDeque<Waiting>,
    executor: &impl Executor,
) {
    while !server.shutdown.is_cut() {
        let all = incoming.take_all(&mut waiting);
        if waiting.is_empty() {
            if all {
                return;
            }
            tokio::time::sleep(SHORTAGE_PAUSE).await;
            continue;
        }
        let permit = tokio::select! {
            biased;
            () = server.shutdown.cut_now() => break,
            permit = permit(server) => permit,
        };
        if let Some(accepted) = waiting.pop_front() {
            admit(server, accepted, permit, executor).await;
        }
    }
    for Waiting { accepted, route, .. } in waiting {
        server.counters.count(Counter::Accepted);
        server.counters.count(Counter::Cut);
        let info = ConnInfo::new(server, &route, &accepted);
        let (id, peer, age) = (info.id(), info.peer().clone(), info.since().elapsed());
        server.registry.note_unlisted_cut(OpenConnection { id, peer, age });
    }
}

/// Waits for the right to run one more connection.
pub(crate) async fn permit(server: &Arc<ServerContext>) -> Option<OwnedSemaphorePermit> {
    // The semaphore is never closed.
    Arc::clone(&server.permits).acquire_owned().await.ok()
}

async fn admit(
    server: &Arc<ServerContext>,
    Waiting { accepted, route, source }: Waiting,
    permit: Option<OwnedSemaphorePermit>,
    executor: &impl Executor,
) {
    server.counters.count(Counter::Accepted);
    let info = ConnInfo::new(server, &route, &accepted);
    match Admission::enter(server, &info, permit) {
        Some(admission) => {
            executor.connection(Job { accepted, info, route, source, admission }).await;
        }
        None => turn_away(&route, &info, Some(accepted.fd.as_fd())),
    }
}
