//! The listeners of a running node: opened and closed one by one, drained together.
//!
//! Each is a server of its own, so that none touches the connections of another.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sockeye::{Addr, Limits, Model, PreparedServer, Report, ServerHandle, tls::TlsServer};
use tokio::{sync::watch, time::Instant};
use tokio_util::task::TaskTracker;

use super::{Bound, Listen, Listening, OpenError, Protocol, Service, service::Current, shown};
use crate::{
    Bucket, Node,
    certificate::Certificates,
    config::{Settings, Within},
};

/// How long a listener may need to let go of an address that another one is to have.
const HANDED_OVER: Duration = Duration::from_secs(3);

/// How often it is tried.
const AGAIN: Duration = Duration::from_millis(20);

/// The open listeners of a node.
#[derive(Debug)]
pub struct Listeners {
    node: Arc<Node>,
    certificates: Arc<Certificates>,
    limits: Limits,
    running: TaskTracker,
    open: Mutex<Vec<Open>>,
    /// Those that the last reload could not open, and why.
    refused: Mutex<Vec<(Listen, String)>>,
    /// What those did that have ended.
    ended: Arc<Mutex<Ended>>,
    failed: watch::Sender<bool>,
}

/// One that is open.
#[derive(Debug)]
struct Open {
    listen: Listen,
    protocol: &'static Protocol,
    service: Arc<Current>,
    bucket: Arc<Bucket>,
    /// What the protocol starts TLS with, if it does.
    tls: Option<TlsServer>,
    handle: ServerHandle,
}

/// Those that are to be closed: drained when this is dropped, so that nobody who stops waiting leaves one that is not.
#[derive(Debug)]
struct Closing(Vec<Open>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.iter().for_each(|open| open.handle.drain());
    }
}

#[derive(Debug, Default)]
struct Ended {
    report: Option<Report>,
    /// The first that ended without being told to.
    error: Option<sockeye::Error>,
}

/// What an open listener is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// As it was asked for.
    pub listen: Listen,
    /// Its addresses, with their real ports.
    pub addrs: Vec<Addr>,
    /// Its protocol.
    pub scheme: (&'static str, u16),
}

/// What became of the listeners at a reload.
#[derive(Debug, Default)]
pub struct Exchanged {
    /// New ones.
    pub opened: Vec<Listen>,
    /// Those that take no more connections.
    pub closed: Vec<Listen>,
    /// Those that could not be opened.
    pub failed: Vec<(Listen, OpenError)>,
}

impl Listeners {
    /// None yet, for this node; `limits` bound each one's connections.
    #[must_use]
    pub fn new(node: Arc<Node>, certificates: Arc<Certificates>, limits: Limits) -> Self {
        Self {
            node,
            certificates,
            limits,
            running: TaskTracker::new(),
            open: Mutex::default(),
            refused: Mutex::default(),
            ended: Arc::default(),
            failed: watch::Sender::new(false),
        }
    }

    /// Begins to accept from a listener that is bound; on a runtime.
    ///
    /// # Errors
    /// [`OpenError::Tls`] if it needs a certificate that cannot be had; [`OpenError::Server`]; [`OpenError::Draining`]
    /// once [`Listeners::drain`] or [`Listeners::stop`] was called.
    pub fn accept(&self, bound: Bound) -> Result<(), OpenError> {
        let Bound { listen, protocol, server } = bound;
        let config = self.node.config();
        let model = config.settings.model.model();
        let max_per_ip = per_address(&config.settings);
        let limits = Limits { max_per_ip, ..self.limits.clone() };
        let mut server = server.model(model).limits(limits).signals(false);
        let mut tls = match protocol.needs_certificate(&listen) {
            false => None,
            true => {
                let failed = |source| OpenError::Tls { listen: Box::new(listen.clone()), source };
                Some(self.certificates.server(protocol.alpn).map_err(failed)?)
            }
        };
        if !(protocol.starts_tls)(&listen)
            && let Some(tls) = tls.take()
        {
            server = server.tls(tls);
        }
        let bucket = Arc::new(Bucket::new(None));
        let service = self.service(protocol, &listen, tls.as_ref(), &config.settings, &bucket);
        let gate = Arc::clone(self.node.gate());
        let service = Arc::new(Current::new(service, gate, protocol.name));
        let prepared = server.with(Arc::clone(&service)).prepare()?;
        let handle = prepared.handle();
        {
            // Under the lock of the drain: whoever is not run before it would be drained by nobody.
            let mut open = self.lock();
            if self.running.is_closed() {
                return Err(OpenError::Draining);
            }
            self.run(prepared, model)?;
            open.push(Open { listen, protocol, service, bucket, tls, handle });
        }
        self.node.set_servers(self.handles());
        Ok(())
    }

