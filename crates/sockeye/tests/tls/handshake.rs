//! Who the server shows itself as, whom it lets in, and whom a client believes.

use std::fs;

use sockeye::tls::{
    ClientAuth, Fingerprint, Identity, Roots, TlsClient, TlsError, TlsInfo, TlsServer, TlsVersion,
};
use sockeye_testkit::certificates::{Authority, Leaf};

use super::{client_of, greet, identity, localhost, roots, shake, tcp, unix, within};

#[tokio::test]
async fn both_sides_learn_what_was_agreed_on() {
    let (authority, server) = localhost();
    let (server, client) = shake(&server, &client_of(&authority), "localhost").await;
    let (mut server, mut client) = (server.unwrap(), client.unwrap());
    greet(&mut client, &mut server).await.unwrap();

    let (seen, asked) = (server.tls().unwrap(), client.tls().unwrap());
    assert_eq!(seen.version, TlsVersion::Tls13);
    assert_eq!(seen.cipher_suite, asked.cipher_suite);
    assert!(seen.cipher_suite.starts_with("TLS13_"), "{}", seen.cipher_suite);
    assert_eq!(seen.server_name.as_deref(), Some("localhost"));
    assert_eq!(asked.server_name, seen.server_name);
    assert_eq!(seen.alpn, None);
    assert!(seen.peer_certificates.is_empty() && asked.peer_certificates.len() == 1);
    assert!(!seen.resumed && !asked.resumed);
}

#[tokio::test]
async fn a_plain_stream_has_no_tls_to_tell_of() {
    assert_eq!(tcp().await.0.tls(), None);
}

#[tokio::test]
async fn tls_runs_over_a_unix_stream() {
    let (authority, server) = localhost();
    let (one, other) = unix();
    let client = client_of(&authority);
    let (server, client) =
        within(async { tokio::join!(server.accept(one), client.connect(other, "localhost")) })
            .await;
    greet(&mut client.unwrap(), &mut server.unwrap()).await.unwrap();
}

#[tokio::test]
async fn an_ip_address_is_verified_and_never_sent_as_a_name() {
    let (authority, server) = localhost();
    for address in ["127.0.0.1", "::1", "[::1]"] {
        let (accepted, connected) = shake(&server, &client_of(&authority), address).await;
        connected.unwrap();
        assert_eq!(accepted.unwrap().tls().unwrap().server_name, None);
    }
    let (_, refused) = shake(&server, &client_of(&authority), "127.0.0.2").await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("127.0.0.2") && message.contains("127.0.0.1"), "{message}");
}

/// The certificate that a client sees who asks for `name`.
async fn shown(server: &TlsServer, client: &TlsClient, name: &str) -> Fingerprint {
    let (accepted, connected) = shake(server, client, name).await;
    accepted.unwrap();
    connected.unwrap().tls().unwrap().peer_fingerprint().unwrap()
}

#[tokio::test]
async fn the_certificate_is_chosen_by_the_name_asked_for() {
    let authority = Authority::new("test authority");
    let leaves = [
        &["default.test"][..],
        &["*.example.test", "example.test"],
        &["mail.example.test"],
        &["mail.example.test", "late.test"],
    ]
    .map(|names| authority.server(names));
    let [default, wildcard, exact, late] =
        leaves.each_ref().map(|leaf| Fingerprint::of(&leaf.certificate_der));
    let builder = leaves[1..]
        .iter()
        .fold(TlsServer::builder(identity(&leaves[0])), |it, leaf| it.identity(identity(leaf)));
    let server = builder.build().unwrap();
    let anyone = TlsClient::builder().dangerous_accept_any_certificate().build().unwrap();

    for (name, expected) in [
        ("default.test", default),
        ("example.test", wildcard),
        ("www.example.test", wildcard),
        ("WWW.Example.TEST", wildcard),
        ("mail.example.test", exact),
        ("late.test", late),
        // A wildcard stands for one label, and an unknown name or none gets the default.
        ("a.b.example.test", default),
        ("unknown.test", default),
        ("127.0.0.1", default),
    ] {
        assert_eq!(shown(&server, &anyone, name).await, expected, "{name}");
    }
    let nameless =
        TlsClient::builder().dangerous_accept_any_certificate().without_sni().build().unwrap();
    assert_eq!(shown(&server, &nameless, "mail.example.test").await, default);
}

