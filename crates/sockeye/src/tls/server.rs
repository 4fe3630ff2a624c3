//! The server's side: certificates, client certificates, and the handshake.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::Ticketer,
    server::{
        ProducesTickets, ServerSessionMemoryCache, WebPkiClientVerifier, danger::ClientCertVerifier,
    },
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::server::StartHandshake;

use crate::Stream;

use super::{
    Identity, Roots, TlsError, alpn_names, hello,
    pooled::{Pooled, ResumedWith, SessionPool},
    provider,
    resolver::CertificatesByName,
    socket::TlsSocket,
    tickets::Tickets,
};

/// How many sessions a server remembers for clients that know session ids but no tickets.
const SESSIONS: usize = 256;

/// The same, where all sessions belong to one connection.
const SESSIONS_OF_ONE_CONNECTION: usize = 8;

/// Tickets that the first of a client's connections is sent: of who uses each but once, two are left when it is seen
/// whether the same comes twice.
const FIRST_TICKETS: usize = 3;

/// The longest session state that a ticket made by another process may hold, in bytes; only
/// one with a long chain of client certificates comes near.
const LONGEST_SESSION: usize = 16 << 10;

/// New keys for tickets.
fn ticketer() -> Result<Arc<dyn ProducesTickets>, TlsError> {
    let ticketer = Ticketer::new().map_err(TlsError::Setup)?;
    // A ticketer refuses tickets longer than the longest that it has made itself, which in a
    // forked child is none, so that no child would take a ticket from another. This one has made
    // a long one before any fork.
    let _ = ticketer.encrypt(&[0; LONGEST_SESSION]);
    Ok(ticketer)
}

/// What a server asks of its clients' certificates.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum ClientAuth {
    /// No certificate is asked for.
    #[default]
    None,
    /// A certificate is asked for; a client may show none, but not a bad one.
    Optional(Roots),
    /// A client without a certificate of one of these authorities is refused.
    Required(Roots),
}

/// The server's side of TLS: who the server is, and what it asks of its clients.
///
/// Cheap to clone; all clones are one, so that a [`reload`](Self::reload) through one is seen by
/// all. It speaks TLS 1.2 and 1.3 with the cipher suites that rustls has by default, resumes
/// sessions by tickets, and takes no early data (0-RTT), which could be replayed.
///
/// After a fork the children share the ticket keys made before it, so that a client may resume
/// with any of them. The keys are renewed every six hours, by each process for itself. A client
/// whose ticket another process made after that gets a full handshake in place of a resumed one,
/// and notices nothing else: under `prefork` most do then, under `fork`, where every connection
/// has a process of its own, all. A reload is seen only by the process that does it: call it from
/// [`Server::on_reload`], which does so in every process of a server.
///
/// [`Server::on_reload`]: crate::Server::on_reload
#[derive(Clone)]
pub struct TlsServer {
    shared: Arc<Shared>,
}

struct Shared {
    current: RwLock<Current>,
    /// Those of the client, where all connections are one client's.
    tickets: Option<Arc<Tickets>>,
}

/// What handshakes use, and what it was made from.
#[derive(Clone)]
struct Current {
    recipe: TlsServerBuilder,
    config: Arc<ServerConfig>,
}

/// Makes a [`TlsServer`]; from [`TlsServer::builder`].
#[derive(Clone, Debug)]
pub struct TlsServerBuilder {
    default: Identity,
    others: Vec<Identity>,
    alpn: Vec<Vec<u8>>,
    client_auth: ClientAuth,
}

impl TlsServerBuilder {
    /// Adds an identity, which is chosen for the DNS names of its certificate (exact ones and
    /// wildcards) when a client asks for one of them (SNI). For one name the first wins.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.others.push(identity);
        self
    }

    /// Sets the application protocols spoken, the preferred one first (ALPN, RFC 7301).
    ///
    /// A client that offers protocols, but none of these, is refused: it was led here from a
    /// server of another protocol (ALPACA). One that offers none at all is served.
    #[must_use]
    pub fn alpn<T: Into<Vec<u8>>>(mut self, protocols: impl IntoIterator<Item = T>) -> Self {
        self.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Sets what is asked of clients' certificates; by default nothing.
    #[must_use]
    pub fn client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.client_auth = client_auth;
        self
    }

    /// Reads the files and makes the server's side.
    ///
    /// # Errors
    /// If a file cannot be read or holds something else, if a key does not belong to its
    /// certificate, or if a protocol name is not one. An expired certificate is a warning only.
    pub fn build(self) -> Result<TlsServer, TlsError> {
        let config = Arc::new(self.config(ticketer()?)?);
        let current = RwLock::new(Current { recipe: self, config });
        Ok(TlsServer { shared: Arc::new(Shared { current, tickets: None }) })
    }

    /// The configuration as the files are now.
    fn config(&self, ticketer: Arc<dyn ProducesTickets>) -> Result<ServerConfig, TlsError> {
        super::check_alpn(&self.alpn)?;
        let others = self.others.iter().map(Identity::load).collect::<Result<_, _>>()?;
        let certificates = CertificatesByName::new(self.default.load()?, others);
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_client_cert_verifier(self.client_auth.verifier()?)
            .with_cert_resolver(Arc::new(certificates));
        config.alpn_protocols.clone_from(&self.alpn);
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        config.ticketer = ticketer;
        config.max_early_data_size = 0;
        Ok(config)
    }
}

