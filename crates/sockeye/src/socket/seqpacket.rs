//! A connected Unix seqpacket socket: reliable, in order, and one read is one record.
//!
//! A record is never cut silently: one that is longer than the buffer is an error.

use std::{
    io::{self, IoSlice},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use rustix::{
    buffer::spare_capacity,
    io::Errno,
    net::{RecvFlags, SendAncillaryBuffer, SendFlags},
};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, unix::AsyncFd};

use crate::sys::registration;

/// A connected seqpacket socket, registered with the runtime.
#[derive(Debug)]
pub(super) struct Seqpacket {
    fd: AsyncFd<OwnedFd>,
}

impl Seqpacket {
    pub(super) fn register(fd: OwnedFd) -> io::Result<Self> {
        Ok(Self { fd: registration::watch(fd, Interest::READABLE | Interest::WRITABLE)? })
    }

    pub(super) const fn watch(&self) -> &AsyncFd<OwnedFd> {
        &self.fd
    }

    pub(super) fn into_fd(self) -> OwnedFd {
        self.fd.into_inner()
    }

    /// Receives one record of at most `max` bytes; no buffer is held while waiting.
    pub(super) fn poll_recv(&self, cx: &mut Context<'_>, max: usize) -> Poll<io::Result<Bytes>> {
        self.poll_when_readable(cx, |fd| {
            let mut record = Vec::with_capacity(max);
            let (_, length) = rustix::net::recv(fd, spare_capacity(&mut record), RecvFlags::TRUNC)?;
            whole(length, max)?;
            Ok(Bytes::from(record))
        })
    }

    fn poll_when_readable<T>(
        &self,
        cx: &mut Context<'_>,
        mut receive: impl FnMut(BorrowedFd<'_>) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            let mut ready = ready!(self.fd.poll_read_ready(cx))?;
            match ready.try_io(|fd| receive(fd.as_fd())) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(received) => return Poll::Ready(received),
                Err(_would_block) => {}
            }
        }
    }

    fn poll_send(&self, cx: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if parts.iter().all(|part| part.is_empty()) {
            // An empty record would read as the end of the stream.
            return Poll::Ready(Ok(0));
        }
        loop {
            let mut ready = ready!(self.fd.poll_write_ready(cx))?;
            match ready.try_io(|fd| Ok(send_record(fd, parts)?)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(sent) => return Poll::Ready(sent.map_err(explain_too_long)),
                Err(_would_block) => {}
            }
        }
    }
}

fn send_record(fd: impl AsFd, parts: &[IoSlice<'_>]) -> Result<usize, Errno> {
    let mut no_descriptors = SendAncillaryBuffer::default();
    rustix::net::sendmsg(fd, parts, &mut no_descriptors, SendFlags::NOSIGNAL)
}

/// Refuses a record of which only the beginning fitted; the kernel has dropped the rest.
pub(super) fn whole(length: usize, room: usize) -> io::Result<()> {
    if length <= room {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        format!(
            "the record has {length} bytes and the buffer {room}: read with a buffer of {length}"
        ),
    ))
}

fn explain_too_long(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(libc::EMSGSIZE) {
        return io::Error::new(
            io::ErrorKind::InvalidInput,
            "the record is longer than the socket's send buffer: send a shorter one, or raise \
             the buffer (option `sndbuf`)",
        );
    }
    error
}

impl AsFd for Seqpacket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsyncRead for Seqpacket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        if room == 0 {
            return Poll::Ready(Ok(()));
        }
        let length = ready!(self.poll_when_readable(cx, |fd| {
            let (_, length) = rustix::net::recv(fd, buf.initialize_unfilled(), RecvFlags::TRUNC)?;
            whole(length, room)?;
            Ok(length)
        }))?;
        buf.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Seqpacket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match rustix::net::shutdown(self.as_fd(), rustix::net::Shutdown::Write) {
            Ok(()) | Err(Errno::NOTCONN) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }
}
