//! The fast lane: plain HTTP/1 GET and HEAD requests.
//!
//! A request costs one read, what its file costs, and one write. A connection that stays idle holds no
//! buffer. Requests are answered one after the other, so pipelined ones wait. It never reads a request's
//! body: a request that has one goes to the full lane, unanswered.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll},
};

use sockeye::Conn;
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::Instant,
};

use super::{
    Clock, Draining, End, Link,
    patience::{Patience, Timer},
};
use crate::{
    Http, Limits,
    answer::refuse,
    wire::{
        head::{self, Connection, Head, Method, Parsed},
        log::{Record, RequestLine},
        plan::Refusal,
    },
};

mod send;

use send::{Manner, send};

/// Bytes taken from the socket at once.
const READ: usize = 8 * 1024;

/// Serves the connection until it ends or a request comes that the full lane must treat.
pub(crate) async fn serve(
    http: &Http,
    conn: &mut Conn,
    link: &Link<'_>,
    draining: Draining<'_>,
) -> io::Result<End> {
    let limits = &http.config().limits;
    let mut input = Input::new(draining);
    let mut output = Vec::new();
    let mut clock = Clock::new();
    loop {
        let refusal = match input.parse(limits) {
            Parsed::Head(head, _) if !is_plain(&head) => {
                return Ok(End::HandOver { read: input.bytes, drained: input.drained });
            }
            Parsed::Head(head, length) => {
                let close =
                    exchange(http, conn, link, &head, &mut clock, &mut output, input.drained);
                if close.await? {
                    input.consume(length);
                    if !input.bytes.is_empty() {
                        conn.leave_rest();
                    }
                    return Ok(End::Closed);
                }
                input.consume(length);
                input.look_at_drain().await;
                continue;
            }
            Parsed::Partial => match input.fill(conn, limits, &mut output, link).await? {
                Filled::Some => match input.excess(limits) {
                    Some(refusal) => refusal,
                    None => continue,
                },
                Filled::End => return Ok(End::Closed),
                Filled::Late => Refusal::Timeout,
            },
            Parsed::Malformed => input.excess(limits).unwrap_or(Refusal::Malformed),
            Parsed::TooManyFields => Refusal::Fields,
        };
        clock.tick();
        output.clear();
        let reply = refuse(refusal, None);
        let status = reply.head.status.as_u16();
        let manner = Manner { head_only: false, chunks: true, connection: Connection::Close };
        let sent = send(conn, &mut output, reply, manner, &clock).await;
        log(http, link, None, status, sent.body, clock.tick());
        sent.result?;
        conn.leave_rest();
        return Ok(End::Closed);
    }
}

/// Whether this lane treats the request.
fn is_plain(head: &Head<'_>) -> bool {
    matches!(head.method, Method::Get | Method::Head) && !head.fields.unusual
}

/// Answers one request; whether the connection is to be closed now.
async fn exchange(
    http: &Http,
    conn: &mut Conn,
    link: &Link<'_>,
    head: &Head<'_>,
    clock: &mut Clock,
    output: &mut Vec<u8>,
    drained: bool,
) -> io::Result<bool> {
    let now = clock.tick();
    let reply = http.answerer(link, now).answer(head).await;
    let head_only = head.method == Method::Head;
    let content = reply.head.has_content() && !head_only;
    // Without chunks, only the end of the connection ends what has no known length.
    let endless = head.is_http_1_0() && content && reply.head.length.is_none();
    let last = reply.head.traits.last || endless;
    let close = drained || last || !head.persists() || !link.may_stay();
    let manner = Manner {
        head_only,
        chunks: !head.is_http_1_0(),
        connection: match close {
            true => Connection::Close,
            // What HTTP/1.1 takes for granted has to be said to HTTP/1.0 (RFC 9112 §9.3).
            false if head.is_http_1_0() => Connection::KeepAlive,
            false => Connection::Unsaid,
        },
    };
    let status = reply.head.status.as_u16();
    output.clear();
    let sent = send(conn, output, reply, manner, clock).await;
    log(http, link, Some(head), status, sent.body, now);
    sent.result?;
    Ok(close)
}

