//! `sockeye serve` without a folder: a node on its data folder.

mod first;
mod plan;

use std::{io::Write as _, sync::Arc};

use sockeye::{Model, Report, tls::Fingerprint};
use sockeye_node::{
    Node,
    certificate::{CertificateFiles, Loaded},
    config::{Config, Place, default_file},
    control::{Serving, ServingError, Setup},
    data::Hold,
    listeners::{Bound, OpenError},
};
use tokio::runtime::Runtime;

use super::{
    PROTOCOLS, ServeArgs,
    announce::{Announcement, Served},
    capacity, certificate, notifier,
    urls::Reachable,
    watchdog, with_way_out,
};
use crate::failure::{Failure, ignore_broken_pipe};
use plan::Plan;

/// How long what still blocks at the end is waited for: a disk that does not answer is no reason to stay.
const LEFT_BEHIND: std::time::Duration = std::time::Duration::from_secs(2);

/// Serves until stopped.
pub(super) fn run(args: ServeArgs, quiet: bool) -> Result<(), Failure> {
    let plan = Plan::resolve(args, quiet)?;
    // From here on, what was made of a new folder is taken back unless the node gets ready.
    let mut hold = crate::data::take_to_serve(&plan.folder)?;
    let sources = crate::data::sources(&plan.folder, plan.flags.clone())?;
    let config = Config::load(&sources, PROTOCOLS)?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    // In front of all that lasts: a port that is taken leaves nothing behind.
    let bound = bind(&config)?;
    let certificate =
        CertificateFiles::prepare(&plan.folder, &config, PROTOCOLS, certificate::of_node)?;
    let strange = |it: &Loaded| it.strangeness(&config, PROTOCOLS, certificate::of_node);
    if let Some(strange) = certificate.as_ref().and_then(strange) {
        tracing::warn!("{strange}");
    }
    let shown = certificate.as_ref().map(|loaded| told(&config, loaded));
    if sources.file.is_none() {
        first::write(&plan.folder.config(), default_file().as_bytes())?;
    }
    let addrs: Vec<_> = bound.iter().flat_map(Bound::addrs).collect();
    let limits = capacity::limits();
    capacity::warn(&addrs);
    let setup = Setup {
        bound,
        certificate,
        names: certificate::of_node,
        sources,
        protocols: PROTOCOLS,
        limits,
        notifier: notifier(),
        watchdog: watchdog(),
    };
    let runtime = runtime(config.settings.model.workers())?;
    let served = runtime.block_on(serve(&mut hold, config, setup, shown, &plan));
    runtime.shutdown_timeout(LEFT_BEHIND);
    let report = served?;
    if let (Some(report), false) = (report, quiet) {
        writeln!(anstream::stderr(), "{report}").or_else(ignore_broken_pipe)?;
    }
    Ok(())
}

/// Serves from the opening of what the folder keeps to its close.
async fn serve(
    hold: &mut Hold,
    config: Config,
    setup: Setup,
    certificate: Option<(String, Fingerprint)>,
    plan: &Plan,
) -> Result<Option<Report>, Failure> {
    let node = Node::open(&plan.folder, config).await?;
    let served = serve_open(hold, &node, setup, certificate, plan).await;
    let closed = node.close().await;
    let report = served?;
    closed?;
    Ok(report)
}

async fn serve_open(
    hold: &mut Hold,
    node: &Arc<Node>,
    setup: Setup,
    certificate: Option<(String, Fingerprint)>,
    plan: &Plan,
) -> Result<Option<Report>, Failure> {
    let model = node.config().settings.model;
    let first = first::admin(node, plan.form.shows_secrets()).await?;
    let serving = Serving::start(Arc::clone(node), setup)?;
    let data = plan.folder.path().to_owned();
    let announcement = Announcement {
        served: Served::Node { data, named: plan.named, first },
        listeners: reachable(&serving),
        model: model.model().to_string(),
        workers: model.workers().filter(|_| model.model() == Model::Tasks),
        certificate,
        form: plan.form,
        qr: plan.qr,
        open: plan.open,
    };
    let ready = || {
        hold.keep();
        announcement.make();
    };
    Ok(serving.run(ready).await?)
}

/// Binds every listener; if some cannot be had, all of those are named at once.
fn bind(config: &Config) -> Result<Vec<Bound>, Failure> {
    let place = config.place("listen");
    let (mut bound, mut failed, mut taken) = (Vec::new(), None::<Failure>, false);
    for listen in &config.settings.listen {
        let failure = match Bound::open(listen, PROTOCOLS) {
            Ok(one) => {
                bound.push(one);
                continue;
            }
            Err(OpenError::Server(error)) => {
                let (failure, is_taken) = with_way_out(error, &listen.protocol);
                taken |= is_taken;
                failure
            }
            Err(other) => other.into(),
        };
        failed = Some(match failed {
            Some(before) => before.and(failure),
            None => failure,
        });
    }
    let Some(failure) = failed else { return Ok(bound) };
    Err(match &place {
        Place::Default if taken => failure.hint(
            "what `--listen` names, or `listen` in sockeye.toml, is in place of all that is there by default",
        ),
        Place::Default | Place::Flag(_) => failure,
        other => failure.hint(format!("it is configured in {other}")),
    })
}

/// Where a certificate is from, and its fingerprint, for people.
fn told(config: &Config, Loaded { presented, fingerprint, .. }: &Loaded) -> (String, Fingerprint) {
    let origin = match config.place("tls.cert") {
        Place::Default => "self-signed; browsers ask before they trust it".to_owned(),
        _ => presented.file.display().to_string(),
    };
    (origin, *fingerprint)
}

fn reachable(serving: &Serving) -> Vec<Reachable> {
    let opened = serving.opened().into_iter();
    let each = opened.flat_map(|opened| {
        let protocol = PROTOCOLS.iter().find(|it| it.name == opened.listen.protocol);
        let reachable = |addr| protocol.map(|protocol| Reachable::new(protocol, &addr));
        opened.addrs.into_iter().filter_map(reachable).collect::<Vec<_>>()
    });
    each.collect()
}

/// One thread needs nobody to steal from: the runtime then lives in the program's own.
fn runtime(workers: Option<usize>) -> Result<Runtime, Failure> {
    use tokio::runtime::Builder;
    let available = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut builder = match workers.unwrap_or_else(available) {
        1 => Builder::new_current_thread(),
        workers => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(workers);
            builder
        }
    };
    Ok(builder.thread_name("sockeye-worker").enable_all().build()?)
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Listen(error) => error.into(),
            OpenError::Server(error) => error.into(),
            OpenError::Tls { listen, source } => {
                Self::from(source).about(format!("no TLS on {listen}"))
            }
            other => Self::new(crate::failure::Fault::Failed, other),
        }
    }
}

impl From<ServingError> for Failure {
    fn from(error: ServingError) -> Self {
        match error {
            ServingError::Open(error) => error.into(),
            ServingError::Server(error) => error.into(),
            other => Self::new(crate::failure::Fault::Failed, other),
        }
    }
}
