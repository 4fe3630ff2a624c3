//! A child: one connection, one datagram, or one prefork worker.

use std::{
    future::Future,
    io,
    os::fd::OwnedFd,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::io::Interest;

use super::{Plan, message::Order, process::forget};
use crate::{
    ConnInfo, Packet,
    model::{Inline, Packets, Sources, for_one_connection, serve_sources},
    server::{Admission, PacketJob, StreamSource, run_connection},
    socket::Accepted,
    sys::{
        process::{Disposition, exit_now, set_signal},
        registration::watch,
        served::Served,
    },
};

/// How a child ends that could not do its work.
const FAILED: i32 = 1;

/// Runs one child to its end.
pub(super) fn run(plan: &Plan, order: Order, descriptor: Option<OwnedFd>) -> ! {
    set_signal(libc::SIGCHLD, Disposition::Default);
    // Nothing may unwind into the zygote's stack.
    let ran = std::panic::catch_unwind(AssertUnwindSafe(|| work(plan, order, descriptor)));
    let _ = io::Write::flush(&mut io::stdout());
    exit_now(if matches!(ran, Ok(Ok(()))) { 0 } else { FAILED })
}

fn work(plan: &Plan, order: Order, descriptor: Option<OwnedFd>) -> io::Result<()> {
    let server = &plan.server;
    if let Some(slot) = order.slot() {
        // A child has only ever one of its own: this one.
        let _ = server.slot.set(slot.index);
        if !server.own_cell().is_some_and(|cell| cell.claim(slot.round)) {
            // The zygote died before it could answer, and the next was given the order.
            return Ok(());
        }
    }
    let runtime = for_one_connection()?;
    match order {
        Order::Connection { slot: _, source, id, kind, peer } => {
            close_packets(plan);
            let fd = descriptor.ok_or(io::ErrorKind::InvalidData)?;
            let source = usize::from(source);
            let source = plan.sources.streams.get(source).ok_or(io::ErrorKind::InvalidData)?;
            let route = Arc::clone(&source.route);
            let listener = Arc::clone(&route.addr);
            let info = ConnInfo {
                id,
                peer: peer.clone().canonical(),
                proxied: None,
                listener,
                since: Instant::now(),
            };
            let accepted = Accepted { fd, kind, peer };
            let mut admission = Admission::in_child(server, &info);
            runtime.block_on(until_ended(plan, async {
                let admission = &mut admission;
                let rest = run_connection(server, &route, accepted, info, admission).await;
                if let Some(rest) = rest {
                    rest.run().await;
                }
                Ok(())
            }))?;
            drop(admission);
        }
        Order::Packet { slot: _, source, peer, data } => {
            let source = usize::from(source);
            let source = plan.sources.packets.get(source).ok_or(io::ErrorKind::InvalidData)?;
            let packet = Packet {
                data: data.into(),
                peer,
                source: Arc::clone(source),
                server: Arc::clone(server),
                replies: None,
            };
            let token = server.registry.token();
            let job = PacketJob { packet, permit: None, token };
            runtime.block_on(until_ended(plan, async {
                job.run().await;
                Ok(())
            }))?;
        }
        Order::Worker { slot: _ } => {
            let inline = Inline(Arc::clone(server));
            let sources = own_listeners(plan)?;
            runtime.block_on(until_ended(plan, async {
                serve_sources(server, sources, &inline, Packets::InTurn).await
            }))?;
        }
        Order::Zygote => return Err(io::ErrorKind::InvalidInput.into()),
    }
    if let Some(cell) = server.own_cell() {
        cell.finish();
    }
    // This process is about to end: taking the runtime apart would only cost time.
    std::mem::forget(runtime);
    Ok(())
}

/// A connection's child answers no datagrams.
fn close_packets(plan: &Plan) {
    for source in &plan.sources.packets {
        forget(&*source.socket);
    }
}

/// The server's sockets, its listeners as descriptors of this worker alone: closed at the drain,
/// they are closed for good.
fn own_listeners(plan: &Plan) -> io::Result<Sources> {
    let streams = plan.sources.streams.iter().map(|source| {
        let listener = source.listener.try_clone()?;
        forget(&*source.listener);
        let listener = Arc::new(Served::new(listener));
        let (route, index) = (Arc::clone(&source.route), source.index);
        Ok(Arc::new(StreamSource { listener, route, index }))
    });
    Ok(Sources {
        streams: streams.collect::<io::Result<_>>()?,
        packets: plan.sources.packets.clone(),
    })
}

/// How long what is cut has to let go; the server waits for a little longer.
const CUT_GRACE: Duration = Duration::from_millis(300);

/// Runs `work` until it is done or the server is gone; passes the server's drain on meanwhile.
async fn until_ended(plan: &Plan, work: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    let server = &plan.server;
    let closed = |line: &Arc<OwnedFd>| watch(Arc::clone(line), Interest::READABLE);
    let (drain, life) = (closed(&plan.lines.drain)?, closed(&plan.lines.life)?);
    let told_to_drain = async {
        // Readable once something was written or the server has ended.
        let _ = drain.readable().await;
        server.shutdown.drain();
        std::future::pending::<()>().await;
    };
    let told_to_end = async {
        let _ = life.readable().await;
        server.shutdown.cut();
        tokio::time::sleep(CUT_GRACE).await;
    };
    tokio::select! {
        result = work => result,
        () = told_to_drain => Ok(()),
        () = server.watchdog.run(server) => Ok(()),
        () = told_to_end => exit_now(0),
    }
}
