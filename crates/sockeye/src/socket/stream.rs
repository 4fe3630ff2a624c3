//! A connected stream over any transport, with or without TLS.
//!
//! Waiting stands in `readiness.rs`, receiving in other ways than [`AsyncRead`] in `receive.rs`,
//! urgent data in `urgent.rs`, sending of files in `send_file.rs`, of descriptors in `descriptors.rs`.

use std::{
    io::{self, IoSlice},
    net::Shutdown,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use rustix::net::sockopt;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};

#[cfg(feature = "tls")]
use crate::tls::{TlsInfo, TlsSocket};

use super::{
    PeerCredentials, SocketName, StreamKind, seqpacket::Seqpacket, urgent::poll_read_to_mark,
};

/// A connected stream, registered with the current runtime.
///
/// It reads by [`AsyncRead`] and writes by [`AsyncWrite`]; `AsyncWriteExt::shutdown` is the
/// half-close: the peer reads to the end and can still answer. Nothing is buffered here, so
/// that written bytes leave without a flush, except under TLS.
///
/// Over seqpacket one read is one record, and a record longer than the buffer is an error that
/// names the size needed (the record is lost). One write is one record as well.
///
/// # Time limits
/// Put any operation into [`tokio::time::timeout`]. `read`, `recv` and `write` lose nothing
/// when they are cut off; `write_all` and `send_file` leave an unknown part sent.
/// [`try_read`](Self::try_read) and [`try_write`](Self::try_write) never wait.
#[derive(Debug)]
pub struct Stream {
    pub(super) transport: Transport,
    /// Whether urgent data stands among the other bytes: see `urgent.rs`.
    pub(super) inline: bool,
}

/// What a stream runs over. Small, as a server holds many that are idle: whatever is large is
/// boxed.
#[derive(Debug)]
pub(super) enum Transport {
    Tcp(TcpStream),
    Unix(UnixStream),
    Seqpacket(Seqpacket),
    #[cfg(feature = "tls")]
    Tls(Box<TlsSocket<Stream>>),
}

