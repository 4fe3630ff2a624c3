//! A node that serves: its listeners are exchanged while it runs, and it takes commands.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{fs, io, ops::ControlFlow, os::unix::fs::PermissionsExt as _, sync::Arc, time::Duration};

use sockeye::{
    Conn, Handler, Limits, Stream,
    systemd::Notifier,
    tls::{TlsClient, TlsServer},
};
use sockeye_journal::{Found, Query, Reader, wire::line::Entry};
use sockeye_node::{
    ListenOption, Node, Phase, Protocol,
    certificate::{CertificateFiles, SelfSigned},
    command::{Answer, Command, RefusalKind, Reloaded},
    config::{Config, Sources},
    control::{ControlError, Serving, Setup, ask},
    data::{DataFolder, Hold},
    listeners::Bound,
};
use sockeye_testkit::soon;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    task::JoinSet,
};

/// Answers each line with a greeting, which is the configured index file.
struct Greeter(String);

impl Handler for Greeter {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        while conn.read_line().await?.is_some() {
            conn.write_all(format!("{}\n", self.0).as_bytes()).await?;
        }
        Ok(())
    }
}

/// Says how its listener has TLS; a line, whichever, starts it. With `tls+` it is there from the beginning.
struct Later {
    said: String,
    at_once: bool,
    tls: Option<TlsServer>,
}

impl Handler for Later {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        if !self.at_once {
            conn.write_all(format!("{}\n", self.said).as_bytes()).await?;
            conn.read_line().await?;
        }
        let Some(tls) = &self.tls else { return conn.write_all(b"no TLS\n").await };
        let own = tls.for_connection().map_err(io::Error::from)?;
        conn.start_tls(&own).await?;
        conn.write_all(format!("{}\n", self.said).as_bytes()).await?;
        conn.flush().await
    }
}

const PROTOCOLS: &[Protocol] = &[HELLO, LATER];

const LATER: Protocol = Protocol {
    name: "later",
    schemes: ("later", "laters"),
    ports: (3, 4),
    local_only: false,
    alpn: &["later"],
    options: &[ListenOption {
        name: "tls",
        notation: "allowed or off",
        help: "whether TLS can be started",
        takes: |value| ["allowed", "off"].contains(&value),
        begins_tls: true,
    }],
    starts_tls: |listen| listen.addr.tls || listen.option("tls") != Some("off"),
    cleartext: |_| None,
    service: |listening| {
        let said = listening.listen.option("tls").unwrap_or("from the start").to_owned();
        let at_once = listening.listen.addr.tls;
        Arc::new(Later { said, at_once, tls: listening.tls.cloned() })
    },
};

const HELLO: Protocol = Protocol {
    name: "hello",
    schemes: ("hello", "hellos"),
    ports: (1, 2),
    local_only: false,
    alpn: &["hello"],
    options: &[],
    starts_tls: |_| false,
    cleartext: |_| None,
    service: |listening| Arc::new(Greeter(listening.settings.http_index[0].to_string())),
};

/// A node in a temporary folder, which serves until the test ends.
struct Running {
    dir: TempDir,
    hold: Hold,
    node: Arc<Node>,
    serving: Arc<Serving>,
    tasks: JoinSet<()>,
}

impl Running {
    async fn start(config: &str) -> Self {
        Self::start_in(TempDir::new().unwrap(), config).await
    }

    async fn start_in(dir: TempDir, config: &str) -> Self {
        let folder = DataFolder::new(dir.path().join("data"));
        let mut hold = Hold::take_or_create(&folder).unwrap();
        fs::write(folder.config(), config).unwrap();
        hold.keep();
        let sources = Sources { file: folder.read_config().unwrap(), ..Sources::default() };
        let config = Config::load(&sources, PROTOCOLS).unwrap();
        let bound = config.settings.listen.iter().map(|it| Bound::open(it, PROTOCOLS).unwrap());
        let bound = bound.collect();
        renew(&CertificateFiles::of(&folder, &config.settings));
        let node = Node::open(&folder, config).await.unwrap();
        let setup = Setup {
            bound,
            certificate: None,
            names: |_| Vec::new(),
            sources,
            protocols: PROTOCOLS,
            limits: Limits::default(),
            notifier: Notifier::silent(),
            watchdog: None,
        };
        let serving = Serving::start(Arc::clone(&node), setup).unwrap();
        let mut tasks = JoinSet::new();
        let (told, ready) = tokio::sync::oneshot::channel();
        let run = Arc::clone(&serving);
        tasks.spawn(async move {
            run.run(|| told.send(()).unwrap()).await.unwrap();
        });
        soon(ready).await.unwrap();
        Self { dir, hold, node, serving, tasks }
    }

