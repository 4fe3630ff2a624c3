//! Socket options whose value is an `int` and that no safe crate sets or reads.

#![expect(unsafe_code, reason = "no safe crate sets TCP_DEFER_ACCEPT")]

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
};

use libc::{c_int, socklen_t};

/// An option's level and number, as `(IPPROTO_TCP, TCP_DEFER_ACCEPT)`.
pub(crate) type IntOption = (c_int, c_int);

/// `TCP_DEFER_ACCEPT`, in seconds.
pub(crate) const TCP_DEFER_ACCEPT: IntOption = (libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT);

/// `IP_BIND_ADDRESS_NO_PORT`: binding to an address alone, the port is chosen by connect; for
/// IPv6 as well (ip(7)).
pub(crate) const IP_BIND_ADDRESS_NO_PORT: IntOption =
    (libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT);

#[expect(clippy::cast_possible_truncation, reason = "the size of an int is 4")]
const SIZE: socklen_t = size_of::<c_int>() as socklen_t;

/// Sets an option.
pub(crate) fn set(fd: BorrowedFd<'_>, (level, name): IntOption, value: c_int) -> io::Result<()> {
    let value = &raw const value;
    // SAFETY: the descriptor is borrowed for the call; pointer and length are those of a
    // live int, which the kernel only reads.
    let done = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value.cast(), SIZE) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reads an option.
#[cfg(test)]
pub(crate) fn get(fd: BorrowedFd<'_>, (level, name): IntOption) -> io::Result<c_int> {
    let (mut value, mut size) = (0, SIZE);
    let to: *mut c_int = &raw mut value;
    // SAFETY: the descriptor is borrowed for the call; the pointers are to a live int and to
    // its size, past which the kernel does not write.
    let done = unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, to.cast(), &raw mut size) };
    if done == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}
