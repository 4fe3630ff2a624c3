//! `sockeye serve DIR`: one folder on the web, without accounts.

mod access_log;
mod plan;

use std::io::Write as _;

use sockeye::{
    Addr, Server,
    server::{Limits, Streams},
    tls::{Fingerprint, TlsServer},
};
use sockeye_http::Http;
use sockeye_node::Session;

use super::{
    ServeArgs,
    announce::{Announcement, Form, Served},
    capacity,
    certificate::Certificate,
    notifier,
    protocols::HTTP,
    urls::Reachable,
    warn_of_cleartext, with_way_out,
};
use crate::failure::{Failure, ignore_broken_pipe};
use plan::Plan;

/// Serves until stopped.
pub(super) fn run(args: ServeArgs, quiet: bool) -> Result<(), Failure> {
    let plan = Plan::resolve(args)?;
    let limits = Limits { drain: plan.drain, ..capacity::limits() };
    let server = bind(&plan.listeners)?;
    let addrs = server.addrs();
    let tls = plan.certificate.as_ref().map(|certificate| certificate.load(&addrs));
    let (tls, fingerprint) = tls.transpose()?.unzip();
    warn_of_cleartext(&addrs, "--tls");
    capacity::warn(&addrs);

    let announcement = announcement(&plan, &addrs, fingerprint, quiet);
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

fn announcement(
    plan: &Plan,
    addrs: &[Addr],
    fingerprint: Option<Fingerprint>,
    quiet: bool,
) -> Announcement {
    let origin = match &plan.certificate {
        Some(Certificate::Files { chain, .. }) => chain.display().to_string(),
        _ => "self-signed, made for this run; browsers ask before they trust it".to_owned(),
    };
    Announcement {
        served: Served::Folder(plan.folder.clone()),
        listeners: addrs.iter().map(|addr| Reachable::new(&HTTP, addr)).collect(),
        model: plan.model.to_string(),
        workers: plan.workers,
        certificate: fingerprint.map(|fingerprint| (origin, fingerprint)),
        form: Form::of(plan.json, quiet),
        qr: plan.qr,
        open: plan.open,
    }
}

/// Binds all listeners: connections queue from here on.
fn bind(listeners: &[Addr]) -> Result<Server<Streams>, Failure> {
    let begun = Server::on(Vec::new());
    listeners.iter().try_fold(begun, |server, addr| {
        server.and(addr).map_err(|error| with_way_out(error, "http").0)
    })
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
