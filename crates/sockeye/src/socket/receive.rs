//! Receiving in other ways than by a plain read: without a buffer held while waiting, with
//! the flags of recv(2), and without waiting at all.

use std::{
    fmt,
    future::{Future, poll_fn},
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    ops::{BitOr, BitOrAssign},
    os::fd::{AsFd, BorrowedFd},
    pin::{Pin, pin},
    task::{Context, Poll, Waker, ready},
};

use bytes::{BufMut, Bytes, BytesMut};
use rustix::net::{RecvAncillaryBuffer, SendFlags};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Interest, ReadBuf, Ready};

use super::{Stream, StreamKind, seqpacket::whole, stream::Transport};

/// Receives of at most so many bytes go over the stack.
const ON_STACK: usize = 4096;

/// Flags for [`Stream::recv_with`], as in recv(2); combine them with `|`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RecvFlags(u8);

impl RecvFlags {
    /// No flags: a plain read.
    pub const NONE: Self = Self(0);
    /// Leave the data in the queue, so that the next read sees it again (MSG_PEEK).
    pub const PEEK: Self = Self(1);
    /// Wait until the buffer is full or the stream ends (MSG_WAITALL).
    pub const WAITALL: Self = Self(2);
    /// Do not wait: `WouldBlock` if nothing is there (MSG_DONTWAIT).
    pub const DONTWAIT: Self = Self(4);

    /// Whether all of `flags` are set.
    #[must_use]
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    fn for_kernel(self) -> rustix::net::RecvFlags {
        let mut flags = rustix::net::RecvFlags::DONTWAIT;
        flags.set(rustix::net::RecvFlags::PEEK, self.contains(Self::PEEK));
        flags
    }
}

impl BitOr for RecvFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for RecvFlags {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl fmt::Debug for RecvFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names =
            [(Self::PEEK, "PEEK"), (Self::WAITALL, "WAITALL"), (Self::DONTWAIT, "DONTWAIT")];
        let set: Vec<_> = names.iter().filter(|(flag, _)| self.contains(*flag)).collect();
        f.write_str("RecvFlags(")?;
        for (index, (_, name)) in set.iter().enumerate() {
            let bar = if index == 0 { "" } else { " | " };
            write!(f, "{bar}{name}")?;
        }
        f.write_str(")")
    }
}

impl Stream {
    /// Receives what is there, at most `max` bytes; empty means the end of the stream.
    ///
    /// No buffer is held while waiting: an idle connection costs no memory for it. Ready data
    /// costs one system call, and an allocation of `max` bytes for as long as that takes. Over
    /// seqpacket it is one whole record, and an empty record cannot
    /// be told from the end.
    ///
    /// # Errors
    /// As a read; over seqpacket `InvalidData` for a record longer than `max`.
    ///
    /// # Cancel safety
    /// Loses nothing.
    pub async fn recv(&mut self, max: usize) -> io::Result<Bytes> {
        poll_fn(|cx| self.poll_recv(cx, max)).await
    }

    /// Polls for data; see [`recv`](Self::recv).
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn poll_recv(&mut self, cx: &mut Context<'_>, max: usize) -> Poll<io::Result<Bytes>> {
        if max == 0 {
            return Poll::Ready(Ok(Bytes::new()));
        }
        if let Transport::Seqpacket(stream) = &self.transport {
            return stream.poll_recv(cx, max);
        }
        #[cfg(feature = "tls")]
        if let Transport::Tls(session) = &mut self.transport {
            session.before_read(cx);
        }
        if max <= ON_STACK {
            // One small allocation, of just what has arrived.
            let mut space = [MaybeUninit::uninit(); ON_STACK];
            let mut buf = ReadBuf::uninit(&mut space[..max]);
            ready!(Pin::new(&mut *self).poll_read(cx, &mut buf))?;
            return Poll::Ready(Ok(Bytes::copy_from_slice(buf.filled())));
        }
        ready!(self.poll_readable(cx))?;
        let mut data = BytesMut::with_capacity(max);
        let mut room = (&mut data).limit(max);
        ready!(pin!(self.read_buf(&mut room)).poll(cx))?;
        Poll::Ready(Ok(fitted(data)))
    }

