//! HTTP/2 connections.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use ::http::Request;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use sockeye::Conn;
use tokio::time::{Instant, Sleep};

use super::{
    super::{
        Draining, Link,
        streams::{Spawner, Streams},
    },
    counted::Counted,
    exchange, into_io,
};
use crate::{Http, Limits};

/// Serves an HTTP/2 connection.
pub(crate) async fn serve_http2(
    http: &Http,
    conn: &mut Conn,
    link: &Link<'_>,
    mut draining: Draining<'_>,
) -> io::Result<()> {
    let limits = &http.config().limits;
    let written = AtomicU64::new(0);
    let spawner = Spawner::default();
    let mut streams = Streams::new(spawner.clone());
    let service = service_fn(|request: Request<Incoming>| async {
        Ok::<_, Infallible>(exchange::exchange(http, link, request, false).await.0)
    });
    let connection = http2::Builder::new(spawner)
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
        .auto_date_header(false)
        .serve_connection(TokioIo::new(Counted::new(conn, &written)), service);
    let mut connection = pin!(connection);
    let mut watch = Watch::new(limits);
    let mut drained = false;
    poll_fn(|cx| {
        if !drained && draining.as_mut().poll(cx).is_ready() {
            drained = true;
            connection.as_mut().graceful_shutdown();
        }
        if let Poll::Ready(result) = connection.as_mut().poll(cx) {
            return Poll::Ready(result.or_else(ended));
        }
        streams.run(cx);
        match watch.look(cx, streams.is_idle(), written.load(Ordering::Relaxed)) {
            Verdict::Fine => Poll::Pending,
            Verdict::Idle => {
                connection.as_mut().graceful_shutdown();
                connection.as_mut().poll(cx).map(|result| result.or_else(ended))
            }
            Verdict::Cut => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
        }
    })
    .await
}

fn ended(error: hyper::Error) -> io::Result<()> {
    if error.is_incomplete_message() { Ok(()) } else { Err(into_io(error)) }
}

/// What to do about a connection that does nothing.
enum Verdict {
    Fine,
    /// Nothing is asked for: say goodbye.
    Idle,
    /// It said goodbye and the peer stays, or the peer takes nothing of what it asked for.
    Cut,
}

/// The deadlines of a connection with many requests.
struct Watch {
    idle: Duration,
    stall: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    written: u64,
    was_idle: bool,
    since: Instant,
    said_goodbye: bool,
}

impl Watch {
    fn new(limits: &Limits) -> Self {
        Self {
            idle: limits.idle,
            stall: limits.write_stall,
            timer: None,
            written: 0,
            was_idle: true,
            since: Instant::now(),
            said_goodbye: false,
        }
    }

    fn look(&mut self, cx: &mut Context<'_>, idle: bool, written: u64) -> Verdict {
        if idle != self.was_idle || (!idle && written != self.written) {
            self.since = Instant::now();
            self.was_idle = idle;
            self.written = written;
        }
        let wait = match (idle, self.said_goodbye) {
            (true, false) => self.idle,
            (true, true) => self.idle.min(self.stall),
            (false, _) => self.stall,
        };
        let at = self.since + wait;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if timer.deadline() > at {
            timer.as_mut().reset(at);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() < at {
                timer.as_mut().reset(at);
                continue;
            }
            if !idle || self.said_goodbye {
                return Verdict::Cut;
            }
            self.said_goodbye = true;
            self.since = Instant::now();
            // To be woken again.
            timer.as_mut().reset(self.since + self.idle.min(self.stall));
            let _ = timer.as_mut().poll(cx);
            return Verdict::Idle;
        }
        Verdict::Fine
    }
}
