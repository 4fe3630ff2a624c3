//! A service: a handler together with what lies below it, and the life of one connection.

use std::{
    future::{Future, poll_fn},
    io,
    os::fd::{AsFd, BorrowedFd},
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use rustix::net::{SendFlags, sockopt};
use tracing::Instrument;

use super::{
    Conn, ConnInfo, Failure,
    context::ServerContext,
    failure::handshake_too_slow,
    linger::{Lingering, Rest},
    registry::Admission,
    stats::Counter,
    watchdog::Watched,
};
use crate::{
    Addr, SocketName, Stream,
    handler::ErasedHandler,
    proxy,
    socket::{Accepted, Listener},
    sys::served::Served,
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
    pub(crate) listener: Arc<Served<Listener>>,
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
    // Of the highest level, so that the id stands in whatever line is logged.
    let span = tracing::error_span!("connection", %id, peer = %info.peer);
    let watched = Arc::clone(admission.watched());
    let life = async {
        let serving = pin!(serve_connection(server, route, accepted, info, admission));
        let Some(ended) = unless_cut(&watched, serving).await else {
            server.cut(id);
            return None;
        };
        let (conn, rest) = ended?;
        // It counts as what its handler made of it: a cut ends but its closing.
        unless_cut(&watched, pin!(Lingering::after(conn, rest))).await?
    };
    if server.shutdown.is_cut() {
        // It came after the others had been cut, and is not polled yet.
        drop(watched.cut());
    }
    life.instrument(span).await
}

/// Does a part of a connection's life; `None` if it is cut before that is done.
fn unless_cut<T>(
    watched: &Watched,
    mut part: Pin<&mut impl Future<Output = T>>,
) -> impl Future<Output = Option<T>> {
    // To wait for the shutdown's own token would cost two locks at every step.
    poll_fn(move |cx| match part.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => watched.poll_cut(cx).map(|()| None),
    })
}

/// A connection that is to be closed, if there is anything left to say or to wait for.
type Ended = Option<(Conn, Rest)>;

async fn serve_connection(
    server: &Arc<ServerContext>,
    route: &Route,
    accepted: Accepted,
    mut info: ConnInfo,
    admission: &mut Admission,
) -> Ended {
    let service = &route.service;
    let opened = match accepted.into_stream() {
        Ok(stream) if route.addr.proxy || route.addr.tls => {
            // On the heap, as what it needs would lie idle for the rest of the connection.
            Box::pin(open_layers(server, route, stream, &mut info)).await
        }
        plain => plain.map_err(Refused::from),
    };
    if let Some(client) = info.proxied.as_ref().and_then(SocketName::ip) {
        // Only now is it known whose connection this is.
        if !admission.enter_site(client) {
            turn_away(route, &info, opened.as_ref().ok().map(AsFd::as_fd));
            return None;
        }
    }
    let watched = Arc::clone(admission.watched());
    let conn = |stream| Conn::new(stream, Arc::new(info.clone()), Arc::clone(server), watched);
    match opened {
        Err(Refused { error, told }) => {
            failed(server, service, &info, &Failure::Handshake(error));
            told.map(|stream| (conn(stream), Rest::UntilItsEnd))
        }
        Ok(stream) => match caught(|| service.handler.admits(&info)) {
            Ok(true) => {
                let mut conn = conn(stream);
                let outcome = handle(service, &mut conn).await;
                match &outcome {
                    Ok(()) => server.counters.count(Counter::Completed),
                    Err(failure) => failed(server, service, &info, failure),
                }
                // The handler may have written why it ends: that must arrive like any answer.
                let listens = outcome.as_ref().err().is_none_or(Failure::leaves_a_peer);
                listens.then_some((conn, Rest::IfUnread))
            }
            Ok(false) => {
                server.counters.count(Counter::RefusedByVerify);
                None
            }
            Err(panic) => {
                failed(server, service, &info, &panic);
                None
            }
        },
    }
}

/// Tells the handler of a connection whose address has too many, and the client, in the protocol's own words. Nobody waits
/// for who is refused.
pub(crate) fn turn_away(route: &Route, info: &ConnInfo, connection: Option<BorrowedFd<'_>>) {
    let handler = &route.service.handler;
    // A panic there ends nothing: the connection is refused anyway.
    let _ = caught(|| handler.turned_away(info));
    // What is not part of a handshake would be taken for a broken one.
    let Some(connection) = connection.filter(|_| !route.addr.tls) else { return };
    if let Ok(words) = caught(|| handler.words_for_refused())
        && !words.is_empty()
    {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let _ = rustix::net::send(connection, &words, flags);
    }
}

/// Counts and reports a failure.
fn failed(server: &ServerContext, service: &StreamService, info: &ConnInfo, failure: &Failure) {
    server.counters.count(counter_of(failure));
    // A panic in the report must not end more than this connection.
    if caught(|| service.handler.failed(info, failure)).is_err() {
        server.counters.count(Counter::PanicsReporting);
    }
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

/// A connection whose layers could not be opened.
struct Refused {
    error: io::Error,
    /// The transport, if the peer was told why.
    told: Option<Stream>,
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self { error, told: None }
    }
}

/// The PROXY header and the TLS handshake, together under one deadline.
async fn open_layers(
    server: &ServerContext,
    route: &Route,
    mut stream: Stream,
    info: &mut ConnInfo,
) -> Result<Stream, Refused> {
    let limit = server.limits.handshake;
    let open = async {
        if route.addr.proxy {
            info.proxied = proxied(&route.addr, &mut stream, info).await?;
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = route.service.tls.as_ref().filter(|_| route.addr.tls) {
            stream = tls.accept_or_refuse(stream).await.map_err(|(error, told)| {
                let error = error.into();
                Refused { error, told }
            })?;
        }
        Ok(stream)
    };
    let opened = tokio::time::timeout(limit, open).await;
    opened.unwrap_or_else(|_| Err(handshake_too_slow(limit).into()))
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
async fn handle(service: &StreamService, conn: &mut Conn) -> Result<(), Failure> {
    let mut midst = InMidst { conn, ended: false };
    let handled = async { service.handler.run(midst.conn).await };
    match AssertUnwindSafe(handled).catch_unwind().await {
        Ok(result) => {
            midst.ended = true;
            result.map_err(Failure::from_handler)
        }
        Err(panic) => Err(Failure::from_panic(panic.as_ref())),
    }
}

/// A connection in the midst of being handled. If that never comes to its end, it is reset instead
/// of closed, so that its peer does not take a part of an answer for all of it.
struct InMidst<'a> {
    conn: &'a mut Conn,
    ended: bool,
}

impl Drop for InMidst<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // Over TCP alone; other transports have no such thing, and end.
            let _ = sockopt::set_socket_linger(&*self.conn, Some(Duration::ZERO));
        }
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
