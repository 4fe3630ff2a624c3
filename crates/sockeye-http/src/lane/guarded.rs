//! A transport with a deadline on writes, and a place for bytes that were read too early.

use std::{
    io,
    os::fd::BorrowedFd,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use super::Transport;

/// A transport whose writes fail with `TimedOut` if the peer takes nothing for too long.
#[derive(Debug)]
pub(crate) struct Guarded<T> {
    transport: T,
    /// Read before the transport: bytes that another reader had taken.
    ahead: Vec<u8>,
    stall: Duration,
    /// Running while a write waits.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    written: Arc<AtomicU64>,
}

impl<T: Transport> Guarded<T> {
    pub(crate) fn new(transport: T, stall: Duration) -> Self {
        Self {
            transport,
            ahead: Vec::new(),
            stall,
            timer: None,
            waiting: false,
            written: Arc::default(),
        }
    }

    /// Gives back bytes, to be read again before anything else.
    pub(crate) fn put_back(&mut self, read: Vec<u8>) {
        self.ahead = read;
    }

    /// Counts the bytes written, so that progress can be seen while something else holds this.
    pub(crate) fn progress(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.written)
    }

    pub(crate) fn sends_files(&self) -> bool {
        self.transport.sends_files()
    }

    /// As [`Transport::send_file`].
    pub(crate) async fn send_file(
        &mut self,
        file: BorrowedFd<'_>,
        offset: u64,
        count: u64,
    ) -> io::Result<u64> {
        let sent = self.transport.send_file(file, offset, count).await?;
        self.written.fetch_add(sent, Ordering::Relaxed);
        Ok(sent)
    }

    /// The outcome of one poll of a write, or the deadline's.
    fn bound<R>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            self.waiting = false;
            return polled;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.stall)));
        if !self.waiting {
            self.waiting = true;
            timer.as_mut().reset(Instant::now() + self.stall);
        }
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(stalled()))
    }
}

fn stalled() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the peer took nothing of the answer for too long")
}

impl<T: Transport> AsyncRead for Guarded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let n = self.ahead.len().min(buf.remaining());
            buf.put_slice(&self.ahead[..n]);
            self.ahead.drain(..n);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.transport).poll_read(cx, buf)
    }
}

impl<T: Transport> AsyncWrite for Guarded<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.transport).poll_write(cx, buf);
        if let Poll::Ready(Ok(n)) = polled {
            self.written.fetch_add(n as u64, Ordering::Relaxed);
        }
        self.bound(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.transport).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(n)) = polled {
            self.written.fetch_add(n as u64, Ordering::Relaxed);
        }
        self.bound(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.transport).poll_flush(cx);
        self.bound(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.transport).poll_shutdown(cx);
        self.bound(cx, polled)
    }
}
