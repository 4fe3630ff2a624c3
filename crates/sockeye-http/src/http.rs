//! The service: one connection from its first byte to its last.

use std::{io, pin::pin};

use sockeye::{Conn, Handler};
use sockeye_node::Session;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    answer::Answerer,
    config::Config,
    connection::ConnectionContext,
    lane::{Copying, End, Guarded, Link, Transport, fast, full},
    wire::host::HostRule,
};

/// Serves what a session can read over HTTP.
///
/// One value serves any number of connections, over any transport and under any model:
///
/// ```no_run
/// use std::path::Path;
///
/// use sockeye::{Model, Server};
/// use sockeye_http::{Config, Http};
/// use sockeye_node::{Home, Session};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let session = Session::guest(Home::open(Path::new("/srv/www"))?);
/// let http = Http::new(session, Config::default());
/// Server::bind("tcp://127.0.0.1:8080")?.model(Model::Tasks).serve(http)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Http {
    session: Session,
    config: Config,
    /// The hosts that a loopback listener answers to.
    local_hosts: HostRule,
}

impl Http {
    /// Serves `session`'s files as `config` says.
    #[must_use]
    pub fn new(session: Session, config: Config) -> Self {
        let local_hosts = HostRule::Local(config.hosts.clone());
        Self { session, config, local_hosts }
    }

    /// How files are served.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Serves one connection until it ends: HTTP/2 if `context` says so, otherwise HTTP/1.
    ///
    /// # Errors
    /// Whatever the connection reports, a peer that takes nothing for too long (`TimedOut`), and a
    /// file that became shorter while it was sent: the connection must then be closed, so that
    /// the peer sees that its answer is incomplete.
    ///
    /// Cancellation: the connection is broken off.
    pub async fn serve_connection<IO, K, D>(
        &self,
        io: IO,
        context: ConnectionContext<K, D>,
    ) -> io::Result<()>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
        K: Fn() -> bool + Send + Sync,
        D: Future<Output = ()> + Send,
    {
        self.serve(Copying(io), context).await
    }

    pub(crate) async fn serve<T, K, D>(
        &self,
        transport: T,
        context: ConnectionContext<K, D>,
    ) -> io::Result<()>
    where
        T: Transport,
        K: Fn() -> bool + Send + Sync,
        D: Future<Output = ()> + Send,
    {
        let link = Link {
            hosts: if context.checks_host() { &self.local_hosts } else { &HostRule::Any },
            peer: self.config.access_log.as_ref().map(|_| context.peer_text()),
            keep_alive_allowed: &context.keep_alive_allowed,
        };
        let mut io = Guarded::new(transport, self.config.limits.write_stall);
        let mut draining = pin!(context.draining);
        if context.http2 {
            return Box::pin(full::serve_http2(self, &mut io, &link, draining)).await;
        }
        match fast::serve(self, &mut io, &link, draining.as_mut()).await? {
            End::Closed => Ok(()),
            End::HandOver { read, drained } => {
                io.put_back(read);
                // On the heap: few connections come here, and all would carry its size.
                Box::pin(full::serve_http1(self, &mut io, &link, draining, drained)).await
            }
        }
    }

    pub(crate) fn answerer<'a, K>(&'a self, link: &Link<'a, K>, now: i64) -> Answerer<'a> {
        Answerer { session: &self.session, config: &self.config, hosts: link.hosts, now }
    }
}

/// Serves every connection of a server; over TLS, HTTP/2 if ALPN agreed on `h2`.
///
/// Deadlines are those of [`Limits`](crate::Limits), in place of the server's own for reads and writes. An
/// idle connection closes while the server runs as many as it can, as others may wait for its place.
impl Handler for Http {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        conn.set_read_idle(None);
        conn.set_write_stall(Some(self.config.limits.write_stall));
        let http2 = conn.stream().tls().and_then(|tls| tls.alpn).is_some_and(|alpn| alpn == b"h2");
        let (server, drain) = (conn.server(), conn.drain_signal());
        let context = ConnectionContext::new(conn.peer().clone(), conn.local()?)
            .http2(http2)
            .behind_proxy(conn.info().listener().proxy)
            .keep_alive(|| !server.at_capacity())
            .draining(drain.wait());
        self.serve(conn, context).await
    }
}
