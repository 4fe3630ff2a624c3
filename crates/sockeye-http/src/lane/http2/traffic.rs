//! A connection whose traffic can be watched while hyper has it.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    task::{Context, Poll},
};

use sockeye::Conn;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How a connection's traffic goes.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    bytes: AtomicU64,
    blocked: AtomicBool,
}

impl Traffic {
    /// Bytes so far that were written, or are of contents that came: what a peer sends beside, such as
    /// pings, is no sign that it goes on.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Counts bytes of a content that came.
    pub(super) fn came(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether the peer has yet to take something.
    pub(super) fn are_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    fn look_at<T>(&self, polled: &Poll<T>) {
        self.blocked.store(polled.is_pending(), Ordering::Relaxed);
    }
}

/// Keeps account of what it writes.
#[derive(Debug)]
pub(super) struct Counted<'a> {
    conn: &'a mut Conn,
    traffic: &'a Traffic,
}

impl<'a> Counted<'a> {
    pub(super) fn new(conn: &'a mut Conn, traffic: &'a Traffic) -> Self {
        Self { conn, traffic }
    }

    fn count(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.traffic.look_at(&polled);
        if let Poll::Ready(Ok(n)) = polled {
            self.traffic.bytes.fetch_add(n as u64, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncRead for Counted<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.conn).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut *self.conn).poll_write(cx, buf);
        self.count(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut *self.conn).poll_write_vectored(cx, bufs);
        self.count(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.conn.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut *self.conn).poll_flush(cx);
        self.traffic.look_at(&polled);
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.conn).poll_shutdown(cx)
    }
}
