//! `sockeye serve`: one folder on the web, until a signal ends it.

mod access_log;
mod announce;
mod args;
mod browser;
mod capacity;
mod certificate;
mod listen;
mod plan;
mod qr;
mod urls;

use std::io::Write as _;

use sockeye::{
    Addr, Server,
    server::{Limits, Streams},
    socket::{BindError, BindFault},
    systemd::Notifier,
    tls::TlsServer,
};
use sockeye_http::Http;
use sockeye_node::Session;

pub(crate) use args::ServeArgs;

use crate::failure::{Failure, ignore_broken_pipe};
use announce::Announcement;
use certificate::Certificate;
use plan::Plan;

/// Serves until stopped.
pub(crate) fn run(args: ServeArgs, quiet: bool) -> Result<(), Failure> {
    let plan = Plan::resolve(args)?;
    let limits = Limits { drain: plan.drain, ..capacity::limits() };
    let server = bind(&plan.listeners)?;
    let addrs = server.addrs();
    let tls = plan.certificate.as_ref().map(|certificate| certificate.load(&addrs));
    let (tls, fingerprint) = tls.transpose()?.unzip();
    warn_of_cleartext(&addrs);
    capacity::warn(&addrs);

    let announcement = Announcement::new(&plan, urls::of(&addrs), fingerprint, quiet);
    let server = set_up(server, &plan, limits, tls).on_ready(move || announcement.make());
    let http = Http::new(Session::guest(plan.home.clone()), plan.config.clone());
    // The process models fork here: no thread has been started so far.
    let report = server.with(http).prepare()?.run()?;
    if quiet {
        return Ok(());
    }
    // Standard output may have the access log, or the ready line alone.
    Ok(writeln!(anstream::stderr(), "{report}").or_else(ignore_broken_pipe)?)
}

/// Binds all listeners: connections queue from here on.
fn bind(listeners: &[Addr]) -> Result<Server<Streams>, Failure> {
    let begun = Server::on(Vec::new());
    listeners.iter().try_fold(begun, |server, addr| server.and(addr).map_err(with_way_out))
}

/// A port that is taken is never replaced by another silently; how to get one is said.
fn with_way_out(error: sockeye::Error) -> Failure {
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
    if taken { failure.hint("`--listen 127.0.0.1:0` takes any free port") } else { failure }
}

/// Gives the server its settings.
fn set_up(
    server: Server<Streams>,
    plan: &Plan,
    limits: Limits,
    tls: Option<TlsServer>,
) -> Server<Streams> {
    let mut server = server.model(plan.model).limits(limits).notifier(notifier());
    if let Some(workers) = plan.workers {
        server = server.workers(workers);
    }
    if let Some(tls) = &tls {
        server = server.tls(tls.clone());
    }
    let given = tls.filter(|_| matches!(plan.certificate, Some(Certificate::Files { .. })));
    let log = plan.access_log.clone().filter(|log| log.can_reopen());
    if given.is_some() || log.is_some() {
        server = server.on_reload(move || {
            if let Some(Err(error)) = given.as_ref().map(TlsServer::reload) {
                tracing::error!("the certificate stays as it was: {error}");
            }
            if let Some(Err(error)) = log.as_ref().map(|log| log.reopen()) {
                tracing::error!("the access log stays as it was: {error}");
            }
        });
    }
    server
}

/// The service manager, if there is one.
fn notifier() -> Notifier {
    Notifier::from_env().unwrap_or_else(|error| {
        tracing::warn!(%error, "the service manager is not told");
        Notifier::silent()
    })
}

fn warn_of_cleartext(addrs: &[Addr]) {
    for addr in addrs.iter().filter(|addr| !addr.tls && !addr.is_local()) {
        tracing::warn!(
            "{} is cleartext and reachable from other machines: whoever is in between can read \
             and change what is sent; --tls encrypts it",
            urls::plain(addr)
        );
    }
}
