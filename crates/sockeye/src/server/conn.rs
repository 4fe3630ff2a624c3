//! A connection as its handler sees it.

#[cfg(feature = "tls")]
mod start_tls;

use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    os::fd::{AsFd, BorrowedFd},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::{
    ConnInfo, DrainSignal, ServerHandle, context::ServerContext, stats::Counter, watchdog::Watched,
};
use crate::{SocketName, Stream};

/// How much a buffered read takes from the socket at once, in bytes.
const READ_AHEAD: usize = 8 * 1024;

/// Bytes counted here before they are added to the server's counters.
const COUNT_AT: u64 = 64 * 1024;

/// A connection: a [`Stream`] with the server's deadlines and counters around it.
///
/// Reading and writing go through [`AsyncRead`](https://docs.rs/tokio/1/tokio/io/trait.AsyncReadExt.html)
/// and [`AsyncWrite`](https://docs.rs/tokio/1/tokio/io/trait.AsyncWriteExt.html) of tokio and the methods here. A read
/// that waits for longer than [`Limits::read_idle`](super::Limits::read_idle), or a write for
/// longer than [`Limits::write_stall`](super::Limits::write_stall), fails with `TimedOut`. The
/// handler may use `select!` and timeouts of its own beside: a read that is given up and begun
/// again is one wait, which only bytes, received or sent, end.
pub struct Conn {
    stream: Stream,
    info: Arc<ConnInfo>,
    server: Arc<ServerContext>,
    /// Bytes read ahead by the line and buffered reads.
    pub(super) ahead: BytesMut,
    watched: Arc<Watched>,
    tally: Tally,
    ended: bool,
    leaves_rest: bool,
    /// Whether a TLS handshake was begun on it and not finished.
    torn: bool,
}

/// Bytes not yet added to the server's counters.
#[derive(Debug, Default)]
struct Tally {
    read: u64,
    written: u64,
}

impl Conn {
    pub(super) fn new(
        stream: Stream,
        info: Arc<ConnInfo>,
        server: Arc<ServerContext>,
        watched: Arc<Watched>,
    ) -> Self {
        Self {
            stream,
            info,
            ahead: BytesMut::new(),
            watched,
            tally: Tally::default(),
            ended: false,
            leaves_rest: false,
            torn: false,
            server,
        }
    }

    /// Who is connected, where, since when.
    #[must_use]
    pub fn info(&self) -> &ConnInfo {
        &self.info
    }

    /// The client's address: see [`ConnInfo::peer`].
    #[must_use]
    pub fn peer(&self) -> &SocketName {
        self.info.peer()
    }

    /// The address of this end.
    ///
    /// # Errors
    /// What getsockname(2) refuses.
    pub fn local(&self) -> io::Result<SocketName> {
        self.stream.local_name()
    }

    /// The server: its counters, and the way to stop it.
    #[must_use]
    pub fn server(&self) -> ServerHandle {
        ServerHandle::new(Arc::clone(&self.server))
    }

    /// Tells when the server begins to drain.
    #[must_use]
    pub fn drain_signal(&self) -> DrainSignal {
        self.server.shutdown.signal()
    }

    /// Whether the model now runs as many connections as it can, so that others may be waiting:
    /// a protocol with idle connections should close them after the answer.
    #[must_use]
    pub fn at_capacity(&self) -> bool {
        self.server.at_capacity()
    }

    /// The stream below, without deadlines and counters; bytes read ahead are not in it.
    #[must_use]
    pub const fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The stream below, without deadlines and counters; bytes read ahead are not in it.
    #[must_use]
    pub const fn stream_mut(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Sets how long a read may wait, from now on; `None` lifts the limit.
    pub fn set_read_idle(&mut self, limit: Option<std::time::Duration>) {
        self.watched.read.set_limit(limit);
        self.server.limit_set(limit);
    }

    /// Sets how long a write may wait, from now on; `None` lifts the limit.
    pub fn set_write_stall(&mut self, limit: Option<std::time::Duration>) {
        self.watched.write.set_limit(limit);
        self.server.limit_set(limit);
    }

    /// Receives what is there, at most `max` bytes, waiting until something is; empty at the end
    /// of the stream. For seqpacket: one record.
    ///
    /// No memory is held while waiting, so idle connections are cheap. Cancellation safe.
    ///
    /// # Errors
    /// `TimedOut` at the idle deadline, and whatever the connection reports.
    pub async fn recv(&mut self, max: usize) -> io::Result<Bytes> {
        if !self.ahead.is_empty() {
            let n = self.ahead.len().min(max);
            self.watched.line.progress();
            return Ok(self.ahead.split_to(n).freeze());
        }
        self.check_whole()?;
        let received = self.watched.read.guard(self.stream.recv(max)).await?;
        self.received(received.len());
        Ok(received)
    }

    /// Gives back bytes that were received, to be received again before all others: who has seen what
    /// comes can leave the connection to somebody else.
    pub fn put_back(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let later = std::mem::replace(&mut self.ahead, BytesMut::from(bytes));
            self.ahead.unsplit(later);
        }
    }

