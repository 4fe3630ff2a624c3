//! How many connections this process can have, and what of the system's settings stands in the way.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sockeye::{
    Addr,
    server::{Limits, advise},
};

/// Descriptors for everything that is not a connection.
const SPARE: u64 = 64;

/// A connection's own descriptor, and that of the file it reads.
const PER_CONNECTION: u64 = 2;

/// Connections that a server on a network should be able to have.
const EXPECTED: usize = 4096;

/// The limits of this server: as many connections as there are descriptors for, after raising the
/// limit on open files as far as the system lets anyone.
pub(super) fn limits() -> Limits {
    let mut limits = Limits::default();
    let files = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: files.maximum, ..files };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => files.maximum,
        Err(error) => {
            tracing::info!(%error, "the limit on open files stays as it is");
            files.current
        }
    };
    if let Some(files) = current {
        let room = files.saturating_sub(SPARE) / PER_CONNECTION;
        let room = usize::try_from(room).unwrap_or(usize::MAX).max(1);
        limits.max_connections = limits.max_connections.min(room);
    }
    limits
}

/// Says which settings are low: a warning if other machines can connect.
pub(super) fn warn(addrs: &[Addr]) {
    let expected = Limits { max_connections: EXPECTED, ..Limits::default() };
    let local = addrs.iter().all(Addr::is_local);
    for advice in advise(&expected) {
        if local {
            tracing::info!("{advice}");
        } else {
            tracing::warn!("{advice}");
        }
    }
}
