//! A server of stream sockets, on its way to a handler.

use std::sync::Arc;

use super::{Ready, Report, Route, Server, Settings, StreamService, parse};
use crate::{Addr, Error, Handler, Listener, addr::AddrError, sys::served::Served};

/// A server's state: stream sockets are bound, the handler is missing.
#[derive(Debug)]
pub struct Streams {
    listeners: Vec<Served<Listener>>,
}

impl Server<Streams> {
    /// Binds a stream address (`tcp`, `unix`, `seqpacket`, `fd`, with their layers): every
    /// address that its host resolves to. Connections queue from now on.
    ///
    /// Blocks while a name is looked up: on a runtime, bind an IP address, or bind in a thread that
    /// may block.
    ///
    /// # Errors
    /// [`Error::Address`] if the address is wrong or carries datagrams, [`Error::Bind`] if the
    /// system refuses it.
    pub fn bind<A>(addr: A) -> Result<Self, Error>
    where
        A: TryInto<Addr>,
        A::Error: Into<AddrError>,
    {
        Self::bind_all([addr])
    }

    /// Binds several stream addresses for one handler: each as [`bind`](Self::bind) does.
    ///
    /// ```
    /// # use sockeye::Server;
    /// # fn main() -> Result<(), sockeye::Error> {
    /// let server = Server::bind_all(["tcp://127.0.0.1:0", "unix://@sockeye-doc"])?;
    /// assert_eq!(server.addrs().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`bind`](Self::bind), for the first address that is wrong or refused; those before it
    /// are closed again. Without any address, [`prepare`](Server::prepare) fails.
    pub fn bind_all<A>(addrs: impl IntoIterator<Item = A>) -> Result<Self, Error>
    where
        A: TryInto<Addr>,
        A::Error: Into<AddrError>,
    {
        addrs.into_iter().try_fold(Self::on(Vec::new()), Self::and)
    }

    /// A server on listeners that are bound already.
    #[must_use]
    pub fn on(listeners: Vec<Listener>) -> Self {
        let listeners = listeners.into_iter().map(Served::new).collect();
        Self { settings: Settings::default(), state: Streams { listeners } }
    }

    /// Binds one more address for the same handler.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub fn and<A>(mut self, addr: A) -> Result<Self, Error>
    where
        A: TryInto<Addr>,
        A::Error: Into<AddrError>,
    {
        let addr = parse(addr)?;
        if addr.is_datagram() {
            return Err(Error::Pair {
                addr: addr.to_string(),
                reason: "it carries datagrams: use Server::bind_datagram and a DatagramHandler",
            });
        }
        let bound = Listener::bind(&addr).map_err(Error::Bind)?;
        self.state.listeners.extend(bound.into_iter().map(Served::new));
        Ok(self)
    }

    /// The addresses that are bound, with their real ports.
    #[must_use]
    pub fn addrs(&self) -> Vec<Addr> {
        self.state.listeners.iter().map(|listener| listener.addr()).collect()
    }

    /// Sets the certificate and the rest of TLS for `tls+…` addresses.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: crate::tls::TlsServer) -> Self {
        self.settings.tls = Some(tls);
        self
    }

    /// Gives the sockets their handler.
    #[must_use]
    pub fn with(self, handler: impl Handler) -> Server<Ready> {
        let service = Arc::new(StreamService {
            handler: Box::new(handler),
            #[cfg(feature = "tls")]
            tls: self.settings.tls.clone(),
        });
        let source = |listener: Served<Listener>| {
            let route = Route { addr: Arc::new(listener.addr()), service: Arc::clone(&service) };
            (listener, Arc::new(route))
        };
        let streams = self.state.listeners.into_iter().map(source).collect();
        Server { settings: self.settings, state: Ready { streams, packets: Vec::new() } }
    }

    /// Serves until stopped: by SIGINT or SIGTERM, or through a
    /// [`ServerHandle`](crate::ServerHandle).
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn serve(self, handler: impl Handler) -> Result<Report, Error> {
        self.with(handler).prepare()?.run()
    }

    /// As [`serve`](Self::serve), on the caller's runtime and under
    /// [`Model::Tasks`](crate::Model::Tasks) alone; signals are left to the caller unless asked for.
    ///
    /// # Errors
    /// As [`PreparedServer::run_async`](super::PreparedServer::run_async).
    ///
    /// # Cancel safety
    /// Not cancellation safe: dropped, it ends the server at once, with its sockets closed and its
    /// connections cut. To let those finish, [`prepare`](Server::prepare) it, drain it through its
    /// [`handle`](super::PreparedServer::handle) and await the future.
    pub async fn serve_async(self, handler: impl Handler) -> Result<Report, Error> {
        self.with(handler).prepare()?.run_async().await
    }
}
