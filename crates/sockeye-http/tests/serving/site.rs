//! A site under test: a folder, a server for it, and a client that sends exactly what it is told.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    thread::JoinHandle,
    time::Duration,
};

use sockeye::{
    Addr, Model, Server, ServerHandle, Stream,
    addr::Endpoint,
    client::Connect,
    tls::{Identity, Roots, TlsClient, TlsServer},
};
use sockeye_http::{Config, Http};
use sockeye_node::{Home, Session};
use sockeye_testkit::certificates::Authority;
use tempfile::TempDir;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server and its folder.
pub(crate) struct Site {
    folder: TempDir,
    pub(crate) addr: SocketAddr,
    pub(crate) server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        Self::start(config, Model::Tasks, None)
    }

    /// With a folder in memory, where the system has one.
    pub(crate) fn in_memory() -> Self {
        let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
        Self::of(folder, Config::default(), Model::Tasks, None)
    }

    pub(crate) fn start(config: Config, model: Model, tls: Option<TlsServer>) -> Self {
        Self::of(TempDir::new().unwrap(), config, model, tls)
    }

    fn of(folder: TempDir, config: Config, model: Model, tls: Option<TlsServer>) -> Self {
        let home = Home::open(folder.path()).unwrap();
        let scheme = if tls.is_some() { "tls+tcp" } else { "tcp" };
        let addr: Addr = format!("{scheme}://127.0.0.1:0").parse().unwrap();
        let mut server = Server::bind(addr).unwrap();
        if let Some(tls) = tls {
            server = server.tls(tls);
        }
        let http = Http::new(Session::guest(home), config);
        let server = server.with(http).model(model).workers(1).signals(false).prepare().unwrap();
        let Endpoint::Tcp(at) = &server.addrs()[0].endpoint else { panic!("no TCP") };
        let addr = SocketAddr::from(([127, 0, 0, 1], at.port));
        let handle = server.handle();
        let thread =
            std::thread::Builder::new().spawn(move || drop(server.run().unwrap())).unwrap();
        Self { folder, addr, server: handle, thread: Some(thread) }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.addr)
    }

    /// Connects to a site over [`tls`], whose authority is in `folder`, and agrees on `protocol`.
    pub(crate) async fn connect_tls(&self, folder: &Path, protocol: &str) -> Stream {
        connect_tls(self.addr.port(), folder, protocol).await
    }

    /// Sends `bytes` and reads until the server closes.
    pub(crate) fn talk(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        talk(self.addr, bytes)
    }

    /// Sends a request with these header lines beside Host and `Connection: close`.
    pub(crate) fn ask(&self, line: &str, fields: &[&str]) -> Answer {
        let fields: String = fields.iter().map(|f| format!("{f}\r\n")).collect();
        let request =
            format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n");
        let answer = self.talk(request);
        Answer::parse(&answer, line.starts_with("HEAD ")).0
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask(&format!("GET {target}"), &[])
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.stop();
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

pub(crate) fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Connects over [`tls`], whose authority is in `folder`, and agrees on `protocol`.
pub(crate) async fn connect_tls(port: u16, folder: &Path, protocol: &str) -> Stream {
    let roots = Roots::from_pem_file(folder.join("ca.pem"));
    let tls = TlsClient::builder().roots(roots).alpn([protocol]).build().unwrap();
    let addr = format!("tls+tcp://localhost:{port}");
    Connect::new(addr).unwrap().tls(tls).connect().await.unwrap()
}

/// Sends `bytes` and reads until the server closes.
pub(crate) fn talk(addr: SocketAddr, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut stream = connect(addr);
    // A server that refuses may close before all was sent.
    let _ = stream.write_all(bytes.as_ref());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// TLS for `localhost` by an authority of its own, whose certificate is `ca.pem` in `folder`.
pub(crate) fn tls(folder: &Path) -> TlsServer {
    let authority = Authority::new("test");
    fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    let (chain, key) = authority.server(&["localhost"]).write(folder, "server");
    let identity = Identity::from_pem_files(chain, key);
    TlsServer::builder(identity).alpn(["h2", "http/1.1"]).build().unwrap()
}

/// An answer taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads one answer off the beginning of `bytes`; also gives what follows it.
    pub(crate) fn parse(bytes: &[u8], to_head: bool) -> (Self, &[u8]) {
        let end = bytes
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let rest = &bytes[end + 4..];
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap();
        assert!(line.starts_with("HTTP/1."), "{line}");
        let status = line[9..12].parse().unwrap();
        let fields = lines
            .map(|l| l.split_once(": ").unwrap())
            .map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()))
            .collect();
        let mut answer = Self { status, fields, body: Vec::new() };
        let bare = to_head || status == 304 || status == 204;
        let rest = if bare { rest } else { answer.take_body(rest) };
        (answer, rest)
    }

    fn take_body<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        if self.field("transfer-encoding") == Some("chunked") {
            return self.take_chunks(rest);
        }
        let length: usize = self.field("content-length").unwrap().parse().unwrap();
        assert!(rest.len() >= length, "{} of {length} bytes came", rest.len());
        self.body = rest[..length].to_vec();
        &rest[length..]
    }

    fn take_chunks<'a>(&mut self, mut rest: &'a [u8]) -> &'a [u8] {
        loop {
            let end = rest.windows(2).position(|w| w == b"\r\n").unwrap();
            let length = usize::from_str_radix(str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            let from = end + 2;
            self.body.extend_from_slice(&rest[from..from + length]);
            assert_eq!(&rest[from + length..from + length + 2], b"\r\n");
            rest = &rest[from + length + 2..];
            if length == 0 {
                return rest;
            }
        }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(n, _)| n == name);
        let value = found.next().map(|(_, v)| v.as_str());
        assert!(found.next().is_none(), "{name} twice");
        value
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// Ends the reading side's wait: nothing more will be sent.
pub(crate) fn end_of_requests(stream: &TcpStream) {
    stream.shutdown(Shutdown::Write).unwrap();
}
