//! Handling datagrams.

use std::{
    fmt,
    future::Future,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use super::BoxFuture;
use crate::{
    Addr, DrainSignal, Failure, ServerHandle, SocketName,
    server::{Counter, PacketSource, ServerContext},
    socket::{DatagramPeer, SendBatch},
};

/// Handles one datagram after the other.
///
/// The value is shared by all datagrams: its fields are the server's shared state. Under the process
/// models each child has its own copy of it, taken when the server was prepared. An [`Arc`] of one is
/// one, too. What it runs in is what a [`Handler`](super::Handler#what-it-runs-in) runs in.
///
/// # Who sent it
///
/// Nobody knows: the sender of a datagram can be forged. Two things follow for whoever answers.
///
/// - An answer that is longer than its question serves an attacker to flood the forged sender. Answer with
///   no more bytes than came until the sender has proved, by sending back what it could only have received,
///   that it is there.
/// - A service that answers *whatever* comes (echo, daytime …) answers the answers of others of its kind: one
///   forged datagram, and two of them talk to each other for ever (CVE-2024-2169). Let answers look unlike
///   questions, and drop what is no question. Where the protocol has no such thing, drop in
///   [`verify`](Self::verify) what comes from ports below 1024 and from the port that is served, as inetd does, and
///   know that this leaves such services on other ports.
///
/// A raw socket (`ip://`) hears what its own machine sends, its own answers included.
///
/// ```
/// use std::io;
/// use sockeye::{DatagramHandler, Packet};
///
/// struct Echo;
///
/// impl DatagramHandler for Echo {
///     async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
///         packet.reply(packet.data()).await
///     }
/// }
/// ```
pub trait DatagramHandler: Send + Sync + 'static {
    /// Handles one datagram.
    ///
    /// # Errors
    /// Whatever went wrong with it; it is told to [`on_error`](Self::on_error) once, and other
    /// datagrams go on. The sender is told nothing, as with any datagram that is lost; nor is it
    /// if the handler panics, or is cut in the middle as the server stops, which the log tells.
    fn handle(&self, packet: &mut Packet) -> impl Future<Output = io::Result<()>> + Send;

    /// Whether to handle this datagram at all; `false` drops it, counted in
    /// [`Stats::packets_refused`](crate::Stats::packets_refused). Called once for each, before
    /// [`handle`](Self::handle).
    ///
    /// ```
    /// use std::io;
    /// use sockeye::{DatagramHandler, Packet, SocketName};
    ///
    /// struct Echo;
    ///
    /// impl DatagramHandler for Echo {
    ///     async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
    ///         packet.reply(packet.data()).await
    ///     }
    ///
    ///     /// No answer to what may be an answer: see "Who sent it".
    ///     fn verify(&self, packet: &Packet) -> bool {
    ///         match packet.peer() {
    ///             SocketName::Inet(peer) => {
    ///                 peer.port() >= 1024 && Some(peer.port()) != packet.listener().port()
    ///             }
    ///             SocketName::Unix(_) => true,
    ///         }
    ///     }
    /// }
    /// ```
    fn verify(&self, packet: &Packet) -> bool {
        let _ = packet;
        true
    }

    /// Called exactly once for each datagram whose handling fails; by default a warning in the
    /// log.
    fn on_error(&self, peer: &SocketName, failure: &Failure) {
        tracing::warn!(%peer, %failure, "datagram failed");
    }
}

impl<H: DatagramHandler> DatagramHandler for Arc<H> {
    fn handle(&self, packet: &mut Packet) -> impl Future<Output = io::Result<()>> + Send {
        H::handle(self, packet)
    }

    fn verify(&self, packet: &Packet) -> bool {
        H::verify(self, packet)
    }

    fn on_error(&self, peer: &SocketName, failure: &Failure) {
        H::on_error(self, peer, failure);
    }
}

