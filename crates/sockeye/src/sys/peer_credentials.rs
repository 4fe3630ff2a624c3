//! SO_PEERCRED. rustix has it, with a process id that cannot be 0, which the kernel does give
//! for a peer in another pid namespace.

#![expect(unsafe_code, reason = "getsockopt writes through a pointer")]

use std::{
    io, mem,
    os::fd::{AsFd, AsRawFd},
};

/// The credentials of the process that called connect or socketpair (unix(7)).
pub(crate) fn get(socket: impl AsFd) -> io::Result<libc::ucred> {
    let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let size = mem::size_of::<libc::ucred>();
    let mut length = libc::socklen_t::try_from(size).map_err(io::Error::other)?;
    // SAFETY: the pointers are to live values, and `length` is the size of the one written to.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut length,
        )
    };
    if result == 0 { Ok(credentials) } else { Err(io::Error::last_os_error()) }
}
