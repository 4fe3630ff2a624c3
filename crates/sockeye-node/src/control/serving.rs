//! A node that serves: from its first connection to its report, obeying signals and commands.

use std::{
    convert::Infallible,
    ops::ControlFlow,
    sync::{Arc, PoisonError},
    time::Duration,
};

use sockeye::{
    Addr, Limits, Report, Server,
    quantity::format_count,
    server::{Order, Orders},
    systemd::{Notifier, State},
};
use sockeye_journal::{Operation, Record};
use tokio::sync::{Mutex, Notify};

use super::{MAX_REQUEST, VERSION, place::ControlPath, socket::Control};
use crate::{
    Node, Protocol,
    certificate::{CertificateFiles, Certificates, Loaded, Unusable},
    command::{Answer, Command, Commander, Execute, Holding, Refusal, RefusalKind, Reloaded},
    config::{Config, ConfigError, Settings, Sources},
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
    /// How often whoever that is wants to hear that the node is alive, if at all.
    pub watchdog: Option<Duration>,
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
    /// A signal asks for one.
    reload_wanted: Notify,
    /// Held while the service manager is told of a phase, so that nothing that was before the end is said after it.
    telling: std::sync::Mutex<()>,
    finish: Notify,
    notifier: Notifier,
    watchdog: Option<Duration>,
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
    #[error(
        "the node is ending, and reloads nothing any more; the next start reads its configuration anew"
    )]
    Ending,
}

