//! The server's side: orders to the zygotes, and a watch over each child.

use std::{
    collections::VecDeque,
    io,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::{mpsc, oneshot},
    time::{Duration, Instant},
};
use tokio_util::task::TaskTracker;

use super::{
    Link, ServerLines, ZygoteProcess, Zygotes, channel,
    message::{self, Order, Receipt, Slot, receive_receipt},
    shortage::Shortage,
    watch::Watched,
};
use crate::{
    model::Patience,
    server::{Counter, Job, PacketJob, ServerContext, Taken},
    sys::registration::watch,
};

/// Least time between two waiting zygotes.
const REPLACE_PAUSE: Duration = Duration::from_millis(50);

/// The same when there was no process for the last one.
const REPLACE_PAUSE_IN_SHORTAGE: Duration = Duration::from_secs(1);

/// Most orders under way to a zygote.
const MAX_PENDING: usize = 64;

/// Work for a child, and the child's cell.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) cell: Taken,
    pub(crate) task: Task,
}

impl Work {
    /// The child's cell, and the number of the order that it has there.
    fn slot(&self, round: u32) -> Slot {
        Slot { index: self.cell.index(), round }
    }
}

/// What a child is to do.
#[derive(Debug)]
pub(crate) enum Task {
    Connection(Job),
    Packet(PacketJob),
    /// A prefork worker; its end is told.
    Worker {
        ended: oneshot::Sender<()>,
    },
}

/// An order whose receipt is awaited. The connection is kept open here until then, so that the
/// next zygote can be given it if this one dies.
#[derive(Debug)]
enum Pending {
    Zygote,
    Work { round: u32, work: Box<Work>, patience: Patience },
}

/// Gives orders to the zygotes.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    server: Arc<ServerContext>,
    first: AsyncFd<Link>,
    second: AsyncFd<Link>,
    process: ZygoteProcess,
    pending: VecDeque<Pending>,
    tasks: TaskTracker,
    /// Whether a second was asked for since the last one took over or died.
    has_second: bool,
    /// When a waiting zygote may be forked next.
    replace_at: Instant,
    shortage: Shortage,
}

fn both_ways(socket: Link) -> io::Result<AsyncFd<Link>> {
    watch(socket, Interest::READABLE | Interest::WRITABLE)
}

impl Dispatcher {
    /// Takes over the zygotes, in the current runtime.
    pub(crate) fn new(
        server: &Arc<ServerContext>,
        zygotes: Zygotes,
        tasks: &TaskTracker,
    ) -> io::Result<Self> {
        let Zygotes { first, second, process, lines } = zygotes;
        tasks.spawn(obey_lines(Arc::clone(server), lines));
        Ok(Self {
            server: Arc::clone(server),
            first: both_ways(first)?,
            second: both_ways(second)?,
            process,
            pending: VecDeque::from([Pending::Zygote]),
            tasks: tasks.clone(),
            has_second: true,
            replace_at: Instant::now(),
            shortage: Shortage::none(),
        })
    }

    /// Passes work on until the sender is dropped and every order has its receipt.
    ///
    /// # Errors
    /// When both zygotes are gone; the drain has begun then.
    pub(crate) async fn run(mut self, mut work: mpsc::Receiver<Work>) -> io::Result<()> {
        let result = self.pass_on(&mut work).await;
        if result.is_err() {
            self.server.shutdown.drain();
        }
        result
    }

    async fn pass_on(&mut self, work: &mut mpsc::Receiver<Work>) -> io::Result<()> {
        let mut more = true;
        while more || !self.pending.is_empty() || self.shortage.holds() {
            let room = more && self.pending.len() < self.shortage.room(MAX_PENDING);
            let (holds, try_at) = (self.shortage.holds(), self.shortage.try_at());
            tokio::select! {
                biased;
                receipt = self.first.async_io(Interest::READABLE, receive_receipt) => {
                    match receipt {
                        Ok(Some(receipt)) => self.receipt(receipt),
                        Ok(None) | Err(_) => self.promote().await?,
                    }
                }
                () = gone(&self.second, self.replace_at), if more => {
                    self.replace_second().await?;
                }
                () = self.server.shutdown.cut_now(), if holds => {
                    self.shortage.cut_held(&self.server);
                }
                () = tokio::time::sleep_until(try_at), if holds => {
                    for (work, patience) in self.shortage.next_try() {
                        self.order(work, patience).await?;
                    }
                }
                next = work.recv(), if room => match next {
                    Some(work) => self.order(Box::new(work), Patience::default()).await?,
                    None => more = false,
                },
            }
        }
        Ok(())
    }

    async fn order(&mut self, work: Box<Work>, patience: Patience) -> io::Result<()> {
        let round = work.cell.cell().order();
        self.pending.push_back(Pending::Work { round, work, patience });
        self.send_last().await
    }

    /// Sends the order that was entered last; on failure all of them go to the next zygote.
    async fn send_last(&mut self) -> io::Result<()> {
        let Some(last) = self.pending.back() else { return Ok(()) };
        match send(&self.first, last).await {
            Ok(()) => Ok(()),
            Err(_) => Box::pin(self.promote()).await,
        }
    }

