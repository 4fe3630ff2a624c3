//! What a second protocol has to write to join a node: a handler on the gate, and a row of the program's table. This one
//! knows `login NAME PASSWORD`, `get PATH`, `put PATH LENGTH` with the bytes behind it, and `remove PATH`.

use std::{io, sync::Arc};

use sockeye::{Conn, Handler};
use sockeye_node::{
    Credentials, Error, FilePath, Gate, Origin, Peer, Protocol, Recursive, Session, UploadOptions,
};
use sockeye_testkit::{client::Client, node::TempNode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The row: with it, `toy+tcp://127.0.0.1:7` is a listener that the configuration can name.
const ROW: Protocol = Protocol {
    name: "toy",
    schemes: ("toy", "toys"),
    ports: (7, 8),
    local_only: false,
    alpn: &["toy"],
    options: &[],
    starts_tls: |_| false,
    cleartext: |_| None,
    service: |listening| Arc::new(Toy(Arc::clone(listening.node.gate()))),
};

struct Toy(Arc<Gate>);

impl Handler for Toy {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let origin = Origin::new(ROW.name, Peer::from(conn.peer()));
        let mut session = None;
        while let Some(line) = conn.read_line_or_drain().await? {
            let line = String::from_utf8_lossy(&line).into_owned();
            let words: Vec<_> = line.splitn(3, ' ').collect();
            let done = match (&*words, &session) {
                (["login", name, password], _) => {
                    let credentials = Credentials::password(*name, *password);
                    let login = self.0.login(&credentials, origin.clone()).await;
                    login.map(|new| session = Some(new)).map_err(|error| error.to_string())
                }
                (_, None) => Err("log in first".to_owned()),
                (words, Some(session)) => {
                    carry_out(conn, session, words).await.map_err(|error| error.to_string())
                }
            };
            let answer = done.map_or_else(|error| format!("no: {error}\n"), |()| "ok\n".to_owned());
            conn.write_all(answer.as_bytes()).await?;
        }
        Ok(())
    }
}

async fn carry_out(conn: &mut Conn, session: &Session, words: &[&str]) -> Result<(), Error> {
    let path = |text: &str| FilePath::parse(text.as_bytes()).map_err(|_| Error::NotFound);
    match *words {
        ["get", at] => {
            let mut body = session.read(&path(at)?, None).await?;
            while body.remaining() > 0 {
                let length = body.admit(1 << 20).await?;
                let from = body.range().offset;
                body.advance(conn.send_file(&body, from, length).await.map_err(Error::Io)?);
            }
            Ok(())
        }
        ["put", at, length] => {
            let mut upload = session.upload(&path(at)?, UploadOptions::default()).await?;
            let mut content = vec![0; length.parse().map_err(|_| Error::NotFound)?];
            conn.read_exact(&mut content).await.map_err(Error::Io)?;
            upload.write(&content).await?;
            upload.commit().await.map(drop)
        }
        ["remove", at] => session.remove(&path(at)?, Recursive::No).await,
        _ => Err(Error::NotFound),
    }
}

#[test]
fn a_protocol_joins_with_a_handler_and_a_row() {
    let node = TempNode::new();
    let server = node.serve(Toy(node.gate()));
    let mut client = Client::connect(server.port());
    let login = format!("login alice {}", sockeye_testkit::node::password("alice"));
    for (line, answer) in [
        ("get note", "no: log in first"),
        ("login root guess", "no: the name or the password is wrong, or the account is locked"),
        (&*login, "ok"),
        ("put note 6\nhello", "ok"),
        ("get note", "hello"),
    ] {
        assert_eq!(client.ask(line), answer, "{line}");
    }
    assert_eq!(client.line().as_deref(), Some("ok"));
    assert_eq!(client.ask("remove note"), "ok");
    assert_eq!(client.ask("get note"), "no: no such file or folder");
    for (operation, count) in
        [("login", 1), ("refuse", 1), ("write", 1), ("read", 2), ("remove", 1)]
    {
        assert_eq!(node.records(operation).len(), count, "{operation}");
    }
}
