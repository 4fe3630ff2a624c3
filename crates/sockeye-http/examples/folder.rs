//! Serves a folder over HTTP on one thread: `folder DIR [ADDRESS]`, by default on 127.0.0.1:8080.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::{env, io, path::Path, sync::Arc};

use sockeye::SocketName;
use sockeye_http::{Config, ConnectionContext, Http};
use sockeye_node::{Home, Session};
use tokio::{net::TcpListener, task::JoinSet};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".into());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".into());
    let session = Session::guest(Home::open(Path::new(&folder))?);
    let http = Arc::new(Http::new(session, Config::default()));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}/", listener.local_addr()?);
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        let http = Arc::clone(&http);
        connections.spawn(async move {
            let context = ConnectionContext::new(SocketName::Inet(peer), SocketName::Inet(local));
            // A connection that breaks ends alone.
            let _ = http.serve_connection(stream, context).await;
        });
        while connections.try_join_next().is_some() {}
    }
}
