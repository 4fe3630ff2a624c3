//! Clients that connect to `tls+` addresses, to servers that listen on them.

use std::path::Path;

use sockeye::{
    Addr, Conn, Handler, Model, Server, ServerHandle,
    client::{self, Connect, ConnectError},
    tls::{Fingerprint, TlsClient, TlsServer},
};
use sockeye_testkit::certificates::{Authority, Leaf};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{client_of, identity, localhost, within};

/// Says how the connection is secured, and what the client sent.
struct Tell;

impl Handler for Tell {
    async fn handle(&self, conn: &mut Conn) -> std::io::Result<()> {
        let asked = conn.stream().tls().map(|info| info.server_name.unwrap_or_default());
        let line = conn.read_line().await?.unwrap_or_default();
        let told = format!("{asked:?} {}", line.escape_ascii());
        conn.write_all(told.as_bytes()).await
    }
}

/// Runs a server on these addresses beside a client, which gets the real ones.
async fn beside<F: Future<Output = ()>>(
    addrs: &[&str],
    tls: TlsServer,
    client: impl FnOnce(Vec<Addr>) -> F,
) {
    let (first, others) = addrs.split_first().unwrap();
    let server = others.iter().fold(Server::bind(*first), |server, addr| server?.and(*addr));
    let server = server.unwrap().model(Model::Tasks).tls(tls).with(Tell).prepare().unwrap();
    let (addrs, handle): (Vec<Addr>, ServerHandle) = (server.addrs().to_vec(), server.handle());
    let serving = Box::pin(server.run_async());
    let client = Box::pin(client(addrs));
    let client = async {
        client.await;
        handle.drain();
    };
    let (report, ()) = within(async { tokio::join!(serving, client) }).await;
    report.unwrap();
}

/// What the server tells of a connection.
async fn told(connect: Connect) -> Result<String, ConnectError> {
    let mut stream = connect.connect().await?;
    stream.write_all(b"hello\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    Ok(answer)
}

#[tokio::test]
async fn a_name_is_asked_for_and_an_ip_address_is_not() {
    let (authority, server) = localhost();
    let client = client_of(&authority);
    beside(&["tls+tcp://127.0.0.1:0"], server, |addrs| async move {
        let port = addrs[0].port().unwrap();
        for (host, expected) in
            [("localhost", "Some(\"localhost\") hello"), ("127.0.0.1", "Some(\"\") hello")]
        {
            let connect = Connect::new(format!("tls+tcp://{host}:{port}").as_str()).unwrap();
            assert_eq!(told(connect.tls(client.clone())).await.unwrap(), expected);
        }
    })
    .await;
}

#[tokio::test]
async fn a_unix_socket_is_localhost() {
    let folder = tempfile::tempdir().unwrap();
    let addr = |path: &Path| format!("tls+unix://{}", path.display());
    let addr = addr(&folder.path().join("x.sock"));
    let (authority, server) = localhost();
    let client = client_of(&authority);
    beside(&[&addr], server, |addrs| async move {
        let connect = Connect::new(addrs[0].clone()).unwrap().tls(client);
        assert_eq!(told(connect).await.unwrap(), "Some(\"localhost\") hello");
    })
    .await;
}

#[tokio::test]
async fn a_server_may_listen_with_tls_and_without() {
    let (authority, server) = localhost();
    let client = client_of(&authority);
    let addrs = ["tls+tcp://127.0.0.1:0", "tcp://127.0.0.1:0", "proxy+tcp://127.0.0.1:0"];
    beside(&addrs, server, |addrs| async move {
        for addr in addrs {
            let expected = if addr.tls { "Some(\"\") hello" } else { "None hello" };
            let connect = Connect::new(addr).unwrap().tls(client.clone());
            assert_eq!(told(connect).await.unwrap(), expected);
        }
    })
    .await;
}

#[tokio::test]
async fn without_settings_the_systems_roots_decide() {
    let (_, server) = localhost();
    beside(&["tls+tcp://127.0.0.1:0"], server, |addrs| async move {
        let error = client::connect(addrs[0].clone()).await.unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, ConnectError::Handshake { .. }), "{message}");
        let reasons = ["no trusted authority signed it", "no trusted root certificate"];
        assert!(reasons.iter().any(|reason| message.contains(reason)), "{message}");
    })
    .await;
}

#[tokio::test]
async fn a_self_signed_server_is_reached_by_its_fingerprint() {
    let leaf = Leaf::self_signed(&["whatever.test"]);
    let pin = Fingerprint::of(&leaf.certificate_der);
    let server = TlsServer::builder(identity(&leaf)).build().unwrap();
    beside(&["tls+tcp://127.0.0.1:0"], server, |addrs| async move {
        let client = TlsClient::builder().pinned([pin]).build().unwrap();
        let connect = Connect::new(addrs[0].clone()).unwrap().tls(client);
        assert_eq!(told(connect).await.unwrap(), "Some(\"\") hello");
    })
    .await;
}

#[tokio::test]
async fn a_plain_server_is_told_from_a_broken_one() {
    let (authority, server) = localhost();
    let client = client_of(&authority);
    beside(&["tcp://127.0.0.1:0"], server, |addrs| async move {
        let addr = addrs[0].clone().with_tls();
        let shown = addr.to_string();
        let error = Connect::new(addr).unwrap().tls(client).connect().await.unwrap_err();
        let expected = format!("connected to {shown}, but the peer does not speak TLS");
        assert_eq!(error.to_string(), expected);
    })
    .await;
}

#[tokio::test]
async fn a_foreign_authority_is_named_as_the_reason() {
    let (_, server) = localhost();
    let client = client_of(&Authority::new("another authority"));
    beside(&["tls+tcp://127.0.0.1:0"], server, |addrs| async move {
        let connect = Connect::new(addrs[0].clone()).unwrap().tls(client);
        let message = connect.connect().await.unwrap_err().to_string();
        assert!(message.contains("the certificate of 127.0.0.1 is not accepted"), "{message}");
    })
    .await;
}
