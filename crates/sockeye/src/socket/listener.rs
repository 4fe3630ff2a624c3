//! Listening sockets: bound, non-blocking, close-on-exec, and known to no runtime, so that any
//! concurrency model can accept from them.
//!
//! How a TCP address is bound stands in `bind.rs`, how a Unix path is in `unix_file.rs`.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    sync::Arc,
};

use rustix::net::{SocketFlags, sockopt};

use super::{
    BindError, BindFault, SocketName, Stream, StreamKind, bind, newcomers, options,
    unix_file::UnixSocketFile,
};
use crate::addr::{Addr, Endpoint, Host, HostPort};

/// A listening stream socket: non-blocking, close-on-exec, bound to no runtime.
///
/// The file of a Unix socket is removed when the last clone is dropped in the process that
/// bound it; forked children never remove it.
#[derive(Debug)]
pub struct Listener {
    /// Before `fd`: the file must go while the socket is still open.
    file: Option<Arc<UnixSocketFile>>,
    fd: OwnedFd,
    kind: StreamKind,
    local: SocketName,
    addr: Addr,
    /// The address as its user wrote it, for what is said to them.
    asked: Addr,
}

/// A connection just accepted, bound to no runtime yet.
#[derive(Debug)]
pub struct Accepted {
    /// The descriptor, non-blocking.
    pub fd: OwnedFd,
    /// What it carries.
    pub kind: StreamKind,
    /// The peer's name.
    pub peer: SocketName,
}

impl Listener {
    /// Binds every address that `addr` resolves to; with port 0 all share one port.
    ///
    /// On `[::]` IPv4 peers are accepted as well, unless the option `v6only=1` is given, which
    /// lets `0.0.0.0` be bound beside it. Names are resolved here, which may block.
    ///
    /// # Errors
    /// A [`BindError`] that names the address, what stands in the way and what to do.
    pub fn bind(addr: &Addr) -> io::Result<Vec<Self>> {
        match &addr.endpoint {
            Endpoint::Tcp(_) => bind::tcp(addr),
            Endpoint::Unix(name) => bind::unix(addr, name, StreamKind::Unix),
            Endpoint::Seqpacket(name) => bind::unix(addr, name, StreamKind::Seqpacket),
            Endpoint::Inherited(name) => bind::inherited(addr, name),
            _ => Err(BindError::new(&addr.endpoint, BindFault::NotAStream).into()),
        }
    }

