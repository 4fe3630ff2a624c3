//! Two streams connected to each other, without names (socketpair(2)).

use std::io;

use rustix::net::{AddressFamily, SocketFlags};

use super::{Stream, StreamKind};

/// Makes two streams that are connected to each other.
///
/// # Errors
/// `Unsupported` for TCP, which has no such thing; EMFILE or ENFILE when there are no
/// descriptors left.
///
/// # Panics
/// Outside a runtime with I/O enabled.
pub fn socketpair(kind: StreamKind) -> io::Result<(Stream, Stream)> {
    if kind == StreamKind::Tcp {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "TCP has no socketpair: use a Unix stream, or connect to a listener on loopback",
        ));
    }
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (left, right) =
        rustix::net::socketpair(AddressFamily::UNIX, kind.socket_type(), flags, None)?;
    Ok((Stream::register(left, kind)?, Stream::register(right, kind)?))
}
