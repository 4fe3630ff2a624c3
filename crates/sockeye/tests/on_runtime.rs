//! A server on a runtime that its caller already has.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]
#![expect(clippy::disallowed_methods, reason = "a caller spawns as it likes")]

use std::io;

use sockeye::{Conn, Handler, Server};
use sockeye_testkit::soon;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

struct Echo;

impl Handler for Echo {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        loop {
            let chunk = conn.recv(100).await?;
            if chunk.is_empty() {
                return Ok(());
            }
            conn.write_all(&chunk).await?;
        }
    }
}

async fn served(port: u16) -> TcpStream {
    let mut client = soon(TcpStream::connect(("127.0.0.1", port))).await.unwrap();
    soon(client.write_all(b"x")).await.unwrap();
    assert_eq!(soon(client.read_u8()).await.unwrap(), b'x');
    client
}

#[tokio::test]
async fn a_server_is_a_task_like_any_other() {
    let server = Server::bind("tcp://127.0.0.1:0").unwrap();
    let prepared = server.with(Echo).prepare().unwrap();
    let handle = prepared.handle();
    let serving = tokio::spawn(prepared.run_async());
    let client = served(handle.addrs()[0].port().unwrap()).await;
    handle.drain();
    drop(client);
    let report = soon(serving).await.unwrap().unwrap();
    assert_eq!((report.stats.completed, report.cut.len()), (1, 0));
    // The one-line form as well.
    let one_line = Server::bind("tcp://127.0.0.1:0").unwrap().serve_async(Echo);
    let serving = tokio::spawn(one_line);
    serving.abort();
    assert!(soon(serving).await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_server_that_is_dropped_serves_no_more() {
    let server = Server::bind("tcp://127.0.0.1:0").unwrap();
    let prepared = server.with(Echo).prepare().unwrap();
    let port = prepared.addrs()[0].port().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        tokio::select! {
            report = prepared.run_async() => panic!("{report:?}"),
            _ = stopped => {}
        }
    });
    let mut client = served(port).await;
    stop.send(()).unwrap();
    soon(serving).await.unwrap();
    // The connection is cut …
    let end = soon(client.read(&mut [0])).await;
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    // … and the port is free as soon as the last of the server is gone.
    soon(async {
        while TcpListener::bind(("127.0.0.1", port)).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