impl Serving {
    /// Begins to accept; on a runtime.
    ///
    /// # Errors
    /// [`ServingError`]; what was begun ends with the runtime.
    pub fn start(node: Arc<Node>, setup: Setup) -> Result<Arc<Self>, ServingError> {
        let Setup { bound, certificate, names, sources, protocols, limits, notifier, watchdog } =
            setup;
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
            reload_wanted: Notify::new(),
            telling: std::sync::Mutex::default(),
            finish: Notify::new(),
            notifier,
            watchdog,
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
            self.tell(&[State::Ready, State::Status(&self.summary())]);
            ready();
            tokio::select! {
                () = self.attend(&orders) => {}
                () = housekeeping::keep(&self.node) => {}
            }
            self.begin_end();
            let ended = self.drain(&orders).await;
            self.node.record(Operation::Stop, "drained");
            // Last, so that whoever wants to know meets somebody.
            commands.drain();
            ended
        };
        let served = Box::pin(async { tokio::join!(serve, control.run_async()) });
        let (report, controlled) = tokio::select! {
            served = served => served,
            never = self.keep_alive() => match never {},
            // Not within what obeys: a reload may wait for the network, and whoever ends the node does not wait for it.
            never = self.reload_by_signal() => match never {},
        };
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
                order = orders.next() => if self.obey(order).is_break() {
                    return;
                },
                () = self.listeners.failed() => return,
                () = self.finish.notified() => return,
            }
        }
    }

    /// Obeys, without waiting for what comes of it: the next order may be the one to end.
    fn obey(&self, order: Order) -> ControlFlow<()> {
        match order {
            Order::Drain | Order::Stop => return ControlFlow::Break(()),
            Order::Reload => self.reload_wanted.notify_one(),
        }
        ControlFlow::Continue(())
    }

    /// Reloads each time that a signal asks for it; several that come meanwhile are one.
    async fn reload_by_signal(&self) -> Infallible {
        loop {
            self.reload_wanted.notified().await;
            // It is told there.
            drop(self.reload_and_tell(&Commander::Server).await);
        }
    }

    /// From here on nothing is reloaded.
    fn begin_end(&self) {
        let _turn = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        self.node.set_phase(Phase::Draining);
        self.tell(&[State::Stopping, State::Status(&self.farewell())]);
    }

    async fn drain(&self, orders: &Orders) -> Result<Option<Report>, sockeye::Error> {
        tracing::info!(
            open = self.connections(),
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

    /// Reloads, and tells the service manager and the log what came of it.
    async fn reload_and_tell(&self, by: &Commander) -> Result<Reloaded, ReloadError> {
        let _one = self.reloading.lock().await;
        if !self.tell_unless_ending(&[State::reloading()]) {
            return Err(ReloadError::Ending);
        }
        let reloaded = self.reload(by).await;
        let status = match &reloaded {
            Ok(reloaded) => {
                tell_reloaded(reloaded);
                self.summary()
            }
            // Of the command's connection, whoever asked for it, nothing of this is.
            Err(error) => {
                tracing::error!(parent: None, "{error}");
                error.to_string()
            }
        };
        self.tell_unless_ending(&[State::Ready, State::Status(&status)]);
        reloaded
    }

    /// Reads configuration and certificate again, and applies what can change.
    async fn reload(&self, by: &Commander) -> Result<Reloaded, ReloadError> {
        let new = self.next()?;
        let folder = self.node.folder();
        let loaded = CertificateFiles::prepare(folder, &new, self.protocols, self.names)?;
        let strange = loaded.as_ref();
        let strange = strange.and_then(|it| it.strangeness(&new, self.protocols, self.names));
        let files = CertificateFiles::of(folder, &new.settings);
        let (config, changed) = self.node.config().reloaded(new);
        let settings = config.settings.clone();
        let odd = config.warnings().iter().map(ToString::to_string);
        let warnings = odd.chain(strange).collect();
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
        // Last, as it may take seconds where no name is resolved, and is no more than a warning.
        let odd = self.node.config().unreachable().await;
        reloaded.warnings.extend(odd.iter().map(ToString::to_string));
        Ok(reloaded)
    }

    /// The configuration as it would be read now.
    fn next(&self) -> Result<Config, ReloadError> {
        let file = self.node.folder().read_config()?;
        let sources = Sources { file, ..self.sources.clone() };
        Ok(Config::load(&sources, self.protocols)?)
    }

    /// What holds, and what waits.
    fn holding(&self) -> Holding {
        let config = self.node.config();
        let (next, fault) = match self.next() {
            Ok(next) => (next, None),
            Err(error) => ((*config).clone(), Some(error.cause())),
        };
        Holding { pid: std::process::id(), values: config.held(&next), fault }
    }

    fn tell(&self, states: &[State<'_>]) {
        if let Err(error) = self.notifier.notify(states) {
            tracing::warn!(parent: None, %error, "the service manager was not told");
        }
    }

    /// Tells of what was done before the end, as long as that has not begun; whether it has not.
    fn tell_unless_ending(&self, states: &[State<'_>]) -> bool {
        let _turn = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = self.node.phase() != Phase::Draining;
        if goes_on {
            self.tell(states);
        }
        goes_on
    }

    /// Says that it is alive, as often as is wanted, for as long as tasks of this runtime come to their turn.
    async fn keep_alive(&self) -> Infallible {
        let Some(interval) = self.watchdog else { return std::future::pending().await };
        // As sd_watchdog_enabled(3) has it.
        let mut every = tokio::time::interval(interval / 2);
        // Who was late once is as often alive as before, and not more often.
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            self.tell(&[State::Watchdog]);
        }
    }

    /// What the service manager shows beside the service.
    fn summary(&self) -> String {
        let (open, refused) = (self.opened().len(), self.listeners.refused().len());
        let listeners = format_count(open as u64, "listener", "listeners");
        match refused {
            0 => format!("Serving on {listeners}"),
            _ => format!("Serving on {listeners}; {refused} could not be opened"),
        }
    }

    fn farewell(&self) -> String {
        let open = self.connections();
        format!("Finishing {}", format_count(open, "connection", "connections"))
    }

    fn connections(&self) -> u64 {
        self.node.servers().iter().map(|(_, server)| server.stats().active).sum()
    }
}

impl Execute for Serving {
    async fn execute(&self, command: Command, by: Commander) -> Result<Answer, Refusal> {
        match command {
            Command::Status => {
                let status = self.node.status(self.opened(), self.listeners.refused());
                Ok(Answer::Status(Box::new(status)))
            }
            Command::Config => Ok(Answer::Config(self.holding())),
            Command::Reload => match self.reload_and_tell(&by).await {
                Ok(reloaded) => {
                    self.node.recorder().settle().await;
                    Ok(Answer::Reloaded(reloaded))
                }
                Err(error) => Err(error.into()),
            },
            other => self.node.execute(other, by).await,
        }
    }
}

impl ReloadError {
    /// What is wrong, without what that means for a reload.
    fn cause(&self) -> String {
        match self {
            Self::Data(error) => error.to_string(),
            Self::Config(error) => error.to_string(),
            Self::Certificate(error) => error.to_string(),
            Self::Ending => self.to_string(),
        }
    }
}

impl From<ReloadError> for Refusal {
    fn from(error: ReloadError) -> Self {
        let (kind, hint) = match &error {
            ReloadError::Data(_) | ReloadError::Config(_) => (RefusalKind::Usage, None),
            ReloadError::Certificate(unusable) => (RefusalKind::Failed, unusable.hint()),
            ReloadError::Ending => (RefusalKind::Failed, None),
        };
        Self { hint: hint.map(str::to_owned), ..Self::new(kind, error) }
    }
}

/// The limits of each listener: what is configured, as far as the process can have as many connections.
fn configured(settings: &Settings, limits: Limits) -> Limits {
    Limits {
        max_connections: settings.limits_connections.count().min(limits.max_connections),
        handshake: settings.limits_handshake,
        drain: settings.drain,
        ..limits
    }
}

/// Tells of it as what the node did, and not as of the connection that the command came by.
fn tell_reloaded(reloaded: &Reloaded) {
    for listen in &reloaded.opened {
        tracing::info!(parent: None, "{listen} was opened");
    }
    for listen in &reloaded.closed {
        tracing::info!(parent: None, "{listen} was closed");
    }
    if let (Some(certificate), true) = (&reloaded.certificate, reloaded.renewed) {
        tracing::info!(target: "sockeye::server::signals", parent: None, "the certificate is another one: {certificate}");
    }
    for change in reloaded.changed.iter().filter(|change| !change.applied) {
        tracing::warn!(parent: None, "{} = {} holds from the next start on", change.key, change.after);
    }
    for warning in &reloaded.warnings {
        tracing::warn!(parent: None, "{warning}");
    }
    for failed in &reloaded.failed {
        tracing::error!(parent: None, "{failed}");
    }
}

#[cfg(test)]
mod tests;