    /// What serves a listener with these settings, whose limit on bandwidth holds at once.
    fn service(
        &self,
        protocol: &Protocol,
        listen: &Listen,
        tls: Option<&TlsServer>,
        settings: &Settings,
        bucket: &Arc<Bucket>,
    ) -> Arc<dyn Service> {
        bucket.set_rate(settings.bandwidth_listener.map(|rate| rate.0));
        (protocol.service)(&Listening { listen, tls, node: &self.node, settings, bucket })
    }

    /// Runs a server beside the others.
    fn run(&self, prepared: PreparedServer, model: Model) -> Result<(), sockeye::Error> {
        let (ended, failed) = (Arc::clone(&self.ended), self.failed.clone());
        let done = move |served: Result<Report, sockeye::Error>| {
            let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
            match (served, &mut ended.report) {
                (Ok(report), Some(all)) => *all += report,
                (Ok(report), none) => *none = Some(report),
                (Err(error), _) => {
                    tracing::error!(%error, "a listener ended");
                    ended.error.get_or_insert(error);
                    failed.send_replace(true);
                }
            }
        };
        if model == Model::Tasks {
            self.running.spawn(async move { done(prepared.run_async().await) });
            return Ok(());
        }
        let token = self.running.token();
        let run = move || {
            done(prepared.run());
            drop(token);
        };
        let started = std::thread::Builder::new().name("sockeye-listener".to_owned()).spawn(run);
        started
            .map(drop)
            .map_err(|source| sockeye::Error::System { what: "cannot start a thread", source })
    }

    /// Those that are open now.
    #[must_use]
    pub fn opened(&self) -> Vec<Opened> {
        let opened = |open: &Open| Opened {
            listen: open.listen.clone(),
            addrs: shown(&open.listen, open.handle.addrs()),
            scheme: open.protocol.scheme(open.listen.addr.tls),
        };
        self.lock().iter().map(opened).collect()
    }

    fn handles(&self) -> Vec<(Listen, ServerHandle)> {
        self.lock().iter().map(|open| (open.listen.clone(), open.handle.clone())).collect()
    }