    /// Receives into `buf` with the flags of recv(2) and returns how many bytes it wrote;
    /// 0 means the end of the stream.
    ///
    /// With `PEEK | WAITALL` it waits until the queue holds the whole buffer, which must fit the
    /// socket's receive buffer. Over seqpacket WAITALL changes nothing: a record is whole.
    ///
    /// # Errors
    /// `WouldBlock` under DONTWAIT with nothing there; over seqpacket `InvalidData` for a record
    /// longer than `buf`; `Unsupported` for PEEK under TLS, as the queue holds ciphertext.
    ///
    /// # Cancel safety
    /// Loses nothing, except under WAITALL without PEEK: what has been received is in `buf`, but
    /// how much is not known.
    pub async fn recv_with(&mut self, buf: &mut [u8], flags: RecvFlags) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if self.is_tls() && flags.contains(RecvFlags::PEEK) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "TLS cannot be peeked: what waits in the socket is ciphertext",
            ));
        }
        if flags.contains(RecvFlags::DONTWAIT) {
            return self.recv_now(buf, flags);
        }
        if flags.contains(RecvFlags::PEEK) {
            return self.peek(buf, flags.contains(RecvFlags::WAITALL)).await;
        }
        let mut filled = 0;
        loop {
            let mut rest = ReadBuf::new(&mut buf[filled..]);
            poll_fn(|cx| Pin::new(&mut *self).poll_read(cx, &mut rest)).await?;
            let received = rest.filled().len();
            filled += received;
            let wants_more = flags.contains(RecvFlags::WAITALL) && !self.kind().keeps_records();
            if received == 0 || filled == buf.len() || !wants_more {
                return Ok(filled);
            }
        }
    }

    /// Receives into several buffers, filling each before the next (readv(2)), and returns how many
    /// bytes that was; 0 means the end of the stream.
    ///
    /// One system call, whatever the number of buffers. Under TLS, where bytes have to be
    /// decrypted first, only the first buffer with room is filled.
    ///
    /// # Errors
    /// As a read; over seqpacket `InvalidData` for a record longer than all buffers together.
    ///
    /// # Cancel safety
    /// Loses nothing.
    pub async fn recv_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let room = buffers.iter().map(|buffer| buffer.len()).sum();
        if room == 0 {
            return Ok(0);
        }
        if self.is_tls() {
            let Some(first) = buffers.iter_mut().find(|it| !it.is_empty()) else { return Ok(0) };
            return self.read(first).await;
        }
        let mut flags = rustix::net::RecvFlags::empty();
        flags.set(rustix::net::RecvFlags::TRUNC, self.kind().keeps_records());
        let receive = |socket: BorrowedFd<'_>, _| {
            let mut no_descriptors = RecvAncillaryBuffer::default();
            let message = rustix::net::recvmsg(socket, buffers, &mut no_descriptors, flags)?;
            whole(message.bytes, room).map(|()| message.bytes)
        };
        self.when_ready(Interest::READABLE, receive).await
    }

    /// Reads what is there without waiting; 0 means the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there; otherwise as a read.
    pub fn try_read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv_now(buf, RecvFlags::NONE)
    }

    /// Whether the peer has ended its side, or the connection is broken, and nothing that it sent is left in the socket.
    ///
    /// The kernel is asked, without waiting, and nothing is taken. Under TLS that is told of the transport alone; over
    /// seqpacket an empty record is taken for the end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match recv_raw(self.as_fd(), self.kind(), &mut [0], RecvFlags::PEEK) {
            Ok(received) => received == 0,
            Err(error) => {
                use io::ErrorKind::{Interrupted, InvalidData, WouldBlock};
                // A record that is longer than that is no end.
                !matches!(error.kind(), WouldBlock | Interrupted | InvalidData)
            }
        }
    }

    /// Writes what the socket takes without waiting, and returns how much that was.
    ///
    /// # Errors
    /// `WouldBlock` if the socket takes nothing now; otherwise as a write.
    pub fn try_write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.is_tls() {
            let mut context = Context::from_waker(Waker::noop());
            return match Pin::new(self).poll_write(&mut context, data) {
                Poll::Ready(written) => written,
                Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        if data.is_empty() {
            return Ok(0);
        }
        Ok(rustix::net::send(self, data, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
    }

    /// Asks the kernel itself rather than the runtime, which learns of new data only when it
    /// next polls.
    fn recv_now(&mut self, buf: &mut [u8], flags: RecvFlags) -> io::Result<usize> {
        if self.is_tls() {
            let mut context = Context::from_waker(Waker::noop());
            let mut buf = ReadBuf::new(buf);
            return match Pin::new(self).poll_read(&mut context, &mut buf) {
                Poll::Ready(read) => read.map(|()| buf.filled().len()),
                Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        recv_raw(self.as_fd(), self.kind(), buf, flags)
    }

    /// Peeks; with `all` until the buffer is full or nothing more will come.
    async fn peek(&self, buf: &mut [u8], all: bool) -> io::Result<usize> {
        let kind = self.kind();
        let all = all && !kind.keeps_records();
        let peek = |fd: BorrowedFd<'_>, ready: Ready| {
            let length = recv_raw(fd, kind, buf, RecvFlags::PEEK)?;
            let enough = !all || length == buf.len() || ready.is_read_closed();
            if enough { Ok(length) } else { Err(io::ErrorKind::WouldBlock.into()) }
        };
        self.when_ready(Interest::READABLE, peek).await
    }
}

fn recv_raw(
    fd: BorrowedFd<'_>,
    kind: StreamKind,
    buf: &mut [u8],
    flags: RecvFlags,
) -> io::Result<usize> {
    let room = buf.len();
    let mut flags = flags.for_kernel();
    // On TCP this flag would discard the data (tcp(7)).
    flags.set(rustix::net::RecvFlags::TRUNC, kind.keeps_records());
    let (_, length) = rustix::net::recv(fd, buf, flags)?;
    whole(length, room)?;
    Ok(length)
}

/// Gives back the room of a large buffer that a small message did not fill, as the message may
/// be kept for long.
fn fitted(data: BytesMut) -> Bytes {
    if data.len() < data.capacity() / 4 { Bytes::copy_from_slice(&data) } else { data.freeze() }
}