/// [`DatagramHandler`] with its type erased.
pub(crate) trait ErasedDatagramHandler: Send + Sync {
    fn run<'a>(&'a self, packet: &'a mut Packet) -> BoxFuture<'a, io::Result<()>>;
    fn admits(&self, packet: &Packet) -> bool;
    fn failed(&self, peer: &SocketName, failure: &Failure);
}

impl<H: DatagramHandler> ErasedDatagramHandler for H {
    fn run<'a>(&'a self, packet: &'a mut Packet) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.handle(packet))
    }

    fn admits(&self, packet: &Packet) -> bool {
        self.verify(packet)
    }

    fn failed(&self, peer: &SocketName, failure: &Failure) {
        self.on_error(peer, failure);
    }
}

impl fmt::Debug for dyn ErasedDatagramHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatagramHandler")
    }
}

/// A datagram, its sender, and the way to answer.
pub struct Packet {
    pub(crate) data: Bytes,
    pub(crate) peer: DatagramPeer,
    pub(crate) source: Arc<PacketSource>,
    pub(crate) server: Arc<ServerContext>,
    pub(crate) replies: Option<Arc<Replies>>,
}

/// Answers to the datagrams of one batch, sent together; closed once that has happened.
#[derive(Debug)]
pub(crate) struct Replies(Mutex<Option<SendBatch>>);

impl Replies {
    pub(crate) fn new(batch: SendBatch) -> Self {
        Self(Mutex::new(Some(batch)))
    }

    /// Takes one more answer, if there is room and time.
    fn push(&self, data: &[u8], peer: &DatagramPeer) -> bool {
        let mut batch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        batch.as_mut().is_some_and(|batch| batch.push(data, peer).is_ok())
    }

    /// Closes: what was collected.
    pub(crate) fn close(&self) -> Option<SendBatch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Opens again with an empty batch.
    pub(crate) fn reopen(&self, batch: SendBatch) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(batch);
    }
}

impl Packet {
    /// The payload. From a raw socket over IPv4 (`ip://`, and `icmp://` where it is allowed) it
    /// begins with the IP header, and includes what this machine sends to itself.
    #[must_use]
    pub const fn data(&self) -> &Bytes {
        &self.data
    }

    /// Who sent it, by its own word: a sender can be [forged](DatagramHandler#who-sent-it).
    #[must_use]
    pub fn peer(&self) -> SocketName {
        self.peer.name()
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn listener(&self) -> &Addr {
        &self.source.addr
    }

    /// The server: its counters, and the way to stop it.
    #[must_use]
    pub fn server(&self) -> ServerHandle {
        ServerHandle::new(Arc::clone(&self.server))
    }

    /// Tells when the server begins to drain.
    #[must_use]
    pub fn drain_signal(&self) -> DrainSignal {
        self.server.shutdown.signal()
    }

    /// Answers the sender with one datagram, from the address that it wrote to. The sender may be
    /// [forged](DatagramHandler#who-sent-it).
    ///
    /// Answers given before the handler first waits are sent together with those to the other
    /// datagrams that arrived at the same time. Cancellation safe: sent whole or not at all.
    ///
    /// # Errors
    /// `AddrNotAvailable` if the sender is a Unix socket without a name; otherwise what sendto(2)
    /// refuses, such as a payload over the path's limit. An answer that was collected may still
    /// be lost, as any datagram: [`Stats::replies_lost`](crate::Stats::replies_lost).
    pub async fn reply(&self, data: &[u8]) -> io::Result<()> {
        if !self.peer.can_reply() {
            return Err(io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                "the sender has no name to answer to: a Unix client must bind one",
            ));
        }
        if self.replies.as_ref().is_some_and(|replies| replies.push(data, &self.peer)) {
            return Ok(());
        }
        self.source.send(data, &self.peer).await?;
        self.server.counters.add(Counter::BytesWritten, data.len() as u64);
        Ok(())
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet")
            .field("peer", &self.peer())
            .field("len", &self.data.len())
            .finish_non_exhaustive()
    }
}
