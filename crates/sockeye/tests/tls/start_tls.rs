//! TLS that is started on a plain connection, as by STARTTLS and AUTH TLS: what was sent in plain text is nobody's, the
//! connection goes on, and a handshake that ends half-way ends it.

use std::{
    io::{self, BufRead as _, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned,
    SupportedProtocolVersion, client::Resumption, crypto::aws_lc_rs, version,
};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use sockeye::{Conn, ConnInfo, Failure, Handler, Limits, Report, Server, Stream, tls::TlsServer};
use sockeye_testkit::{certificates::Authority, program::PATIENCE, running::Running};
use tokio::io::AsyncWriteExt as _;

use super::identity;

const VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

/// A protocol of lines, which come back; some are commands.
struct Lines {
    tls: TlsServer,
    failures: Arc<Mutex<Vec<(&'static str, String)>>>,
}

impl Handler for Lines {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let own = self.tls.for_connection().map_err(io::Error::from)?;
        while let Some(line) = conn.read_line().await? {
            match &*line {
                b"tls" => {
                    say(conn, "go on").await?;
                    let discarded = conn.start_tls(&own).await?;
                    let alpn = conn.stream().tls().and_then(|info| info.alpn).unwrap_or_default();
                    say(conn, &format!("{discarded} {}", alpn.escape_ascii())).await?;
                }
                b"tls, within TLS" => {
                    let refused = conn.start_tls(&own).await.unwrap_err();
                    say(conn, &format!("{:?}: {refused}", refused.kind())).await?;
                }
                b"tls, given up" => {
                    say(conn, "go on").await?;
                    let starting = conn.start_tls(&own);
                    assert!(
                        tokio::time::timeout(Duration::from_millis(20), starting).await.is_err()
                    );
                    let read = conn.read_line().await.unwrap_err();
                    assert_eq!(read.kind(), io::ErrorKind::NotConnected);
                    assert!(conn.write_all(b"plain text").await.is_err());
                    assert!(conn.start_tls(&own).await.is_err());
                    return Err(read);
                }
                b"urgent" => {
                    let done = conn.stream_mut().set_urgent_inline(true);
                    say(conn, &done.map_or_else(|error| error.to_string(), |()| "ok".into()))
                        .await?;
                }
                b"data" => data(conn, &own).await?,
                line => say(conn, &String::from_utf8_lossy(line)).await?,
            }
        }
        Ok(())
    }

    fn on_error(&self, _: &ConnInfo, failure: &Failure) {
        let kind = match failure {
            Failure::Handshake(_) => "handshake",
            Failure::PeerGone(_) => "peer gone",
            _ => "other",
        };
        self.failures.lock().unwrap().push((kind, failure.to_string()));
    }
}

async fn say(conn: &mut Conn, line: &str) -> io::Result<()> {
    conn.write_all(format!("{line}\n").as_bytes()).await?;
    conn.flush().await
}

/// A second connection, whose handshake is done with what the first one's was done with.
async fn data(conn: &mut Conn, own: &TlsServer) -> io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    say(conn, &listener.local_addr()?.port().to_string()).await?;
    let (stream, _) = listener.accept().await?;
    let mut stream = own.accept(Stream::from(stream)).await.map_err(io::Error::from)?;
    let resumed = stream.tls().is_some_and(|info| info.resumed);
    stream.write_all(format!("{resumed}\n").as_bytes()).await?;
    stream.shutdown().await
}

struct Rig {
    server: Running,
    authority: Authority,
    failures: Arc<Mutex<Vec<(&'static str, String)>>>,
}

fn rig(limits: Limits) -> Rig {
    let authority = Authority::new("test authority");
    let leaf = authority.server(&["localhost"]);
    let tls = TlsServer::builder(identity(&leaf)).alpn(["ftp"]).build().unwrap();
    let failures = Arc::default();
    let lines = Lines { tls, failures: Arc::clone(&failures) };
    let server = Server::bind("tcp://127.0.0.1:0").unwrap().limits(limits).with(lines);
    Rig { server: Running::start(server), authority, failures }
}

impl Rig {
    fn new() -> Self {
        rig(Limits::default())
    }

    fn connect(&self) -> BufReader<TcpStream> {
        BufReader::new(connect(self.server.port()))
    }

    /// What the client's side needs, with a hello that is always of the same length.
    fn client(&self, version: &'static SupportedProtocolVersion) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let pem = self.authority.pem();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        let mut provider = aws_lc_rs::default_provider();
        provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
        let builder = ClientConfig::builder_with_provider(Arc::new(provider));
        let builder = builder.with_protocol_versions(&[version]).unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"ftp".to_vec()];
        config
    }