    /// Opens what is configured and not open, closes what is open and not configured, and gives those that
    /// stay their new settings. Connections of a closed listener have [`Limits::drain`] to finish. While all are drained,
    /// nothing is exchanged.
    ///
    /// Cancellation: what was exchanged so far stays, and what was to be closed is.
    pub async fn exchange(&self, settings: &Settings, protocols: &'static [Protocol]) -> Exchanged {
        let mut exchanged = Exchanged::default();
        let (closing, opening) = self.differing(settings);
        let mut refused = Vec::new();
        for listen in opening {
            match self.open(&listen, protocols).await {
                Ok(()) => exchanged.opened.push(listen),
                Err(error) => refused.push((listen, error)),
            }
        }
        exchanged.closed.extend(closing.0.iter().map(|open| open.listen.clone()));
        let any_closes = !closing.0.is_empty();
        drop(closing);
        let deadline = Instant::now() + HANDED_OVER;
        for (listen, mut error) in refused {
            // The address may be that of one that is closing.
            let opened = loop {
                if !any_closes || self.running.is_closed() || Instant::now() >= deadline {
                    break false;
                }
                tokio::time::sleep(AGAIN).await;
                match self.open(&listen, protocols).await {
                    Ok(()) => break true,
                    Err(again) => error = again,
                }
            };
            match opened {
                true => exchanged.opened.push(listen),
                false => exchanged.failed.push((listen, error)),
            }
        }
        let told = |(listen, error): &(Listen, OpenError)| (listen.clone(), error.to_string());
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) =
            exchanged.failed.iter().map(told).collect();
        self.node.set_servers(self.handles());
        exchanged
    }

    /// Those that are configured and could not be opened at the last reload, and why.
    #[must_use]
    pub fn refused(&self) -> Vec<(Listen, String)> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes out those that are to be closed, and gives what is to be opened.
    fn differing(&self, settings: &Settings) -> (Closing, Vec<Listen>) {
        let mut open = self.lock();
        if self.running.is_closed() {
            // They are the drain's, and a second signal ends them.
            return (Closing(Vec::new()), Vec::new());
        }
        let mut before = mem::take(&mut *open);
        let mut opening = Vec::new();
        for listen in &settings.listen {
            match before.iter().position(|open| open.listen == *listen) {
                Some(at) => {
                    let stays = before.swap_remove(at);
                    let Open { protocol, tls, bucket, .. } = &stays;
                    let service = self.service(protocol, listen, tls.as_ref(), settings, bucket);
                    stays.service.replace(service);
                    stays.handle.set_max_per_ip(per_address(settings));
                    open.push(stays);
                }
                None => opening.push(listen.clone()),
            }
        }
        (Closing(before), opening)
    }

    async fn open(&self, listen: &Listen, protocols: &'static [Protocol]) -> Result<(), OpenError> {
        let wanted = listen.clone();
        let bound = self.node.pool().run(move || Bound::open(&wanted, protocols)).await;
        let busy = |error| {
            let source = std::io::Error::new(std::io::ErrorKind::ResourceBusy, error);
            OpenError::Server(sockeye::Error::System { what: "cannot bind now", source })
        };
        self.accept(bound.map_err(busy)??)
    }

    /// Waits until a listener has ended by a fault of its own. Cancellation safe.
    pub async fn failed(&self) {
        let mut failed = self.failed.subscribe();
        // It cannot close before this ends.
        let _ = failed.wait_for(|failed| *failed).await;
    }

    /// Begins the drain of all: see [`ServerHandle::drain`]. None is opened from now on.
    pub fn drain(&self) {
        let open = self.lock();
        open.iter().for_each(|open| open.handle.drain());
        self.running.close();
    }

    /// Ends every connection now.
    pub fn stop(&self) {
        let open = self.lock();
        open.iter().for_each(|open| open.handle.stop());
        self.running.close();
    }

    /// Waits until all have ended after a drain, and tells what they did, those closed before included.
    ///
    /// Cancellation safe.
    ///
    /// # Errors
    /// What the first one ended with that was not told to.
    pub async fn ended(&self) -> Result<Option<Report>, sockeye::Error> {
        self.running.wait().await;
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        match ended.error.take() {
            Some(error) => Err(error),
            None => Ok(ended.report.take()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connections at once from one address, if they are limited.
fn per_address(settings: &Settings) -> Option<usize> {
    settings.limits_per_address.map(Within::count)
}

#[cfg(test)]
mod tests {
    use sockeye_testkit::soon;

    use super::*;
    use crate::{
        certificate::CertificateFiles,
        config::{Config, Sources},
        data::{DataFolder, Hold},
        listeners::tests::PROTOCOLS,
    };

    #[tokio::test]
    async fn a_listener_that_comes_once_all_are_drained_is_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::new(dir.path().join("data"));
        let _hold = Hold::take_or_create(&folder).unwrap();
        let text = "listen = \"http+tcp://127.0.0.1:0\"\n".to_owned();
        let sources = Sources { file: Some((folder.config(), text)), ..Sources::default() };
        let config = Config::load(&sources, PROTOCOLS).unwrap();
        let settings = config.settings.clone();
        let node = Node::open(&folder, config).await.unwrap();
        let certificates = Certificates::new(CertificateFiles::of(&folder, &settings), None);
        let limits = Limits::default();
        let listeners = Listeners::new(Arc::clone(&node), Arc::new(certificates), limits);
        let bound = || Bound::open(&settings.listen[0], PROTOCOLS).unwrap();
        listeners.accept(bound()).unwrap();
        listeners.drain();
        assert!(matches!(listeners.accept(bound()), Err(OpenError::Draining)));
        // A reload that was under way when the drain began: it neither opens nor takes away what the drain has.
        let other =
            Settings { listen: vec!["http+tcp://localhost:0".parse().unwrap()], ..settings };
        let exchanged = listeners.exchange(&other, PROTOCOLS).await;
        assert!(exchanged.opened.is_empty() && exchanged.closed.is_empty(), "{exchanged:?}");
        assert_eq!(listeners.opened().len(), 1);
        soon(listeners.ended()).await.unwrap();
        node.close().await.unwrap();
    }
}
