//! What a zygote inherits of the other servers in its process, and of its own that it never uses.
//!
//! A port is taken, and a connection open, for as long as any process has a descriptor of it.

use std::{
    collections::HashSet,
    os::fd::{AsRawFd, BorrowedFd, RawFd},
};

use rustix::net::sockopt;

use crate::{
    SocketName,
    model::Sources,
    socket::StreamKind,
    sys::served::{close_open, close_served},
};

/// Closes all that belongs to servers, but those of `sources` that the children use: datagram
/// sockets, and `listeners` if they accept.
pub(super) fn close_all_but(sources: &Sources, listeners: bool) {
    let own: HashSet<RawFd> =
        sources.streams.iter().map(|source| source.listener.as_raw_fd()).collect();
    let packets: HashSet<RawFd> =
        sources.packets.iter().map(|source| source.socket.as_raw_fd()).collect();
    let mut strangers = Vec::new();
    close_served(|descriptor| {
        let number = descriptor.as_raw_fd();
        if packets.contains(&number) || (listeners && own.contains(&number)) {
            return true;
        }
        if !own.contains(&number) && sockopt::socket_acceptconn(descriptor).unwrap_or(false) {
            strangers.extend(SocketName::local_of(descriptor));
        }
        false
    });
    // Connections are not marked, as that would cost each of them; their names tell.
    if !strangers.is_empty() {
        close_open(|descriptor| is_accepted(descriptor, &strangers));
    }
}

/// Whether a descriptor is a connection that came in by one of these listeners.
fn is_accepted(descriptor: BorrowedFd<'_>, listeners: &[SocketName]) -> bool {
    let accepted = StreamKind::of(descriptor).is_ok()
        && !sockopt::socket_acceptconn(descriptor).unwrap_or(true);
    let Some(local) = accepted.then(|| SocketName::local_of(descriptor).ok()).flatten() else {
        return false;
    };
    listeners.iter().any(|listener| match (listener, &local) {
        (SocketName::Inet(listener), SocketName::Inet(local)) => {
            let ip = listener.ip();
            listener.port() == local.port() && (ip.is_unspecified() || ip == local.ip())
        }
        (listener, local) => listener == local,
    })
}
