//! The two kinds of connections, and what they have in common.

mod clock;
pub(crate) mod http1;
pub(crate) mod http2;
mod patience;
#[cfg(test)]
mod tests;

use std::{io, net::IpAddr, pin::Pin};

use sockeye::{Conn, DrainSignal, ServerHandle, SocketName, addr::Cidr};
use sockeye_node::{Origin, Peer};

use crate::{
    config::Config,
    content::Content,
    reply::Reply,
    site::Visitor,
    wire::{
        forwarded,
        head::{Fields, Head},
        host::HostRule,
    },
};

pub(crate) use clock::{Clock, seconds_now};
pub(crate) use patience::Patience;

/// The protocol's name, in the log and for tokens.
const PROTOCOL: &str = "http";

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
    /// Says when it begins to drain, to what would have no end.
    pub(crate) drain: DrainSignal,
    /// Who is at its other end.
    pub(crate) visitor: Visitor,
    /// Whether it is encrypted.
    pub(crate) secure: bool,
}

impl<'a> Link<'a> {
    /// Of a connection that answers to `hosts`, if a web page can reach it that must not.
    pub(crate) fn new(conn: &Conn, config: &Config, hosts: &'a HostRule) -> io::Result<Self> {
        Ok(Self {
            hosts: if checks_host(conn)? { hosts } else { &HostRule::Any },
            peer: config.access_log.as_ref().map(|_| peer_text(conn)),
            server: conn.server(),
            drain: conn.drain_signal(),
            secure: conn.stream().is_tls(),
            visitor: Visitor::new(Origin {
                tls: conn.stream().is_tls(),
                listener: config.bandwidth.clone(),
                ..Origin::new(PROTOCOL, Peer::from(conn.peer()))
            }),
        })
    }

    /// As it is for a request that came through one of these proxies, of which it says whom it is from; none of any other.
    pub(crate) fn through(&self, proxies: &[Cidr], fields: &Fields<'_>) -> Option<Self> {
        let trusted = |ip: IpAddr| proxies.iter().any(|block| block.contains(ip));
        let origin = self.visitor.origin();
        origin.peer.ip().filter(|&ip| trusted(ip))?;
        let client = forwarded::client(fields, trusted)?;
        let secure = forwarded::secure(fields).unwrap_or(self.secure);
        let origin = Origin { peer: Peer::Ip(client), tls: secure, ..origin.clone() };
        Some(Self {
            hosts: self.hosts,
            peer: self.peer.clone(),
            server: self.server.clone(),
            drain: self.drain.clone(),
            visitor: Visitor::new(origin),
            secure,
        })
    }

    /// Whether it may stay open after the next answer: not while others may be waiting for its place.
    pub(crate) fn may_stay(&self) -> bool {
        !self.server.at_capacity()
    }
}

/// Whether a web page could have made the connection to what only this machine should reach. None can
/// forge the header by which a proxy says that it is one.
fn checks_host(conn: &Conn) -> io::Result<bool> {
    Ok(match conn.local()? {
        SocketName::Inet(_) if conn.info().listener().proxy => false,
        SocketName::Inet(address) => address.ip().to_canonical().is_loopback(),
        SocketName::Unix(_) => false,
    })
}

/// The peer as access logs have it.
fn peer_text(conn: &Conn) -> String {
    match conn.peer() {
        SocketName::Inet(address) => address.ip().to_canonical().to_string(),
        SocketName::Unix(_) => "unix".to_owned(),
    }
}
