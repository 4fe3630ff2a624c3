//! A server that is ready to run.

use std::sync::Arc;

use super::{
    PacketSource, Ready, Report, Route, ServerContext, ServerHandle, Settings, StreamSource,
    reload::Reload, startup,
};
use crate::{
    Addr, Error, Listener,
    model::{Run, Sources},
    zygote::Zygotes,
};

/// A server that is ready to run: connections queue already, nothing accepts them yet.
///
/// It has a [`handle`](Self::handle) before it runs, with which another thread stops it: so a handler
/// is [tested](crate#testing-a-handler).
///
/// ```
/// use std::{io::{self, Read}, net::TcpStream, thread};
/// use sockeye::{Conn, Handler, Server};
/// use tokio::io::AsyncWriteExt;
///
/// struct Greeting;
///
/// impl Handler for Greeting {
///     async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
///         conn.write_all(b"hello\r\n").await
///     }
/// }
///
/// let server = Server::bind("tcp://127.0.0.1:0").unwrap().signals(false);
/// let server = server.with(Greeting).prepare().unwrap();
/// let (handle, port) = (server.handle(), server.addrs()[0].port().unwrap());
/// let running = thread::spawn(move || server.run().unwrap());
///
/// let mut text = String::new();
/// TcpStream::connect(("127.0.0.1", port)).unwrap().read_to_string(&mut text).unwrap();
/// assert_eq!(text, "hello\r\n");
///
/// handle.drain();
/// assert_eq!(running.join().unwrap().stats.completed, 1);
/// ```
#[derive(Debug)]
pub struct PreparedServer {
    server: Arc<ServerContext>,
    settings: Settings,
    sources: Sources,
    zygotes: Option<Zygotes>,
}

impl PreparedServer {
    pub(super) fn new(settings: Settings, ready: Ready) -> Result<Self, Error> {
        settings.model.check()?;
        if ready.streams.is_empty() && ready.packets.is_empty() {
            return Err(Error::Nowhere);
        }
        for (listener, route) in &ready.streams {
            check_tls(listener, route)?;
        }
        for advice in startup::advise_under(settings.model, &settings.limits) {
            tracing::info!("{advice}");
        }
        let sources = number(ready)?;
        let addrs = sources.streams.iter().map(|source| &source.route.addr);
        let addrs = addrs.chain(sources.packets.iter().map(|source| &source.addr));
        let addrs = addrs.map(|addr| Addr::clone(addr)).collect();
        let (limits, reload) = (settings.limits.clone(), Reload::new(settings.on_reload.clone()));
        let server = ServerContext::new(settings.model, limits, addrs, reload)
            .map_err(Error::system("cannot share memory"))?;
        let server = Arc::new(server);
        let zygotes = match settings.model.forks() {
            true => Some(Zygotes::start(&server, &sources).map_err(Error::Fork)?),
            false => None,
        };
        Ok(Self { server, settings, sources, zygotes })
    }

    /// A handle to stop the server and to read its counters.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        ServerHandle::new(Arc::clone(&self.server))
    }

    /// The addresses that the server listens on, with their real ports.
    #[must_use]
    pub fn addrs(&self) -> &[Addr] {
        &self.server.addrs
    }

    /// Serves in the calling thread until stopped, and tells how it went.
    ///
    /// # Errors
    /// [`Error::System`] if the model's runtime or threads cannot be had, [`Error::Fork`] if the
    /// zygotes die and cannot be replaced.
    pub fn run(self) -> Result<Report, Error> {
        self.into_run(true).blocking()
    }

    /// Serves on the caller's runtime until stopped, and tells how it went.
    ///
    /// Dropping the future ends the server at once: its sockets are closed, its connections cut.
    /// To let them finish, drain it through its [`handle`](Self::handle) and await the future.
    ///
    /// # Errors
    /// [`Error::NotAsync`] for every model but [`Model::Tasks`](crate::Model::Tasks).
    pub async fn run_async(self) -> Result<Report, Error> {
        self.into_run(false).on_runtime().await
    }

    fn into_run(self, blocking: bool) -> Run {
        let obey_signals = self.settings.signals.unwrap_or(blocking);
        let Self { server, settings, sources, zygotes } = self;
        Run { server, settings, sources, obey_signals, zygotes }
    }
}

/// Gives each socket its number, by which children know it.
fn number(ready: Ready) -> Result<Sources, Error> {
    let index = |index: usize| {
        u16::try_from(index).map_err(|_| Error::Pair {
            addr: format!("socket {index}"),
            reason: "a server takes at most 65,536 sockets of a kind",
        })
    };
    let streams = ready.streams.into_iter().enumerate().map(|(at, (listener, route))| {
        Ok(Arc::new(StreamSource { listener: Arc::new(listener), route, index: index(at)? }))
    });
    let packets = ready.packets.into_iter().enumerate().map(|(at, (socket, service))| {
        let addr = Arc::new(socket.addr());
        let index = index(at)?;
        Ok(Arc::new(PacketSource { socket: Arc::new(socket), addr, service, index }))
    });
    Ok(Sources {
        streams: streams.collect::<Result<_, Error>>()?,
        packets: packets.collect::<Result<_, Error>>()?,
    })
}

fn check_tls(listener: &Listener, route: &Route) -> Result<(), Error> {
    #[cfg(feature = "tls")]
    let missing = route.service.tls.is_none();
    #[cfg(not(feature = "tls"))]
    let missing = true;
    if route.addr.tls && missing {
        return Err(Error::Pair {
            addr: listener.asked().to_string(),
            reason: "it wants TLS: give the server a certificate with Server::tls",
        });
    }
    Ok(())
}
