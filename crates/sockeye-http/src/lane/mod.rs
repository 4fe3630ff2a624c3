//! The two lanes of a connection, and what they have in common.

mod clock;
pub(crate) mod fast;
pub(crate) mod full;
mod patience;
mod streams;

use std::pin::Pin;

use sockeye::ServerHandle;

use crate::wire::host::HostRule;

pub(crate) use clock::{Clock, seconds_now};

/// Resolves when the server begins to drain.
pub(crate) type Draining<'a> = Pin<&'a mut (dyn Future<Output = ()> + Send + 'a)>;

/// What both lanes know of their connection.
#[derive(Debug)]
pub(crate) struct Link<'a> {
    /// The hosts it answers to.
    pub(crate) hosts: &'a HostRule,
    /// The peer's address, if there is an access log.
    pub(crate) peer: Option<String>,
    /// Its server, which may be full.
    pub(crate) server: ServerHandle,
}

impl Link<'_> {
    /// Whether it may stay open after the next answer: not while others may be waiting for its place.
    pub(crate) fn may_stay(&self) -> bool {
        !self.server.at_capacity()
    }
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