    /// Says that the peer may still be sending what the handler leaves unread, as after an answer that
    /// refuses a request before its end.
    ///
    /// Once the handler has ended, the connection is half-closed, and what comes is read and thrown away
    /// for a moment, beside the connections that come next: to close at once could reset it, and the
    /// answer would be lost. What has come by then and was not read is thrown away in any case.
    pub fn leave_rest(&mut self) {
        self.leaves_rest = true;
    }

    /// Whether the peer may still be sending what nobody is going to read.
    pub(super) const fn leaves_rest(&self) -> bool {
        self.leaves_rest
    }

    /// Receives one line, without its `\n` or `\r\n`; `None` at the end of the stream. A last
    /// line without an end is given as it is. Cancellation safe: what has come of a line stays, and
    /// its time goes on, until the line is read on or its bytes are received in another way.
    ///
    /// # Errors
    /// `InvalidData` if the line is longer than
    /// [`Limits::max_line`](super::Limits::max_line); the bytes stay where they are. `TimedOut` if
    /// it takes longer than [`Limits::line_time`](super::Limits::line_time), or at the idle
    /// deadline.
    pub async fn read_line(&mut self) -> io::Result<Option<Bytes>> {
        let max = self.server.limits.max_line;
        let mut searched = 0;
        loop {
            if let Some(end) = self.ahead[searched..].iter().position(|&byte| byte == b'\n') {
                let end = searched + end;
                if end >= max {
                    return Err(self.line_too_long(max));
                }
                let mut line = self.ahead.split_to(end + 1).freeze();
                line.truncate(end - usize::from(line[..end].ends_with(b"\r")));
                self.watched.line.progress();
                return Ok(Some(line));
            }
            searched = self.ahead.len();
            if searched >= max {
                return Err(self.line_too_long(max));
            }
            let more = self.more_of_a_line().await?;
            self.received(more.len());
            if more.is_empty() {
                self.watched.line.progress();
                let rest = self.ahead.split().freeze();
                return Ok((!rest.is_empty()).then_some(rest));
            }
            self.ahead.extend_from_slice(&more);
        }
    }

    /// Gives up on a line, so that whatever comes of its bytes has its own time.
    fn line_too_long(&mut self, max: usize) -> io::Error {
        self.watched.line.progress();
        io::Error::new(io::ErrorKind::InvalidData, format!("the peer sent a line over {max} bytes"))
    }

    /// Receives what is there, under the line's deadline if a line has begun.
    async fn more_of_a_line(&mut self) -> io::Result<Bytes> {
        self.check_whole()?;
        let Self { stream, ahead, watched, .. } = self;
        let mut receiving = pin!(stream.recv(READ_AHEAD));
        poll_fn(|cx| {
            if let Poll::Ready(received) = receiving.as_mut().poll(cx) {
                return Poll::Ready(received);
            }
            if !ahead.is_empty()
                && let Poll::Ready(late) = watched.line.poll_expired(cx)
            {
                return Poll::Ready(Err(late));
            }
            watched.read.poll_expired(cx).map(Err)
        })
        .await
    }

