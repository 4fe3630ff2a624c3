//! A node that serves: from its first connection to its report, obeying signals and commands.

use std::sync::Arc;

use sockeye::{
    Addr, Limits, Report, Server,
    server::{Order, Orders},
    systemd::{Notifier, State},
};
use sockeye_journal::{Operation, Record};
use tokio::sync::{Mutex, Notify};

use super::{MAX_REQUEST, VERSION, place::ControlPath, socket::Control};
use crate::{
    Node, Protocol,
    certificate::{CertificateFiles, Certificates, Loaded, Unusable},
    command::{Answer, Command, Commander, Execute, Refusal, RefusalKind, Reloaded},
    config::{Config, ConfigError, Settings, Sources, Within},
    data::DataError,
    housekeeping,
    listeners::{Bound, Exchanged, Listeners, OpenError, Opened},
    node::Phase,
};

/// Commands at once.
const MOST_COMMANDS: usize = 32;

/// What a node serves with.
#[derive(Debug)]
pub struct Setup {
    /// Its listeners, bound.
    pub bound: Vec<Bound>,
    /// What was [prepared](CertificateFiles::prepare) for those with TLS; without it the files are read when the first one
    /// needs them.
    pub certificate: Option<Loaded>,
    /// What a certificate that is made here is for, beside this machine's own names for itself.
    pub names: fn(&Settings) -> Vec<String>,
    /// What the configuration was made of: at a reload the file is read anew, and the rest taken again.
    pub sources: Sources,
    /// What listeners can speak.
    pub protocols: &'static [Protocol],
    /// What bounds each listener's connections, where the configuration does not.
    pub limits: Limits,
    /// Who is told when the node is ready, reloads and stops.
    pub notifier: Notifier,
}

/// A node that serves.
#[derive(Debug)]
pub struct Serving {
    node: Arc<Node>,
    listeners: Listeners,
    certificates: Arc<Certificates>,
    names: fn(&Settings) -> Vec<String>,
    protocols: &'static [Protocol],
    /// The sources that do not change while it runs: all but the file.
    sources: Sources,
    /// One reload at a time.
    reloading: Mutex<()>,
    finish: Notify,
    notifier: Notifier,
}

/// Why a node does not serve, or stopped to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServingError {
    /// A listener cannot be had.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A server cannot be run.
    #[error(transparent)]
    Server(#[from] sockeye::Error),
}

