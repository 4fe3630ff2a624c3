//! What an [`Http`](crate::Http) is told of a connection.

use std::future::{Pending, pending};

use sockeye::SocketName;

/// A connection as its server knows it.
///
/// `K` says before each answer whether the connection may stay open after it; `D` resolves when the server
/// begins to drain.
#[derive(Debug)]
pub struct ConnectionContext<K = fn() -> bool, D = Pending<()>> {
    pub(crate) peer: SocketName,
    pub(crate) local: SocketName,
    pub(crate) http2: bool,
    pub(crate) behind_proxy: bool,
    pub(crate) keep_alive_allowed: K,
    pub(crate) draining: D,
}

impl ConnectionContext {
    /// A connection from `peer` to `local`, over HTTP/1, that may stay open.
    ///
    /// If `local` is a loopback address, the Host header is checked: see
    /// [`wire::host`](crate::wire::host).
    #[must_use]
    pub fn new(peer: SocketName, local: SocketName) -> Self {
        Self {
            peer,
            local,
            http2: false,
            behind_proxy: false,
            keep_alive_allowed: || true,
            draining: pending(),
        }
    }
}

impl<K, D> ConnectionContext<K, D> {
    /// Whether ALPN agreed on `h2`.
    #[must_use]
    pub fn http2(self, http2: bool) -> Self {
        Self { http2, ..self }
    }

    /// Whether the connection comes from a proxy that says so itself (PROXY protocol): no web page can
    /// forge that, so Host is not checked even on a loopback address.
    #[must_use]
    pub fn behind_proxy(self, behind_proxy: bool) -> Self {
        Self { behind_proxy, ..self }
    }

    /// Asks `allowed` before each answer whether the connection may stay open after it: not, for one, while
    /// others wait for the place it takes.
    #[must_use]
    pub fn keep_alive<F: Fn() -> bool>(self, allowed: F) -> ConnectionContext<F, D> {
        ConnectionContext {
            peer: self.peer,
            local: self.local,
            http2: self.http2,
            behind_proxy: self.behind_proxy,
            keep_alive_allowed: allowed,
            draining: self.draining,
        }
    }

    /// Begins to end the connection when `signal` resolves.
    #[must_use]
    pub fn draining<F: Future<Output = ()>>(self, signal: F) -> ConnectionContext<K, F> {
        ConnectionContext {
            peer: self.peer,
            local: self.local,
            http2: self.http2,
            behind_proxy: self.behind_proxy,
            keep_alive_allowed: self.keep_alive_allowed,
            draining: signal,
        }
    }

    /// Whether a web page could have made the connection to what only this machine should reach.
    pub(crate) fn checks_host(&self) -> bool {
        match &self.local {
            SocketName::Inet(_) if self.behind_proxy => false,
            SocketName::Inet(address) => address.ip().to_canonical().is_loopback(),
            SocketName::Unix(_) => false,
        }
    }

    /// The peer as access logs have it.
    pub(crate) fn peer_text(&self) -> String {
        match &self.peer {
            SocketName::Inet(address) => address.ip().to_canonical().to_string(),
            SocketName::Unix(_) => "unix".to_owned(),
        }
    }
}
