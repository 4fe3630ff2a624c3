//! Plain blocking handlers.
//!
//! The handler runs in a thread of its own and asks the connection's task for every read and
//! write, so that deadlines, limits, TLS, the drain and the cut hold for it as for any other.

use std::{
    io::{self, Read, Write},
    mem,
    panic::AssertUnwindSafe,
    sync::Arc,
    thread,
};

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::{
    io::AsyncWriteExt,
    sync::{mpsc, oneshot},
};

use super::{BoxFuture, Handler};
use crate::{Conn, ConnInfo, DrainSignal, Failure, ServerHandle};

/// Handles one connection with blocking reads and writes; [`Blocking`] makes a [`Handler`] of it.
///
/// ```
/// use std::io::{self, Write};
/// use sockeye::{Blocking, BlockingConn, BlockingHandler, Server};
///
/// struct Upper;
///
/// impl BlockingHandler for Upper {
///     fn handle(&self, conn: &mut BlockingConn) -> io::Result<()> {
///         while let Some(chunk) = conn.recv_or_drain(4096)? {
///             conn.write_all(&chunk.to_ascii_uppercase())?;
///         }
///         Ok(())
///     }
/// }
///
/// # fn main() -> io::Result<()> {
/// let server = Server::bind("tcp://127.0.0.1:0")?.with(Blocking::new(Upper));
/// # Ok(())
/// # }
/// ```
pub trait BlockingHandler: Send + Sync + 'static {
    /// Serves one connection. Once the server is cut, every read and write fails.
    ///
    /// # Errors
    /// As [`Handler::handle`].
    fn handle(&self, conn: &mut BlockingConn) -> io::Result<()>;

    /// As [`Handler::verify`].
    fn verify(&self, info: &ConnInfo) -> bool {
        let _ = info;
        true
    }

    /// As [`Handler::on_error`]; by default a line in the log.
    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        tracing::warn!(conn = %info.id(), peer = %info.peer(), %failure, "connection failed");
    }
}

/// Makes a [`Handler`] of a [`BlockingHandler`].
///
/// Each connection takes a thread while it is handled, whatever the model; an async handler is
/// the cheaper choice. A handler that is computing, rather than reading or writing, when the
/// server is cut runs on until it next touches the connection.
#[derive(Debug)]
pub struct Blocking<H> {
    handler: Arc<H>,
}

impl<H: BlockingHandler> Blocking<H> {
    /// Wraps a blocking handler.
    pub fn new(handler: H) -> Self {
        Self { handler: Arc::new(handler) }
    }
}

/// Largest piece that one blocking read or write moves, in bytes.
const PIECE: usize = 64 * 1024;

/// What the thread asks of the connection's task, answer included.
type Ask = Box<dyn for<'a> FnOnce(&'a mut Conn) -> BoxFuture<'a, ()> + Send>;

impl<H: BlockingHandler> Handler for Blocking<H> {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let (asks, mut asked) = mpsc::channel::<Ask>(1);
        let mut blocking = BlockingConn {
            asks,
            info: conn.info().clone(),
            server: conn.server(),
            drain: conn.drain_signal(),
            left: Bytes::new(),
        };
        let handler = Arc::clone(&self.handler);
        let (result, ended) = oneshot::channel();
        let token = conn.context().registry.token();
        // When this future is dropped, the thread's next read or write fails.
        thread::Builder::new().name("sockeye-blocking".to_owned()).spawn(move || {
            let call = AssertUnwindSafe(|| handler.handle(&mut blocking));
            let outcome = std::panic::catch_unwind(call);
            drop(blocking);
            // Nobody waits for the outcome of a connection that was cut.
            let _ = result.send(outcome);
            drop(token);
        })?;
        while let Some(ask) = asked.recv().await {
            ask(conn).await;
        }
        match ended.await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(gone) => Err(io::Error::other(gone)),
        }
    }

    fn verify(&self, info: &ConnInfo) -> bool {
        self.handler.verify(info)
    }

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        self.handler.on_error(info, failure);
    }
}

