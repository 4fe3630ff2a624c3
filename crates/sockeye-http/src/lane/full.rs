//! The full lane: HTTP as a whole, by hyper.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
};

use ::http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use sockeye::Conn;
use tokio::time::Instant;

use super::{
    Draining, Link,
    patience::{Patience, Timer},
};
use crate::{Http, Limits, wire::head::MAX_FIELDS};

mod counted;
mod exchange;
mod http2;

use counted::{Counted, Writes};
pub(crate) use http2::serve_http2;

/// Serves the rest of an HTTP/1 connection.
///
/// Once it has been silent while others may be waiting for its place, it ends with the answer that is
/// under way, or at once.
pub(crate) async fn serve_http1(
    http: &Http,
    conn: &mut Conn,
    link: &Link<'_>,
    draining: Draining<'_>,
    drained: bool,
) -> io::Result<()> {
    let limits = &http.config().limits;
    let unread = AtomicBool::new(false);
    let leaving = AtomicBool::new(drained);
    let writes = Writes::default();
    let result = {
        let service = service_fn(|request: Request<Incoming>| async {
            let (response, left) =
                exchange::exchange(http, link, request, leaving.load(Ordering::Relaxed)).await;
            unread.fetch_or(left, Ordering::Relaxed);
            Ok::<_, Infallible>(response)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_time)
            .max_headers(MAX_FIELDS)
            .max_buf_size(limits.head.max(8192))
            .auto_date_header(false)
            .half_close(true)
            .serve_connection(TokioIo::new(Counted::new(conn, &writes)), service);
        let mut connection = pin!(connection);
        // A request that is under way when the drain begins is still answered, as the last.
        let mut grace = pin!(async {
            if !drained {
                draining.await;
                leaving.store(true, Ordering::Relaxed);
            }
            tokio::time::sleep(limits.drain_idle).await;
        });
        let mut silence = Silence::new(limits, link);
        let mut ended = false;
        poll_fn(|cx| {
            if !ended && grace.as_mut().poll(cx).is_ready() {
                ended = true;
                connection.as_mut().graceful_shutdown();
            }
            if let Poll::Ready(result) = connection.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            if ended || silence.poll_too_long(cx, writes.bytes()).is_pending() {
                return Poll::Pending;
            }
            ended = true;
            leaving.store(true, Ordering::Relaxed);
            connection.as_mut().graceful_shutdown();
            connection.as_mut().poll(cx)
        })
        .await
    };
    match result {
        Ok(()) => {
            if unread.into_inner() {
                conn.leave_rest();
            }
            Ok(())
        }
        // hyper has answered what it could not parse, and what followed is unread.
        Err(error) if error.is_parse() => {
            conn.leave_rest();
            Ok(())
        }
        // A peer that said nothing, or not all of it, in time; hyper has closed.
        Err(error) if error.is_timeout() || error.is_incomplete_message() => Ok(()),
        Err(error) => Err(into_io(error)),
    }
}

/// How long nothing has been written.
struct Silence<'a> {
    limits: &'a Limits,
    link: &'a Link<'a>,
    timer: Timer,
    patience: Patience,
    written: u64,
}

impl<'a> Silence<'a> {
    fn new(limits: &'a Limits, link: &'a Link<'a>) -> Self {
        let (timer, patience) = (Timer::default(), Self::patience(limits));
        Self { limits, link, timer, patience, written: 0 }
    }

    fn patience(limits: &Limits) -> Patience {
        Patience::new(Instant::now(), limits.idle, limits.crowded_idle)
    }

    /// Resolves when it lasts longer than an idle connection may.
    fn poll_too_long(&mut self, cx: &mut Context<'_>, written: u64) -> Poll<()> {
        if written != self.written {
            self.written = written;
            self.patience = Self::patience(self.limits);
        }
        while self.timer.poll(self.patience.look(), cx).is_ready() {
            if self.patience.is_over(self.link) {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

/// The I/O error below, if there is one.
fn into_io(error: hyper::Error) -> io::Error {
    let source = std::error::Error::source(&error).and_then(|s| s.downcast_ref::<io::Error>());
    match source.map(io::Error::kind) {
        Some(kind) => io::Error::new(kind, error),
        None => io::Error::other(error),
    }
}
