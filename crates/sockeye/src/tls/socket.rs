//! A TLS stream as the framework's streams hold it: tokio-rustls with the gaps closed.
//!
//! What it adds: a write leaves bytes behind only if the transport is full, and the next read
//! pushes them on, so that a handler that writes and then waits for the answer cannot wait for
//! ever; and the errors are our own.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    task::coop,
};
use tokio_rustls::TlsStream;

use super::{TlsError, TlsInfo};

/// The most bytes that one poll of a write takes: what the session keeps of them if the transport
/// is full, and what one task may send before another has its turn.
const PIECE: usize = 64 << 10;

/// A TLS stream over any transport, its handshake done.
#[derive(Debug)]
pub(crate) struct TlsSocket<IO> {
    stream: TlsStream<IO>,
    /// The name that was asked for, if this is the client's side.
    asked: Option<String>,
    /// Who waits for the peer's bytes.
    reader: Option<Waker>,
    /// Who waits for room in the transport, and will push on what is left when there is some.
    writer: Option<Waker>,
}

impl<IO> TlsSocket<IO> {
    pub(super) fn new(stream: impl Into<TlsStream<IO>>, asked: Option<String>) -> Self {
        Self { stream: stream.into(), asked, reader: None, writer: None }
    }

    /// What the handshake agreed on.
    pub(crate) fn info(&self) -> TlsInfo {
        TlsInfo::of(&self.stream, self.asked.as_deref())
    }

    /// The transport below. To read or write there would break the stream.
    pub(crate) fn transport(&self) -> &IO {
        self.stream.get_ref().0
    }

    /// Whether a read has to wait for the transport: neither decrypted bytes nor the end are here.
    pub(crate) fn wants_read(&self) -> bool {
        self.stream.get_ref().1.wants_read()
    }

