//! Resumed sessions, sessions of one connection, and certificates reloaded in place.

use std::{fs, sync::Arc};

use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion, version};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use sockeye::{
    Stream,
    tls::{ClientAuth, Fingerprint, Identity, SessionPool, TlsClient, TlsServer, TlsVersion},
};
use sockeye_testkit::certificates::Authority;
use tokio::io::AsyncReadExt as _;
use tokio_rustls::TlsConnector;

use super::{client_of, greet, identity, localhost, plain_tcp, roots, shake, within};

/// A client of the TLS library itself, held to one version.
fn client_of_version(
    authority: &Authority,
    version: &'static SupportedProtocolVersion,
) -> TlsConnector {
    let mut store = RootCertStore::empty();
    store.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// A connection that carries a line each way, so that tickets arrive; whether it was resumed,
/// which both sides agree on.
async fn resumes(server: &TlsServer, client: &TlsConnector, version: TlsVersion) -> bool {
    let (one, other) = plain_tcp().await;
    let one = Stream::from_fd(one.into(), sockeye::socket::StreamKind::Tcp).unwrap();
    let other = tokio::net::TcpStream::from_std(other).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let (accepted, connected) =
        within(async { tokio::join!(server.accept(one), client.connect(name, other)) }).await;
    let (mut accepted, mut connected) = (accepted.unwrap(), connected.unwrap());
    greet(&mut connected, &mut accepted).await.unwrap();
    let info = accepted.tls().unwrap();
    assert_eq!(info.version, version);
    let kind = connected.get_ref().1.handshake_kind();
    assert_eq!(kind == Some(HandshakeKind::Resumed), info.resumed);
    info.resumed
}

#[tokio::test]
async fn a_session_is_resumed_under_both_versions() {
    let (authority, server) = localhost();
    for (wire, version) in
        [(&version::TLS12, TlsVersion::Tls12), (&version::TLS13, TlsVersion::Tls13)]
    {
        let client = client_of_version(&authority, wire);
        assert!(!resumes(&server, &client, version).await);
        assert!(resumes(&server, &client, version).await, "{version}");
        assert!(resumes(&server, &client, version).await, "{version}, again");
    }
}

#[tokio::test]
async fn early_data_is_never_offered() {
    assert_eq!(localhost().1.config().max_early_data_size, 0);
}

#[tokio::test]
async fn a_connections_sessions_resume_with_that_connection_alone() {
    let (authority, server) = localhost();
    for (wire, version) in
        [(&version::TLS12, TlsVersion::Tls12), (&version::TLS13, TlsVersion::Tls13)]
    {
        let (mine, anothers) = (server.for_connection().unwrap(), server.for_connection().unwrap());
        let client = client_of_version(&authority, wire);
        assert!(!resumes(&mine, &client, version).await);
        for _ in 0..3 {
            assert!(resumes(&mine, &client, version).await, "a data connection, {version}");
        }
        assert!(!resumes(&anothers, &client, version).await, "a thief's, {version}");
        assert!(!resumes(&server, &client, version).await, "the original, {version}");
    }
}

/// As after six hours, when each process of a server has renewed its keys for itself.
#[tokio::test]
async fn a_ticket_of_another_worker_costs_a_whole_handshake_and_no_more() {
    let authority = Authority::new("test authority");
    let leaf = authority.server(&["localhost"]);
    let worker = || TlsServer::builder(identity(&leaf)).build().unwrap();
    for (wire, version) in
        [(&version::TLS12, TlsVersion::Tls12), (&version::TLS13, TlsVersion::Tls13)]
    {
        let (one, other) = (worker(), worker());
        let client = client_of_version(&authority, wire);
        assert!(!resumes(&one, &client, version).await);
        assert!(!resumes(&other, &client, version).await, "{version}");
        assert!(resumes(&other, &client, version).await, "{version}");
    }
}

#[tokio::test]
async fn connections_that_belong_together_resume_each_others_sessions() {
    let (authority, server) = localhost();
    for (wire, version) in
        [(&version::TLS12, TlsVersion::Tls12), (&version::TLS13, TlsVersion::Tls13)]
    {
        let new = || server.for_connection().unwrap();
        let (one, other, pool) = (new(), new(), SessionPool::default());
        let (together, with) = other.resuming_from(&pool);
        let client = client_of_version(&authority, wire);
        assert!(!resumes(&one, &client, version).await);
        assert!(!resumes(&together, &client, version).await, "{version}");
        // What is put in later counts as well.
        pool.put(7, &new());
        pool.put(8, &one);
        assert!(!resumes(&one, &client, version).await);
        assert!(resumes(&together, &client, version).await, "{version}");
        assert_eq!(with.number(), Some(8), "{version}");
        // What it made is its own.
        assert!(!resumes(&one, &client, version).await, "{version}");
        assert!(resumes(&together, &client, version).await, "{version}");
        assert!(resumes(&together, &client, version).await, "{version}");
        assert_eq!(with.number(), None, "{version}");
        assert!(resumes(&other, &client, version).await, "{version}");
        assert!(!resumes(&one, &client, version).await, "{version}");
        pool.take(8);
        assert!(!resumes(&together, &client, version).await, "{version}");
    }
}

#[tokio::test]
async fn a_reload_shows_the_new_certificate_and_leaves_open_connections_alone() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("test authority");
    let (old, new) = (authority.server(&["localhost"]), authority.server(&["localhost"]));
    let (chain, key) = old.write(folder.path(), "server");
    let server = TlsServer::from_pem_files(&chain, &key).unwrap();
    // A client each, as a resumed session would remember the old certificate.
    let (open, connected) = shake(&server, &client_of(&authority), "localhost").await;
    let (mut open, mut connected) = (open.unwrap(), connected.unwrap());
    let shown = |stream: &Stream| stream.tls().unwrap().peer_fingerprint().unwrap();
    assert_eq!(shown(&connected), Fingerprint::of(&old.certificate_der));

    let clone = server.clone();
    let _ = new.write(folder.path(), "server");
    server.reload().unwrap();
    greet(&mut connected, &mut open).await.unwrap();
    for server in [server, clone] {
        let (accepted, connected) = shake(&server, &client_of(&authority), "localhost").await;
        accepted.unwrap();
        assert_eq!(shown(&connected.unwrap()), Fingerprint::of(&new.certificate_der));
    }
}

