//! The two lanes of a connection, and what they have in common.

mod clock;
pub(crate) mod fast;
pub(crate) mod full;
mod guarded;
mod linger;
mod streams;
mod transport;

use crate::wire::host::HostRule;

pub(crate) use clock::{Clock, seconds_now};
pub(crate) use guarded::Guarded;
pub(crate) use transport::{Copying, Transport};

/// What both lanes know of their connection.
#[derive(Debug)]
pub(crate) struct Link<'a, K> {
    /// The hosts it answers to.
    pub(crate) hosts: &'a HostRule,
    /// The peer's address, if there is an access log.
    pub(crate) peer: Option<String>,
    /// Whether it may stay open after the next answer.
    pub(crate) keep_alive_allowed: &'a K,
}

/// How the fast lane ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The connection is done with.
    Closed,
    /// The full lane goes on.
    HandOver {
        /// What has been read and not yet answered.
        read: Vec<u8>,
        /// Whether the server drains, so that the signal must not be awaited again.
        drained: bool,
    },
}