    fn folder(&self) -> &DataFolder {
        self.hold.folder()
    }

    async fn ask(&self, command: Command) -> Result<Answer, ControlError> {
        let folder = self.folder().clone();
        let pool = sockeye_node::Pool::default();
        soon(pool.run(move || ask(&folder, command))).await.unwrap()
    }

    async fn reload(&self, config: &str) -> Reloaded {
        fs::write(self.folder().config(), config).unwrap();
        match self.ask(Command::Reload).await.unwrap() {
            Answer::Reloaded(reloaded) => reloaded,
            other => panic!("{other:?}"),
        }
    }

    async fn connect(&self, listener: usize) -> Line {
        let addr = self.serving.opened()[listener].addrs[0].clone();
        let port = addr.port().unwrap();
        Line(BufReader::new(soon(TcpStream::connect(("127.0.0.1", port))).await.unwrap()))
    }

    /// Ends it, and gives what it leaves.
    async fn finish(mut self) -> TempDir {
        self.serving.finish();
        soon(self.tasks.join_next()).await.unwrap().unwrap();
        soon(self.node.close()).await.unwrap();
        assert!(!self.folder().control().exists());
        self.dir
    }
}

struct Line(BufReader<TcpStream>);

impl Line {
    /// Asks for a greeting.
    async fn greeting(&mut self) -> String {
        self.0.write_all(b"hi\n").await.unwrap();
        let mut line = String::new();
        soon(self.0.read_line(&mut line)).await.unwrap();
        line.trim_end().to_owned()
    }

    /// All that is said from now on.
    async fn rest(&mut self) -> String {
        let mut rest = String::new();
        soon(self.0.read_to_string(&mut rest)).await.unwrap();
        rest
    }
}

const ONE: &str = "listen = \"hello+tcp://127.0.0.1:0\"\ndrain = \"200ms\"\n";

