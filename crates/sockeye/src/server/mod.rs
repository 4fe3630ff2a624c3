//! The server: sockets, a handler, a model, limits, and the way from bound to stopped.
//!
//! A server goes through types: [`Server<Streams>`] or [`Server<Datagrams>`] holds bound
//! sockets and takes settings; [`Server::with`] gives them a handler; [`Server::prepare`] makes
//! it a [`PreparedServer`], which runs. [`Server::serve`] does the last steps at once.

mod accept;
mod cells;
mod clock;
mod conn;
mod context;
mod deadline;
mod failure;
mod handle;
mod idle;
mod info;
mod limits;
mod linger;
mod packets;
mod prepared;
mod registry;
mod reload;
mod report;
mod service;
mod settings;
mod shutdown;
mod signals;
mod startup;
mod stats;
mod supervise;
mod warn_limit;
mod watchdog;

use std::sync::Arc;

pub use conn::Conn;
pub use failure::Failure;
pub use handle::ServerHandle;
pub use info::{ConnId, ConnInfo};
pub use limits::Limits;
pub use prepared::PreparedServer;
pub use registry::OpenConnection;
pub use report::Report;
pub use shutdown::DrainSignal;
pub use startup::{Advice, advise};
pub use stats::Stats;

pub(crate) use accept::{Incoming, Waiting};
pub(crate) use cells::Taken;
pub(crate) use context::ServerContext;
pub(crate) use packets::{PacketJob, PacketLoop, PacketService, PacketSource};
pub(crate) use registry::Admission;
pub(crate) use service::{Job, Route, StreamService, StreamSource, run_connection};
pub(crate) use settings::Settings;
pub(crate) use stats::Counter;
pub(crate) use supervise::supervise;
pub(crate) use warn_limit::WarnLimit;

use crate::{
    Addr, DatagramHandler, Error, Handler, Listener, Model,
    addr::{AddrError, DatagramAddr},
    socket::DatagramSocket,
    sys::served::Served,
    systemd::Notifier,
};

/// A server being put together.
///
/// ```no_run
/// use std::io;
/// use sockeye::{Conn, Handler, Model, Server};
/// use tokio::io::AsyncWriteExt;
///
/// struct Upper;
///
/// impl Handler for Upper {
///     async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
///         loop {
///             let chunk = conn.recv(4096).await?;
///             if chunk.is_empty() {
///                 return Ok(());
///             }
///             conn.write_all(&chunk.to_ascii_uppercase()).await?;
///         }
///     }
/// }
///
/// fn main() -> Result<(), sockeye::Error> {
///     let report = Server::bind("tcp://localhost:9999")?
///         .model(Model::ForkPerConnection { max: 40 })
///         .serve(Upper)?;
///     println!("{report}");
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Server<S = Ready> {
    settings: Settings,
    state: S,
}

/// A server's state: stream sockets are bound, the handler is missing.
#[derive(Debug)]
pub struct Streams {
    listeners: Vec<Served<Listener>>,
}

/// A server's state: datagram sockets are bound, the handler is missing.
#[derive(Debug)]
pub struct Datagrams {
    sockets: Vec<Served<DatagramSocket>>,
}

/// A server's state: every socket has its handler.
#[derive(Debug, Default)]
pub struct Ready {
    streams: Vec<(Served<Listener>, Arc<Route>)>,
    packets: Vec<(Served<DatagramSocket>, Arc<PacketService>)>,
}

fn parse<A, T>(addr: A) -> Result<T, Error>
where
    A: TryInto<T>,
    A::Error: Into<AddrError>,
{
    addr.try_into().map_err(|error| Error::Address(error.into()))
}

impl Server<Streams> {
    /// Binds a stream address (`tcp`, `unix`, `seqpacket`, `fd`, with their layers): every
    /// address that its host resolves to. Connections queue from now on.
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

    /// Serves until stopped: by SIGINT or SIGTERM, or through a [`ServerHandle`].
    ///
    /// # Errors
    /// If the server cannot be prepared: see [`Server::prepare`].
    pub fn serve(self, handler: impl Handler) -> Result<Report, Error> {
        self.with(handler).prepare()?.run()
    }

    /// As [`serve`](Self::serve), on the caller's runtime and under [`Model::Tasks`] alone;
    /// signals are left to the caller unless asked for.
    ///
    /// # Errors
    /// As [`PreparedServer::run_async`].
    pub async fn serve_async(self, handler: impl Handler) -> Result<Report, Error> {
        self.with(handler).prepare()?.run_async().await
    }
}

