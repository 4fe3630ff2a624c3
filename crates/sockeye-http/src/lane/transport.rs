//! What a lane sends over, and whether the kernel can send files over it.

use std::{
    io,
    os::fd::BorrowedFd,
    pin::Pin,
    task::{Context, Poll},
};

use sockeye::{Conn, socket::StreamKind};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A byte stream that may be able to send a file by itself.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send {
    /// Whether [`Transport::send_file`] can be used.
    fn sends_files(&self) -> bool;

    /// Sends `count` bytes of `file` from `offset`, and says how many: fewer only if the file ends before.
    /// Fails with `TimedOut` if the peer takes nothing for too long, as [`Guarded`](super::Guarded) does.
    fn send_file(
        &mut self,
        file: BorrowedFd<'_>,
        offset: u64,
        count: u64,
    ) -> impl Future<Output = io::Result<u64>> + Send;
}

/// Any byte stream: files are copied through a buffer.
#[derive(Debug)]
pub(crate) struct Copying<IO>(pub(crate) IO);

impl<IO: AsyncRead + AsyncWrite + Unpin + Send> Transport for Copying<IO> {
    fn sends_files(&self) -> bool {
        false
    }

    async fn send_file(&mut self, _: BorrowedFd<'_>, _: u64, _: u64) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Copying<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Copying<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A connection of a server: sendfile where nothing lies over its socket.
impl Transport for &mut Conn {
    fn sends_files(&self) -> bool {
        !self.stream().is_tls() && self.stream().kind() != StreamKind::Seqpacket
    }

    async fn send_file(
        &mut self,
        file: BorrowedFd<'_>,
        offset: u64,
        count: u64,
    ) -> io::Result<u64> {
        Conn::send_file(self, file, offset, count).await
    }
}