#[tokio::test]
async fn a_node_tells_how_it_is_and_ends_when_told_to() {
    let node = Running::start(ONE).await;
    assert_eq!(node.connect(0).await.greeting().await, "index.html");
    let Answer::Status(status) = node.ask(Command::Status).await.unwrap() else { panic!() };
    assert_eq!(status.pid, std::process::id());
    assert_eq!(status.listeners[0].listen, "hello+tcp://127.0.0.1:0");
    assert_eq!(status.listeners[0].accepted, 1);
    let mode = fs::metadata(node.folder().control()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    node.finish().await;
}

/// Each line of an operation, in the log of a node that has ended.
fn each_line(dir: &TempDir, operation: &str, mut each: impl FnMut(&Entry<'_>)) {
    let reader = Reader::open(&dir.path().join("data/journal")).unwrap();
    let query = Query { events: vec![operation.parse().unwrap()], ..Query::default() };
    let all = |found: Found<'_>| {
        let Found::Entry(entry, _) = found else { panic!("a broken line") };
        each(entry);
        ControlFlow::Continue(())
    };
    reader.scan(&query, all).unwrap();
}

#[tokio::test]
async fn a_start_says_so_if_the_server_before_was_not_stopped() {
    let dir = Running::start(ONE).await.finish().await;
    let node = Running::start_in(dir, ONE).await;
    let control = node.folder().control();
    let dir = node.finish().await;
    // What one leaves behind that is killed.
    drop(std::os::unix::net::UnixListener::bind(control).unwrap());
    let dir = Running::start_in(dir, ONE).await.finish().await;
    let mut told = Vec::new();
    each_line(&dir, "start", |entry| {
        told.push(entry.detail.as_deref().unwrap().contains("killed"))
    });
    assert_eq!(told, [false, false, true]);
}

#[tokio::test]
async fn connections_beyond_those_of_an_address_are_in_the_log_and_do_not_fill_it() {
    let node = Running::start(&format!("{ONE}[limits]\nper-address = 1\n")).await;
    let mut first = node.connect(0).await;
    assert_eq!(first.greeting().await, "index.html");
    for _ in 0..40 {
        assert_eq!(node.connect(0).await.rest().await, "");
    }
    drop(first);
    let dir = node.finish().await;
    let mut told = Vec::new();
    each_line(&dir, "refuse", |entry| {
        assert_eq!((&*entry.outcome, entry.from.as_deref()), ("denied", Some("127.0.0.1")));
        told.push(
            [entry.protocol.as_deref(), entry.detail.as_deref()].map(|it| it.unwrap().to_owned()),
        );
    });
    let [[protocol, why], [_, counted]] = &told[..] else { panic!("{told:?}") };
    assert!(protocol == "hello" && why.starts_with("limits.per-address: "), "{told:?}");
    assert_eq!(counted, "39 more refused connections, counted together");
}

#[tokio::test]
async fn a_listener_that_comes_or_goes_touches_no_connection_of_another() {
    // Long enough for whoever stays on a listener that goes.
    let two = "listen = [\"hello+tcp://127.0.0.1:0\", \"hello+tcp://localhost:0?backlog=9\"]\n\
               drain = \"20s\"\n";
    let node = Running::start(two).await;
    let (mut stays, mut goes) = (node.connect(0).await, node.connect(1).await);
    assert_eq!((stays.greeting().await, goes.greeting().await).1, "index.html");
    let other = "listen = [\"hello+tls+tcp://127.0.0.1:0\", \"hello+tcp://127.0.0.1:0\"]\n\
                 drain = \"10ms\"\n";
    let reloaded = node.reload(other).await;
    assert_eq!(reloaded.opened, ["hello+tls+tcp://127.0.0.1:0"]);
    assert_eq!(reloaded.closed, ["hello+tcp://localhost:0?backlog=9"]);
    let changed: Vec<_> = reloaded.changed.iter().map(|it| (&*it.key, it.applied)).collect();
    assert_eq!(changed, [("listen", true), ("drain", false)]);
    assert_eq!(stays.greeting().await, "index.html");
    // It goes on until it has finished or the drain's time is over.
    assert_eq!(goes.greeting().await, "index.html");
    assert_eq!(node.serving.opened().len(), 2);
    drop((stays, goes));
    node.finish().await;
}

#[tokio::test]
async fn a_reload_that_comes_while_the_node_drains_is_refused() {
    let node = Running::start("listen = \"hello+tcp://127.0.0.1:0\"\ndrain = \"20s\"\n").await;
    let mut stays = node.connect(0).await;
    assert_eq!(stays.greeting().await, "index.html");
    node.serving.finish();
    let drains = async {
        while node.node.phase() != Phase::Draining {
            tokio::task::yield_now().await;
        }
    };
    soon(drains).await;
    fs::write(node.folder().config(), "listen = \"hello+tcp://localhost:0\"\n").unwrap();
    let refused = node.ask(Command::Reload).await.unwrap_err();
    assert!(refused.to_string().contains("the node is ending"), "{refused}");
    let opened: Vec<_> = node.serving.opened().iter().map(|it| it.listen.to_string()).collect();
    assert_eq!(opened, ["hello+tcp://127.0.0.1:0"]);
    drop(stays);
    node.finish().await;
}

#[tokio::test]
async fn new_settings_are_for_new_connections_of_a_listener_that_stays() {
    let node = Running::start(ONE).await;
    let mut before = node.connect(0).await;
    assert_eq!(before.greeting().await, "index.html");
    node.reload(&format!("{ONE}[http]\nindex = \"start.htm\"\n")).await;
    assert_eq!(before.greeting().await, "index.html");
    assert_eq!(node.connect(0).await.greeting().await, "start.htm");
    drop(before);
    node.finish().await;
}

#[tokio::test]
async fn an_address_moves_from_one_listener_to_another() {
    let node = Running::start(ONE).await;
    let port = node.serving.opened()[0].addrs[0].port().unwrap();
    let config = ONE.replace(":0", &format!(":{port}"));
    let reloaded = node.reload(&config).await;
    assert_eq!(reloaded.failed, Vec::<String>::new());
    assert_eq!(reloaded.opened, [format!("hello+tcp://127.0.0.1:{port}")]);
    assert_eq!(node.connect(0).await.greeting().await, "index.html");
    node.finish().await;
}

#[tokio::test]
async fn a_configuration_with_a_mistake_changes_nothing_and_is_explained() {
    let node = Running::start(ONE).await;
    fs::write(node.folder().config(), format!("{ONE}drian = \"5s\"\n")).unwrap();
    let Err(ControlError::Refused(refusal)) = node.ask(Command::Reload).await else { panic!() };
    assert_eq!(refusal.kind, RefusalKind::Usage);
    assert!(
        refusal
            .message
            .ends_with("sockeye.toml:3: drian: there is no such key; did you mean drain?"),
        "{refusal}"
    );
    assert_eq!(node.connect(0).await.greeting().await, "index.html");
    // One that cannot be opened is told, and the rest is done.
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = format!("hello+tcp://{}", taken.local_addr().unwrap());
    let listen = format!("listen = [\"hello+tcp://127.0.0.1:0\", \"{taken}\"]\n");
    let reloaded = node.reload(&listen).await;
    assert!(
        reloaded.failed[0].contains("is not open: cannot listen on tcp://127.0.0.1:"),
        "{reloaded:?}"
    );
    node.finish().await;
}

#[tokio::test]
async fn thread_per_core_listeners_are_drained_too() {
    let node = Running::start(&format!("{ONE}model = \"percore:2\"\n")).await;
    let mut line = node.connect(0).await;
    assert_eq!(line.greeting().await, "index.html");
    drop(line);
    node.finish().await;
}

impl Running {
    /// Begins a connection in TLS on a plain one, which is done with once it is read to its end.
    async fn secured(&self, line: Line, certificate: &SelfSigned) -> String {
        let client = TlsClient::builder().pinned([certificate.fingerprint]).build().unwrap();
        assert_eq!(line.0.buffer(), b"");
        let stream = Stream::from(line.0.into_inner());
        let mut stream = soon(client.connect(stream, "localhost")).await.unwrap();
        let mut said = String::new();
        soon(stream.read_to_string(&mut said)).await.unwrap();
        said
    }

    fn renew_certificate(&self) -> SelfSigned {
        renew(&CertificateFiles::of(self.folder(), &self.node.config().settings))
    }

    /// The path of a file beside the data folder, as a configuration has it.
    fn beside(&self, name: &str) -> CertificateFiles {
        let above = self.folder().path().parent().unwrap();
        let path = |end| above.join(format!("{name}.{end}"));
        CertificateFiles { chain: path("crt"), key: path("key") }
    }
}

fn renew(files: &CertificateFiles) -> SelfSigned {
    let made = SelfSigned::make("test", Vec::new(), Duration::from_secs(3600)).unwrap();
    files.write(&made).unwrap();
    made
}

fn tls(CertificateFiles { chain, key }: &CertificateFiles) -> String {
    format!("[tls]\ncert = {:?}\nkey = {:?}\n", chain, key)
}

#[tokio::test]
async fn a_certificate_in_other_files_is_taken_up_by_every_listener_and_connections_stay() {
    let listen = "listen = [\"later+tcp://127.0.0.1:0?tls=allowed\", \"later+tls+tcp://127.0.0.1:0\", \
                  \"hello+tcp://127.0.0.1:0\"]\ndrain = \"200ms\"\n";
    let node = Running::start(listen).await;
    // Both have had a connection, and so a server's side of TLS.
    let first = node.renew_certificate();
    assert!(node.reload(listen).await.renewed);
    let early = node.connect(1).await;
    assert_eq!(node.secured(early, &first).await, "from the start\n");
    let mut before = node.connect(2).await;
    assert_eq!(before.greeting().await, "index.html");

    let files = node.beside("other");
    let other = renew(&files);
    let reloaded = node.reload(&format!("{listen}{}", tls(&files))).await;
    assert!(reloaded.renewed && reloaded.failed.is_empty(), "{reloaded:?}");
    assert_eq!(reloaded.certificate.unwrap().file, files.chain);
    let changed: Vec<_> = reloaded.changed.iter().map(|it| (&*it.key, it.applied)).collect();
    assert_eq!(changed, [("tls.cert", true), ("tls.key", true)]);
    let mut plain = node.connect(0).await;
    assert_eq!(plain.greeting().await, "allowed");
    assert_eq!(node.secured(plain, &other).await, "allowed\n");
    let at_once = node.connect(1).await;
    assert_eq!(node.secured(at_once, &other).await, "from the start\n");
    assert_eq!(before.greeting().await, "index.html");
    drop(before);
    // And a listener that comes only now.
    let hello = listen.replace("hello+tcp", "hello+tls+tcp");
    assert_eq!(node.reload(&format!("{hello}{}", tls(&files))).await.opened.len(), 1);
    // New contents of the other files, whether or not the listeners had them from their beginning.
    let other = renew(&files);
    assert!(node.reload(&format!("{hello}{}", tls(&files))).await.renewed);
    let at_once = node.connect(1).await;
    assert_eq!(node.secured(at_once, &other).await, "from the start\n");
    node.finish().await;
}

#[tokio::test]
async fn a_reload_with_a_certificate_that_a_start_would_refuse_changes_nothing() {
    let listen = "listen = \"later+tls+tcp://127.0.0.1:0\"\ndrain = \"200ms\"\n";
    let node = Running::start(listen).await;
    let shown = node.renew_certificate();
    node.reload(listen).await;
    let [own, other] = [node.beside("own"), node.beside("other")];
    let _ = (renew(&own), renew(&other));
    let mixed = CertificateFiles { chain: own.chain.clone(), key: other.key };
    let missing = CertificateFiles { chain: own.chain.clone(), key: node.beside("missing").key };
    let nothing = CertificateFiles { chain: node.beside("missing").chain, key: own.key.clone() };
    for (files, key, file, line, why) in [
        (&mixed, "tls.key", &mixed.key, 6, "does not belong"),
        (&missing, "tls.key", &missing.key, 6, "cannot read"),
        (&nothing, "tls.cert", &nothing.chain, 5, "cannot read"),
    ] {
        let config = format!("{listen}public = true\n{}", tls(files));
        fs::write(node.folder().config(), config).unwrap();
        let Err(ControlError::Refused(refusal)) = node.ask(Command::Reload).await else { panic!() };
        let place = format!("{key} ({}:{line}): ", node.folder().config().display());
        assert!(refusal.message.contains(&place), "{refusal}");
        assert!(refusal.message.contains(why), "{refusal}");
        assert!(refusal.message.contains(file.to_str().unwrap()), "{refusal}");
        assert!(refusal.hint.is_some());
        assert!(!node.node.config().settings.public, "the rest is not taken up either");
        let line = node.connect(0).await;
        assert_eq!(node.secured(line, &shown).await, "from the start\n");
    }
    // Where no listener has TLS, nobody looks at it.
    let plain = listen.replace("later+tls", "hello");
    let reloaded = node.reload(&format!("{plain}{}", tls(&missing))).await;
    assert!(reloaded.failed.is_empty() && reloaded.certificate.is_none(), "{reloaded:?}");
    // Whoever has it again later has that of the files which are named then.
    let later = renew(&own);
    node.reload(&format!("{listen}{}", tls(&own))).await;
    let line = node.connect(0).await;
    assert_eq!(node.secured(line, &later).await, "from the start\n");
    node.finish().await;
}

#[tokio::test]
async fn a_protocol_starts_tls_itself_with_the_certificate_of_this_moment() {
    let listen = "listen = [\"later+tcp://127.0.0.1:0?tls=allowed&backlog=9\", \
                  \"later+tls+tcp://127.0.0.1:0\", \"later+tcp://127.0.0.1:0?tls=off\"]\n\
                  drain = \"200ms\"\n";
    let node = Running::start(listen).await;
    let opened = node.serving.opened();
    assert_eq!(opened.iter().map(|it| it.addrs[0].tls).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(opened[1].scheme, ("laters", 4));
    // The second time the certificate is another one, which the reload has told of.
    for _ in 0..2 {
        let certificate = node.renew_certificate();
        let reloaded = node.reload(listen).await;
        assert!(reloaded.opened.is_empty() && reloaded.closed.is_empty(), "{reloaded:?}");
        let mut plain = node.connect(0).await;
        // Its first line is there before it is asked.
        assert_eq!(plain.greeting().await, "allowed");
        assert_eq!(node.secured(plain, &certificate).await, "allowed\n");
        let at_once = node.connect(1).await;
        assert_eq!(node.secured(at_once, &certificate).await, "from the start\n");
        let mut never = node.connect(2).await;
        assert_eq!((never.greeting().await, never.rest().await), ("off".into(), "no TLS\n".into()));
    }
    let Answer::Status(status) = node.ask(Command::Status).await.unwrap() else { panic!() };
    let accepted: Vec<_> = status.listeners.iter().map(|it| it.accepted).collect();
    assert_eq!(accepted, [2, 2, 2]);
    assert_eq!(status.listeners[0].listen, "later+tcp://127.0.0.1:0?backlog=9&tls=allowed");
    // Another option is another listener.
    let reloaded = node.reload(&listen.replace("allowed", "off")).await;
    assert_eq!(reloaded.opened, ["later+tcp://127.0.0.1:0?backlog=9&tls=off"]);
    assert_eq!(reloaded.closed, ["later+tcp://127.0.0.1:0?backlog=9&tls=allowed"]);
    node.finish().await;
}

#[tokio::test]
async fn no_certificate_is_asked_for_where_nobody_starts_tls_and_one_is_made_where_somebody_does() {
    let node = Running::start(ONE).await;
    fs::remove_file(node.folder().tls().join("cert.pem")).unwrap();
    let reloaded = node
        .reload(&ONE.replace("hello+tcp://127.0.0.1:0", "later+tcp://127.0.0.1:0?tls=off"))
        .await;
    assert_eq!((reloaded.opened.len(), reloaded.failed.len()), (1, 0), "{reloaded:?}");
    // And made where it is, as at the first start.
    let reloaded = node.reload(&ONE.replace("hello+tcp", "later+tcp")).await;
    assert_eq!((reloaded.opened.len(), reloaded.failed.len()), (1, 0), "{reloaded:?}");
    assert!(node.folder().tls().join("cert.pem").exists());
    node.finish().await;
}

#[tokio::test]
async fn what_is_no_command_is_answered() {
    let node = Running::start(ONE).await;
    for (line, part) in [
        ("nonsense\n", "that is no command"),
        ("{\"version\":\"9.9.9\",\"command\":\"levitate\"}\n", "of version 9.9.9"),
    ] {
        let socket = tokio::net::UnixStream::connect(node.folder().control()).await.unwrap();
        let mut socket = BufReader::new(socket);
        socket.write_all(line.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon(socket.read_line(&mut answer)).await.unwrap();
        assert!(answer.starts_with("{\"refused\":") && answer.contains(part), "{answer}");
    }
    node.finish().await;
}

#[tokio::test]
async fn where_no_node_runs_nobody_takes_commands() {
    let dir = TempDir::new().unwrap();
    let error = ask(&DataFolder::new(dir.path()), Command::Status).unwrap_err();
    assert!(error.to_string().starts_with("nobody takes commands at "), "{error}");
}

#[tokio::test]
async fn connections_of_an_address_are_bounded_from_a_reload_on() {
    let node = Running::start(ONE).await;
    let mut early = node.connect(0).await;
    assert_eq!(early.greeting().await, "index.html");
    let reloaded = node.reload(&format!("{ONE}[limits]\nper-address = 1\n")).await;
    assert!(reloaded.changed[0].applied, "{reloaded:?}");
    // The one from before was not counted.
    let mut one = node.connect(0).await;
    assert_eq!(one.greeting().await, "index.html");
    assert_eq!(node.connect(0).await.rest().await, "");
    assert_eq!(early.greeting().await, "index.html");
    assert!(node.reload(ONE).await.changed[0].applied);
    let mut another = node.connect(0).await;
    assert_eq!(another.greeting().await, "index.html");
    drop((early, one, another));
    node.finish().await;
}

#[tokio::test]
async fn a_node_tells_what_holds_and_what_waits_for_what() {
    let node = Running::start(ONE).await;
    let held = async |node: &Running, key: &str| {
        let Answer::Config(holding) = node.ask(Command::Config).await.unwrap() else { panic!() };
        assert_eq!(holding.pid, std::process::id());
        (holding.values.into_iter().find(|held| held.key == key).unwrap(), holding.fault)
    };
    let (drain, fault) = held(&node, "drain").await;
    assert_eq!((&*drain.value, drain.next, fault), ("\"200ms\"", None, None));
    let file = node.folder().config();
    let at = |line: usize| format!("{}:{line}", file.display());
    assert_eq!(drain.from, at(2));
    // Written, and not reloaded.
    let new = "listen = \"hello+tcp://127.0.0.1:0\"\npublic = true\ndrain = \"300ms\"\n";
    fs::write(&file, new).unwrap();
    let next = held(&node, "public").await.0.next.unwrap();
    assert_eq!((&*next.value, next.from, next.at_start), ("true", at(2), false));
    for reloaded in [false, true] {
        if reloaded {
            node.reload(new).await;
        }
        let (drain, _) = held(&node, "drain").await;
        let next = drain.next.unwrap();
        assert_eq!((&*drain.value, &*drain.from), ("\"200ms\"", &*at(2)), "{reloaded}");
        assert_eq!((&*next.value, next.from, next.at_start), ("\"300ms\"", at(3), true));
    }
    let (public, _) = held(&node, "public").await;
    assert_eq!((&*public.value, public.from, public.next), ("true", at(2), None));
    // With a mistake in it nothing would be taken up.
    fs::write(&file, "public = maybe\n").unwrap();
    let (public, fault) = held(&node, "public").await;
    assert_eq!((&*public.value, public.next), ("true", None));
    assert!(fault.is_some_and(|fault| fault.contains("sockeye.toml:1")));
    node.finish().await;
}