    /// Ends the server: what it did, and what failed.
    fn drain(self) -> (Report, Vec<(&'static str, String)>) {
        let report = self.server.drain();
        let failures = std::mem::take(&mut *self.failures.lock().unwrap());
        (report, failures)
    }
}

fn connect(port: u16) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn line(stream: &mut BufReader<impl Read>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    line
}

fn ask<S: Read + Write>(stream: &mut BufReader<S>, question: &str) -> String {
    stream.get_mut().write_all(format!("{question}\n").as_bytes()).unwrap();
    stream.get_mut().flush().unwrap();
    line(stream)
}

fn session(config: &Arc<ClientConfig>) -> ClientConnection {
    ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost").unwrap()).unwrap()
}

/// The same connection in TLS; nothing may have been read ahead of it.
fn secured(
    plain: BufReader<TcpStream>,
    config: &Arc<ClientConfig>,
) -> BufReader<StreamOwned<ClientConnection, TcpStream>> {
    assert_eq!(plain.buffer(), b"");
    BufReader::new(StreamOwned::new(session(config), plain.into_inner()))
}

#[test]
fn a_connection_goes_on_in_tls() {
    for version in VERSIONS {
        let rig = Rig::new();
        let mut plain = rig.connect();
        assert_eq!(ask(&mut plain, "urgent"), "ok\n");
        assert_eq!(ask(&mut plain, "tls"), "go on\n");
        let mut client = secured(plain, &Arc::new(rig.client(version)));
        assert_eq!(line(&mut client), "0 ftp\n");
        let refused = "TLS has no urgent data: ask for it before the handshake\n";
        assert_eq!(ask(&mut client, "urgent"), refused);
        client.get_mut().conn.send_close_notify();
        client.get_mut().flush().unwrap();
        client.get_ref().sock.shutdown(Shutdown::Write).unwrap();
        // It ends as TLS does, with its last word.
        assert_eq!(client.read_to_end(&mut Vec::new()).unwrap(), 0);
        let report = rig.server.drain();
        assert_eq!(report.stats.completed, 1);
        // Of the handshake nothing is counted, of TLS what it carries.
        let read = "urgent\ntls\nurgent\n".len() as u64;
        let written = ("ok\ngo on\n0 ftp\n".len() + refused.len()) as u64;
        assert_eq!((report.stats.bytes_read, report.stats.bytes_written), (read, written));
    }
}

#[test]
fn what_was_sent_behind_the_request_is_thrown_away() {
    let rig = Rig::new();
    let mut plain = rig.connect();
    // In one piece, so that it is read at once.
    assert_eq!(ask(&mut plain, "tls\ninjected"), "go on\n");
    let mut client = secured(plain, &Arc::new(rig.client(&version::TLS13)));
    assert_eq!(line(&mut client), "9 ftp\n");
    assert_eq!(ask(&mut client, "mine"), "mine\n");
}

#[test]
fn what_is_sent_in_place_of_the_handshake_is_no_command() {
    let rig = Rig::new();
    let mut plain = rig.connect();
    assert_eq!(ask(&mut plain, "tls"), "go on\n");
    plain.get_mut().write_all(b"injected\nand more\n").unwrap();
    let mut rest = Vec::new();
    plain.read_to_end(&mut rest).unwrap();
    // A fatal decode_error, and a clean end.
    assert_eq!(rest, [21, 3, 3, 0, 2, 2, 50]);
    let (report, failures) = rig.drain();
    assert_eq!((report.stats.errors_handshake, report.stats.bytes_read), (1, 4));
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(failures[0].0, "handshake");
    assert!(failures[0].1.contains("begins with \"injected"), "{failures:?}");
}

/// A socket whose other side gets so many bytes and no more.
struct Cut {
    socket: TcpStream,
    left: usize,
}

impl Read for Cut {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.read(buffer)
    }
}

