//! Certificates and keys from files: every mistake is told with the file, the section and the cause.

use std::{fs, path::Path};

use sockeye::tls::{ClientAuth, Fingerprint, Identity, Roots, TlsClient, TlsServer};
use sockeye_testkit::certificates::{Authority, Leaf};

use super::{client_of, greet, identity, shake};

/// The error of a server with these two files.
fn refusal(chain: &Path, key: &Path) -> String {
    TlsServer::from_pem_files(chain, key).unwrap_err().to_string()
}

#[test]
fn mistakes_are_told_with_file_section_and_cause() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("test authority");
    let (leaf, other) = (authority.server(&["a.test"]), authority.server(&["b.test"]));
    let (chain, key) = leaf.write(folder.path(), "a");
    let (_, other_key) = other.write(folder.path(), "b");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let encrypted = file(
        "encrypted.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAQID\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let not_a_certificate =
        file("odd.pem", "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n");
    let empty = file("empty.pem", "");
    let misordered =
        file("misordered.pem", &format!("{}{}", other.certificate_pem, leaf.certificate_pem));
    let missing = folder.path().join("missing.pem");

    for (chain, key, message) in [
        (&missing, &key, "cannot read DIR/missing.pem: No such file or directory (os error 2)"),
        (&key, &chain, "DIR/a.key holds no certificate (section CERTIFICATE); it has PRIVATE KEY"),
        (
            &chain,
            &chain,
            "DIR/a.pem holds no private key (section PRIVATE KEY); it has CERTIFICATE",
        ),
        (
            &chain,
            &encrypted,
            "DIR/encrypted.key, line 1: the private key is encrypted (section ENCRYPTED PRIVATE \
             KEY); decrypt it with `openssl pkey -in FILE -out NEW` and protect the file by its \
             mode",
        ),
        (
            &chain,
            &other_key,
            "the private key of DIR/b.key does not belong to the first certificate of DIR/a.pem",
        ),
        (
            &misordered,
            &key,
            "the private key of DIR/a.key does not belong to the first certificate of \
             DIR/misordered.pem, but to a later one: the server's own certificate has to come first",
        ),
    ] {
        let folder = folder.path().to_str().unwrap();
        assert_eq!(refusal(chain, key), message.replace("DIR", folder));
    }
    assert!(refusal(&not_a_certificate, &key).contains("odd.pem: certificate 1 cannot be used"));
    assert!(refusal(&empty, &key).contains("empty.pem holds no certificate"));
}

#[test]
fn an_expired_certificate_is_loaded_all_the_same() {
    let leaf = Authority::new("test authority").expired_server(&["localhost"]);
    TlsServer::builder(identity(&leaf)).build().unwrap();
}

#[tokio::test]
async fn one_file_may_hold_the_chain_and_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("test authority");
    let leaf = authority.server(&["localhost"]);
    let both = folder.path().join("both.pem");
    fs::write(&both, format!("{}{}{}", leaf.key_pem, leaf.certificate_pem, authority.pem()))
        .unwrap();
    let server = TlsServer::from_pem_files(&both, &both).unwrap();
    let (accepted, connected) = shake(&server, &client_of(&authority), "localhost").await;
    let (mut accepted, mut connected) = (accepted.unwrap(), connected.unwrap());
    greet(&mut connected, &mut accepted).await.unwrap();
    let shown = connected.tls().unwrap();
    assert_eq!(shown.peer_certificates.len(), 2);
    assert_eq!(shown.peer_fingerprint(), Some(Fingerprint::of(&leaf.certificate_der)));
}

#[test]
fn roots_are_told_of_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let leaf = Leaf::self_signed(&["localhost"]);
    let (_, key) = leaf.write(folder.path(), "a");
    let client = TlsClient::builder().roots(Roots::from_pem_file(&key)).build();
    assert!(client.unwrap_err().to_string().contains("a.key holds no certificate"));
    let server = TlsServer::builder(identity(&leaf))
        .client_auth(ClientAuth::Required(Roots::from_pem_file(folder.path().join("none.pem"))));
    assert!(server.build().unwrap_err().to_string().contains("none.pem: No such file"));
}

#[test]
fn what_cannot_be_a_protocol_name_is_refused() {
    let leaf = Leaf::self_signed(&["localhost"]);
    for name in [String::new(), "x".repeat(256)] {
        assert!(TlsServer::builder(identity(&leaf)).alpn([name.clone()]).build().is_err());
        assert!(TlsClient::builder().pinned([]).alpn([name]).build().is_err());
    }
}

#[test]
fn no_private_key_shows_in_debug_output() {
    let leaf = Leaf::self_signed(&["localhost"]);
    let server = TlsServer::builder(identity(&leaf)).build().unwrap();
    let client = TlsClient::builder().pinned([]).identity(identity(&leaf));
    let secret = leaf.key_pem.lines().nth(1).unwrap();
    for shown in [
        format!("{server:?}"),
        format!("{client:?}"),
        format!("{:?}", Identity::from_pem_files("a", "b")),
    ] {
        assert!(!shown.contains(secret) && shown.len() < 4_000, "{shown}");
    }
}
