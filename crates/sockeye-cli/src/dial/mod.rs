//! `sockeye dial`: a line to any address, from the terminal or a pipe.

mod args;
mod conversation;
mod encoding;
mod lines;
mod peer;
mod plan;
mod silence;

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use sockeye::{
    Stream,
    client::{Connect, connect_datagram_from},
    quantity::format_duration,
    socket::Datagram,
};
use tokio::runtime;

pub(crate) use args::DialArgs;

use crate::failure::{Failure, Fault};
use conversation::Conversation;
use plan::Plan;

/// Calls, talks, and ends when the talk does.
pub(crate) fn run(args: DialArgs) -> Result<(), Failure> {
    let plan = Plan::resolve(args)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(Box::pin(call(&plan)));
    // A thread may wait for the keyboard still, and nobody waits for it.
    runtime.shutdown_background();
    outcome
}

async fn call(plan: &Plan) -> Result<(), Failure> {
    if plan.addr.is_datagram() {
        let socket = open(plan).await?;
        tracing::info!("sending to {} from {}", plan.addr, socket.local_name());
        return Conversation::new(plan, true).over_datagrams(&socket).await;
    }
    let stream = connect(plan).await?;
    describe(&stream);
    greet(plan);
    let keeps_records = stream.kind().keeps_records();
    Conversation::new(plan, keeps_records).over_stream(stream).await
}

async fn connect(plan: &Plan) -> Result<Stream, Failure> {
    let mut connect = Connect::new(&plan.addr)?;
    if let Some(limit) = plan.timeout {
        connect = connect.timeout(limit);
    }
    if let Some(source) = &plan.source {
        connect = connect.source(source.clone());
    }
    if let Some(tls) = &plan.tls {
        connect = connect.tls(tls.clone());
    }
    Ok(connect.connect().await?)
}

async fn open(plan: &Plan) -> Result<Datagram, Failure> {
    let limit = plan.timeout.unwrap_or(Connect::DEFAULT_TIMEOUT).max(Duration::from_millis(1));
    let opening = connect_datagram_from(&plan.addr, plan.source.as_ref());
    match tokio::time::timeout(limit, opening).await {
        Ok(opened) => opened.map_err(Failure::from_network),
        Err(_elapsed) => {
            let limit = format_duration(limit);
            let message = format!("{}: the name was not found within {limit}", plan.addr);
            Err(Failure::new(Fault::Network, message))
        }
    }
}

/// Tells who sits at the terminal that the other side is there, and how to end: many servers say nothing
/// until they are asked.
fn greet(plan: &Plan) {
    let at_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    if at_terminal && tracing::enabled!(tracing::Level::WARN) {
        // Nobody reads it where that fails.
        let _ = writeln!(anstream::stderr(), "Connected to {}; Ctrl-D ends your side", plan.addr);
    }
}

/// What a connection turned out to be, for `-v`.
fn describe(stream: &Stream) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    match (stream.peer_name(), stream.local_name()) {
        (Ok(peer), Ok(local)) => tracing::info!("connected to {peer} from {local}"),
        // Broken off already; what it said before is still to be read.
        (Err(error), _) | (_, Err(error)) => tracing::info!("connected, but nameless: {error}"),
    }
    if let Ok(peer) = stream.peer_credentials() {
        let pid = peer.pid.map_or_else(|| "of elsewhere".to_owned(), |pid| pid.to_string());
        tracing::info!("the other side is process {pid}, user {}", peer.uid);
    }
    let Some(tls) = stream.tls() else { return };
    tracing::info!("{}, {}", tls.version, tls.cipher_suite);
    if let Some(name) = &tls.server_name {
        tracing::info!("asked for the server {name}");
    }
    if let Some(alpn) = &tls.alpn {
        tracing::info!("application protocol {}", alpn.escape_ascii());
    }
    if let Some(fingerprint) = tls.peer_fingerprint() {
        let chain = tls.peer_certificates.len();
        tracing::info!("certificate (of {chain} shown) with the SHA-256 fingerprint {fingerprint}");
    }
}