/// A transport that is a socket.
pub(super) enum Socket<'a> {
    Tcp(&'a TcpStream),
    Unix(&'a UnixStream),
    Seqpacket(&'a Seqpacket),
}

/// The same call on whichever transport it is.
macro_rules! on_transport {
    ($transport:expr, $inner:ident => $call:expr) => {
        match $transport {
            Transport::Tcp($inner) => $call,
            Transport::Unix($inner) => $call,
            Transport::Seqpacket($inner) => $call,
            #[cfg(feature = "tls")]
            Transport::Tls($inner) => $call,
        }
    };
}

impl Stream {
    /// Takes a connected, non-blocking descriptor that is known to be of `kind`.
    ///
    /// Use [`adopt`](Self::adopt) for one of unknown kind.
    ///
    /// # Errors
    /// If the runtime cannot watch the descriptor.
    ///
    /// # Panics
    /// Outside a runtime with I/O enabled.
    pub fn from_fd(fd: OwnedFd, kind: StreamKind) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&fd, true)?;
        Self::register(fd, kind)
    }

    /// Takes a connected descriptor from anywhere, finding out what it is; it is made
    /// non-blocking and close-on-exec.
    ///
    /// # Errors
    /// `InvalidInput`, saying what it is instead, if it is not a stream socket or listens;
    /// `NotConnected` if it has no peer.
    ///
    /// # Panics
    /// Outside a runtime with I/O enabled.
    pub fn adopt(fd: OwnedFd) -> io::Result<Self> {
        let kind = StreamKind::of(&fd)?;
        if sockopt::socket_acceptconn(&fd)? {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the socket listens: take it with Listener::adopt",
            ));
        }
        SocketName::peer_of(&fd)?;
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
        Self::from_fd(fd, kind)
    }

    /// `fd` is connected, non-blocking and of `kind`.
    pub(crate) fn register(fd: OwnedFd, kind: StreamKind) -> io::Result<Self> {
        let transport = match kind {
            StreamKind::Tcp => Transport::Tcp(TcpStream::from_std(fd.into())?),
            StreamKind::Unix => Transport::Unix(UnixStream::from_std(fd.into())?),
            StreamKind::Seqpacket => Transport::Seqpacket(Seqpacket::register(fd)?),
        };
        Ok(transport.into())
    }

    /// The same plain socket once more, by a descriptor of its own.
    ///
    /// # Errors
    /// If the system has no more descriptors, or the runtime cannot watch it.
    #[cfg(feature = "tls")]
    pub(crate) fn duplicate(&self) -> io::Result<Self> {
        let same = Self::register(self.as_fd().try_clone_to_owned()?, self.kind())?;
        Ok(Self { inline: self.inline, ..same })
    }

    /// A stream of TLS records over another stream.
    #[cfg(feature = "tls")]
    pub(crate) fn from_tls(session: TlsSocket<Self>) -> Self {
        Transport::Tls(Box::new(session)).into()
    }

    /// What the TLS handshake agreed on; `None` on a plain stream.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(&self) -> Option<TlsInfo> {
        match &self.transport {
            Transport::Tls(session) => Some(session.info()),
            _ => None,
        }
    }

    /// The socket itself, below TLS if there is any.
    pub(super) fn socket(&self) -> Socket<'_> {
        match &self.transport {
            Transport::Tcp(stream) => Socket::Tcp(stream),
            Transport::Unix(stream) => Socket::Unix(stream),
            Transport::Seqpacket(stream) => Socket::Seqpacket(stream),
            #[cfg(feature = "tls")]
            Transport::Tls(session) => session.transport().socket(),
        }
    }

    /// Whether TLS lies over the transport.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        match &self.transport {
            #[cfg(feature = "tls")]
            Transport::Tls(_) => true,
            _ => false,
        }
    }

    /// The transport, below TLS if there is any.
    #[must_use]
    pub fn kind(&self) -> StreamKind {
        match self.socket() {
            Socket::Tcp(_) => StreamKind::Tcp,
            Socket::Unix(_) => StreamKind::Unix,
            Socket::Seqpacket(_) => StreamKind::Seqpacket,
        }
    }

    /// The peer's name (getpeername).
    ///
    /// # Errors
    /// `NotConnected` once the peer has reset the connection: keep the name that accept gave.
    pub fn peer_name(&self) -> io::Result<SocketName> {
        SocketName::peer_of(self)
    }

    /// This end's name (getsockname).
    ///
    /// # Errors
    /// What the system refuses, which for a live socket is nothing known.
    pub fn local_name(&self) -> io::Result<SocketName> {
        SocketName::local_of(self)
    }

    /// The process at the other end of a Unix socket.
    ///
    /// # Errors
    /// `Unsupported` over TCP, which does not know.
    pub fn peer_credentials(&self) -> io::Result<PeerCredentials> {
        if self.kind() == StreamKind::Tcp {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "TCP does not tell who the peer is: only Unix sockets carry credentials",
            ));
        }
        PeerCredentials::of(self)
    }

    /// Shuts down reading, writing or both at once (shutdown(2)), below TLS: what TLS still
    /// owes the peer is not sent. For an orderly half-close use `AsyncWriteExt::shutdown`.
    ///
    /// # Errors
    /// `NotConnected` if the peer has reset the connection.
    pub fn shutdown_now(&self, how: Shutdown) -> io::Result<()> {
        let how = match how {
            Shutdown::Read => rustix::net::Shutdown::Read,
            Shutdown::Write => rustix::net::Shutdown::Write,
            Shutdown::Both => rustix::net::Shutdown::Both,
        };
        Ok(rustix::net::shutdown(self, how)?)
    }

    /// Takes the error that the system keeps for the socket, if any (SO_ERROR, socket(7)).
    ///
    /// # Errors
    /// If the system cannot be asked.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(sockopt::socket_error(self)?.err().map(Into::into))
    }

    /// Sends small writes at once (TCP_NODELAY, on by default here); nothing over Unix sockets,
    /// which never delay.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        match self.kind() {
            StreamKind::Tcp => Ok(sockopt::set_tcp_nodelay(self, on)?),
            _ => Ok(()),
        }
    }

    /// Whether small writes are sent at once.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn nodelay(&self) -> io::Result<bool> {
        match self.kind() {
            StreamKind::Tcp => Ok(sockopt::tcp_nodelay(self)?),
            _ => Ok(true),
        }
    }

    /// Has the system ask a peer that says nothing for `idle` whether it is there, and as often from then on (SO_KEEPALIVE,
    /// tcp(7)): what translates addresses in between remembers the connection, and a peer that is gone ends it. As the
    /// listener's address has it, if that keeps its connections alive; nothing over Unix sockets.
    ///
    /// # Errors
    /// What the system refuses, such as no whole second or more than 32,767 of them.
    pub fn set_keepalive(&self, idle: Duration) -> io::Result<()> {
        if self.kind() != StreamKind::Tcp || sockopt::socket_keepalive(self)? {
            return Ok(());
        }
        sockopt::set_tcp_keepidle(self, idle)?;
        sockopt::set_tcp_keepintvl(self, idle)?;
        Ok(sockopt::set_socket_keepalive(self, true)?)
    }

    /// Makes closing reset the connection instead of finishing it (SO_LINGER with 0 seconds);
    /// what was not yet delivered is lost.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn set_reset_on_close(&self) -> io::Result<()> {
        Ok(sockopt::set_socket_linger(self, Some(Duration::ZERO))?)
    }

    /// Gives the descriptor back, non-blocking, and forgets the runtime.
    ///
    /// # Errors
    /// `Unsupported` under TLS, whose keys a descriptor cannot carry.
    pub fn into_fd(self) -> io::Result<OwnedFd> {
        match self.transport {
            Transport::Tcp(stream) => Ok(stream.into_std()?.into()),
            Transport::Unix(stream) => Ok(stream.into_std()?.into()),
            Transport::Seqpacket(stream) => Ok(stream.into_fd()),
            #[cfg(feature = "tls")]
            Transport::Tls(_) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "a TLS stream cannot become a descriptor: its keys would be lost",
            )),
        }
    }
}

impl From<Transport> for Stream {
    fn from(transport: Transport) -> Self {
        Self { transport, inline: false }
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Transport::Tcp(stream).into()
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Transport::Unix(stream).into()
    }
}

impl AsFd for Stream {
    /// The socket, below TLS. Reading or writing it beside the stream mixes up TLS.
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self.socket() {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
            Socket::Seqpacket(stream) => stream.as_fd(),
        }
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.inline
            && let Transport::Tcp(stream) = &self.transport
        {
            return poll_read_to_mark(stream, cx, buf);
        }
        on_transport!(&mut self.transport, inner => Pin::new(inner).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_transport!(&mut self.transport, inner => Pin::new(inner).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_transport!(&mut self.transport, inner => Pin::new(inner).poll_write_vectored(cx, parts))
    }

    fn is_write_vectored(&self) -> bool {
        on_transport!(&self.transport, inner => inner.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_transport!(&mut self.transport, inner => Pin::new(inner).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_transport!(&mut self.transport, inner => Pin::new(inner).poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_small_and_can_be_moved_between_threads() {
        const fn moves<T: Send + Sync + Unpin + 'static>() {}
        moves::<Stream>();
        assert!(size_of::<Stream>() <= 64, "{} bytes", size_of::<Stream>());
    }
}
