//! Plain blocking handlers.
//!
//! The handler runs in a thread of its own and asks the connection's task for every read and
//! write, so that deadlines, limits, TLS and the cut hold for it as for any other.

use std::{
    io::{self, Read, Write},
    panic::AssertUnwindSafe,
    sync::Arc,
    thread,
};

use tokio::{
    io::AsyncWriteExt,
    sync::{mpsc, oneshot},
};

use super::Handler;
use crate::{Conn, ConnInfo, DrainSignal, Failure};

/// Handles one connection with blocking reads and writes.
pub trait BlockingHandler: Send + Sync + 'static {
    /// Serves one connection. Once the server is cut, every read and write fails.
    ///
    /// # Errors
    /// What went wrong; it reaches [`on_error`](Self::on_error) once.
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

/// What the thread asks of the connection's task.
enum Ask {
    Read { max: usize, answer: oneshot::Sender<io::Result<bytes::Bytes>> },
    Write { data: Vec<u8>, answer: oneshot::Sender<io::Result<()>> },
    Flush { answer: oneshot::Sender<io::Result<()>> },
    HalfClose { answer: oneshot::Sender<io::Result<()>> },
}

impl<H: BlockingHandler> Handler for Blocking<H> {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let (asks, mut asked) = mpsc::channel(1);
        let mut blocking = BlockingConn {
            asks,
            info: conn.info().clone(),
            drain: conn.drain_signal(),
            left: bytes::Bytes::new(),
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
            // An answer that nobody waits for means that the thread has ended.
            match ask {
                Ask::Read { max, answer } => drop(answer.send(conn.recv(max).await)),
                Ask::Write { data, answer } => drop(answer.send(conn.write_all(&data).await)),
                Ask::Flush { answer } => drop(answer.send(conn.flush().await)),
                Ask::HalfClose { answer } => drop(answer.send(conn.shutdown().await)),
            }
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

/// A connection with blocking [`Read`] and [`Write`].
///
/// Reads and writes fail with `ConnectionAborted` once the server is cut, and with `TimedOut`
/// at the server's deadlines.
#[derive(Debug)]
pub struct BlockingConn {
    asks: mpsc::Sender<Ask>,
    info: ConnInfo,
    drain: DrainSignal,
    left: bytes::Bytes,
}

impl BlockingConn {
    /// Who is connected.
    #[must_use]
    pub const fn info(&self) -> &ConnInfo {
        &self.info
    }

    /// The drain signal.
    #[must_use]
    pub const fn drain_signal(&self) -> &DrainSignal {
        &self.drain
    }

    /// Half-closes: the peer sees the end of the stream, reading goes on.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn shutdown_write(&mut self) -> io::Result<()> {
        self.ask(|answer| Ask::HalfClose { answer })
    }

    fn ask<T>(&self, make: impl FnOnce(oneshot::Sender<io::Result<T>>) -> Ask) -> io::Result<T> {
        let cut = || io::Error::new(io::ErrorKind::ConnectionAborted, "the server was stopped");
        let (answer, answered) = oneshot::channel();
        self.asks.blocking_send(make(answer)).map_err(|_| cut())?;
        answered.blocking_recv().map_err(|_| cut())?
    }
}

impl Read for BlockingConn {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if self.left.is_empty() {
            self.left = self.ask(|answer| Ask::Read { max: PIECE, answer })?;
        }
        let n = self.left.len().min(buf.len());
        buf[..n].copy_from_slice(&self.left.split_to(n));
        Ok(n)
    }
}

impl Write for BlockingConn {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let piece = &buf[..buf.len().min(PIECE)];
        self.ask(|answer| Ask::Write { data: piece.to_vec(), answer })?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.ask(|answer| Ask::Flush { answer })
    }
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Read { .. } => "Read",
            Self::Write { .. } => "Write",
            Self::Flush { .. } => "Flush",
            Self::HalfClose { .. } => "HalfClose",
        })
    }
}
