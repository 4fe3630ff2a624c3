//! A whole node, with its configuration, listeners and log, as `sockeye serve` runs one: what an administrator's page shows.

use std::{fs, sync::Arc};

use sockeye::{Limits, systemd::Notifier};
use sockeye_http::{Config, Http};
use sockeye_node::{
    Node, Protocol, Role, Secret,
    accounts::{NewPassword, Quota},
    certificate::{CertificateFiles, SelfSigned},
    config::{Config as NodeConfig, Sources},
    control::{Serving, Setup},
    data::{DataFolder, Hold},
    listeners::Bound,
};
use sockeye_testkit::{node::password, program::PATIENCE};
use tempfile::TempDir;
use tokio::{runtime::Runtime, task::JoinSet};

const PROTOCOLS: &[Protocol] = &[Protocol {
    name: "http",
    schemes: ("http", "https"),
    ports: (80, 443),
    local_only: false,
    alpn: &["http/1.1"],
    options: &[],
    starts_tls: |_| false,
    cleartext: |_| None,
    service: |it| Arc::new(Http::new(Arc::clone(it.node.gate()), Config::from(it))),
}];

const CONFIG: &str = "listen = \"http+tcp://127.0.0.1:0\"\ndrain = \"200ms\"\n\
                      [login]\nmemory = \"8KiB\"\npasses = 1\n";

/// The node, which serves until it is dropped; `root` administers it.
pub(crate) struct Whole {
    runtime: Runtime,
    node: Arc<Node>,
    serving: Arc<Serving>,
    pub(crate) port: u16,
    tasks: JoinSet<()>,
    _hold: Hold,
    _folder: TempDir,
}

impl Whole {
    pub(crate) fn start() -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let folder = TempDir::new().unwrap();
        let data = DataFolder::new(folder.path().join("data"));
        let mut hold = Hold::take_or_create(&data).unwrap();
        fs::write(data.config(), CONFIG).unwrap();
        hold.keep();
        let (node, serving, tasks) = runtime.block_on(serve(&data));
        let port = serving.opened()[0].addrs[0].port().unwrap();
        Self { runtime, node, serving, port, tasks, _hold: hold, _folder: folder }
    }
}

async fn serve(data: &DataFolder) -> (Arc<Node>, Arc<Serving>, JoinSet<()>) {
    let sources = Sources { file: data.read_config().unwrap(), ..Sources::default() };
    let config = NodeConfig::load(&sources, PROTOCOLS).unwrap();
    let bound = config.settings.listen.iter().map(|it| Bound::open(it, PROTOCOLS).unwrap());
    let bound = bound.collect();
    let certificates = CertificateFiles::of(data, &config.settings);
    let day = std::time::Duration::from_secs(86_400);
    certificates.write(&SelfSigned::make("test", Vec::new(), day).unwrap()).unwrap();
    let node = Node::open(data, config).await.unwrap();
    let chosen = NewPassword::Chosen(Secret::new(password("root")));
    let accounts = node.gate().accounts();
    accounts.add("root".parse().unwrap(), Role::Admin, Quota::NONE, chosen).await.unwrap();
    let notifier = Notifier::silent();
    let limits = Limits::default();
    let setup = Setup {
        bound,
        certificate: None,
        names: |_| Vec::new(),
        sources,
        protocols: PROTOCOLS,
        limits,
        notifier,
        watchdog: None,
    };
    let serving = Serving::start(Arc::clone(&node), setup).unwrap();
    let (told, ready) = tokio::sync::oneshot::channel();
    let run = Arc::clone(&serving);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        run.run(|| told.send(()).unwrap()).await.unwrap();
    });
    ready.await.unwrap();
    (node, serving, tasks)
}

impl Drop for Whole {
    fn drop(&mut self) {
        self.serving.finish();
        let end = async {
            self.tasks.join_next().await;
            self.node.close().await
        };
        let _ = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, end).await });
    }
}
