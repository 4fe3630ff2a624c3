//! Who is at the other end of a Unix socket.

use std::{io, os::fd::AsFd};

use crate::sys;

/// The process at the other end of a Unix socket, as it was when it connected (unix(7),
/// SO_PEERCRED).
///
/// The user and group are the kernel's word, good for a decision about access. The process id
/// is not: the process may be gone and its number given to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCredentials {
    /// The process; `None` if it lives in a pid namespace that is not visible from here.
    pub pid: Option<u32>,
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
}

impl PeerCredentials {
    /// Asks the kernel about the peer of a connected Unix socket.
    ///
    /// # Errors
    /// If the descriptor is not a connected Unix socket.
    pub(super) fn of(socket: impl AsFd) -> io::Result<Self> {
        let raw = sys::peer_credentials::get(socket)?;
        let pid = u32::try_from(raw.pid).ok().filter(|pid| *pid != 0);
        Ok(Self { pid, uid: raw.uid, gid: raw.gid })
    }
}
