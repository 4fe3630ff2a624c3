//! What has been read of a connection and not yet answered, and how long to wait for more.

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

use super::super::{
    Draining, Link,
    patience::{Patience, Timer},
};
use crate::{
    config::Limits,
    wire::{
        head::{self, Parsed},
        plan::Refusal,
    },
};

/// Bytes taken from the socket at once.
const READ: usize = 8 * 1024;

/// What waiting for input came to.
pub(super) enum Filled {
    /// Something came.
    Some,
    /// Nothing more will come, or nothing came for so long that the connection may be closed.
    End,
    /// A head was begun and not ended in time.
    Late,
}

/// What has been read and not yet answered, and how long to wait for more.
pub(super) struct Input<'d> {
    pub(super) bytes: Vec<u8>,
    draining: Draining<'d>,
    pub(super) drained: bool,
    /// When the first byte of a head came, if one is under way.
    begun: Option<Instant>,
    timer: Timer,
}

impl<'d> Input<'d> {
    pub(super) fn new(draining: Draining<'d>) -> Self {
        Self { bytes: Vec::new(), draining, drained: false, begun: None, timer: Timer::default() }
    }

    pub(super) fn parse(&self, limits: &Limits) -> Parsed<'_> {
        if self.bytes.is_empty() {
            return Parsed::Partial;
        }
        match head::parse(&self.bytes) {
            Parsed::Head(_, length) if length > limits.head => Parsed::TooManyFields,
            parsed => parsed,
        }
    }

    /// Which limit an unfinished head is over.
    pub(super) fn excess(&self, limits: &Limits) -> Option<Refusal> {
        let line = self.bytes.iter().take(limits.request_line).any(|&b| b == b'\n');
        if self.bytes.len() > limits.request_line && !line {
            return Some(Refusal::TargetLength);
        }
        (self.bytes.len() > limits.head).then_some(Refusal::Fields)
    }

    pub(super) fn consume(&mut self, length: usize) {
        self.bytes.drain(..length);
        self.begin();
    }

    /// All that was read is done with, and `bytes` came behind it.
    pub(super) fn replace(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes;
        self.begin();
    }

    fn begin(&mut self) {
        // What follows is the beginning of the next head.
        self.begun = (!self.bytes.is_empty()).then(Instant::now);
    }

    /// Notices a drain that began while a request was answered.
    pub(super) async fn look_at_drain(&mut self) {
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
    pub(super) async fn fill(
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
