//! The service: one connection from its first byte to its last.

use std::{io, pin::pin};

use sockeye::{Conn, Handler};

use crate::{
    answer::Answerer,
    assets,
    config::Config,
    content::Content,
    lane::{Link, Respond, http1, http2},
    reply::Reply,
    site::Site,
    wire::{head::Head, host::HostRule},
};

/// Serves one folder, or a node, over HTTP.
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
    site: Site,
    config: Config,
    /// The hosts that a loopback listener answers to.
    local_hosts: HostRule,
}

impl Http {
    /// Serves `site`, a session's folder or a node, as `config` says.
    #[must_use]
    pub fn new(site: impl Into<Site>, config: Config) -> Self {
        let local_hosts = HostRule::Local(config.hosts.clone());
        assets::prepare();
        Self { site: site.into(), config, local_hosts }
    }

    /// How files are served.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }
}

impl Respond for Http {
    fn config(&self) -> &Config {
        &self.config
    }

    async fn respond(
        &self,
        link: &Link<'_>,
        now: i64,
        head: &Head<'_>,
        content: &mut impl Content,
    ) -> Reply {
        let (site, config) = (&self.site, &self.config);
        let through = link.through(&config.proxies, &head.fields);
        let link = through.as_ref().unwrap_or(link);
        let answerer = Answerer { site, config, link, now };
        let reply = answerer.answer(head, content).await;
        if let Some(requests) = &self.config.requests {
            requests.count(head.method, reply.head.status);
        }
        reply
    }
}

/// Serves every connection of a server; over TLS, HTTP/2 if ALPN agreed on `h2`.
///
/// Deadlines are those of [`Limits`](crate::Limits), in place of the server's own for reads and writes. An
/// idle connection closes while the server runs as many as it can, as others may wait for its place; and so does
/// one whose session was ended.
impl Handler for Http {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        conn.set_read_idle(None);
        conn.set_write_stall(Some(self.config.limits.write_stall));
        let h2 = conn.stream().tls().and_then(|tls| tls.alpn).is_some_and(|alpn| alpn == b"h2");
        let link = Link::new(conn, &self.config, &self.local_hosts)?;
        let drain = conn.drain_signal();
        // Who was ended from outside is asked again who it is, on a connection of its own.
        let draining = pin!(async {
            tokio::select! {
                biased;
                () = drain.wait() => {}
                () = Box::pin(link.visitor.ended()) => {}
            }
        });
        match h2 {
            // On the heap: all connections would carry its size.
            true => Box::pin(http2::serve(self, conn, &link, draining)).await,
            false => http1::serve(self, conn, &link, draining).await,
        }
    }
}