/// A connection with blocking [`Read`] and [`Write`], and the reads of [`Conn`].
///
/// Everything that waits fails with `ConnectionAborted` once the server is cut, and with
/// `TimedOut` at the server's deadlines.
#[derive(Debug)]
pub struct BlockingConn {
    asks: mpsc::Sender<Ask>,
    info: ConnInfo,
    server: ServerHandle,
    drain: DrainSignal,
    /// Received, and not yet read.
    left: Bytes,
}

impl BlockingConn {
    /// Who is connected.
    #[must_use]
    pub const fn info(&self) -> &ConnInfo {
        &self.info
    }

    /// The server: its counters, and the way to stop it.
    #[must_use]
    pub const fn server(&self) -> &ServerHandle {
        &self.server
    }

    /// The drain signal.
    #[must_use]
    pub const fn drain_signal(&self) -> &DrainSignal {
        &self.drain
    }

    /// Blocks until the server drains.
    ///
    /// # Errors
    /// `ConnectionAborted` once the server is cut.
    pub fn wait_for_drain(&self) -> io::Result<()> {
        let drain = self.drain.clone();
        self.ask(|_| Box::pin(async move { drain.wait().map(Ok).await }))
    }

    /// As [`Conn::recv`].
    ///
    /// # Errors
    /// As [`Conn::recv`]; `ConnectionAborted` once the server is cut.
    pub fn recv(&mut self, max: usize) -> io::Result<Bytes> {
        self.input(move |conn| Box::pin(conn.recv(max)))
    }

    /// As [`Conn::recv_or_drain`].
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_or_drain(&mut self, max: usize) -> io::Result<Option<Bytes>> {
        self.input(move |conn| Box::pin(conn.recv_or_drain(max)))
    }

    /// As [`Conn::read_line`].
    ///
    /// # Errors
    /// As [`Conn::read_line`]; `ConnectionAborted` once the server is cut.
    pub fn read_line(&mut self) -> io::Result<Option<Bytes>> {
        self.input(|conn| Box::pin(conn.read_line()))
    }

    /// As [`Conn::read_line_or_drain`].
    ///
    /// # Errors
    /// As [`read_line`](Self::read_line).
    pub fn read_line_or_drain(&mut self) -> io::Result<Option<Bytes>> {
        self.input(|conn| Box::pin(conn.read_line_or_drain()))
    }

    /// Half-closes: the peer sees the end of the stream, reading goes on.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn shutdown_write(&mut self) -> io::Result<()> {
        self.ask(|conn| Box::pin(async { conn.shutdown().await }))
    }

    /// Reads, what is left of the last read first.
    fn input<T: Send + 'static>(
        &mut self,
        read: impl for<'a> FnOnce(&'a mut Conn) -> BoxFuture<'a, io::Result<T>> + Send + 'static,
    ) -> io::Result<T> {
        let left = mem::take(&mut self.left);
        self.ask(move |conn| {
            conn.put_back(&left);
            read(conn)
        })
    }

    /// Has the connection's task do something, and waits until it is done.
    fn ask<T: Send + 'static>(
        &self,
        work: impl for<'a> FnOnce(&'a mut Conn) -> BoxFuture<'a, io::Result<T>> + Send + 'static,
    ) -> io::Result<T> {
        let cut = || io::Error::new(io::ErrorKind::ConnectionAborted, "the server was stopped");
        let (answer, answered) = oneshot::channel();
        let ask: Ask = Box::new(|conn| {
            // An answer that nobody waits for means that the thread has ended.
            Box::pin(async { drop(answer.send(work(conn).await)) })
        });
        self.asks.blocking_send(ask).map_err(|_| cut())?;
        answered.blocking_recv().map_err(|_| cut())?
    }
}

impl Read for BlockingConn {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if self.left.is_empty() {
            self.left = self.recv(PIECE)?;
        }
        let n = self.left.len().min(buf.len());
        buf[..n].copy_from_slice(&self.left.split_to(n));
        Ok(n)
    }
}

impl Write for BlockingConn {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let piece = buf[..buf.len().min(PIECE)].to_vec();
        let n = piece.len();
        self.ask(|conn| Box::pin(async move { conn.write_all(&piece).await }))?;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.ask(|conn| Box::pin(async { conn.flush().await }))
    }
}