#[tokio::test]
async fn a_reload_of_a_broken_file_keeps_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("test authority");
    let leaf = authority.server(&["localhost"]);
    let (chain, key) = leaf.write(folder.path(), "server");
    let server = TlsServer::from_pem_files(&chain, &key).unwrap();

    fs::write(&key, &authority.server(&["localhost"]).key_pem).unwrap();
    let message = server.reload().unwrap_err().to_string();
    assert!(message.contains(key.to_str().unwrap()), "{message}");
    assert!(message.contains("does not belong to"), "{message}");
    fs::remove_file(&chain).unwrap();
    let message = server.reload().unwrap_err().to_string();
    assert!(message.starts_with(&format!("cannot read {}", chain.display())), "{message}");

    let (accepted, connected) = shake(&server, &client_of(&authority), "localhost").await;
    accepted.unwrap();
    let shown = connected.unwrap().tls().unwrap().peer_fingerprint();
    assert_eq!(shown, Some(Fingerprint::of(&leaf.certificate_der)));
}

#[tokio::test]
async fn a_reload_keeps_sessions_unless_clients_are_checked() {
    let authority = Authority::new("test authority");
    for (auth, resumed) in
        [(ClientAuth::None, true), (ClientAuth::Optional(roots(&authority)), false)]
    {
        let server = TlsServer::builder(identity(&authority.server(&["localhost"])));
        let server = server.client_auth(auth).build().unwrap();
        let client = client_of_version(&authority, &version::TLS13);
        assert!(!resumes(&server, &client, TlsVersion::Tls13).await);
        assert!(resumes(&server, &client, TlsVersion::Tls13).await);
        server.reload().unwrap();
        assert_eq!(resumes(&server, &client, TlsVersion::Tls13).await, resumed);
    }
}

#[tokio::test]
async fn an_authority_withdrawn_by_a_reload_lets_nobody_in_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let roots_file = folder.path().join("clients.pem");
    let (authority, next) = (Authority::new("test authority"), Authority::new("next authority"));
    fs::write(&roots_file, authority.pem()).unwrap();
    let server = TlsServer::builder(identity(&authority.server(&["localhost"])))
        .client_auth(ClientAuth::Required(sockeye::tls::Roots::from_pem_file(&roots_file)))
        .build()
        .unwrap();
    let alice = authority.client("alice");
    let client = TlsClient::builder()
        .roots(roots(&authority))
        .identity(
            Identity::from_pem(alice.certificate_pem.as_bytes(), alice.key_pem.as_bytes()).unwrap(),
        )
        .build()
        .unwrap();
    let (accepted, connected) = shake(&server, &client, "localhost").await;
    greet(&mut connected.unwrap(), &mut accepted.unwrap()).await.unwrap();

    fs::write(&roots_file, next.pem()).unwrap();
    server.reload().unwrap();
    let (accepted, connected) = shake(&server, &client, "localhost").await;
    assert!(accepted.unwrap_err().to_string().contains("no trusted authority signed it"));
    let mut buffer = [0; 1];
    assert!(within(connected.unwrap().read(&mut buffer)).await.is_err());
}