#[tokio::test]
async fn another_identity_is_shown_from_the_next_handshake_on_and_by_every_clone() {
    let [first, second] = [(); 2].map(|()| Leaf::self_signed(&["localhost"]));
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = first.write(folder.path(), "first");
    let server = TlsServer::from_pem_files(chain, key).unwrap();
    let clone = server.clone();
    let [one, two] = [&first, &second].map(|leaf| Fingerprint::of(&leaf.certificate_der));
    let client = TlsClient::builder().pinned([one, two]).build().unwrap();
    assert_eq!(shown(&clone, &client, "localhost").await, one);
    let (chain, key) = second.write(folder.path(), "second");
    let identity = Identity::from_pem_files(&chain, &key);
    let loaded = identity.loaded().unwrap();
    fs::write(&key, "no key").unwrap();
    // What was loaded is what is shown, whatever became of the files; what is wrong with them changes nothing.
    server.replace_identity(loaded).unwrap();
    assert_eq!(shown(&clone, &client, "localhost").await, two);
    assert!(matches!(identity.loaded(), Err(TlsError::NoPrivateKey { .. })));
    assert!(server.replace_identity(Identity::from_pem_files(&chain, &key)).is_err());
    server.reload().unwrap();
    assert_eq!(shown(&clone, &client, "localhost").await, two);
}

#[test]
fn an_identity_knows_the_names_and_addresses_that_it_is_for() {
    let leaf = Leaf::self_signed(&["localhost", "*.example.org", "192.0.2.7", "2001:db8::7"]);
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = leaf.write(folder.path(), "names");
    let identity = Identity::from_pem_files(chain, key);
    for (name, is_for) in [
        ("localhost", true),
        ("files.example.org", true),
        ("example.org", false),
        ("192.0.2.7", true),
        ("2001:db8::7", true),
        ("192.0.2.8", false),
    ] {
        assert_eq!(identity.is_for(name).unwrap(), is_for, "{name}");
    }
    assert!(matches!(identity.is_for("a b"), Err(TlsError::BadServerName(_))));
}

#[tokio::test]
async fn a_client_can_ask_for_another_name_than_the_address() {
    let (authority, server) = localhost();
    let client = TlsClient::builder().roots(roots(&authority)).server_name("localhost");
    let (accepted, connected) = shake(&server, &client.build().unwrap(), "10.1.2.3").await;
    connected.unwrap();
    assert_eq!(accepted.unwrap().tls().unwrap().server_name.as_deref(), Some("localhost"));
}

#[tokio::test]
async fn the_application_protocol_is_the_servers_first_choice() {
    let (authority, _) = localhost();
    let server = TlsServer::builder(identity(&authority.server(&["localhost"])))
        .alpn(["h2", "http/1.1"])
        .build()
        .unwrap();
    for (offered, agreed) in [
        (vec!["http/1.1", "h2"], Some(&b"h2"[..])),
        (vec!["x", "http/1.1"], Some(b"http/1.1")),
        (vec![], None),
    ] {
        let client = TlsClient::builder().roots(roots(&authority)).alpn(offered);
        let (accepted, connected) = shake(&server, &client.build().unwrap(), "localhost").await;
        assert_eq!(accepted.unwrap().tls().unwrap().alpn.as_deref(), agreed);
        assert_eq!(connected.unwrap().tls().unwrap().alpn.as_deref(), agreed);
    }
}

#[tokio::test]
async fn a_client_of_another_protocol_is_refused_by_alpn() {
    let (authority, _) = localhost();
    let server = TlsServer::builder(identity(&authority.server(&["localhost"])))
        .alpn(["ftp"])
        .build()
        .unwrap();
    let client = TlsClient::builder().roots(roots(&authority)).alpn(["h2", "http/1.1"]);
    let (accepted, connected) = shake(&server, &client.build().unwrap(), "localhost").await;
    assert_eq!(
        accepted.unwrap_err().to_string(),
        "no application protocol in common: the client offers h2, http/1.1, this server speaks ftp"
    );
    assert_eq!(
        connected.unwrap_err().to_string(),
        "the peer refuses with the TLS alert NoApplicationProtocol: it speaks none of the \
         application protocols offered"
    );
}

/// Both sides' view of a connection on which the server asks for certificates as `auth` says.
async fn with_client(
    auth: ClientAuth,
    authority: &Authority,
    leaf: Option<&Leaf>,
) -> Result<TlsInfo, (String, String)> {
    let server = TlsServer::builder(identity(&authority.server(&["localhost"])));
    let server = server.client_auth(auth).build().unwrap();
    let mut client = TlsClient::builder().roots(roots(authority));
    if let Some(leaf) = leaf {
        client = client.identity(identity(leaf));
    }
    let (accepted, connected) = shake(&server, &client.build().unwrap(), "localhost").await;
    let mut client = connected.unwrap();
    match accepted {
        Ok(mut server) => {
            greet(&mut client, &mut server).await.unwrap();
            Ok(server.tls().unwrap())
        }
        // Under TLS 1.3 the client was done before the server had seen the certificate.
        Err(error) => {
            let mut buffer = [0; 1];
            let read = within(tokio::io::AsyncReadExt::read(&mut client, &mut buffer)).await;
            Err((error.to_string(), read.unwrap_err().to_string()))
        }
    }
}

#[tokio::test]
async fn a_client_certificate_is_not_asked_for_unless_told() {
    let authority = Authority::new("test authority");
    let leaf = authority.client("alice");
    let info = with_client(ClientAuth::None, &authority, Some(&leaf)).await.unwrap();
    assert!(info.peer_certificates.is_empty());
}

