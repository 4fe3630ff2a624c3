//! Receiving datagrams in batches and running their handler.

use std::{
    future::poll_fn, io, os::fd::AsFd, panic::AssertUnwindSafe, pin::pin, sync::Arc, task::Poll,
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::OwnedSemaphorePermit,
};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use super::{Counter, Failure, ServerContext, backoff::Reception, service::caught};
use crate::{
    Addr, Packet,
    handler::{BoxFuture, ErasedDatagramHandler, Replies},
    model::{Executor, permit},
    socket::{DatagramPeer, DatagramSocket, RecvBatch, SendBatch, has_input},
    sys::{registration::watch, served::Served},
};

/// A datagram handler.
#[derive(Debug)]
pub(crate) struct PacketService {
    pub(crate) handler: Box<dyn ErasedDatagramHandler>,
}

/// A datagram socket and the service behind it.
#[derive(Debug)]
pub(crate) struct PacketSource {
    pub(crate) socket: Arc<Served<DatagramSocket>>,
    pub(crate) addr: Arc<Addr>,
    pub(crate) service: Arc<PacketService>,
    /// Its place among the server's datagram sockets.
    pub(crate) index: u16,
}

/// How often, and how many times, a Unix peer whose queue is full is tried again. A peer that
/// does not read may not hold up the answers to others for longer.
const DEAF_PEER_TRIES: (Duration, u32) = (Duration::from_millis(2), 25);

