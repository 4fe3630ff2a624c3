//! Binding of stream listeners: one address, all addresses of a name, one port for all.

use std::{
    io,
    net::SocketAddr,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use super::{
    BindError, BindFault, Listener, SocketName, StreamKind, options, unix_file::bind_unix,
};
use crate::{
    addr::{Addr, Host, UnixName},
    systemd,
};

/// How often another port is tried when the one that the system chose for the first address is
/// taken on a later one.
const SHARED_PORT_TRIES: u32 = 32;

/// Binds every address of a TCP address's host.
pub(super) fn tcp(addr: &Addr) -> io::Result<Vec<Listener>> {
    let names = addr.resolve().map_err(|error| BindError::lookup(addr, error))?;
    let optional = addr.host().is_some_and(Host::is_localhost);
    let mut tries = if addr.port() == Some(0) { SHARED_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match tcp_together(addr, &names, optional) {
            Err(error) if tries > 0 && matches!(error.fault(), BindFault::InUse(_)) => {}
            bound => {
                let bound = bound?.into_iter();
                return bound.map(|fd| Listener::new(fd, StreamKind::Tcp, None, addr)).collect();
            }
        }
    }
}

/// Binds all of `names`; those with port 0 take the port that the first one got.
///
/// Where `optional`, a family that this machine has not is left out: `localhost` has both
/// addresses in every hosts file.
fn tcp_together(
    addr: &Addr,
    names: &[SocketAddr],
    optional: bool,
) -> Result<Vec<OwnedFd>, BindError> {
    let mut bound: Vec<OwnedFd> = Vec::with_capacity(names.len());
    let mut missing = None;
    let mut port = None;
    for name in names {
        let mut name = *name;
        name.set_port(port.unwrap_or(name.port()));
        match tcp_socket(addr, name, false) {
            Ok(fd) => {
                let local = SocketName::local_of(&fd)
                    .map_err(|error| BindError::from_os("tcp", &name.into(), error))?;
                port = port.or_else(|| local.port());
                bound.push(fd);
            }
            Err(error) => {
                let error = BindError::from_os("tcp", &name.into(), error);
                match error.fault() {
                    BindFault::NotLocal(_) | BindFault::NoFamily(_) if optional => {
                        missing = Some(error);
                    }
                    _ => return Err(error),
                }
            }
        }
    }
    match missing {
        Some(error) if bound.is_empty() => Err(error),
        _ => Ok(bound),
    }
}

/// One listening TCP socket.
pub(super) fn tcp_socket(addr: &Addr, name: SocketAddr, reuse_port: bool) -> io::Result<OwnedFd> {
    let family = if name.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let fd = stream_socket(family, StreamKind::Tcp)?;
    if reuse_port {
        sockopt::set_socket_reuseport(&fd, true)?;
    }
    options::before_bind(&fd, &addr.options)?;
    rustix::net::bind(&fd, &name)?;
    rustix::net::listen(&fd, backlog(addr))?;
    Ok(fd)
}

/// Binds one Unix listener.
pub(super) fn unix(addr: &Addr, name: &UnixName, kind: StreamKind) -> io::Result<Vec<Listener>> {
    let place = SocketName::Unix(name.clone());
    let refused = |error: io::Error| BindError::from_os(kind.scheme(), &place, error);
    let fd = stream_socket(AddressFamily::UNIX, kind).map_err(refused)?;
    options::before_bind(&fd, &addr.options).map_err(refused)?;
    let file = bind_unix(fd.as_fd(), kind.scheme(), name, addr.options.mode)?;
    rustix::net::listen(&fd, backlog(addr)).map_err(|error| refused(error.into()))?;
    Ok(vec![Listener::new(fd, kind, file, addr)?])
}

/// Takes the listening sockets that the service manager passed under `name`.
pub(super) fn inherited(addr: &Addr, name: &str) -> io::Result<Vec<Listener>> {
    let refused = |reason: String| {
        io::Error::from(BindError::new(&addr.endpoint, BindFault::NotInherited(reason)))
    };
    // A unit gives its datagram sockets the same name.
    let passed =
        systemd::take_matching(name, listens).map_err(|error| refused(error.to_string()))?;
    let adopt = |fd: OwnedFd| {
        options::adopt(&fd, &addr.options)?;
        if addr.options.backlog.is_some() {
            // A second call changes the length of the queue alone.
            rustix::net::listen(&fd, backlog(addr))?;
        }
        Listener::inherited(fd, addr)
    };
    passed.into_iter().map(|fd| adopt(fd).map_err(|error| refused(error.to_string()))).collect()
}

fn listens(fd: BorrowedFd<'_>) -> bool {
    StreamKind::of(fd).is_ok() && sockopt::socket_acceptconn(fd).unwrap_or(false)
}

/// A new socket, non-blocking and close-on-exec.
pub(crate) fn stream_socket(family: AddressFamily, kind: StreamKind) -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket_type: SocketType = kind.socket_type();
    Ok(rustix::net::socket_with(family, socket_type, flags, None)?)
}

fn backlog(addr: &Addr) -> i32 {
    i32::try_from(addr.options.backlog_or_default()).unwrap_or(i32::MAX)
}