    /// Takes over a listening socket opened elsewhere, for instance by the service manager.
    ///
    /// The descriptor is made non-blocking and close-on-exec. Its file, if it has one, belongs
    /// to whoever opened it and is not removed.
    ///
    /// # Errors
    /// `InvalidInput` if the descriptor is not a stream socket, or does not listen.
    pub fn adopt(fd: OwnedFd) -> io::Result<Self> {
        let kind = StreamKind::of(&fd)?;
        if !sockopt::socket_acceptconn(&fd)? {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the socket does not listen: it is a connection, or listen(2) was not called",
            ));
        }
        rustix::io::ioctl_fionbio(&fd, true)?;
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
        let local = SocketName::local_of(&fd)?;
        let addr = Addr::from(endpoint_of(kind, &local, None));
        Ok(Self { file: None, fd, kind, local, asked: addr.clone(), addr })
    }

    /// One that was passed for `fd://`: it has the layers and options that were asked for.
    pub(super) fn inherited(fd: OwnedFd, asked: &Addr) -> io::Result<Self> {
        let mut listener = Self::adopt(fd)?;
        let endpoint = listener.addr.endpoint;
        listener.addr = Addr { endpoint, ..asked.clone() };
        listener.asked = asked.clone();
        Ok(listener)
    }

    pub(super) fn new(
        fd: OwnedFd,
        kind: StreamKind,
        file: Option<UnixSocketFile>,
        asked: &Addr,
    ) -> io::Result<Self> {
        let local = SocketName::local_of(&fd)?;
        let mut addr = asked.clone();
        addr.endpoint = endpoint_of(kind, &local, Some(&asked.endpoint));
        Ok(Self { file: file.map(Arc::new), fd, kind, local, addr, asked: asked.clone() })
    }

    /// The name that the socket is bound to, with its real port.
    #[must_use]
    pub const fn local_name(&self) -> &SocketName {
        &self.local
    }

    /// The address with its real port, as a client would type it; layers and options are those
    /// that were asked for.
    #[must_use]
    pub fn addr(&self) -> Addr {
        self.addr.clone()
    }

    /// The address that was asked for: with the name and the port 0 that its user wrote.
    pub(crate) const fn asked(&self) -> &Addr {
        &self.asked
    }

    /// The transport.
    #[must_use]
    pub const fn kind(&self) -> StreamKind {
        self.kind
    }

    /// Accepts one connection, in one system call; never waits.
    ///
    /// # Errors
    /// `WouldBlock` when the queue is empty; `ConnectionAborted` and other errors of a connection
    /// that died in the queue, after which the next may be tried at once; EMFILE, ENFILE,
    /// ENOBUFS and ENOMEM when the system is out of something (accept(2)).
    pub fn try_accept(&self) -> io::Result<Accepted> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (fd, peer) = rustix::net::acceptfrom_with(&self.fd, flags)?;
        if self.kind != StreamKind::Tcp {
            // Over TCP everything is inherited.
            options::after_accept(&fd, &self.addr.options)?;
        }
        let peer = match peer {
            Some(name) => SocketName::try_from(name)?,
            None => SocketName::Unix(crate::addr::UnixName::Unnamed),
        };
        Ok(Accepted { fd, kind: self.kind, peer })
    }

    /// A second handle on the same socket and the same queue.
    ///
    /// # Errors
    /// EMFILE or ENFILE when there are no descriptors left.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            file: self.file.clone(),
            fd: self.fd.try_clone()?,
            kind: self.kind,
            local: self.local.clone(),
            addr: self.addr.clone(),
            asked: self.asked.clone(),
        })
    }

    /// Lets no further connection into the queue, where the transport has a way to; those that
    /// are in it stay. For a drain: under load the queue would never be empty otherwise.
    ///
    /// TCP: the kernel drops what arrives for the listener, so that clients try again a moment
    /// later, and by then reach its successor or learn that there is none. Unix paths: the file
    /// is removed. Abstract names have no way, and an inherited socket is not ours to close.
    pub(crate) fn turn_away(&self) {
        if matches!(self.addr.endpoint, Endpoint::Inherited(_)) {
            return;
        }
        if let Some(file) = &self.file {
            file.remove();
        }
        if self.kind == StreamKind::Tcp
            && let Err(error) = newcomers::drop_all(self)
        {
            tracing::debug!(%error, addr = %self.addr, "new connections are still queued");
        }
    }

    /// Binds a second listener, with a queue of its own, to the same TCP address: the kernel
    /// spreads new connections over both (SO_REUSEPORT, socket(7)).
    ///
    /// Closing one of them resets the connections that wait in its queue.
    ///
    /// # Errors
    /// `Unsupported` for Unix sockets, which have no such thing; otherwise a [`BindError`].
    pub fn reuse_port_sibling(&self) -> io::Result<Self> {
        let SocketName::Inet(name) = self.local else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!(
                    "{}://{} cannot have a second queue: SO_REUSEPORT is for TCP; share the \
                     listener with try_clone instead",
                    self.kind, self.local
                ),
            ));
        };
        sockopt::set_socket_reuseport(&self.fd, true)?;
        let fd = bind::tcp_socket(&self.addr, name, true)
            .map_err(|error| BindError::from_os("tcp", &self.local, error))?;
        Self::new(fd, self.kind, None, &self.addr)
    }
}

/// What a client would type to reach `local`.
fn endpoint_of(kind: StreamKind, local: &SocketName, asked: Option<&Endpoint>) -> Endpoint {
    match (kind, local) {
        (StreamKind::Unix, SocketName::Unix(name)) => Endpoint::Unix(name.clone()),
        (_, SocketName::Unix(name)) => Endpoint::Seqpacket(name.clone()),
        (_, SocketName::Inet(name)) => {
            let host = match (name, asked) {
                // The scope as it was written, a name rather than a number.
                (_, Some(Endpoint::Tcp(HostPort { host: host @ Host::Scoped(..), .. }))) => {
                    host.clone()
                }
                (std::net::SocketAddr::V6(v6), _) if v6.scope_id() != 0 => {
                    Host::Scoped(*v6.ip(), v6.scope_id().to_string())
                }
                _ => Host::Ip(name.ip()),
            };
            Endpoint::Tcp(HostPort { host, port: name.port() })
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl Accepted {
    /// Makes sure that a connection accepted from a draining listener can receive.
    pub(crate) fn admit(&self) {
        if self.kind == StreamKind::Tcp {
            newcomers::admit(&self.fd);
        }
    }

    /// Registers the connection with the current runtime.
    ///
    /// # Errors
    /// If the runtime cannot watch the descriptor.
    pub fn into_stream(self) -> io::Result<Stream> {
        Stream::register(self.fd, self.kind)
    }
}

#[cfg(test)]
impl Listener {
    /// One that no runtime can watch, as the system cannot poll what it is: a plain file.
    pub(crate) fn unwatchable() -> Self {
        let socket = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let file = tempfile::tempfile().unwrap();
        Self { fd: file.into(), ..Self::adopt(socket.into()).unwrap() }
    }
}
