//! A server of datagram sockets, on its way to a handler.

use std::sync::Arc;

use super::{PacketService, Ready, Report, Server, Settings, parse};
use crate::{
    Addr, DatagramHandler, Error,
    addr::{AddrError, DatagramAddr, Endpoint},
    socket::DatagramSocket,
    sys::served::Served,
};

/// A server's state: datagram sockets are bound, the handler is missing.
#[derive(Debug)]
pub struct Datagrams {
    sockets: Vec<Served<DatagramSocket>>,
}

impl Server<Datagrams> {
    /// Binds a datagram address (`udp`, `unixgram`, `ip`, `fd`): every address that its host
    /// resolves to. A [`SocketAddr`](std::net::SocketAddr) means `udp`. `icmp` is for clients: see
    /// [`Ping`](crate::socket::icmp::Ping).
    ///
    /// Blocks while a name is looked up, as [`Server::bind`](Server::<super::Streams>::bind) does.
    ///
    /// # Errors
    /// [`Error::Address`] if the address is wrong, [`Error::Pair`] if it carries a stream or is
    /// `icmp`, [`Error::Bind`] if the system refuses it.
    pub fn bind_datagram<A>(addr: A) -> Result<Self, Error>
    where
        A: TryInto<DatagramAddr>,
        A::Error: Into<AddrError>,
    {
        Self::bind_all_datagram([addr])
    }

    /// Binds several datagram addresses for one handler: each as
    /// [`bind_datagram`](Self::bind_datagram) does.
    ///
    /// # Errors
    /// As [`bind_datagram`](Self::bind_datagram), for the first address that is wrong or refused;
    /// those before it are closed again.
    pub fn bind_all_datagram<A>(addrs: impl IntoIterator<Item = A>) -> Result<Self, Error>
    where
        A: TryInto<DatagramAddr>,
        A::Error: Into<AddrError>,
    {
        let none = Self { settings: Settings::default(), state: Datagrams { sockets: Vec::new() } };
        addrs.into_iter().try_fold(none, Self::and)
    }

    /// Binds one more address for the same handler.
    ///
    /// # Errors
    /// As [`bind_datagram`](Self::bind_datagram).
    pub fn and<A>(mut self, addr: A) -> Result<Self, Error>
    where
        A: TryInto<DatagramAddr>,
        A::Error: Into<AddrError>,
    {
        let addr = Addr::from(parse::<_, DatagramAddr>(addr)?);
        let refused = match addr.endpoint {
            _ if addr.is_stream() => Some("it carries a stream: use Server::bind and a Handler"),
            Endpoint::Icmp(_) => Some(
                "the system itself answers echo requests, and a handler would answer its own \
                 answers: send requests with socket::icmp::Ping, or look at what comes on \
                 ip://HOST?proto=icmp",
            ),
            _ => None,
        };
        if let Some(reason) = refused {
            return Err(Error::Pair { addr: addr.to_string(), reason });
        }
        let bound = DatagramSocket::bind(&addr).map_err(Error::Bind)?;
        self.state.sockets.extend(bound.into_iter().map(Served::new));
        Ok(self)
    }

    /// The addresses that are bound, with their real ports.
    #[must_use]
    pub fn addrs(&self) -> Vec<Addr> {
        self.state.sockets.iter().map(|socket| socket.addr()).collect()
    }

    /// Gives the sockets their handler.
    #[must_use]
    pub fn with(self, handler: impl DatagramHandler) -> Server<Ready> {
        let service = Arc::new(PacketService { handler: Box::new(handler) });
        let source = |socket| (socket, Arc::clone(&service));
        let packets = self.state.sockets.into_iter().map(source).collect();
        Server { settings: self.settings, state: Ready { streams: Vec::new(), packets } }
    }

    /// Serves until stopped: by SIGINT or SIGTERM, or through a
    /// [`ServerHandle`](crate::ServerHandle).
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn serve(self, handler: impl DatagramHandler) -> Result<Report, Error> {
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
    pub async fn serve_async(self, handler: impl DatagramHandler) -> Result<Report, Error> {
        self.with(handler).prepare()?.run_async().await
    }
}