impl ClientAuth {
    fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let (roots, optional) = match self {
            Self::None => return Ok(WebPkiClientVerifier::no_client_auth()),
            Self::Optional(roots) => (roots, true),
            Self::Required(roots) => (roots, false),
        };
        let builder = WebPkiClientVerifier::builder_with_provider(roots.load()?, provider());
        let builder = if optional { builder.allow_unauthenticated() } else { builder };
        builder.build().map_err(|error| TlsError::NoRoots(error.to_string()))
    }
}

impl TlsServer {
    /// Starts from the identity that is shown to a client that asks for no name or an unknown one.
    #[must_use]
    pub const fn builder(default: Identity) -> TlsServerBuilder {
        TlsServerBuilder {
            default,
            others: Vec::new(),
            alpn: Vec::new(),
            client_auth: ClientAuth::None,
        }
    }

    /// A server with one certificate, from PEM files: the chain, leaf first, and the private key.
    ///
    /// # Errors
    /// As [`TlsServerBuilder::build`].
    pub fn from_pem_files(
        chain: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Result<Self, TlsError> {
        Self::builder(Identity::from_pem_files(chain, key)).build()
    }

    /// Reads the files again. Handshakes from now on use what they hold; established connections
    /// go on as they are.
    ///
    /// Sessions from before can be resumed, unless client certificates are checked: who lost an
    /// authority's trust by the reload has to lose the session too.
    ///
    /// # Errors
    /// As [`TlsServerBuilder::build`]; everything then stays as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.take_up(self.current())
    }

    /// Shows `default` from now on, in place of the identity that the server was built with, and reads the files of the
    /// others again; else as [`reload`](Self::reload).
    ///
    /// # Errors
    /// As [`TlsServerBuilder::build`]; everything then stays as it was.
    pub fn replace_identity(&self, default: Identity) -> Result<(), TlsError> {
        let Current { recipe, config } = self.current();
        self.take_up(Current { recipe: TlsServerBuilder { default, ..recipe }, config })
    }

    /// Makes the configuration anew, by this recipe, and uses it from now on; its keys of tickets stay those of the one
    /// that is there.
    fn take_up(&self, Current { recipe, config: before }: Current) -> Result<(), TlsError> {
        let ticketer = match recipe.client_auth {
            ClientAuth::None => Arc::clone(&before.ticketer),
            _ => ticketer()?,
        };
        let config = Arc::new(recipe.config(ticketer)?);
        *self.shared.current.write().unwrap_or_else(PoisonError::into_inner) =
            Current { recipe, config };
        // Of the whole server, whoever's connection asked for it; whether they are others only who reads them tells.
        tracing::info!(parent: None, "TLS certificates read again");
        Ok(())
    }

