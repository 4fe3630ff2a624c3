//! The registry's row: what a protocol has to bring in order to be listened for.

use std::{fmt, future::Future, io, pin::Pin, sync::Arc};

use bytes::Bytes;
use sockeye::{Conn, ConnInfo, Failure, Handler, tls::TlsServer};

use super::{Listen, ListenOption};
use crate::{Bucket, Node, config::Settings};

/// A protocol that a node can speak: a row of the program's table.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// Its name, in front of a listener's address.
    pub name: &'static str,
    /// The scheme of its URLs without TLS and with it.
    pub schemes: (&'static str, &'static str),
    /// The ports that its URLs need not name, likewise.
    pub ports: (u16, u16),
    /// Whether only this machine may reach it.
    pub local_only: bool,
    /// What it calls itself within TLS (ALPN), the preferred name first.
    pub alpn: &'static [&'static str],
    /// The options that its listeners have beside those of their address.
    pub options: &'static [ListenOption],
    /// Whether the connections of a listener have their TLS from the protocol itself, by
    /// [`start_tls`](sockeye::Conn::start_tls): in the middle (AUTH TLS), or for the sake of sessions of their own at once,
    /// where the address has `tls+`. It then has [`Listening::tls`].
    pub starts_tls: fn(&Listen) -> bool,
    /// What is sent in cleartext on a listener; nothing, if all of it is encrypted.
    pub cleartext: fn(&Listen) -> Option<Cleartext>,
    /// Makes what serves a listener's connections, again at each reload.
    pub service: fn(&Listening<'_>) -> Arc<dyn Service>,
}

/// What is sent on a listener that whoever is in between can read and change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleartext {
    /// What the listener is or does: `is cleartext and`, in front of `reachable from other machines`.
    pub what: &'static str,
    /// What is to be written so that it is not: `http+tls+tcp:// in place of http+tcp:// encrypts it`.
    pub remedy: &'static str,
}

/// What the service of a listener is made from.
#[derive(Clone, Copy, Debug)]
pub struct Listening<'a> {
    /// The listener as it is configured, with the protocol's [options](Listen::option).
    pub listen: &'a Listen,
    /// The node's certificate, if the protocol [starts TLS](Protocol::starts_tls) there itself; a reload of the certificate
    /// reaches it.
    pub tls: Option<&'a TlsServer>,
    /// The node.
    pub node: &'a Arc<Node>,
    /// The settings that hold from now on.
    pub settings: &'a Settings,
    /// What the bytes of all connections of this listener go through: a session's
    /// [origin](crate::Origin::listener).
    pub bucket: &'a Arc<Bucket>,
}

impl Protocol {
    /// The scheme of its URLs, and the port that they need not name.
    #[must_use]
    pub const fn scheme(&self, tls: bool) -> (&'static str, u16) {
        if tls { (self.schemes.1, self.ports.1) } else { (self.schemes.0, self.ports.0) }
    }

    /// Whether a listener needs the node's certificate.
    #[must_use]
    pub fn needs_certificate(&self, listen: &Listen) -> bool {
        listen.addr.tls || (self.starts_tls)(listen)
    }
}

/// A future on the heap.
type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A [`Handler`] of which the type is not known; every handler is one.
pub trait Service: Send + Sync + 'static {
    /// See [`Handler::handle`].
    fn serve<'a>(&'a self, conn: &'a mut Conn) -> BoxFuture<'a, io::Result<()>>;

    /// See [`Handler::verify`].
    fn admits(&self, info: &ConnInfo) -> bool;

    /// See [`Handler::refusal`].
    fn words_for_refused(&self) -> Bytes;

    /// See [`Handler::on_refused`].
    fn refused(&self, info: &ConnInfo);

    /// See [`Handler::on_error`].
    fn failed(&self, info: &ConnInfo, failure: &Failure);
}

impl<H: Handler> Service for H {
    fn serve<'a>(&'a self, conn: &'a mut Conn) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.handle(conn))
    }

    fn admits(&self, info: &ConnInfo) -> bool {
        self.verify(info)
    }

    fn words_for_refused(&self) -> Bytes {
        self.refusal()
    }

    fn refused(&self, info: &ConnInfo) {
        self.on_refused(info);
    }

    fn failed(&self, info: &ConnInfo, failure: &Failure) {
        self.on_error(info, failure);
    }
}

impl fmt::Debug for dyn Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}