    /// The first zygote has died: the second takes its place and what was under way.
    async fn promote(&mut self) -> io::Result<()> {
        self.process.bury();
        self.last_receipts();
        if !std::mem::replace(&mut self.has_second, false) {
            return Err(both_dead(io::ErrorKind::BrokenPipe.into()));
        }
        tracing::warn!("the zygote has died; the second takes over");
        self.server.counters.count(Counter::ZygotesRestarted);
        // The dead one stands in for the second until that is replaced.
        std::mem::swap(&mut self.first, &mut self.second);
        let lost = std::mem::take(&mut self.pending);
        self.replace_second().await?;
        for pending in lost {
            let Pending::Work { round, work, patience } = pending else { continue };
            let revoked = work.cell.cell().revoke(round);
            match revoked {
                Ok(round) => {
                    self.pending.push_back(Pending::Work { round, work, patience });
                    let last = self.pending.back().map(|last| send(&self.first, last));
                    if let Some(sent) = last {
                        sent.await.map_err(both_dead)?;
                    }
                }
                // It has its child, which the zygote could not tell any more.
                Err(pid) => {
                    let pid = i32::try_from(pid).unwrap_or(i32::MAX);
                    self.watch(Receipt { errno: 0, pid, process: None }, *work);
                }
            }
        }
        Ok(())
    }

    /// Takes the receipts that a dead zygote had written. The system reports the orders that it
    /// left unread as a reset first.
    fn last_receipts(&mut self) {
        let mut reset = false;
        loop {
            match receive_receipt(self.first.get_ref()) {
                Ok(Some(receipt)) => self.receipt(receipt),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset && !reset => {
                    reset = true;
                }
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// The waiting zygote has died, or taken over: the first forks another, one for each pause.
    async fn replace_second(&mut self) -> io::Result<()> {
        self.replace_at = Instant::now() + REPLACE_PAUSE;
        if std::mem::replace(&mut self.has_second, false) {
            tracing::warn!("the waiting zygote has died; another is forked");
            self.server.counters.count(Counter::ZygotesRestarted);
        }
        let replaced = channel().and_then(|(mine, theirs)| Ok((both_ways(mine)?, theirs)));
        match replaced {
            Ok((mine, theirs)) => {
                self.second = mine;
                self.has_second = true;
                self.ask_for_second(theirs).await.map_err(both_dead)
            }
            Err(error) => {
                self.shortage.warn(&error, "no waiting zygote yet");
                Ok(())
            }
        }
    }

    async fn ask_for_second(&mut self, theirs: OwnedFd) -> io::Result<()> {
        self.pending.push_back(Pending::Zygote);
        self.first
            .async_io(Interest::WRITABLE, |socket| {
                message::send(socket, &Order::Zygote, Some(theirs.as_fd()))
            })
            .await
    }

    fn receipt(&mut self, receipt: Receipt) {
        let refused = (receipt.errno != 0).then(|| io::Error::from_raw_os_error(receipt.errno));
        match (self.pending.pop_front(), refused) {
            (Some(Pending::Work { work, .. }), None) => {
                self.shortage.over();
                self.watch(receipt, *work);
            }
            (Some(Pending::Work { work, patience, .. }), Some(error)) => {
                self.shortage.hold(&self.server, work, patience, &error);
            }
            (Some(Pending::Zygote), Some(error)) => {
                self.has_second = false;
                self.replace_at = Instant::now() + REPLACE_PAUSE_IN_SHORTAGE;
                self.shortage.warn(&error, "no waiting zygote yet");
            }
            (Some(Pending::Zygote) | None, _) => {}
        }
    }

    fn watch(&self, receipt: Receipt, work: Work) {
        let Work { cell, task } = work;
        let watched = Watched { server: Arc::clone(&self.server), cell };
        self.tasks.spawn(watched.until_ended(receipt, task));
    }
}

fn both_dead(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("both zygotes have died: {error}"))
}

/// A waiting zygote says nothing, so that readable means gone.
async fn gone(second: &AsyncFd<Link>, not_before: Instant) {
    let _ = second.readable().await;
    tokio::time::sleep_until(not_before).await;
}

async fn send(zygote: &AsyncFd<Link>, pending: &Pending) -> io::Result<()> {
    let Pending::Work { round, work, .. } = pending else { return Ok(()) };
    let slot = work.slot(*round);
    let (order, descriptor) = match &work.task {
        Task::Connection(job) => {
            let order = Order::Connection {
                slot,
                source: job.source,
                id: job.info.id,
                kind: job.accepted.kind,
                peer: job.accepted.peer.clone(),
            };
            (order, Some(job.accepted.fd.as_fd()))
        }
        Task::Packet(job) => {
            let packet = &job.packet;
            let order = Order::Packet {
                slot,
                source: packet.source.index,
                peer: packet.peer.clone(),
                data: packet.data.to_vec(),
            };
            (order, None)
        }
        Task::Worker { .. } => (Order::Worker { slot }, None),
    };
    let mut bytes = Vec::with_capacity(64);
    order.encode(&mut bytes);
    zygote
        .async_io(Interest::WRITABLE, |socket| message::send_record(socket, &bytes, descriptor))
        .await
}

/// Tells the children of the drain and of the cut, and hears them ask for the drain.
async fn obey_lines(server: Arc<ServerContext>, lines: ServerLines) {
    let ServerLines { drain, life, asked } = lines;
    let asked_to_drain = async {
        match watch(asked, Interest::READABLE) {
            Ok(asked) => drop(asked.readable().await),
            Err(error) => {
                tracing::warn!(%error, "children cannot ask for the drain");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = asked_to_drain => server.shutdown.drain(),
        () = server.shutdown.draining() => {}
    }
    tell(&drain);
    server.shutdown.cut_now().await;
    tell(&life);
}

/// Makes a line readable for good, as nobody reads from it. Closing it would not do: a process that
/// a handler forked by itself may have a copy of this end.
fn tell(line: &OwnedFd) {
    if let Err(error) = rustix::io::write(line, b"!") {
        tracing::warn!(%error, "the children cannot be told");
    }
}
