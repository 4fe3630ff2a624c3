//! The two kinds of connections, and what they have in common.

mod clock;
pub(crate) mod http1;
pub(crate) mod http2;
mod patience;

use std::pin::Pin;

use sockeye::ServerHandle;

use crate::{
    answer::Reply,
    config::Config,
    content::Content,
    wire::{head::Head, host::HostRule},
};

pub(crate) use clock::{Clock, seconds_now};
pub(crate) use patience::Patience;

/// Resolves when the server begins to drain.
pub(crate) type Draining<'a> = Pin<&'a mut (dyn Future<Output = ()> + Send + 'a)>;

/// What answers the requests of a connection.
pub(crate) trait Respond: Send + Sync {
    /// What holds for its connections.
    fn config(&self) -> &Config;

    /// Answers one request; `now` is in seconds since the epoch.
    fn respond(
        &self,
        link: &Link<'_>,
        now: i64,
        head: &Head<'_>,
        content: &mut impl Content,
    ) -> impl Future<Output = Reply> + Send;
}

/// What is known of a connection.
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
