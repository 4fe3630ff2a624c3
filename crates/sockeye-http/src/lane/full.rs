//! The full lane: HTTP as a whole, by hyper.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
};

use ::http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use sockeye::Conn;

use super::{Draining, Link, linger::linger};
use crate::{Http, wire::head::MAX_FIELDS};

mod counted;
mod exchange;
mod http2;

pub(crate) use http2::serve_http2;

/// Serves the rest of an HTTP/1 connection.
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
            .serve_connection(TokioIo::new(&mut *conn), service);
        let mut connection = pin!(connection);
        // A request that is under way when the drain begins is still answered, as the last.
        let mut grace = pin!(async {
            if !drained {
                draining.await;
                leaving.store(true, Ordering::Relaxed);
            }
            tokio::time::sleep(limits.drain_idle).await;
        });
        let mut ended = false;
        poll_fn(|cx| {
            if !ended && grace.as_mut().poll(cx).is_ready() {
                ended = true;
                connection.as_mut().graceful_shutdown();
            }
            connection.as_mut().poll(cx)
        })
        .await
    };
    match result {
        Ok(()) if unread.into_inner() => linger(conn, limits.linger).await,
        Ok(()) => Ok(()),
        // hyper has answered what it could not parse, and what followed is unread.
        Err(error) if error.is_parse() => linger(conn, limits.linger).await,
        // A peer that said nothing, or not all of it, in time; hyper has closed.
        Err(error) if error.is_timeout() || error.is_incomplete_message() => Ok(()),
        Err(error) => Err(into_io(error)),
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