    /// A copy with sessions of its own: a client can resume with the copy only a session that it
    /// made with the copy.
    ///
    /// That is how a protocol of several connections ties them together. FTP makes a copy for each
    /// control connection, does all its handshakes with it, and lets a data connection pass only
    /// if it [resumed](super::TlsInfo::resumed) (RFC 4217 §10.2). The copy shows the certificates
    /// of this moment; a reload of the original does not reach it.
    ///
    /// # Errors
    /// If the system gives no random bytes for the ticket keys.
    pub fn for_connection(&self) -> Result<Self, TlsError> {
        let mut config = ServerConfig::clone(&self.config());
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS_OF_ONE_CONNECTION);
        let tickets = Arc::new(Tickets::new(ticketer()?));
        config.ticketer = Arc::clone(&tickets) as Arc<dyn ProducesTickets>;
        config.send_tls13_tickets = FIRST_TICKETS;
        Ok(self.copy(config, Some(tickets)))
    }

    /// A copy that resumes the sessions of a pool as well; what it makes is as before.
    ///
    /// The other value tells which server of the pool it was, once a handshake with the copy is done: it is for one.
    #[must_use]
    pub fn resuming_from(&self, pool: &SessionPool) -> (Self, ResumedWith) {
        let own = self.config();
        let mut config = ServerConfig::clone(&own);
        let pooled = Arc::new(Pooled::new(own, pool.clone()));
        let with = pooled.resumed_with();
        config.session_storage = pooled.clone();
        config.ticketer = pooled;
        (self.copy(config, self.shared.tickets.clone()), with)
    }

    /// A copy with the same sessions for another connection of the same client, which sends a ticket (RFC 8446 §4.6.1) in
    /// place of the one that the client comes with.
    ///
    /// Where the peer only sends and never `reads`, there is none: closing a socket with something unread in it resets
    /// the connection, and what the peer had sent last would be lost with it (RFC 1122 §4.2.2.13). A client that uses each
    /// ticket but once has one all the same when it runs out of them, as it would else come no more.
    #[must_use]
    pub fn for_next_connection(&self, reads: bool) -> Self {
        let mut config = ServerConfig::clone(&self.config());
        let tickets = self.shared.tickets.clone();
        let needs_one = || tickets.as_ref().is_some_and(|tickets| tickets.run_short());
        config.send_tls13_tickets = usize::from(reads || needs_one());
        self.copy(config, tickets)
    }

    fn copy(&self, config: ServerConfig, tickets: Option<Arc<Tickets>>) -> Self {
        let recipe = self.current().recipe;
        let current = RwLock::new(Current { recipe, config: Arc::new(config) });
        Self { shared: Arc::new(Shared { current, tickets }) }
    }

    /// The configuration that the next handshake will use.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.shared.current.read().unwrap_or_else(PoisonError::into_inner).config)
    }

    fn current(&self) -> Current {
        self.shared.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does the server's side of the handshake on a stream, fresh or mid-way (as after FTP's
    /// `AUTH TLS`); the stream that comes back carries the plain text.
    ///
    /// There is no deadline: wrap it in [`tokio::time::timeout`]. Not cancel-safe: a handshake
    /// that is dropped half-way ends the connection.
    ///
    /// # Errors
    /// If the peer does not speak TLS, breaks its rules, or is refused; it is told so by an alert
    /// (and by a plain answer, if it spoke plain HTTP). If the transport fails, or keeps records.
    pub async fn accept(&self, stream: Stream) -> Result<Stream, TlsError> {
        self.accept_or_refuse(stream).await.map_err(|(error, _)| error)
    }

    /// As [`accept`](Self::accept), and gives the transport back if the peer was told of the error,
    /// so that it can be closed without a reset that would overtake the alert.
    pub(crate) async fn accept_or_refuse(
        &self,
        stream: Stream,
    ) -> Result<Stream, (TlsError, Option<Stream>)> {
        super::check_transport(&stream).map_err(|error| (error, None))?;
        // Boxed, as it holds a whole connection, which would swell every future around it.
        let handshake = Box::pin(self.handshake(stream)).await;
        handshake.map(Stream::from_tls).map_err(|(error, stream)| {
            let told = !matches!(error, TlsError::Closed | TlsError::Io(_));
            (error, told.then_some(stream))
        })
    }

    /// Does the handshake on any transport, and gives it back if that fails.
    pub(super) async fn handshake<IO>(&self, mut io: IO) -> Result<TlsSocket<IO>, (TlsError, IO)>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let accepted = match hello::read(&mut io).await {
            Ok(accepted) => accepted,
            Err(error) => return Err((error, io)),
        };
        let config = self.config();
        let offered = accepted.client_hello().alpn().map(alpn_names);
        let accept = StartHandshake::from_parts(accepted, io).into_stream(Arc::clone(&config));
        let (error, io) = match accept.into_fallible().await {
            Ok(stream) => return Ok(TlsSocket::new(stream, None)),
            Err(refused) => refused,
        };
        let error = match (TlsError::from_stream(error, "the client"), offered) {
            (TlsError::Protocol(rustls::Error::NoApplicationProtocol), Some(offered)) => {
                let spoken = alpn_names(config.alpn_protocols.iter().map(Vec::as_slice));
                TlsError::NoCommonProtocol { offered, spoken }
            }
            (other, _) => other,
        };
        Err((error, io))
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").field("recipe", &self.current().recipe).finish_non_exhaustive()
    }
}
