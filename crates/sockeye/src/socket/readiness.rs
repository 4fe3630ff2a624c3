//! Waiting until a stream can be read or written, and running system calls when it can.

use std::{
    future::poll_fn,
    io,
    os::fd::{AsFd, BorrowedFd},
    task::{Context, Poll},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use tokio::io::{Interest, Ready};

use super::{
    Stream,
    stream::{Socket, Transport},
};

/// Whether something waits in a socket's queue now: a datagram, or, where it listens, a connection.
/// Unlike the runtime's note of it this is never out of date, also where processes share the socket.
pub(crate) fn has_input(socket: &impl AsFd) -> bool {
    let mut asked = [PollFd::new(socket, PollFlags::IN)];
    loop {
        match poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Err(Errno::INTR) => {}
            // What cannot be asked is read, which tells why.
            Err(_) => return true,
            Ok(_) => return asked[0].revents().contains(PollFlags::IN),
        }
    }
}

impl Stream {
    /// Waits until there is something to read: data, the end of the stream or an error.
    ///
    /// # Errors
    /// If the runtime is shutting down.
    ///
    /// # Cancel safety
    /// Loses nothing.
    pub async fn readable(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_readable(cx)).await
    }

    /// Polls for something to read; see [`readable`](Self::readable).
    ///
    /// # Errors
    /// If the runtime is shutting down.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.transport {
            Transport::Tcp(stream) => stream.poll_read_ready(cx),
            Transport::Unix(stream) => stream.poll_read_ready(cx),
            Transport::Seqpacket(stream) => {
                stream.watch().poll_read_ready(cx).map(|ready| ready.map(drop))
            }
            #[cfg(feature = "tls")]
            Transport::Tls(session) => {
                // Decrypted data, or the end, may wait in the session with nothing in the socket.
                match session.wants_read() {
                    true => session.transport().poll_readable(cx),
                    false => Poll::Ready(Ok(())),
                }
            }
        }
    }

    /// Waits until the socket, below TLS if there is any, takes more.
    ///
    /// # Errors
    /// If the runtime is shutting down.
    ///
    /// # Cancel safety
    /// Loses nothing.
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// Waits until the socket below TLS is ready, and says for what.
    async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        match self.socket() {
            Socket::Tcp(stream) => stream.ready(interest).await,
            Socket::Unix(stream) => stream.ready(interest).await,
            Socket::Seqpacket(stream) => Ok(stream.watch().ready(interest).await?.ready()),
        }
    }

    /// Runs a non-blocking system call on the socket below TLS when it is ready, and again
    /// after each `WouldBlock`, which makes the runtime wait for the next change.
    pub(super) async fn when_ready<T>(
        &self,
        interest: Interest,
        mut call: impl FnMut(BorrowedFd<'_>, Ready) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            let ready = self.ready(interest).await?;
            let done = match self.socket() {
                Socket::Tcp(stream) => stream.try_io(interest, || call(stream.as_fd(), ready)),
                Socket::Unix(stream) => stream.try_io(interest, || call(stream.as_fd(), ready)),
                Socket::Seqpacket(stream) => {
                    stream.watch().try_io(interest, |fd| call(fd.as_fd(), ready))
                }
            };
            match done {
                Err(error) if is_temporary(&error) => {}
                done => return done,
            }
        }
    }
}

/// Whether to wait and try again.
pub(super) fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
