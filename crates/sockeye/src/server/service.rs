//! A service: a handler together with what lies below it, and the life of one connection.

use std::{
    future::{Future, poll_fn},
    io,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Instant,
};

use futures_util::FutureExt;
use tracing::Instrument;

use super::{
    Conn, ConnInfo, Failure, context::ServerContext, linger::Lingering, registry::Admission,
    stats::Counter,
};
use crate::{
    Addr, SocketName, Stream,
    handler::ErasedHandler,
    proxy,
    socket::{Accepted, Listener},
};

/// A stream handler and the layers that every connection to it goes through.
#[derive(Debug)]
pub(crate) struct StreamService {
    pub(crate) handler: Box<dyn ErasedHandler>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::tls::TlsServer>,
}

/// Where the connections of one listener go.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) addr: Arc<Addr>,
    pub(crate) service: Arc<StreamService>,
}

/// A listener and where its connections go. Connections hold on to the route alone, so that the
/// listener closes as soon as nothing accepts from it.
#[derive(Debug)]
pub(crate) struct StreamSource {
    pub(crate) listener: Arc<Listener>,
    pub(crate) route: Arc<Route>,
    /// Its place among the server's listeners.
    pub(crate) index: u16,
}

/// A connection that was admitted and waits for whoever runs it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) accepted: Accepted,
    pub(crate) info: ConnInfo,
    pub(crate) route: Arc<Route>,
    pub(crate) source: u16,
    pub(crate) admission: Admission,
}

impl Job {
    /// Runs the connection to its end, whatever that is. Needs a runtime.
    pub(crate) async fn run(self, server: Arc<ServerContext>) {
        let Self { accepted, info, route, source: _, mut admission } = self;
        let rest = run_connection(&server, &route, accepted, info, &mut admission).await;
        // The connection's place is free for the next; its rest needs none.
        drop(admission);
        if let Some(rest) = rest {
            rest.in_background(&server);
        }
    }
}

/// Runs one connection: layers, verify, handler, close; counts and reports how it ended.
pub(crate) async fn run_connection(
    server: &Arc<ServerContext>,
    route: &Route,
    accepted: Accepted,
    info: ConnInfo,
    admission: &mut Admission,
) -> Option<Lingering> {
    let id = info.id;
    let span = tracing::debug_span!("connection", %id, peer = %info.peer);
    let watched = Arc::clone(admission.watched());
    let life = async {
        let mut serving = pin!(serve_connection(server, route, accepted, info, admission));
        // To wait for the shutdown's own token would cost two locks at every step.
        let ended = poll_fn(|cx| match serving.as_mut().poll(cx) {
            Poll::Ready(rest) => Poll::Ready(Some(rest)),
            Poll::Pending => watched.poll_cut(cx).map(|()| None),
        });
        ended.await.unwrap_or_else(|| {
            server.cut(id);
            None
        })
    };
    // What came after the watchdog had cut the others.
    if server.shutdown.is_cut() {
        watched.cut();
    }
    life.instrument(span).await
}

async fn serve_connection(
    server: &Arc<ServerContext>,
    route: &Route,
    accepted: Accepted,
    mut info: ConnInfo,
    admission: &mut Admission,
) -> Option<Lingering> {
    let service = &route.service;
    let opened = match accepted.into_stream() {
        Ok(stream) if route.addr.proxy || route.addr.tls => {
            // On the heap, as what it needs would lie idle for the rest of the connection.
            Box::pin(open_layers(server, route, stream, &mut info)).await
        }
        plain => plain,
    };
    if let Some(client) = info.proxied.as_ref().and_then(SocketName::ip) {
        // Only now is it known whose connection this is.
        if !admission.enter_site(client) {
            return None;
        }
    }
    let failure = match opened {
        Err(error) => Some(Failure::Handshake(error)),
        Ok(stream) => match caught(|| service.handler.admits(&info)) {
            Err(panic) => Some(panic),
            Ok(false) => {
                server.counters.count(Counter::RefusedByVerify);
                return None;
            }
            Ok(true) => {
                let watched = Arc::clone(admission.watched());
                let mut conn =
                    Conn::new(stream, Arc::new(info.clone()), Arc::clone(server), watched);
                match handle(service, &mut conn).await {
                    None => {
                        server.counters.count(Counter::Completed);
                        return Lingering::after(conn).await;
                    }
                    failure => failure,
                }
            }
        },
    };
    if let Some(failure) = failure {
        server.counters.count(counter_of(&failure));
        // A panic in the report must not end more than this connection.
        if caught(|| service.handler.failed(&info, &failure)).is_err() {
            server.counters.count(Counter::Panics);
        }
    }
    None
}

/// Calls a part of a handler that is not async, with panics caught.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Result<T, Failure> {
    std::panic::catch_unwind(AssertUnwindSafe(call))
        .map_err(|panic| Failure::from_panic(panic.as_ref()))
}

const fn counter_of(failure: &Failure) -> Counter {
    match failure {
        Failure::Handshake(_) => Counter::ErrorsHandshake,
        Failure::PeerGone(_) => Counter::ErrorsPeerGone,
        Failure::Deadline(_) => Counter::ErrorsDeadline,
        Failure::Handler(_) => Counter::ErrorsHandler,
        Failure::Panic(_) => Counter::Panics,
    }
}

/// The PROXY header and the TLS handshake, together under one deadline.
async fn open_layers(
    server: &ServerContext,
    route: &Route,
    mut stream: Stream,
    info: &mut ConnInfo,
) -> io::Result<Stream> {
    let limit = server.limits.handshake;
    let open = async {
        if route.addr.proxy {
            info.proxied = proxied(&route.addr, &mut stream, info).await?;
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = route.service.tls.as_ref().filter(|_| route.addr.tls) {
            stream = tls.accept(stream).await?;
        }
        Ok(stream)
    };
    tokio::time::timeout(limit, open).await.unwrap_or_else(|_| {
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("the handshake took longer than {} ms", limit.as_millis()),
        ))
    })
}

/// Reads the PROXY header of a trusted peer: the client it names, if it names one.
async fn proxied(
    addr: &Addr,
    stream: &mut Stream,
    info: &ConnInfo,
) -> io::Result<Option<SocketName>> {
    // A Unix peer came through the filesystem's permissions.
    if !info.peer.ip().is_none_or(|ip| addr.options.trusts(ip)) {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} is no trusted proxy: see the address option `trust`", info.peer),
        ));
    }
    Ok(proxy::read_header(stream).await?.source())
}

/// The handler, with panics caught.
async fn handle(service: &StreamService, conn: &mut Conn) -> Option<Failure> {
    match AssertUnwindSafe(async { service.handler.run(conn).await }).catch_unwind().await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(Failure::from_handler(error)),
        Err(panic) => Some(Failure::from_panic(panic.as_ref())),
    }
}

impl ConnInfo {
    pub(crate) fn new(server: &ServerContext, route: &Route, accepted: &Accepted) -> Self {
        Self {
            id: server.counters.next_id(),
            peer: accepted.peer.clone().canonical(),
            proxied: None,
            listener: Arc::clone(&route.addr),
            since: Instant::now(),
        }
    }
}
