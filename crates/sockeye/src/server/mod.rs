//! The server: sockets, a handler, a model, limits, and the way from bound to stopped.
//!
//! A server goes through types: [`Server<Streams>`] or [`Server<Datagrams>`] holds bound
//! sockets and takes settings; [`Server::with`] gives them a handler; [`Server::prepare`] makes
//! it a [`PreparedServer`], which runs. [`Server::serve`] does the last steps at once.

mod accept;
mod backoff;
mod cells;
mod clock;
mod conn;
mod context;
mod datagrams;
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
mod streams;
mod supervise;
mod warn_limit;
mod watchdog;

use std::sync::Arc;

pub use conn::Conn;
pub use datagrams::Datagrams;
pub use failure::Failure;
pub use handle::ServerHandle;
pub use info::{ConnId, ConnInfo};
pub use limits::{Limits, Site};
pub use prepared::PreparedServer;
pub use registry::OpenConnection;
pub use report::Report;
pub use shutdown::DrainSignal;
pub use signals::{Order, Orders};
pub use startup::{Advice, advise};
pub use stats::Stats;
pub use streams::Streams;

pub(crate) use accept::{Incoming, Waiting};
pub(crate) use cells::Taken;
pub(crate) use context::ServerContext;
pub(crate) use packets::{InHand, PacketJob, PacketLoop, PacketService, PacketSource};
pub(crate) use registry::Admission;
pub(crate) use service::{Job, Route, StreamService, StreamSource, run_connection, turn_away};
pub(crate) use settings::Settings;
pub(crate) use stats::Counter;
pub(crate) use supervise::supervise;
pub(crate) use warn_limit::WarnLimit;

use crate::{
    Addr, Error, Listener, Model, addr::AddrError, socket::DatagramSocket, sys::served::Served,
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
    /// To tell the addresses, take them from [`addrs`](Server::<Ready>::addrs) before: see
    /// [`join`](Server::join).
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
    /// one. This one's model, limits and other settings hold, and what was set on the other is
    /// dropped: set them on what comes out. TLS stays with the sockets that it was given for.
    ///
    /// One port for both, where the system is to choose it, is the port of what was bound first:
    ///
    /// ```no_run
    /// use std::{io, sync::Arc};
    /// use sockeye::{Conn, DatagramHandler, Handler, Model, Packet, Server};
    /// use tokio::io::AsyncWriteExt;
    ///
    /// struct Version;
    ///
    /// impl Handler for Version {
    ///     async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
    ///         conn.write_all(b"1.0\r\n").await
    ///     }
    /// }
    ///
    /// impl DatagramHandler for Version {
    ///     async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
    ///         packet.reply(b"1.0\r\n").await
    ///     }
    ///
    ///     fn verify(&self, packet: &Packet) -> bool {
    ///         // It answers no answers.
    ///         &packet.data()[..] == b"version?"
    ///     }
    /// }
    ///
    /// fn main() -> Result<(), sockeye::Error> {
    ///     let version = Arc::new(Version);
    ///     let streams = Server::bind("tcp://localhost:0")?;
    ///     let port = streams.addrs()[0].port().unwrap_or_default();
    ///     let datagrams = Server::bind_datagram(format!("udp://localhost:{port}"))?;
    ///     let server = streams.with(Arc::clone(&version)).join(datagrams.with(version));
    ///     let addrs = server.addrs();
    ///     let report = server
    ///         .model(Model::ThreadPool(8))
    ///         .on_ready(move || addrs.iter().for_each(|addr| println!("listening on {addr}")))
    ///         .run()?;
    ///     println!("{report}");
    ///     Ok(())
    /// }
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
    /// - [`Error::Fork`] if a process model finds more than one thread or is prepared inside an
    ///   async runtime, or fork(2) fails;
    /// - [`Error::System`] if shared memory cannot be had.
    pub fn prepare(self) -> Result<PreparedServer, Error> {
        PreparedServer::new(self.settings, self.state)
    }
}