fn log(http: &Http, link: &Link<'_>, head: Option<&Head<'_>>, status: u16, sent: u64, at: i64) {
    let (Some(access_log), Some(peer)) = (&http.config().access_log, &link.peer) else { return };
    access_log.write(&Record {
        peer,
        at,
        request: head.map(RequestLine::of),
        status,
        sent,
        referer: head.and_then(|h| h.fields.referer),
        user_agent: head.and_then(|h| h.fields.user_agent),
    });
}

/// What waiting for input came to.
enum Filled {
    /// Something came.
    Some,
    /// Nothing more will come, or nothing came for so long that the connection may be closed.
    End,
    /// A head was begun and not ended in time.
    Late,
}

/// What has been read and not yet answered, and how long to wait for more.
struct Input<'d> {
    bytes: Vec<u8>,
    draining: Draining<'d>,
    drained: bool,
    /// When the first byte of a head came, if one is under way.
    begun: Option<Instant>,
    timer: Timer,
}

impl<'d> Input<'d> {
    fn new(draining: Draining<'d>) -> Self {
        Self { bytes: Vec::new(), draining, drained: false, begun: None, timer: Timer::default() }
    }

    fn parse(&self, limits: &Limits) -> Parsed<'_> {
        if self.bytes.is_empty() {
            return Parsed::Partial;
        }
        match head::parse(&self.bytes) {
            Parsed::Head(_, length) if length > limits.head => Parsed::TooManyFields,
            parsed => parsed,
        }
    }

    /// Which limit an unfinished head is over.
    fn excess(&self, limits: &Limits) -> Option<Refusal> {
        let line = self.bytes.iter().take(limits.request_line).any(|&b| b == b'\n');
        if self.bytes.len() > limits.request_line && !line {
            return Some(Refusal::TargetLength);
        }
        (self.bytes.len() > limits.head).then_some(Refusal::Fields)
    }

    fn consume(&mut self, length: usize) {
        self.bytes.drain(..length);
        // What follows is the beginning of the next head.
        self.begun = (!self.bytes.is_empty()).then(Instant::now);
    }

    /// Notices a drain that began while a request was answered.
    async fn look_at_drain(&mut self) {
        poll_fn(|cx| {
            self.poll_drain(cx);
            Poll::Ready(())
        })
        .await;
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.drained && self.draining.as_mut().poll(cx).is_ready() {
            self.drained = true;
            return true;
        }
        false
    }

    /// Waits for more input.
    async fn fill(
        &mut self,
        conn: &mut Conn,
        limits: &Limits,
        spare: &mut Vec<u8>,
        link: &Link<'_>,
    ) -> io::Result<Filled> {
        // An idle connection gives its buffers back, and each looks around from time to time whether
        // others wait for its place.
        let mut patience = self.patience(limits);
        poll_fn(|cx| {
            match self.poll_read(conn, cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(Filled::End)),
                Poll::Ready(Ok(_)) => {
                    self.poll_drain(cx);
                    return Poll::Ready(Ok(Filled::Some));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {}
            }
            if self.poll_drain(cx) {
                patience = self.patience(limits);
            }
            while self.timer.poll(patience.look(), cx).is_ready() {
                let idle = self.begun.is_none();
                if patience.is_over(link) {
                    return Poll::Ready(Ok(if idle { Filled::End } else { Filled::Late }));
                }
                if idle {
                    self.bytes = Vec::new();
                    *spare = Vec::new();
                }
            }
            Poll::Pending
        })
        .await
    }

    fn poll_read(&mut self, conn: &mut Conn, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // On this thread's stack, so that an idle connection holds no buffer for it.
        let mut space = [const { MaybeUninit::<u8>::uninit() }; READ];
        let mut buf = ReadBuf::uninit(&mut space);
        Pin::new(conn).poll_read(cx, &mut buf).map_ok(|()| {
            let read = buf.filled();
            self.bytes.extend_from_slice(read);
            if !read.is_empty() && self.begun.is_none() {
                self.begun = Some(Instant::now());
            }
            read.len()
        })
    }

    fn patience(&self, limits: &Limits) -> Patience {
        let now = Instant::now();
        match self.begun {
            Some(begun) => Patience::new(begun, limits.head_time, limits.crowded_head),
            None if self.drained => Patience::firm(now, limits.drain_idle),
            None => Patience::new(now, limits.idle, limits.crowded_idle),
        }
    }
}
