//! Registering descriptors with the runtime.

#![expect(unsafe_code, reason = "AsyncFd::register asks for a promise that a type can give")]

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    sync::Arc,
};

use tokio::io::{Interest, unix::AsyncFd};

use super::served::Served;
use crate::{
    socket::{DatagramSocket, Listener},
    zygote::Link,
};

/// A type that owns one open descriptor from its making to its drop.
///
/// # Safety
/// `as_raw_fd` answers the same descriptor for the whole life of the value, and only the
/// value's drop closes it.
pub(crate) unsafe trait OwnsFd: AsRawFd {}

// SAFETY: this is what an OwnedFd is.
unsafe impl OwnsFd for OwnedFd {}
// SAFETY: its OwnedFd is set when it is made; it is private and nothing assigns it again.
unsafe impl OwnsFd for DatagramSocket {}
// SAFETY: its OwnedFd is set when it is made; it is private and nothing assigns it again.
unsafe impl OwnsFd for Listener {}
// SAFETY: its OwnedFd is set when it is made; it is private and nothing assigns it again.
unsafe impl OwnsFd for Link {}
// SAFETY: it owns its value and nothing replaces that.
unsafe impl<T: OwnsFd> OwnsFd for Served<T> {}
// SAFETY: a shared value lives and stays the same while one of its owners does.
unsafe impl<T: OwnsFd> OwnsFd for Arc<T> {}

/// Watches `socket` by the current runtime's reactor.
///
/// # Panics
/// Outside a tokio runtime with I/O enabled.
pub(crate) fn watch<T: OwnsFd>(socket: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: `OwnsFd` promises a descriptor that stays open and the same until the value is
    // dropped, which the AsyncFd outlives by owning it.
    let registered = unsafe { AsyncFd::register_with_interest(socket, interest) };
    registered.map_err(|error| error.into_parts().1)
}
