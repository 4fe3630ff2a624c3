//! From addresses to bound sockets, before anything else of a node is there.

use sockeye::{Addr, Server, server::Streams};

use super::{Listen, ListenError, Protocol};

/// A listener that is bound: connections queue, and nobody accepts them yet.
#[derive(Debug)]
pub struct Bound {
    pub(super) listen: Listen,
    pub(super) protocol: &'static Protocol,
    pub(super) server: Server<Streams>,
}

/// Why a listener cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It cannot be at all.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The system refuses it, or it does not fit in with the rest.
    #[error(transparent)]
    Server(#[from] sockeye::Error),
    /// There is no certificate for it.
    #[error("no TLS on {listen}: {source}")]
    Tls {
        /// The listener.
        listen: Box<Listen>,
        /// Why not.
        source: sockeye::tls::TlsError,
    },
    /// The node is ending: nobody would drain it.
    #[error("the node is ending, and opens no listener any more")]
    Draining,
}

impl Bound {
    /// Binds a listener, and warns of one that others can reach and read. Blocks while a name is looked up.
    ///
    /// # Errors
    /// If none of `protocols` can be spoken there, or the system refuses the address.
    pub fn open(listen: &Listen, protocols: &'static [Protocol]) -> Result<Self, OpenError> {
        let protocol = listen.check(protocols)?;
        // Of a protocol that starts TLS the address is plain: no handshake is done before it has the connection.
        let plain = (protocol.starts_tls)(listen);
        let addr = Addr { tls: listen.addr.tls && !plain, ..listen.addr.clone() };
        let server = Server::bind(&addr)?;
        // An inherited socket tells only now where it is.
        if protocol.local_only && !server.addrs().iter().all(Addr::is_local) {
            return Err(ListenError::NotLocal { listen: Box::new(listen.clone()) }.into());
        }
        let bound = Self { listen: listen.clone(), protocol, server };
        if let Some(warning) = listen.warning(protocol, &bound.addrs()) {
            tracing::warn!("{warning}");
        }
        Ok(bound)
    }

    /// The listener as it was asked for.
    #[must_use]
    pub fn listen(&self) -> &Listen {
        &self.listen
    }

    /// Whether it needs the node's certificate: its address has TLS, or its protocol starts it.
    #[must_use]
    pub fn needs_certificate(&self) -> bool {
        self.protocol.needs_certificate(&self.listen)
    }

    /// The addresses that it has, with their real ports.
    #[must_use]
    pub fn addrs(&self) -> Vec<Addr> {
        shown(&self.listen, &self.server.addrs())
    }
}

/// The addresses of a listener's server as its clients have them: under TLS, whoever does the handshake.
pub(crate) fn shown(listen: &Listen, addrs: &[Addr]) -> Vec<Addr> {
    addrs.iter().map(|addr| Addr { tls: listen.addr.tls, ..addr.clone() }).collect()
}