    /// Whether encrypted bytes wait here for room in the transport.
    fn has_leftover(&self) -> bool {
        self.stream.get_ref().1.wants_write()
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> TlsSocket<IO> {
    /// Pushes on what a write left behind, on the reader's time.
    ///
    /// A transport keeps one waker for each direction. Were the reader's put in place of that of a
    /// writer that waits in another task, the writer would sleep for ever; so where there is one,
    /// it is left to do this itself.
    fn push_leftover(&mut self, cx: &mut Context<'_>) {
        let anothers = self.writer.as_ref().is_some_and(|writer| !writer.will_wake(cx.waker()));
        if self.has_leftover() && !anothers {
            // An error here is the next write's to report: the peer's last words may still be read.
            let _ = Pin::new(&mut self.stream).poll_flush(cx);
        }
    }

    /// Writes, so that something is left behind only if the transport is full.
    fn write_with(
        &mut self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(Pin<&mut TlsStream<IO>>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.has_leftover() {
            // A peer that does not read holds up a small write as well, as without TLS.
            ready!(self.as_pin().poll_flush(cx))?;
        }
        // The runtime has a transport refuse when a task has had its share. Were that to happen
        // between encrypting and sending, the bytes would stay behind for no reason that the
        // peer could end; so the share is taken here, before the bytes are, and not below.
        let share = ready!(coop::poll_proceed(cx));
        let stream = &mut self.stream;
        let mut unshared = coop::unconstrained(poll_fn(|cx| write(Pin::new(stream), cx)));
        let outcome = Pin::new(&mut unshared).poll(cx);
        if outcome.is_ready() {
            share.made_progress();
        }
        self.wrote(outcome, cx)
    }

    fn as_pin(&mut self) -> Pin<&mut Self> {
        Pin::new(self)
    }

    /// What has to be done before waiting for the peer's bytes.
    pub(crate) fn before_read(&mut self, cx: &mut Context<'_>) {
        self.push_leftover(cx);
        keep(&mut self.reader, cx);
    }

    /// Notes how a write ended: who waits, and who has to see to what is left.
    fn wrote<T>(&mut self, outcome: Poll<T>, cx: &Context<'_>) -> Poll<T> {
        if outcome.is_pending() {
            keep(&mut self.writer, cx);
        } else {
            self.writer = None;
            // The transport has the writer's waker now, who need not come back: the reader has to.
            if self.has_leftover()
                && let Some(reader) = self.reader.take()
            {
                reader.wake();
            }
        }
        outcome
    }
}

/// Keeps the current task's waker; an attempt that will not wait (`try_read`) has none.
fn keep(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        _ if cx.waker().will_wake(Waker::noop()) => {}
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

/// An error of an established stream in our own words.
fn translate(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => TlsError::Truncated.into(),
        io::ErrorKind::InvalidData => TlsError::from_stream(error, "the peer").into(),
        _ => error,
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsSocket<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.before_read(cx);
        Pin::new(&mut self.stream).poll_read(cx, buffer).map_err(translate)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsSocket<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let piece = &bytes[..bytes.len().min(PIECE)];
        self.get_mut().write_with(cx, |stream, cx| stream.poll_write(cx, piece))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().write_with(cx, |stream, cx| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.wrote(outcome, cx)
    }

    /// Sends close_notify, and after it half-closes the transport.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.wrote(outcome, cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
        task::JoinSet,
    };

    use super::*;
    use crate::tls::{Fingerprint, Identity, TlsClient, TlsServer};

    /// More than the pipe holds, less than the session keeps.
    const LENGTH: usize = 16_000;

    /// Two ends over a pipe that holds a handshake's last flight, but not a write.
    async fn narrow() -> (TlsSocket<DuplexStream>, TlsSocket<DuplexStream>) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let identity = Identity::from_der(vec![cert.der().clone()], signing_key.into()).unwrap();
        let server = TlsServer::builder(identity).build().unwrap();
        let client = TlsClient::builder().pinned([Fingerprint::of(cert.der())]).build().unwrap();
        let (one, other) = tokio::io::duplex(4_096);
        let both =
            async { tokio::join!(server.handshake(one), client.handshake(other, "localhost")) };
        let (one, other) = within(both).await;
        (one.unwrap(), other.unwrap())
    }

    /// With the clock paused, a deadlock runs into this at once.
    async fn within<T>(work: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(9), work).await.expect("no deadlock")
    }

    /// One poll of a write, which takes bytes and leaves them behind.
    async fn write_once<W: AsyncWrite + Unpin>(writer: &mut W, bytes: &[u8]) {
        let poll = poll_fn(|cx| Poll::Ready(Pin::new(&mut *writer).poll_write(cx, bytes)));
        assert!(matches!(poll.await, Poll::Ready(Ok(written)) if written == bytes.len()));
    }

    /// Receives what is written at once and says so.
    async fn receive_and_answer(mut server: TlsSocket<DuplexStream>) {
        server.read_exact(&mut [0; LENGTH]).await.unwrap();
        server.write_all(b"done").await.unwrap();
        server.flush().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_pushes_on_what_a_write_left_behind() {
        let (server, mut client) = narrow().await;
        let mut tasks = JoinSet::new();
        tasks.spawn(receive_and_answer(server));
        write_once(&mut client, &[7; LENGTH]).await;
        assert!(client.has_leftover());
        let mut answer = [0; 4];
        within(client.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"done");
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_leaves_nothing_behind_if_only_the_tasks_share_is_used_up() {
        let (mut server, mut client) = narrow().await;
        let mut exhausted = false;
        let mut write = Box::pin(client.write_all(b"hello"));
        let write = poll_fn(|cx| {
            while !std::mem::replace(&mut exhausted, true) {
                while let Poll::Ready(share) = coop::poll_proceed(cx) {
                    share.made_progress();
                }
            }
            write.as_mut().poll(cx)
        });
        within(write).await.unwrap();
        // The client does nothing more.
        within(server.read_exact(&mut [0; 5])).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_in_another_task_does_so_too() {
        let (server, client) = narrow().await;
        let (mut reader, mut writer) = tokio::io::split(client);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut answer = [0; 4];
            reader.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"done");
        });
        // The reader waits before the write, and is not in the way of it.
        tokio::task::yield_now().await;
        write_once(&mut writer, &[7; LENGTH]).await;
        tasks.spawn(receive_and_answer(server));
        within(tasks.join_all()).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_leaves_a_waiting_writer_its_waker() {
        let (mut server, client) = narrow().await;
        let (mut reader, mut writer) = tokio::io::split(client);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // More than the session keeps, so that the writer has to wait.
            writer.write_all(&[7; 400_000]).await.unwrap();
            writer.flush().await.unwrap();
        });
        tokio::task::yield_now().await;
        let read = poll_fn(|cx| {
            let mut buffer = [0; 1];
            Poll::Ready(Pin::new(&mut reader).poll_read(cx, &mut ReadBuf::new(&mut buffer)))
        });
        assert!(read.await.is_pending());
        tasks.spawn(async move {
            server.read_exact(&mut vec![0; 400_000]).await.unwrap();
        });
        // The reader is not polled again: only the writer itself can go on.
        within(tasks.join_all()).await;
    }
}
