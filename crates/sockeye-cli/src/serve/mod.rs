//! `sockeye serve`: a team's node, or one folder on the web, until a signal ends it.

mod announce;
mod args;
mod browser;
mod capacity;
mod certificate;
mod folder;
mod node;
mod protocols;
mod qr;
mod urls;

use std::time::Duration;

use sockeye::{
    Addr,
    socket::{BindError, BindFault},
    systemd::{self, Notifier},
};

pub(crate) use args::ServeArgs;
pub(crate) use certificate::of_node as names;
pub(crate) use protocols::PROTOCOLS;

use crate::failure::Failure;

/// Serves until stopped.
pub(crate) fn run(args: ServeArgs, quiet: bool) -> Result<(), Failure> {
    if let Some(port) = &args.port {
        return Err(no_port(port, args.folder.is_some()));
    }
    if args.folder.is_some() { folder::run(args, quiet) } else { node::run(args, quiet) }
}

/// What `--port` is called here: an address says more than a port, and whom it is open to.
fn no_port(port: &str, of_folder: bool) -> Failure {
    let port = if port.parse::<u16>().is_ok() { port } else { "8080" };
    let protocol = match port {
        _ if of_folder => "",
        "21" | "2121" => "ftp+tcp://",
        "990" => "ftp+tls+tcp://",
        "443" | "8443" => "http+tls+tcp://",
        _ => "http+tcp://",
    };
    Failure::usage("there is no --port (-p)").hint(format!(
        "write --listen {protocol}127.0.0.1:{port}, or {protocol}[::]:{port} for everybody"
    ))
}

/// A port that is taken is never replaced by another silently; how to get one is said, and whether it was that.
fn with_way_out(error: sockeye::Error, protocol: &str) -> (Failure, bool) {
    let taken = match &error {
        sockeye::Error::Bind(error) => {
            let bind = error.get_ref().and_then(|inner| inner.downcast_ref::<BindError>());
            bind.is_some_and(|bind| {
                // Named twice, another port is not what is wanted.
                matches!(bind.fault(), BindFault::InUse(_)) && !bind.is_ours()
            })
        }
        _ => false,
    };
    let failure = Failure::from(error);
    let hint =
        taken.then(|| format!("`--listen {protocol}+tcp://127.0.0.1:0` takes any free port"));
    (failure.hints(hint), taken)
}

/// The service manager, if there is one.
fn notifier() -> Notifier {
    Notifier::from_env().unwrap_or_else(|error| {
        tracing::warn!(%error, "the service manager is not told");
        Notifier::silent()
    })
}

/// How often the service manager wants to hear that this process is alive, if it does.
fn watchdog() -> Option<Duration> {
    systemd::watchdog_from_env().unwrap_or_else(|error| {
        tracing::warn!(%error, "the service manager is not told that this is alive");
        None
    })
}

/// Warns of listeners that others can reach and read; `remedy` says what encrypts them.
fn warn_of_cleartext(addrs: &[Addr], remedy: &str) {
    for addr in addrs.iter().filter(|addr| !addr.tls && !addr.is_local()) {
        tracing::warn!(
            "{} is cleartext and reachable from other machines: whoever is in between can read \
             and change what is sent; {remedy} encrypts it",
            urls::plain(addr)
        );
    }
}