impl Server<Datagrams> {
    /// Binds a datagram address (`udp`, `unixgram`, `icmp`, `ip`, `fd`): every address that its
    /// host resolves to. A [`SocketAddr`](std::net::SocketAddr) means `udp`.
    ///
    /// # Errors
    /// [`Error::Address`] if the address is wrong or carries a stream, [`Error::Bind`] if the
    /// system refuses it.
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
        if addr.is_stream() {
            return Err(Error::Pair {
                addr: addr.to_string(),
                reason: "it carries a stream: use Server::bind and a Handler",
            });
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

    /// Serves until stopped: by SIGINT or SIGTERM, or through a [`ServerHandle`].
    ///
    /// # Errors
    /// If the server cannot be prepared: see [`Server::prepare`].
    pub fn serve(self, handler: impl DatagramHandler) -> Result<Report, Error> {
        self.with(handler).prepare()?.run()
    }

    /// As [`serve`](Self::serve), on the caller's runtime and under [`Model::Tasks`] alone.
    ///
    /// # Errors
    /// As [`PreparedServer::run_async`].
    pub async fn serve_async(self, handler: impl DatagramHandler) -> Result<Report, Error> {
        self.with(handler).prepare()?.run_async().await
    }
}

impl<S> Server<S> {
    /// Sets the concurrency model; [`Model::Tasks`] by default.
    #[must_use]
    pub const fn model(mut self, model: Model) -> Self {
        self.settings.model = model;
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Sets how many threads [`Model::Tasks`] uses; one for each processor by default.
    #[must_use]
    pub const fn workers(mut self, workers: usize) -> Self {
        self.settings.workers = Some(workers);
        self
    }

    /// Whether SIGINT and SIGTERM drain the server, a second one stopping it at once. By default
    /// they do under the blocking calls and do not under the async ones.
    ///
    /// If a handler blocks the server's own thread, so that the second is not obeyed either, it ends
    /// the process; a third does so in any case. When the server has stopped, the signals do again
    /// what they did before.
    #[must_use]
    pub const fn signals(mut self, on: bool) -> Self {
        self.settings.signals = Some(on);
        self
    }

    /// Called at each SIGHUP, if signals are handled, and at each [`ServerHandle::reload`]: to
    /// reload certificates, reopen logs.
    ///
    /// Under the process models it is called in the zygotes and the workers as well, which must
    /// stay single-threaded: the hook must start no thread there.
    #[must_use]
    pub fn on_reload(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.settings.on_reload = Some(Arc::new(hook));
        self
    }

    /// Called once when the server is ready: connections are accepted, signals are obeyed. Before
    /// that, connections queue already, but a signal still ends the process at once.
    ///
    /// It is called in the server's own process only, on the thread that supervises.
    #[must_use]
    pub fn on_ready(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.settings.on_ready = Some(Arc::new(hook));
        self
    }

    /// Tells a service manager when the server is ready, reloads and stops. By default nobody.
    #[must_use]
    pub fn notifier(mut self, notifier: Notifier) -> Self {
        self.settings.notifier = Arc::new(notifier);
        self
    }
}

impl Server<Ready> {
    /// Adds the sockets and handlers of another server, stream or datagram, so that both run as
    /// one. This one's model, limits and other settings hold; TLS stays with the sockets that it
    /// was given for.
    ///
    /// ```no_run
    /// # use std::io;
    /// # use sockeye::{Conn, DatagramHandler, Handler, Packet};
    /// # use tokio::io::AsyncWriteExt;
    /// use sockeye::{Model, Server};
    ///
    /// struct Daytime;
    /// # impl Handler for Daytime {
    /// #     async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
    /// #         conn.write_all(b"now\r\n").await
    /// #     }
    /// # }
    /// # impl DatagramHandler for Daytime {
    /// #     async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
    /// #         packet.reply(b"now\r\n").await
    /// #     }
    /// # }
    ///
    /// # fn main() -> Result<(), sockeye::Error> {
    /// Server::bind("tcp://localhost:13")?
    ///     .with(Daytime)
    ///     .join(Server::bind_datagram("udp://localhost:13")?.with(Daytime))
    ///     .model(Model::ThreadPool(8))
    ///     .run()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.state.streams.extend(other.state.streams);
        self.state.packets.extend(other.state.packets);
        self
    }

    /// The addresses that are bound, with their real ports.
    #[must_use]
    pub fn addrs(&self) -> Vec<Addr> {
        let streams = self.state.streams.iter().map(|(listener, _)| listener.addr());
        streams.chain(self.state.packets.iter().map(|(socket, _)| socket.addr())).collect()
    }

    /// Prepares and runs: serves until stopped, by SIGINT or SIGTERM or through a
    /// [`ServerHandle`].
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare) and [`PreparedServer::run`].
    pub fn run(self) -> Result<Report, Error> {
        self.prepare()?.run()
    }

    /// Makes all ready to run. The process models fork their zygote here, so prepare early,
    /// before large allocations and before any other thread: children then start fast.
    ///
    /// # Errors
    /// - [`Error::Nowhere`] if no address is bound;
    /// - [`Error::Model`] if the model's number makes no sense;
    /// - [`Error::Pair`] if an address wants TLS and no certificate was given;
    /// - [`Error::Fork`] if a process model finds more than one thread, or fork(2) fails;
    /// - [`Error::System`] if shared memory cannot be had.
    pub fn prepare(self) -> Result<PreparedServer, Error> {
        PreparedServer::new(self.settings, self.state)
    }
}