impl Write for Cut {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let written = self.socket.write(&bytes[..bytes.len().min(self.left)])?;
        self.left -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// Sends at most so many bytes of a handshake: how many it took, if it was done.
fn handshake_of(rig: &Rig, config: &Arc<ClientConfig>, most: usize) -> Option<usize> {
    let mut plain = rig.connect();
    assert_eq!(ask(&mut plain, "tls"), "go on\n");
    let mut session = session(config);
    let mut cut = Cut { socket: plain.into_inner(), left: most };
    while session.is_handshaking() || session.wants_write() {
        session.complete_io(&mut cut).ok()?;
    }
    let sent = most - cut.left;
    // Only now has the server seen all of it.
    let mut client = BufReader::new(StreamOwned::new(session, cut.socket));
    assert_eq!(line(&mut client), "0 ftp\n");
    client.get_mut().conn.send_close_notify();
    client.get_mut().flush().unwrap();
    Some(sent)
}

#[test]
fn a_client_that_leaves_at_any_byte_of_the_handshake_ends_its_connection_alone() {
    for version in VERSIONS {
        let rig = Rig::new();
        let mut config = rig.client(version);
        // A whole handshake each time.
        config.resumption = Resumption::disabled();
        let config = Arc::new(config);
        let length = handshake_of(&rig, &config, usize::MAX).unwrap();
        let mut stays = rig.connect();
        for most in 0..length {
            assert_eq!(handshake_of(&rig, &config, most), None, "{most} of {length} bytes");
        }
        assert_eq!(handshake_of(&rig, &config, length), Some(length));
        assert_eq!(ask(&mut stays, "still here"), "still here\n");
        drop(stays);
        let (Report { stats, .. }, failures) = rig.drain();
        assert_eq!((stats.errors_handshake, stats.panics), (length as u64, 0));
        let odd: Vec<_> = failures.iter().filter(|(kind, _)| *kind == "other").collect();
        assert!(odd.is_empty(), "{odd:?}");
    }
}

#[test]
fn a_handshake_that_dawdles_is_ended_by_its_limit() {
    let handshake = Duration::from_millis(100);
    let rig = rig(Limits { handshake, read_idle: None, ..Limits::default() });
    let mut plain = rig.connect();
    assert_eq!(ask(&mut plain, "tls"), "go on\n");
    // The first bytes of a hello.
    plain.get_mut().write_all(&[22, 3, 1]).unwrap();
    assert_eq!(plain.read_to_end(&mut Vec::new()).unwrap(), 0);
    let (report, failures) = rig.drain();
    assert_eq!(report.stats.errors_handshake, 1);
    let said = "the handshake failed: the handshake took longer than 100 ms".to_owned();
    assert_eq!(failures, [("handshake", said)]);
}

#[test]
fn a_handshake_that_is_given_up_ends_the_connection() {
    let rig = Rig::new();
    let mut plain = rig.connect();
    assert_eq!(ask(&mut plain, "tls, given up"), "go on\n");
    assert_eq!(plain.read_to_end(&mut Vec::new()).unwrap(), 0);
    let report = rig.server.drain();
    assert_eq!((report.stats.errors_peer_gone, report.stats.panics), (1, 0));
}

#[test]
fn tls_within_tls_is_refused_and_the_connection_goes_on() {
    let rig = Rig::new();
    let mut plain = rig.connect();
    assert_eq!(ask(&mut plain, "tls"), "go on\n");
    let mut client = secured(plain, &Arc::new(rig.client(&version::TLS13)));
    assert_eq!(line(&mut client), "0 ftp\n");
    let refused = ask(&mut client, "tls, within TLS");
    assert_eq!(refused, "InvalidInput: the connection speaks TLS already\n");
    assert_eq!(ask(&mut client, "still here"), "still here\n");
}

/// Tries to start TLS where there can be none, and says what came of it.
struct Records(TlsServer);

impl Handler for Records {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let refused = conn.start_tls(&self.0).await.unwrap_err();
        conn.write_all(format!("{:?}: {refused}", refused.kind()).as_bytes()).await
    }
}

#[tokio::test]
async fn a_connection_that_keeps_records_has_no_tls_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (_, tls) = super::localhost();
    let addr = format!("seqpacket://{}", folder.path().join("socket").display());
    let server = Server::bind(addr.as_str()).unwrap().with(Records(tls));
    let _server = Running::start(server);
    let connecting = sockeye::client::Connect::new(addr.as_str()).unwrap();
    let mut client = super::within(connecting.connect()).await.unwrap();
    let said = super::within(client.recv(1000)).await.unwrap();
    assert_eq!(&said[..], b"InvalidInput: TLS needs a byte stream: it does not run over seqpacket");
}

#[test]
fn a_data_connection_resumes_the_session_that_was_started_and_a_strangers_does_not() {
    for version in VERSIONS {
        let rig = Rig::new();
        let mine = Arc::new(rig.client(version));
        let mut plain = rig.connect();
        assert_eq!(ask(&mut plain, "tls"), "go on\n");
        let mut client = secured(plain, &mine);
        assert_eq!(line(&mut client), "0 ftp\n");
        // One that has a session, with the same server, of another connection.
        let strange = Arc::new(rig.client(version));
        let mut plain = rig.connect();
        assert_eq!(ask(&mut plain, "tls"), "go on\n");
        let mut stranger = secured(plain, &strange);
        assert_eq!(line(&mut stranger), "0 ftp\n");
        for (config, resumed) in [(&mine, true), (&mine, true), (&strange, false)] {
            let port = ask(&mut client, "data").trim_end().parse().unwrap();
            let mut data = BufReader::new(StreamOwned::new(session(config), connect(port)));
            assert_eq!(line(&mut data), format!("{resumed}\n"));
            let kind = data.get_ref().conn.handshake_kind();
            assert_eq!(kind == Some(HandshakeKind::Resumed), resumed);
        }
    }
}
