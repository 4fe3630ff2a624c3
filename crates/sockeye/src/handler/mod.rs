//! Handlers: what a server does with a connection or a datagram.
//!
//! A handler is written once and runs unchanged over every transport and under every
//! [`Model`](crate::Model). It knows nothing of either.

mod blocking;
mod datagram;
mod request;

use std::{fmt::Debug, future::Future, io, pin::Pin, sync::Arc};

use bytes::Bytes;

pub use blocking::{Blocking, BlockingConn, BlockingHandler};
pub use datagram::{DatagramHandler, Packet};
pub(crate) use datagram::{ErasedDatagramHandler, Replies};
pub use request::{PerConnection, RequestHandler};

use crate::{Conn, ConnInfo, Failure};

/// Handles one connection after the other of a stream or seqpacket transport.
///
/// The value is shared by all connections: its fields are the server's shared state. Under the
/// process models each child has its own copy of it, taken when the server was prepared. An [`Arc`]
/// of a handler is one, too: for a value that several servers share, or that handles datagrams as well.
///
/// # What it runs in
///
/// Under every model there is a tokio runtime around it, with timers and I/O: `tokio::time::sleep`,
/// `tokio::spawn` and `spawn_blocking` work. Under `tasks` it has several threads, under all others
/// one, which is the connection's own under `threads`, `pool`, `fork` and `prefork`.
///
/// What it spawns and does not await is on its own: the drain does not wait for it, the cut does not
/// reach it, a panic in it is nobody's failure, and it is dropped with its runtime, which is when the server
/// stops, under `threads` a second after the thread has no connection any more, and under `fork` as soon as this
/// connection has ended. So await what has to be done. What the drain waits for is `handle` itself,
/// up to [`Limits::drain`](crate::Limits::drain).
///
/// # What the client sees in the end
///
/// | how `handle` ended | what the client reads |
/// |---|---|
/// | it returned, with an error or without | all that was written, and the end |
/// | it panicked, or was cut | over TCP a reset, perhaps before the last bytes written; on other transports the end; over TLS without the session's own end |
/// | its process was killed | what the system had taken, and the end |
///
/// Only a length, or a mark at its end, tells a whole answer from a part in all cases.
///
/// ```
/// use std::io;
/// use sockeye::{Conn, Handler};
/// use tokio::io::AsyncWriteExt;
///
/// struct Upper;
///
/// impl Handler for Upper {
///     async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
///         loop {
///             let chunk = conn.recv(4096).await?;
///             if chunk.is_empty() {
///                 return Ok(());
///             }
///             conn.write_all(&chunk.to_ascii_uppercase()).await?;
///         }
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Serves one connection from its first byte to its last.
    ///
    /// When it returns, with an error or without, what it wrote is flushed and the connection
    /// closed, so that the peer reads all of it. The future is dropped in the middle, and the connection
    /// reset, if the server is cut: at a second signal, or when a drain takes too long.
    ///
    /// # Errors
    /// Whatever ends this connection early; `?` on the methods of [`Conn`] will do. It ends no
    /// other and not the server: it is sorted as a [`Failure`] by who is at fault (the peer that
    /// went away, one of the server's deadlines, or the handler itself), counted in
    /// [`Stats`](crate::Stats) and told to [`on_error`](Self::on_error) once. A peer that should
    /// know why must be told before, in the protocol's own words.
    fn handle(&self, conn: &mut Conn) -> impl Future<Output = io::Result<()>> + Send;

    /// Whether to handle this connection at all; `false` closes it. Called once for each, before
    /// any byte of it is read, except a PROXY header and a TLS handshake.
    fn verify(&self, info: &ConnInfo) -> bool {
        let _ = info;
        true
    }

    /// What a client is told whose address has as many connections as it may have
    /// ([`Limits::max_per_ip`](crate::Limits::max_per_ip)), before its connection is closed; by default nothing.
    ///
    /// For protocols in which the server speaks first: what a client has sent by then can reset the connection before
    /// it has read this. It is sent if the kernel takes it at once, and not on listeners with TLS.
    fn refusal(&self) -> Bytes {
        Bytes::new()
    }

    /// Called for each connection that is refused as its address has as many as it may have, also where it is not told so.
    ///
    /// In the process that refuses it, which under some models is the one that accepts: it must not wait. By default
    /// nothing; a debug line is in the log in any case.
    fn on_refused(&self, info: &ConnInfo) {
        let _ = info;
    }

    /// Called exactly once for each connection that fails, in the process that ran it.
    ///
    /// By default a line in the log, in the connection's span, which has its id and peer: a debug line if the failure
    /// [is routine](Failure::is_routine), a warning otherwise.
    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        let _ = info;
        if failure.is_routine() {
            tracing::debug!(%failure, "connection failed");
        } else {
            tracing::warn!(%failure, "connection failed");
        }
    }
}

impl<H: Handler> Handler for Arc<H> {
    fn handle(&self, conn: &mut Conn) -> impl Future<Output = io::Result<()>> + Send {
        H::handle(self, conn)
    }

    fn verify(&self, info: &ConnInfo) -> bool {
        H::verify(self, info)
    }

    fn refusal(&self) -> Bytes {
        H::refusal(self)
    }

    fn on_refused(&self, info: &ConnInfo) {
        H::on_refused(self, info);
    }

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        H::on_error(self, info, failure);
    }
}

/// A future on the heap, as type-erased handlers return it.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`Handler`] with its type erased, so that one server can hold several.
pub(crate) trait ErasedHandler: Send + Sync {
    fn run<'a>(&'a self, conn: &'a mut Conn) -> BoxFuture<'a, io::Result<()>>;
    fn admits(&self, info: &ConnInfo) -> bool;
    fn words_for_refused(&self) -> Bytes;
    fn turned_away(&self, info: &ConnInfo);
    fn failed(&self, info: &ConnInfo, failure: &Failure);
}

impl<H: Handler> ErasedHandler for H {
    fn run<'a>(&'a self, conn: &'a mut Conn) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.handle(conn))
    }

    fn admits(&self, info: &ConnInfo) -> bool {
        self.verify(info)
    }

    fn words_for_refused(&self) -> Bytes {
        self.refusal()
    }

    fn turned_away(&self, info: &ConnInfo) {
        self.on_refused(info);
    }

    fn failed(&self, info: &ConnInfo, failure: &Failure) {
        self.on_error(info, failure);
    }
}

impl Debug for dyn ErasedHandler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handler")
    }
}