impl PacketSource {
    /// Sends one datagram, waiting for room if there is none.
    pub(crate) async fn send(&self, data: &[u8], peer: &DatagramPeer) -> io::Result<()> {
        let mut tries = 0;
        loop {
            match self.socket.try_send_to(data, peer) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.room(&mut tries).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for room; gives up on a Unix peer that does not read, once `tries` are used up.
    async fn room(&self, tries: &mut u32) -> io::Result<()> {
        if self.socket.announces_room() {
            return self.writable().await;
        }
        let (pause, most) = DEAF_PEER_TRIES;
        *tries += 1;
        if *tries > most {
            let message = "the peer does not read: its queue of datagrams is full";
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Waits for room in the socket's queue. This is rare, so the descriptor is watched only
    /// now: its own copy, as the socket is watched in another place already.
    async fn writable(&self) -> io::Result<()> {
        let copy = self.socket.as_fd().try_clone_to_owned()?;
        watch(copy, Interest::WRITABLE)?.writable().await.map(drop)
    }
}

/// Datagrams that were received and have not ended: they count as such while this lives.
#[derive(Debug)]
pub(crate) struct InHand {
    server: Arc<ServerContext>,
    count: u64,
}

impl InHand {
    fn take(server: &Arc<ServerContext>, count: u64) -> Self {
        match server.own_cell() {
            Some(cell) => cell.take_packets(count),
            None => server.counters.add(Counter::PacketsActive, count),
        }
        Self { server: Arc::clone(server), count }
    }

    /// One of them, to end by itself.
    fn split_one(&mut self) -> Self {
        self.count -= 1;
        Self { server: Arc::clone(&self.server), count: 1 }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        match self.server.own_cell() {
            Some(cell) => cell.release_packets(self.count),
            None => self.server.counters.subtract(Counter::PacketsActive, self.count),
        }
    }
}

/// A datagram that waits for whoever handles it.
#[derive(Debug)]
pub(crate) struct PacketJob {
    pub(crate) packet: Packet,
    /// None in a child, whose server has it in hand.
    pub(crate) in_hand: Option<InHand>,
    pub(crate) permit: Option<OwnedSemaphorePermit>,
    pub(crate) token: TaskTrackerToken,
}

impl PacketJob {
    /// Handles the datagram to its end. Needs a runtime.
    pub(crate) async fn run(self) {
        let Self { packet, in_hand, permit, token } = self;
        let server = Arc::clone(&packet.server);
        if handle(packet).await {
            server.counters.count(Counter::PacketsCompleted);
        }
        // The server has ended only once it counts as ended.
        drop(in_hand);
        drop((permit, token));
    }

    /// Ends what nobody handles any more as the server is being cut.
    pub(crate) fn cut(self) {
        cut(&self.packet);
    }
}

/// Counts and tells that a datagram is being cut.
fn cut(packet: &Packet) {
    packet.server.counters.count(Counter::PacketsCut);
    tracing::warn!(peer = %packet.peer(), "a datagram was cut: its handler had not ended");
}

/// Runs the handler on one datagram, until the cut at most; counts and reports how it ended. If it
/// completed, that is `true`, and for the caller to count, who may do so for many at once.
async fn handle(mut packet: Packet) -> bool {
    let service = Arc::clone(&packet.source.service);
    let server = Arc::clone(&packet.server);
    let failure = match caught(|| service.handler.admits(&packet)) {
        Err(panic) => panic,
        Ok(false) => {
            server.counters.count(Counter::PacketsRefused);
            return false;
        }
        Ok(true) => {
            let handled = async { service.handler.run(&mut packet).await };
            let ended = tokio::select! {
                biased;
                ended = AssertUnwindSafe(handled).catch_unwind() => Some(ended),
                () = server.shutdown.cut_now() => None,
            };
            match ended {
                None => {
                    cut(&packet);
                    return false;
                }
                Some(Ok(Ok(()))) => return true,
                Some(Ok(Err(error))) => Failure::from_handler(error),
                Some(Err(panic)) => Failure::from_panic(panic.as_ref()),
            }
        }
    };
    let panicked = matches!(failure, Failure::Panic(_));
    let counter = if panicked { Counter::PacketsPanicked } else { Counter::PacketsFailed };
    server.counters.count(counter);
    if caught(|| service.handler.failed(&packet.peer(), &failure)).is_err() {
        server.counters.count(Counter::PanicsReporting);
    }
    false
}

/// Receives from one socket.
#[derive(Debug)]
pub(crate) struct PacketLoop {
    server: Arc<ServerContext>,
    source: Arc<PacketSource>,
    watched: AsyncFd<Arc<Served<DatagramSocket>>>,
    batch: RecvBatch,
    reception: Reception,
}

impl PacketLoop {
    /// Datagrams received, and answers sent, by one system call at most.
    pub(crate) const BATCH: usize = 64;

    /// Watches a socket in the current runtime.
    pub(crate) fn watch(
        server: &Arc<ServerContext>,
        source: &Arc<PacketSource>,
        slots: usize,
    ) -> io::Result<Self> {
        Ok(Self {
            server: Arc::clone(server),
            source: Arc::clone(source),
            watched: watch(Arc::clone(&source.socket), Interest::READABLE)?,
            batch: RecvBatch::new(slots, server.limits.max_packet),
            reception: Reception::new(),
        })
    }

    /// Hands each datagram to `executor`, one for each permit, until the drain.
    pub(crate) async fn run(mut self, executor: &impl Executor) {
        let server = Arc::clone(&self.server);
        let mut draining = pin!(server.shutdown.draining());
        loop {
            let next = async {
                self.readable().await;
                permit(&server).await
            };
            let permit = tokio::select! {
                biased;
                () = &mut draining => break,
                permit = next => permit,
            };
            if self.receive() > 0 {
                self.hand_on(permit, executor).await;
            }
            tokio::task::coop::consume_budget().await;
        }
        self.source.socket.turn_away();
        while self.has_queued() {
            let permit = self.turn().await;
            if permit.is_none() || self.receive_queued() == 0 {
                return;
            }
            self.hand_on(permit, executor).await;
        }
    }

    /// Gives the one datagram of the batch to `executor`.
    async fn hand_on(&self, permit: Option<OwnedSemaphorePermit>, executor: &impl Executor) {
        let in_hand = Some(InHand::take(&self.server, 1));
        if let Some(packet) = self.packet(0, None) {
            let token = self.server.registry.token();
            executor.packet(PacketJob { packet, in_hand, permit, token }).await;
        }
    }

    /// Handles the datagrams here: one after the other, or, given a tracker, each that waits
    /// for something as a task of its own.
    pub(crate) async fn run_here(mut self, tasks: Option<&TaskTracker>) {
        let server = Arc::clone(&self.server);
        let mut draining = pin!(server.shutdown.draining());
        let mut replies = Arc::new(Replies::new(SendBatch::new(Self::BATCH)));
        loop {
            let next = async {
                self.readable().await;
                if tasks.is_none() { permit(&server).await } else { None }
            };
            let held = tokio::select! {
                biased;
                () = &mut draining => break,
                permit = next => permit,
            };
            let received = self.receive();
            self.handle_batch(received, tasks, &mut replies).await;
            drop(held);
            // Under a flood there is always a next batch: others need their turn.
            tokio::task::coop::consume_budget().await;
        }
        self.source.socket.turn_away();
        while self.has_queued() {
            let held = if tasks.is_none() { self.turn().await } else { None };
            let received = self.receive_queued();
            if received == 0 {
                return;
            }
            self.handle_batch(received, tasks, &mut replies).await;
            drop(held);
            tokio::task::coop::consume_budget().await;
        }
    }

    /// Whether the drain has something left to do here.
    fn has_queued(&self) -> bool {
        !self.server.shutdown.is_cut() && has_input(&*self.source.socket)
    }

    /// Waits in the drain for the right to handle what is queued, which other processes may empty
    /// meanwhile; `None` at the cut.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            biased;
            () = self.server.shutdown.cut_now() => None,
            permit = permit(&self.server) => permit,
        }
    }

    /// Handles the datagrams of a batch and sends the answers.
    async fn handle_batch(
        &self,
        received: usize,
        tasks: Option<&TaskTracker>,
        replies: &mut Arc<Replies>,
    ) {
        if received == 0 {
            return;
        }
        let counters = &self.server.counters;
        let mut in_hand = InHand::take(&self.server, received as u64);
        // What ends at once is counted once for all of the batch.
        let mut completed = 0;
        for index in 0..received {
            let Some(packet) = self.packet(index, Some(replies)) else { continue };
            let mut handled: BoxFuture<'static, bool> = Box::pin(handle(packet));
            match poll_fn(|cx| Poll::Ready(handled.as_mut().poll(cx))).await {
                Poll::Ready(ended) => completed += u64::from(ended),
                Poll::Pending => match tasks {
                    Some(tasks) => self.go_on_beside(handled, &mut in_hand, tasks),
                    None => {
                        self.flush(replies).await;
                        if handled.await {
                            counters.count(Counter::PacketsCompleted);
                        }
                    }
                },
            }
        }
        counters.add(Counter::PacketsCompleted, completed);
        self.flush(replies).await;
    }

    /// Makes a handler that waits a task, if not too many wait already.
    fn go_on_beside(
        &self,
        handled: BoxFuture<'static, bool>,
        in_hand: &mut InHand,
        tasks: &TaskTracker,
    ) {
        let server = Arc::clone(&self.server);
        let Ok(permit) = Arc::clone(&server.packet_permits).try_acquire_owned() else {
            return server.counters.count(Counter::PacketsShed);
        };
        let in_hand = in_hand.split_one();
        tasks.spawn(async move {
            if handled.await {
                server.counters.count(Counter::PacketsCompleted);
            }
            drop((in_hand, permit));
        });
    }

    /// Sends the answers collected so far and makes room for more.
    async fn flush(&self, replies: &mut Arc<Replies>) {
        let Some(mut batch) = replies.close() else { return };
        let (mut from, mut tries) = (0, 0);
        while from < batch.len() {
            match self.source.socket.try_send_batch(&batch, from) {
                Ok(sent) => {
                    let bytes = batch.payload_bytes(from, sent);
                    self.server.counters.add(Counter::BytesWritten, bytes as u64);
                    from += sent;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match self.source.room(&mut tries).await {
                        Ok(()) => {}
                        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                            self.server.counters.count(Counter::RepliesLost);
                            tracing::debug!(%error, "answer lost");
                            from += 1;
                        }
                        Err(error) => {
                            self.server
                                .counters
                                .add(Counter::RepliesLost, (batch.len() - from) as u64);
                            tracing::warn!(%error, lost = batch.len() - from, "answers lost");
                            break;
                        }
                    }
                }
                Err(error) => {
                    self.server.counters.count(Counter::RepliesLost);
                    tracing::debug!(%error, "answer lost");
                    from += 1;
                }
            }
        }
        batch.clear();
        if Arc::strong_count(replies) == 1 {
            replies.reopen(batch);
        } else {
            *replies = Arc::new(Replies::new(batch));
        }
    }

    /// Waits until there may be something to receive, and a pause after an error is over.
    ///
    /// An error leaves the runtime's note that there is something: after the pause it is asked for
    /// again, as the system announces what waits already only once.
    async fn readable(&mut self) {
        self.reception.resumed().await;
        if self.watched.readable().await.is_err() {
            // The runtime is shutting down.
            std::future::pending::<()>().await;
        }
    }

    /// Receives what is queued, whether or not the runtime has noticed it yet: for the drain.
    fn receive_queued(&mut self) -> usize {
        let received = self.source.socket.try_recv_batch(&mut self.batch).unwrap_or(0);
        count_received(&self.server, &self.batch, received);
        received
    }

    /// Receives what is there into the batch: how many.
    fn receive(&mut self) -> usize {
        let Self { watched, batch, source, server, reception } = self;
        let mut count = 0;
        let received = watched.try_io(Interest::READABLE, |_| {
            count = source.socket.try_recv_batch(batch)?;
            // A batch with room left has emptied the socket: no need to ask again.
            if count < batch.slots() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match received {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                if reception.failed(&error) {
                    tracing::warn!(%error, addr = %source.addr, "cannot receive: pausing");
                }
            }
            _ => {
                reception.worked();
                count_received(server, batch, count);
            }
        }
        count
    }

    /// A datagram of the batch; `None`, counted, if it is oversized.
    fn packet(&self, index: usize, replies: Option<&Arc<Replies>>) -> Option<Packet> {
        let received = self.batch.get(index)?;
        if received.truncated() {
            self.server.counters.count(Counter::PacketsOversized);
            return None;
        }
        Some(Packet {
            data: Bytes::copy_from_slice(received.payload()),
            peer: received.peer(),
            source: Arc::clone(&self.source),
            server: Arc::clone(&self.server),
            replies: replies.cloned(),
        })
    }
}

/// Counts the datagrams of a batch.
fn count_received(server: &ServerContext, batch: &RecvBatch, received: usize) {
    if received > 0 {
        let bytes: usize = batch.iter().map(|datagram| datagram.payload().len()).sum();
        server.counters.add(Counter::Packets, received as u64);
        server.counters.add(Counter::BytesRead, bytes as u64);
    }
}
