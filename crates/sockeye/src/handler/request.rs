//! State for one connection, in three steps: setup, handle, finish.

use std::{fmt, future::Future, io, panic::AssertUnwindSafe};

use futures_util::FutureExt;

use super::Handler;
use crate::{Conn, ConnInfo};

/// Serves one connection with state of its own, in the three steps of Python's `socketserver`.
///
/// `finish` runs whenever `setup` succeeded, also if `handle` fails or panics; it does not run
/// if `setup` fails, nor if the server is cut meanwhile (the value is dropped then).
pub trait RequestHandler: Send {
    /// Before the connection is handled: greet, allocate, open.
    ///
    /// # Errors
    /// As [`Handler::handle`]; the connection ends then, without the other two steps.
    fn setup(&mut self, conn: &mut Conn) -> impl Future<Output = io::Result<()>> + Send {
        let _ = conn;
        async { Ok(()) }
    }

    /// Serves the connection.
    ///
    /// # Errors
    /// As [`Handler::handle`].
    fn handle(&mut self, conn: &mut Conn) -> impl Future<Output = io::Result<()>> + Send;

    /// After the connection is handled, whatever became of it.
    ///
    /// # Errors
    /// As [`Handler::handle`]; an error of `handle` itself comes first.
    fn finish(&mut self, conn: &mut Conn) -> impl Future<Output = io::Result<()>> + Send {
        let _ = conn;
        async { Ok(()) }
    }
}

/// A [`Handler`] that makes a [`RequestHandler`] for each connection.
///
/// ```
/// use std::io;
/// use sockeye::{Conn, PerConnection, RequestHandler, Server};
/// use tokio::io::AsyncWriteExt;
///
/// #[derive(Default)]
/// struct Count {
///     lines: usize,
/// }
///
/// impl RequestHandler for Count {
///     async fn handle(&mut self, conn: &mut Conn) -> io::Result<()> {
///         while conn.read_line().await?.is_some() {
///             self.lines += 1;
///         }
///         Ok(())
///     }
///
///     async fn finish(&mut self, conn: &mut Conn) -> io::Result<()> {
///         conn.write_all(format!("{} lines\n", self.lines).as_bytes()).await
///     }
/// }
///
/// # fn main() -> io::Result<()> {
/// let server = Server::bind("tcp://127.0.0.1:0")?.with(PerConnection::new(|_| Count::default()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PerConnection<F> {
    make: F,
}

impl<F> PerConnection<F> {
    /// A handler that calls `make` for each connection that was admitted.
    pub const fn new<R>(make: F) -> Self
    where
        F: Fn(&ConnInfo) -> R + Send + Sync + 'static,
        R: RequestHandler,
    {
        Self { make }
    }
}

impl<F> fmt::Debug for PerConnection<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PerConnection")
    }
}

impl<F, R> Handler for PerConnection<F>
where
    F: Fn(&ConnInfo) -> R + Send + Sync + 'static,
    R: RequestHandler,
{
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let mut request = (self.make)(conn.info());
        request.setup(conn).await?;
        let handled = AssertUnwindSafe(async { request.handle(conn).await }).catch_unwind().await;
        let finished = request.finish(conn).await;
        match handled {
            Ok(result) => result.and(finished),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}
