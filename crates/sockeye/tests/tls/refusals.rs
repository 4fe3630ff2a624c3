//! A client that is refused after its own side of the handshake is done learns why, although it
//! has sent more by then.

use std::io;

use sockeye::{
    Conn, Handler, Server,
    client::Connect,
    tls::{ClientAuth, TlsServer},
};
use sockeye_testkit::{certificates::Authority, running::Running};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{client_of, identity, roots, within};

struct Nothing;

impl Handler for Nothing {
    async fn handle(&self, _: &mut Conn) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_client_without_the_certificate_that_is_required_reads_so() {
    let authority = Authority::new("test authority");
    let tls = TlsServer::builder(identity(&authority.server(&["127.0.0.1"])));
    let tls = tls.client_auth(ClientAuth::Required(roots(&authority))).build().unwrap();
    let server = Server::bind("tls+tcp://127.0.0.1:0").unwrap().tls(tls).with(Nothing);
    let server = Running::start(server);
    let addr = server.addr().clone();
    let mut client =
        within(Connect::new(addr).unwrap().tls(client_of(&authority)).connect()).await.unwrap();
    // Under TLS 1.3 the client is done before the server has seen its certificates.
    within(async {
        client.write_all(&[0; 300_000]).await?;
        client.flush().await
    })
    .await
    .unwrap();
    let error = within(client.read(&mut [0])).await.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
    drop(client);
    assert_eq!(server.drain().stats.errors_handshake, 1);
}
