//! The real `openssl` and `curl`, as server and client.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
};

use sockeye::{
    Stream,
    socket::StreamKind,
    tls::{ClientAuth, Fingerprint, TlsServer, TlsVersion},
};
use sockeye_testkit::{
    certificates::{Authority, Leaf},
    peer,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

use super::{client_of, identity, localhost, roots, within};

/// A folder with the authority's certificate in `ca.pem`.
struct Folder {
    dir: tempfile::TempDir,
    ca: PathBuf,
}

fn folder(authority: &Authority) -> Folder {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    Folder { dir, ca }
}

/// Accepts one connection, and gives the handshake's outcome.
async fn accept(listener: &TcpListener, server: &TlsServer) -> Stream {
    let (stream, _) = listener.accept().await.unwrap();
    let stream = stream.into_std().unwrap();
    let stream = Stream::from_fd(stream.into(), StreamKind::Tcp).unwrap();
    server.accept(stream).await.unwrap()
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

fn text(output: &Output) -> String {
    let streams = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&streams).into_owned()
}

/// Runs `openssl s_client` against the server, sends a line and expects it back in capitals.
async fn s_client(server: &TlsServer, arguments: &[&str]) -> Option<(Stream, String)> {
    let openssl = peer::require("openssl")?;
    let (listener, address) = listen().await;
    let mut client = Command::new(openssl)
        .args(["s_client", "-connect", &address, "-verify_return_error", "-quiet"])
        .args(["-no_ign_eof"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    within(async {
        let mut stream = accept(&listener, server).await;
        // An open input keeps s_client from hanging up before the answer.
        let mut input = client.stdin.take().unwrap();
        input.write_all(b"hello\n").await.unwrap();
        let mut line = [0; 6];
        stream.read_exact(&mut line).await.unwrap();
        stream.write_all(&line.to_ascii_uppercase()).await.unwrap();
        stream.shutdown().await.unwrap();
        let output = client.wait_with_output().await.unwrap();
        assert!(output.status.success(), "{}", text(&output));
        assert!(output.stdout.starts_with(b"HELLO\n"), "{}", text(&output));
        Some((stream, text(&output)))
    })
    .await
}

#[tokio::test]
async fn openssl_connects_with_both_versions() {
    let (authority, server) = localhost();
    let folder = folder(&authority);
    let ca = folder.ca.to_str().unwrap();
    for (option, version) in [("-tls1_2", TlsVersion::Tls12), ("-tls1_3", TlsVersion::Tls13)] {
        let options = [option, "-CAfile", ca, "-servername", "localhost"];
        let Some((stream, _)) = s_client(&server, &options).await else { return };
        let info = stream.tls().unwrap();
        assert_eq!(info.version, version);
        assert_eq!(info.server_name.as_deref(), Some("localhost"));
    }
}

#[tokio::test]
async fn openssl_resumes_its_session_with_both_versions() {
    let (authority, server) = localhost();
    let folder = folder(&authority);
    let ca = folder.ca.to_str().unwrap();
    for option in ["-tls1_2", "-tls1_3"] {
        let session = folder.dir.path().join(format!("session{option}"));
        let session = session.to_str().unwrap();
        let Some((first, _)) =
            s_client(&server, &[option, "-CAfile", ca, "-sess_out", session]).await
        else {
            return;
        };
        assert!(!first.tls().unwrap().resumed);
        let again = s_client(&server, &[option, "-CAfile", ca, "-sess_in", session]).await;
        assert!(again.unwrap().0.tls().unwrap().resumed, "{option}");
    }
}

#[tokio::test]
async fn openssl_shows_a_client_certificate() {
    let authority = Authority::new("test authority");
    let server = TlsServer::builder(identity(&authority.server(&["localhost"])))
        .client_auth(ClientAuth::Required(roots(&authority)))
        .build()
        .unwrap();
    let folder = folder(&authority);
    let alice = authority.client("alice");
    let (chain, key) = alice.write(folder.dir.path(), "alice");
    let options = ["-CAfile", folder.ca.to_str().unwrap(), "-cert", chain.to_str().unwrap()];
    let options = [&options[..], &["-key", key.to_str().unwrap()]].concat();
    let Some((stream, _)) = s_client(&server, &options).await else { return };
    let shown = stream.tls().unwrap().peer_fingerprint();
    assert_eq!(shown, Some(Fingerprint::of(&alice.certificate_der)));
}

#[tokio::test]
async fn a_fingerprint_is_the_one_that_openssl_computes() {
    let Some(openssl) = peer::require("openssl") else { return };
    let folder = tempfile::tempdir().unwrap();
    let leaf = Leaf::self_signed(&["localhost"]);
    let (chain, _) = leaf.write(folder.path(), "leaf");
    let output = Command::new(openssl)
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in", chain.to_str().unwrap()])
        .output();
    let printed = text(&within(output).await.unwrap());
    let printed = printed.trim().split_once('=').unwrap().1;
    assert_eq!(printed.parse::<Fingerprint>().unwrap(), Fingerprint::of(&leaf.certificate_der));
}

/// Starts `openssl s_server` on a free port; it echoes lines turned round (`-rev`).
async fn s_server(leaf: &Leaf, arguments: &[&str]) -> Option<(Child, String, tempfile::TempDir)> {
    let openssl = peer::require("openssl")?;
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = leaf.write(folder.path(), "server");
    let mut server = Command::new(openssl)
        .args(["s_server", "-accept", "127.0.0.1:0", "-rev"])
        .arg("-cert")
        .arg(chain)
        .arg("-key")
        .arg(key)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.as_mut().unwrap()).lines();
    let address = within(async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the address that it listens on");
            if let Some(address) = line.strip_prefix("ACCEPT ") {
                return address.to_owned();
            }
        }
    })
    .await;
    Some((server, address, folder))
}