#[tokio::test]
async fn an_optional_client_certificate_may_be_missing_but_not_bad() {
    let authority = Authority::new("test authority");
    let auth = || ClientAuth::Optional(roots(&authority));
    let leaf = authority.client("alice");

    let info = with_client(auth(), &authority, None).await.unwrap();
    assert_eq!(info.peer_fingerprint(), None);
    let info = with_client(auth(), &authority, Some(&leaf)).await.unwrap();
    assert_eq!(info.peer_fingerprint(), Some(Fingerprint::of(&leaf.certificate_der)));

    let foreign = Authority::new("another authority").client("mallory");
    let (server, client) = with_client(auth(), &authority, Some(&foreign)).await.unwrap_err();
    assert!(server.starts_with("the certificate of the client is not accepted: no trusted"));
    assert!(client.contains("UnknownCA"), "{client}");
}

#[tokio::test]
async fn a_required_client_certificate_is_required() {
    let authority = Authority::new("test authority");
    let auth = || ClientAuth::Required(roots(&authority));
    let leaf = authority.client("alice");

    let info = with_client(auth(), &authority, Some(&leaf)).await.unwrap();
    assert_eq!(info.peer_certificates, [leaf.certificate_der.clone().into()]);

    let (server, client) = with_client(auth(), &authority, None).await.unwrap_err();
    assert_eq!(server, "the client sent no certificate, and this server requires one");
    assert!(client.contains("CertificateRequired: it requires a client certificate"), "{client}");
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_refused_with_the_reason() {
    let authority = Authority::new("test authority");
    let cases = [
        (Leaf::self_signed(&["localhost"]), "localhost", "no trusted authority signed it"),
        (Authority::new("foreign").server(&["localhost"]), "localhost", "no trusted authority"),
        (authority.expired_server(&["localhost"]), "localhost", "expired"),
        (authority.server(&["other.test"]), "localhost", "other.test"),
        (authority.client("alice"), "localhost", "not allow"),
    ];
    for (leaf, name, reason) in cases {
        let server = TlsServer::builder(identity(&leaf)).build().unwrap();
        let (accepted, connected) = shake(&server, &client_of(&authority), name).await;
        let message = connected.unwrap_err().to_string();
        assert!(message.starts_with("the certificate of localhost is not accepted: "), "{message}");
        assert!(message.contains(reason), "{message} should say {reason}");
        assert!(matches!(accepted.unwrap_err(), TlsError::Alert { .. }));
    }
}

#[tokio::test]
async fn a_pinned_certificate_is_believed_and_no_other() {
    let (leaf, other) = (Leaf::self_signed(&["a.test"]), Leaf::self_signed(&["a.test"]));
    let server = TlsServer::builder(identity(&leaf)).build().unwrap();
    let pin = Fingerprint::of_pem(leaf.certificate_pem.as_bytes()).unwrap();
    let foreign = Fingerprint::of(&other.certificate_der);

    let client = TlsClient::builder().pinned([foreign, pin]).build().unwrap();
    let (accepted, connected) = shake(&server, &client, "localhost").await;
    greet(&mut connected.unwrap(), &mut accepted.unwrap()).await.unwrap();

    let client = TlsClient::builder().pinned([foreign]).build().unwrap();
    let (_, refused) = shake(&server, &client, "localhost").await;
    match refused.unwrap_err() {
        TlsError::NotPinned { found, .. } => assert_eq!(found, pin),
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_name_that_no_certificate_can_be_for_is_refused_before_anything_is_sent() {
    let client = TlsClient::builder().dangerous_accept_any_certificate().build().unwrap();
    let error = client.connect(tcp().await.1, "not a name").await.unwrap_err();
    assert!(matches!(error, TlsError::BadServerName(name) if name == "not a name"));
}

#[tokio::test]
async fn the_systems_roots_do_not_vouch_for_a_test_authority() {
    let client = match TlsClient::builder().roots(Roots::system()).build() {
        Ok(client) => client,
        Err(error) => {
            // Where the store is installed it has to be readable.
            let installed = sockeye_testkit::peer::require("/usr/sbin/update-ca-certificates");
            assert!(installed.is_none(), "{error}");
            return;
        }
    };
    let (_, server) = localhost();
    let (_, refused) = shake(&server, &client, "localhost").await;
    assert!(refused.unwrap_err().to_string().contains("no trusted authority signed it"));
}

#[tokio::test]
async fn the_futures_of_a_handshake_are_small() {
    let (authority, server) = localhost();
    let client = client_of(&authority);
    let (one, other) = tcp().await;
    let (accept, connect) = (server.accept(one), client.connect(other, "localhost"));
    let (accept, connect) = (size_of_val(&accept), size_of_val(&connect));
    assert!(accept <= 1_024 && connect <= 1_024, "{accept} and {connect} bytes");
}
