//! TLS in forked processes: tickets are good in every child, no child repeats another's random
//! bytes, and a reload reaches them all. A program of its own, as forking wants a process with one thread.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test without the harness, which says itself how it went"
)]

use std::{
    collections::HashSet,
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use sockeye::{Conn, Handler, Model, Server, tls::TlsServer};
use sockeye_testkit::certificates::Authority;
use tokio::io::AsyncWriteExt as _;

const CONNECTIONS: usize = 6;

/// Tells the number of the process that it runs in.
struct Pid;

impl Handler for Pid {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        conn.write_all(std::process::id().to_string().as_bytes()).await
    }
}

/// What a client saw of one connection.
struct Seen {
    random: [u8; 32],
    resumed: bool,
    certificate: Vec<u8>,
    pid: u32,
}

fn main() {
    let authority = Authority::new("test authority");
    let folder = tempfile::tempdir().unwrap();
    let models = [Model::ForkPerConnection { max: 2 }, Model::Prefork(3)];
    for model in models {
        // This uses the random generator of the process before it forks.
        let (chain, key) = authority.server(&["localhost"]).write(folder.path(), "server");
        let tls = TlsServer::from_pem_files(chain, key).unwrap();
        let renew = || {
            let leaf = authority.server(&["localhost"]);
            let _ = leaf.write(folder.path(), "server");
            leaf.certificate_der
        };
        let seen = run(model, &tls, &authority, renew);
        let randoms: HashSet<_> = seen.iter().map(|seen| seen.random).collect();
        assert_eq!(randoms.len(), CONNECTIONS, "{model}: a random number was repeated");
        let pids: HashSet<_> = seen.iter().map(|seen| seen.pid).collect();
        assert!(!pids.contains(&std::process::id()), "{model}: not forked");
        if matches!(model, Model::ForkPerConnection { .. }) {
            assert_eq!(pids.len(), CONNECTIONS, "{model}: a process each");
        }
        let resumed: Vec<_> = seen.iter().map(|seen| seen.resumed).collect();
        assert!(!resumed[0] && resumed[1..].iter().all(|resumed| *resumed), "{model}: {resumed:?}");
        println!("tls under {model} ... ok");
    }
    let passed = models.len();
    println!("test result: ok. {passed} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
}

/// Serves under `model` while a client connects again and again, with one set of sessions.
/// Then renews the certificate, reloads, and looks that whole handshakes show the new one.
fn run(
    model: Model,
    tls: &TlsServer,
    authority: &Authority,
    renew: impl FnOnce() -> Vec<u8> + Send,
) -> Vec<Seen> {
    let server = Server::bind("tls+tcp://127.0.0.1:0").unwrap().model(model).tls(tls.clone());
    let reloaded = tls.clone();
    let server = server.on_reload(move || reloaded.reload().unwrap());
    let server = server.with(Pid).prepare().unwrap();
    let (port, handle) = (server.addrs()[0].port().unwrap(), server.handle());
    let config = client_config(authority);
    std::thread::scope(|scope| {
        let client = scope.spawn(move || {
            // Stops the server in every case, so that a failure cannot hang.
            let stop = StopOnDrop(handle);
            let seen: Vec<_> = (0..CONNECTIONS).map(|_| connect(port, &config)).collect();
            let renewed = renew();
            stop.0.reload();
            for _ in 0..CONNECTIONS {
                let shown = connect(port, &client_config(authority)).certificate;
                assert!(shown == renewed, "{model}: the old certificate after a reload");
            }
            seen
        });
        server.run().unwrap();
        client.join().unwrap()
    })
}

struct StopOnDrop(sockeye::ServerHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn client_config(authority: &Authority) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

fn connect(port: u16, config: &Arc<ClientConfig>) -> Seen {
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::clone(config), name).unwrap();
    let recorder = Recorder { socket, received: Vec::new() };
    let mut stream = rustls::StreamOwned::new(session, recorder);
    let mut pid = String::new();
    stream.read_to_string(&mut pid).unwrap();
    Seen {
        // Record header, message header, version; then the server's random (RFC 8446 §4.1.3).
        random: stream.sock.received[11..43].try_into().unwrap(),
        resumed: stream.conn.handshake_kind() == Some(HandshakeKind::Resumed),
        certificate: stream.conn.peer_certificates().unwrap()[0].to_vec(),
        pid: pid.parse().unwrap(),
    }
}

/// A socket that keeps a copy of what it receives.
struct Recorder {
    socket: TcpStream,
    received: Vec<u8>,
}

impl Read for Recorder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.socket.read(buffer)?;
        self.received.extend_from_slice(&buffer[..length]);
        Ok(length)
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