#[tokio::test]
async fn a_client_talks_to_openssl_with_both_versions() {
    let authority = Authority::new("test authority");
    let leaf = authority.server(&["localhost"]);
    for (option, version) in [("-tls1_2", TlsVersion::Tls12), ("-tls1_3", TlsVersion::Tls13)] {
        let Some((mut server, address, _folder)) = s_server(&leaf, &[option]).await else { return };
        within(async {
            let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
            let stream = stream.into_std().unwrap();
            let stream = Stream::from_fd(stream.into(), StreamKind::Tcp).unwrap();
            let mut stream = client_of(&authority).connect(stream, "localhost").await.unwrap();
            assert_eq!(stream.tls().unwrap().version, version);
            stream.write_all(b"hello\n").await.unwrap();
            let mut line = [0; 6];
            stream.read_exact(&mut line).await.unwrap();
            assert_eq!(&line, b"olleh\n");
            server.start_kill().unwrap();
            server.wait().await.unwrap();
        })
        .await;
    }
}

/// Runs curl while the server answers one request, or refuses the connection.
async fn curl(server: &TlsServer, scheme: &str, arguments: &[&str]) -> Option<Output> {
    let curl = peer::require("curl")?;
    let (listener, address) = listen().await;
    let port = address.rsplit_once(':').unwrap().1;
    let url = format!("{scheme}://localhost:{port}/");
    let command = Command::new(curl)
        .args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "10"])
        .args(["--resolve", &format!("localhost:{port}:127.0.0.1")])
        .args(arguments)
        .arg(url)
        .kill_on_drop(true)
        .output();
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = stream.into_std().unwrap();
        let stream = Stream::from_fd(stream.into(), StreamKind::Tcp).unwrap();
        let Ok(mut stream) = server.accept(stream).await else { return };
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert!(stream.read_buf(&mut request).await.unwrap() > 0);
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
    };
    let (output, ()) = within(async { tokio::join!(Box::pin(command), Box::pin(serve)) }).await;
    Some(output.unwrap())
}

#[tokio::test]
async fn curl_fetches_a_page() {
    let authority = Authority::new("test authority");
    let server = TlsServer::builder(identity(&authority.server(&["localhost"])))
        .alpn(["http/1.1"])
        .build()
        .unwrap();
    let folder = folder(&authority);
    let ca = folder.ca.to_str().unwrap();
    let Some(output) = curl(&server, "https", &["--cacert", ca]).await else { return };
    assert_eq!(text(&output), "hello");
}

#[tokio::test]
async fn curl_is_refused_by_a_server_of_another_protocol() {
    let authority = Authority::new("test authority");
    let server = TlsServer::builder(identity(&authority.server(&["localhost"])))
        .alpn(["ftp"])
        .build()
        .unwrap();
    let folder = folder(&authority);
    let ca = folder.ca.to_str().unwrap();
    let Some(output) = curl(&server, "https", &["--cacert", ca]).await else { return };
    assert!(!output.status.success());
    assert!(text(&output).contains("no application protocol"), "{}", text(&output));
}

#[tokio::test]
async fn curl_in_plain_http_is_told_to_use_https() {
    let (_, server) = localhost();
    let Some(output) = curl(&server, "http", &["--include"]).await else { return };
    assert!(text(&output).contains("400 Bad Request"), "{}", text(&output));
    assert!(text(&output).contains("use https://"), "{}", text(&output));
}
