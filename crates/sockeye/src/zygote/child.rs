//! A child: one connection, one datagram, or one prefork worker.

use std::{
    future::Future,
    io,
    os::fd::OwnedFd,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use tokio::{io::Interest, runtime::Runtime};

use super::{Plan, message::Order, process::forget};
use crate::{
    ConnInfo, Packet,
    model::{Inline, Packets, Sources, serve_sources},
    server::{Admission, ConnId, PacketJob, StreamSource, run_connection},
    socket::{Accepted, DatagramPeer},
    sys::{
        process::{Disposition, exit_now, set_signal},
        registration::watch,
        served::Served,
    },
};

/// How a child ends that could not do its work.
const FAILED: i32 = 1;

/// Does once what every child would have to do for itself: libraries resolve symbols, threads get
/// their local values and the allocator its lists at the first use.
pub(super) fn rehearse(plan: &Plan) {
    plan.server.registry.make_room();
    let rehearsed = runtime(plan).and_then(|runtime| {
        runtime.block_on(async {
            let _life = watch(Arc::clone(&plan.lines.life), Interest::READABLE)?;
            let _ = tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await;
            Ok(())
        })
    });
    if let Err(error) = rehearsed {
        tracing::debug!(%error, "not rehearsed");
    }
}

fn runtime(plan: &Plan) -> io::Result<Runtime> {
    plan.runtime.lock().unwrap_or_else(PoisonError::into_inner).build()
}

/// Runs one child to its end.
pub(super) fn run(plan: &Plan, order: Order, descriptor: Option<OwnedFd>) -> ! {
    set_signal(libc::SIGCHLD, Disposition::Default);
    // Nothing may unwind into the zygote's stack.
    let ran = std::panic::catch_unwind(AssertUnwindSafe(|| work(plan, order, descriptor)));
    end(if matches!(ran, Ok(Ok(()))) { 0 } else { FAILED })
}

/// Ends this process. Nothing in it is taken apart, which would only cost time.
fn end(code: i32) -> ! {
    let _ = io::Write::flush(&mut io::stdout());
    exit_now(code)
}

fn work(plan: &Plan, order: Order, descriptor: Option<OwnedFd>) -> io::Result<()> {
    let server = &plan.server;
    if let Some(slot) = order.slot() {
        // A child has only ever one of its own: this one.
        server.set_own_cell(slot.index);
        if !server.own_cell().is_some_and(|cell| cell.claim(slot.round)) {
            // The zygote died before it could answer, and the next was given the order.
            return Ok(());
        }
    }
    match order {
        Order::Connection { slot: _, source, id, kind, peer } => {
            let fd = descriptor.ok_or(io::ErrorKind::InvalidData)?;
            serve_connection(plan, source, id, Accepted { fd, kind, peer })
        }
        Order::Packet { slot: _, source, peer, data } => serve_packet(plan, source, peer, data),
        Order::Worker { slot: _ } => serve_as_worker(plan),
        Order::Zygote => Err(io::ErrorKind::InvalidInput.into()),
    }
}

// Each a function of its own, so that a child's stack has room for its own work only: what is
// touched of it has to be copied or cleared.

#[inline(never)]
fn serve_connection(plan: &Plan, source: u16, id: ConnId, accepted: Accepted) -> io::Result<()> {
    let server = &plan.server;
    close_packets(plan);
    let source = plan.sources.streams.get(usize::from(source)).ok_or(io::ErrorKind::InvalidData)?;
    let route = Arc::clone(&source.route);
    let listener = Arc::clone(&route.addr);
    let peer = accepted.peer.clone().canonical();
    let info = ConnInfo { id, peer, proxied: None, listener, since: Instant::now() };
    let mut admission = Admission::in_child(server, &info);
    let admission = &mut admission;
    let work = pin!(async {
        let rest = run_connection(server, &route, accepted, info, admission).await;
        if let Some(rest) = rest {
            rest.run().await;
        }
        Ok(())
    });
    run_to_end(plan, work)
}

#[inline(never)]
fn serve_packet(plan: &Plan, source: u16, peer: DatagramPeer, data: Vec<u8>) -> io::Result<()> {
    let server = &plan.server;
    let source = plan.sources.packets.get(usize::from(source)).ok_or(io::ErrorKind::InvalidData)?;
    let packet = Packet {
        data: data.into(),
        peer,
        source: Arc::clone(source),
        server: Arc::clone(server),
        replies: None,
    };
    let token = server.registry.token();
    let job = PacketJob { packet, in_hand: None, permit: None, token };
    let work = pin!(async {
        job.run().await;
        Ok(())
    });
    run_to_end(plan, work)
}

#[inline(never)]
fn serve_as_worker(plan: &Plan) -> io::Result<()> {
    let server = &plan.server;
    // One place in each worker, for connections and datagrams alike.
    server.permits.forget_permits(server.capacity - 1);
    let inline = Inline(Arc::clone(server));
    let sources = own_listeners(plan)?;
    let work = pin!(serve_sources(server, sources, &inline, Packets::OneByOne));
    run_to_end(plan, work)
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

/// Runs `work` in a runtime of its own, and ends this process when it is done or the server is
/// gone; passes the server's drain on meanwhile.
fn run_to_end(plan: &Plan, work: Pin<&mut impl Future<Output = io::Result<()>>>) -> io::Result<()> {
    let server = &plan.server;
    runtime(plan)?.block_on(async {
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
            // Work that tells the others of something finds them not waiting yet.
            biased;
            result = work => {
                result?;
                if let Some(cell) = server.own_cell() {
                    cell.finish();
                }
                end(0)
            }
            () = told_to_drain => Ok(()),
            () = server.watchdog.run(server) => Ok(()),
            () = told_to_end => exit_now(0),
        }
    })
}