    /// Writes all of `data`, which something else is to follow at once, such as a head the file that it belongs to: both then
    /// leave together. See [`Stream::write_ahead_of_more`]. When cancelled, a part may have been sent.
    ///
    /// # Errors
    /// `TimedOut` if the peer reads nothing for too long, and whatever the connection reports.
    pub async fn write_ahead_of_more(&mut self, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            let part = self.stream.write_ahead_of_more(data);
            let n = self.watched.write.guard(part).await?;
            if n == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.wrote(n as u64);
            data = &data[n..];
        }
        Ok(())
    }

    /// Sends `count` bytes of `file` from `offset`, by sendfile(2) where the transport allows.
    ///
    /// Returns how many were sent: fewer if the file is shorter. When cancelled, a part may have
    /// been sent.
    ///
    /// # Errors
    /// `TimedOut` if the peer reads nothing for too long, and whatever the connection reports.
    pub async fn send_file(&mut self, file: impl AsFd, offset: u64, count: u64) -> io::Result<u64> {
        let file = file.as_fd();
        let mut sent = 0;
        while sent < count {
            let part = self.stream.send_file_part(file, offset + sent, count - sent);
            let n = self.watched.write.guard(part).await?;
            if n == 0 {
                break;
            }
            self.wrote(n);
            sent += n;
            tokio::task::coop::consume_budget().await;
        }
        Ok(sent)
    }

    /// Passes over bytes read ahead: the line that they began is one no longer.
    fn consume_ahead(&mut self, n: usize) {
        self.ahead.advance(n);
        self.watched.line.progress();
    }

    /// Fails once TLS was begun and not finished: what comes then is neither plain text nor to be believed.
    fn check_whole(&self) -> io::Result<()> {
        if !self.torn {
            return Ok(());
        }
        let message = "the connection ended with a TLS handshake that failed";
        Err(io::Error::new(io::ErrorKind::NotConnected, message))
    }

    fn received(&mut self, n: usize) {
        self.ended |= n == 0;
        self.tally.read += n as u64;
        // The write deadline goes on: a peer that sends and never reads has stalled all the same.
        self.watched.read.progress();
        if self.tally.read >= COUNT_AT {
            self.count();
        }
    }

    fn wrote(&mut self, n: u64) {
        self.tally.written += n;
        self.watched.read.progress();
        self.watched.write.progress();
        if self.tally.written >= COUNT_AT {
            self.count();
        }
    }

    fn count(&mut self) {
        self.server.counters.add(Counter::BytesRead, std::mem::take(&mut self.tally.read));
        self.server.counters.add(Counter::BytesWritten, std::mem::take(&mut self.tally.written));
    }

    pub(crate) fn context(&self) -> Arc<ServerContext> {
        Arc::clone(&self.server)
    }

    /// Whether the handler has read up to the end of the stream.
    pub(crate) const fn ended(&self) -> bool {
        self.ended
    }

    /// Whether closing takes more than closing the descriptor: a word of TLS, or another process
    /// that has the descriptor open.
    pub(crate) fn needs_shutdown(&self) -> bool {
        self.stream.is_tls() || self.server.is_child()
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.count();
    }
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn").field("info", &self.info).finish_non_exhaustive()
    }
}

impl AsFd for Conn {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl AsyncRead for Conn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let n = self.ahead.len().min(buf.remaining());
            buf.put_slice(&self.ahead[..n]);
            self.consume_ahead(n);
            return Poll::Ready(Ok(()));
        }
        self.check_whole()?;
        let (before, room) = (buf.filled().len(), buf.remaining());
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                if room > 0 {
                    self.received(buf.filled().len() - before);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.watched.read.poll_expired(cx).map(Err),
        }
    }
}

impl AsyncBufRead for Conn {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.ahead.is_empty() {
            let mut space = [0; READ_AHEAD];
            let mut buf = ReadBuf::new(&mut space);
            match Pin::new(&mut *this).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) => this.ahead.extend_from_slice(buf.filled()),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(&this.ahead))
    }

    fn consume(mut self: Pin<&mut Self>, n: usize) {
        self.consume_ahead(n);
    }
}

impl Conn {
    /// The outcome of one poll of a write: counted, or bounded by the deadline.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Ready(Ok(n)) => {
                self.wrote(n as u64);
                Poll::Ready(Ok(n))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.watched.write.poll_expired(cx).map(Err),
        }
    }

    /// The outcome of one poll of a flush or shutdown, bounded by the deadline.
    fn flushed(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        match polled {
            Poll::Ready(result) => {
                self.watched.write.progress();
                Poll::Ready(result)
            }
            Poll::Pending => self.watched.write.poll_expired(cx).map(Err),
        }
    }
}

impl AsyncWrite for Conn {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.written(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.flushed(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.flushed(cx, polled)
    }
}