/// Why nothing was reloaded.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("the configuration stays as it was:\n{0}")]
    Config(#[from] ConfigError),
    #[error("the configuration stays as it was: {0}")]
    Certificate(#[from] Unusable),
}

impl Serving {
    /// Begins to accept; on a runtime.
    ///
    /// # Errors
    /// [`ServingError`]; what was begun ends with the runtime.
    pub fn start(node: Arc<Node>, setup: Setup) -> Result<Arc<Self>, ServingError> {
        let Setup { bound, certificate, names, sources, protocols, limits, notifier } = setup;
        let settings = node.config().settings.clone();
        let files = CertificateFiles::of(node.folder(), &settings);
        let certificates = Arc::new(Certificates::new(files, certificate));
        let limits = configured(&settings, limits);
        let listeners = Listeners::new(Arc::clone(&node), Arc::clone(&certificates), limits);
        for bound in bound {
            listeners.accept(bound)?;
        }
        let serving = Arc::new(Self {
            node,
            listeners,
            certificates,
            names,
            protocols,
            sources: Sources { file: None, ..sources },
            reloading: Mutex::default(),
            finish: Notify::new(),
            notifier,
        });
        serving.node.set_serving(&serving);
        Ok(serving)
    }

    /// Begins the drain, as a first signal does.
    pub fn finish(&self) {
        self.finish.notify_one();
    }

    /// The listeners that are open.
    #[must_use]
    pub fn opened(&self) -> Vec<Opened> {
        self.listeners.opened()
    }

    /// Serves until a signal or [`Serving::finish`] drains it, or a listener fails; `ready` is called once it obeys signals and
    /// takes commands.
    ///
    /// # Errors
    /// [`ServingError`]: the control socket cannot be had, or what a listener ended with.
    ///
    /// # Cancel safety
    /// Not cancellation safe: dropped, it leaves its servers without anybody who drains them.
    pub async fn run(
        self: &Arc<Self>,
        ready: impl FnOnce(),
    ) -> Result<Option<Report>, ServingError> {
        let orders = Orders::catch()
            .map_err(|source| sockeye::Error::System { what: "cannot catch signals", source })?;
        let place = ControlPath::of(self.node.folder()).map_err(|source| {
            sockeye::Error::System { what: "cannot open the data folder", source }
        })?;
        // Whoever ends takes it away.
        let was_left = self.node.folder().control().symlink_metadata().is_ok();
        let control = self.control(&place)?;
        let commands = control.handle();
        let serve = async {
            let left = "; the server before was not stopped, but killed, or crashed";
            let left = if was_left { left } else { "" };
            self.node.record(Operation::Start, &format!("version {VERSION}{left}"));
            // What made the node, its first account, is in the log before anybody is let in, who may read that.
            self.node.recorder().settle().await;
            self.node.set_phase(Phase::Ready);
            self.tell(State::Ready);
            ready();
            tokio::select! {
                () = self.attend(&orders) => {}
                () = housekeeping::keep(&self.node) => {}
            }
            self.node.set_phase(Phase::Draining);
            self.tell(State::Stopping);
            let ended = self.drain(&orders).await;
            self.node.record(Operation::Stop, "drained");
            // Last, so that whoever wants to know meets somebody.
            commands.drain();
            ended
        };
        let (report, controlled) = tokio::join!(serve, control.run_async());
        controlled?;
        Ok(report?)
    }

    fn control(
        self: &Arc<Self>,
        place: &ControlPath,
    ) -> Result<sockeye::PreparedServer, ServingError> {
        let addr =
            Addr::unix(place.path()).with_option("mode", "0600").map_err(sockeye::Error::from)?;
        let limits = Limits {
            max_connections: MOST_COMMANDS,
            max_line: MAX_REQUEST,
            drain: self.node.config().settings.drain,
            ..Limits::default()
        };
        let server = Server::bind(addr)?.limits(limits).signals(false);
        Ok(server.with(Control(Arc::clone(self))).prepare()?)
    }

    /// Obeys until it is to drain.
    async fn attend(&self, orders: &Orders) {
        loop {
            tokio::select! {
                order = orders.next() => match order {
                    Order::Drain | Order::Stop => return,
                    Order::Reload => self.reload_and_tell().await,
                },
                () = self.listeners.failed() => return,
                () = self.finish.notified() => return,
            }
        }
    }

    async fn drain(&self, orders: &Orders) -> Result<Option<Report>, sockeye::Error> {
        let open: u64 = self.node.servers().iter().map(|(_, server)| server.stats().active).sum();
        tracing::info!(
            open,
            deadline_s = self.node.config().settings.drain.as_secs(),
            "draining; a second signal ends every connection at once"
        );
        self.listeners.drain();
        loop {
            tokio::select! {
                ended = self.listeners.ended() => return ended,
                order = orders.next() => if order != Order::Reload {
                    tracing::warn!("second signal: ending every connection now");
                    orders.end_by_next();
                    self.listeners.stop();
                },
            }
        }
    }

    async fn reload_and_tell(&self) {
        self.tell(State::reloading());
        match self.reload(&Commander::Server).await {
            Ok(reloaded) => tell_reloaded(&reloaded),
            Err(error) => tracing::error!("{error}"),
        }
        self.tell(State::Ready);
    }

    /// Reads configuration and certificate again, and applies what can change.
    async fn reload(&self, by: &Commander) -> Result<Reloaded, ReloadError> {
        let _one = self.reloading.lock().await;
        let file = self.node.folder().read_config()?;
        let sources = Sources { file, ..self.sources.clone() };
        let new = Config::load(&sources, self.protocols)?;
        let folder = self.node.folder();
        let loaded = CertificateFiles::prepare(folder, &new, self.protocols, self.names)?;
        let files = CertificateFiles::of(folder, &new.settings);
        let (config, changed) = self.node.config().reloaded(new);
        let settings = config.settings.clone();
        let odd = config.unreachable().await;
        let warnings = config.warnings().iter().chain(&odd).map(ToString::to_string).collect();
        self.node.configure(config);
        let mut reloaded = Reloaded { changed, warnings, ..Reloaded::default() };
        match self.certificates.take_up(files, loaded) {
            Ok(None) => {}
            Ok(Some((presented, renewed))) => {
                (reloaded.certificate, reloaded.renewed) = (Some(presented), renewed);
            }
            Err(error) => {
                reloaded.failed.push(format!("the certificate stays as it was: {error}"));
            }
        }
        let keys: Vec<_> = reloaded.changed.iter().map(|change| &*change.key).collect();
        let detail = keys.join(" ");
        let recorder = self.node.recorder();
        recorder.command(Operation::Reload, by, |it| Record { detail: Some(&detail), ..it });
        let Exchanged { opened, closed, failed } =
            self.listeners.exchange(&settings, self.protocols).await;
        reloaded.opened = opened.iter().map(ToString::to_string).collect();
        reloaded.closed = closed.iter().map(ToString::to_string).collect();
        let failed = failed.iter().map(|(listen, error)| format!("{listen} is not open: {error}"));
        reloaded.failed.extend(failed);
        Ok(reloaded)
    }

    fn tell(&self, state: State<'_>) {
        if let Err(error) = self.notifier.notify(&[state]) {
            tracing::warn!(%error, "the service manager was not told");
        }
    }
}

impl Execute for Serving {
    async fn execute(&self, command: Command, by: Commander) -> Result<Answer, Refusal> {
        match command {
            Command::Status => {
                let status = self.node.status(self.opened(), self.listeners.refused());
                Ok(Answer::Status(Box::new(status)))
            }
            Command::Reload => match self.reload(&by).await {
                Ok(reloaded) => {
                    tell_reloaded(&reloaded);
                    self.node.recorder().settle().await;
                    Ok(Answer::Reloaded(reloaded))
                }
                Err(error) => Err(error.into()),
            },
            other => self.node.execute(other, by).await,
        }
    }
}

impl From<ReloadError> for Refusal {
    fn from(error: ReloadError) -> Self {
        let (kind, hint) = match &error {
            ReloadError::Data(_) | ReloadError::Config(_) => (RefusalKind::Usage, None),
            ReloadError::Certificate(unusable) => (RefusalKind::Failed, unusable.hint()),
        };
        Self { hint: hint.map(str::to_owned), ..Self::new(kind, error) }
    }
}

/// The limits of each listener: what is configured, as far as the process can have as many connections.
fn configured(settings: &Settings, limits: Limits) -> Limits {
    Limits {
        max_connections: settings.limits_connections.count().min(limits.max_connections),
        max_per_ip: settings.limits_per_address.map(Within::count),
        handshake: settings.limits_handshake,
        drain: settings.drain,
        ..limits
    }
}

fn tell_reloaded(reloaded: &Reloaded) {
    for listen in &reloaded.opened {
        tracing::info!("{listen} was opened");
    }
    for listen in &reloaded.closed {
        tracing::info!("{listen} was closed");
    }
    if let (Some(certificate), true) = (&reloaded.certificate, reloaded.renewed) {
        tracing::info!(target: "sockeye::server::signals", "the certificate is another one: {certificate}");
    }
    for change in reloaded.changed.iter().filter(|change| !change.applied) {
        tracing::warn!("{} = {} holds from the next start on", change.key, change.after);
    }
    for warning in &reloaded.warnings {
        tracing::warn!("{warning}");
    }
    for failed in &reloaded.failed {
        tracing::error!("{failed}");
    }
}
