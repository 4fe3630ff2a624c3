//! HTTP/2 connections, by hyper.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use ::http::Request;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use sockeye::Conn;
use tokio::time::Instant;

use super::{
    Draining, Link, Respond,
    patience::{Patience, Timer},
};
use crate::Limits;

mod content;
mod exchange;
mod streams;
mod traffic;

use streams::{Spawner, Streams};
use traffic::{Counted, Traffic};

/// Serves an HTTP/2 connection.
///
/// It has no `Connection: close`: in its place, the peer is told to leave by GOAWAY (RFC 9113 §6.8), and
/// what it has asked for by then is still answered.
pub(crate) async fn serve(
    service: &impl Respond,
    conn: &mut Conn,
    link: &Link<'_>,
    mut draining: Draining<'_>,
) -> io::Result<()> {
    let limits = &service.config().limits;
    let traffic = Traffic::default();
    let crowded = AtomicBool::new(false);
    let spawner = Spawner::default();
    let mut streams = Streams::new(spawner.clone());
    let answering = service_fn(|request: Request<Incoming>| async {
        let response = exchange::exchange(service, link, &traffic, request).await;
        crowded.fetch_or(!link.may_stay(), Ordering::Relaxed);
        Ok::<_, Infallible>(response)
    });
    let connection = http2::Builder::new(spawner)
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
        .auto_date_header(false)
        .serve_connection(TokioIo::new(Counted::new(conn, &traffic)), answering);
    let mut connection = pin!(connection);
    let mut watch = Watch::new(limits, link);
    let mut drained = false;
    poll_fn(|cx| {
        if !drained && draining.as_mut().poll(cx).is_ready() {
            drained = true;
            watch.leave_within(limits.drain_idle);
            connection.as_mut().graceful_shutdown();
        }
        loop {
            if let Poll::Ready(result) = connection.as_mut().poll(cx) {
                return Poll::Ready(result.or_else(ended));
            }
            streams.run(cx);
            let idle = streams.is_idle() && !traffic.are_blocked();
            let verdict = match watch.look(cx, idle, traffic.bytes()) {
                Verdict::Fine if crowded.swap(false, Ordering::Relaxed) => Verdict::Goodbye,
                verdict => verdict,
            };
            match verdict {
                Verdict::Fine => return Poll::Pending,
                Verdict::Goodbye => {
                    watch.leave_within(limits.crowded_idle);
                    connection.as_mut().graceful_shutdown();
                }
                Verdict::Over => {
                    // The end of the last answer may not have been written.
                    let _ = connection.as_mut().poll(cx);
                    if !traffic.are_blocked() {
                        return Poll::Ready(Ok(()));
                    }
                }
                Verdict::Stalled => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            }
        }
    })
    .await
}

fn ended(error: hyper::Error) -> io::Result<()> {
    if error.is_incomplete_message() { Ok(()) } else { Err(into_io(error)) }
}

/// The I/O error below, if there is one.
fn into_io(error: hyper::Error) -> io::Error {
    let source = std::error::Error::source(&error).and_then(|s| s.downcast_ref::<io::Error>());
    match source.map(io::Error::kind) {
        Some(kind) => io::Error::new(kind, error),
        None => io::Error::other(error),
    }
}

/// What to do about a connection that does nothing.
enum Verdict {
    Fine,
    /// Nothing is asked for, or others may be waiting for its place.
    Goodbye,
    /// It was told goodbye, its time to leave is over, and nothing is asked for.
    Over,
    /// The peer takes nothing of what it asked for, and sends nothing of what it announced.
    Stalled,
}

/// The deadlines of a connection with many requests.
struct Watch<'a> {
    limits: &'a Limits,
    link: &'a Link<'a>,
    timer: Timer,
    patience: Patience,
    bytes: u64,
    was_idle: bool,
    /// Until when it may still be idle, once it was told goodbye.
    leave_by: Option<Instant>,
}

impl<'a> Watch<'a> {
    fn new(limits: &'a Limits, link: &'a Link<'a>) -> Self {
        Self {
            limits,
            link,
            timer: Timer::default(),
            patience: Patience::new(Instant::now(), limits.idle, limits.crowded_idle),
            bytes: 0,
            was_idle: true,
            leave_by: None,
        }
    }

    /// The peer is told goodbye. Being told again gives it no more time.
    fn leave_within(&mut self, time: Duration) {
        let by = Instant::now() + time;
        self.leave_by = Some(self.leave_by.map_or(by, |earlier| earlier.min(by)));
        self.begin();
    }

    /// Waits from now on.
    fn begin(&mut self) {
        let (now, limits) = (Instant::now(), self.limits);
        self.patience = match (self.was_idle, self.leave_by) {
            (false, _) => Patience::firm(now, limits.write_stall),
            (true, None) => Patience::new(now, limits.idle, limits.crowded_idle),
            (true, Some(by)) => Patience::firm(by, Duration::ZERO),
        };
    }

    fn look(&mut self, cx: &mut Context<'_>, idle: bool, bytes: u64) -> Verdict {
        if idle != self.was_idle || (!idle && bytes != self.bytes) {
            self.was_idle = idle;
            self.bytes = bytes;
            self.begin();
        }
        while self.timer.poll(self.patience.look(), cx).is_ready() {
            // A stall is one however full the server is.
            if self.patience.is_over(self.link) {
                return match (idle, self.leave_by) {
                    (false, _) => Verdict::Stalled,
                    (true, None) => Verdict::Goodbye,
                    (true, Some(_)) => Verdict::Over,
                };
            }
        }
        Verdict::Fine
    }
}
