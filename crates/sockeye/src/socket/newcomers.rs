//! Keeping newcomers out of a socket that drains.

use std::{io, os::fd::AsFd};

use socket2::{SockFilter, SockRef};

/// The filter instruction that ends with a constant: how much of a packet to keep.
const RETURN_CONSTANT: u16 = 0x06;

/// Has the kernel drop whatever arrives for the socket from now on; what is queued stays.
///
/// # Errors
/// Whatever setsockopt(2) refuses.
pub(super) fn drop_all(socket: &impl AsFd) -> io::Result<()> {
    SockRef::from(socket).attach_filter(&[SockFilter::new(RETURN_CONSTANT, 0, 0, 0)])
}

/// Takes from a connection what it may have inherited from a listener that was turning newcomers
/// away at the very moment when it was established.
pub(super) fn admit(connection: &impl AsFd) {
    // Most have nothing to take away.
    let _ = SockRef::from(connection).detach_filter();
}
