//! Every chunk back behind the time at which it came: a handler with settings of its own.

mod cli;

use std::io;

use clap::Parser;
use sockeye::{Addr, Conn, Handler, Model, Server, client};
use tokio::io::{AsyncWriteExt, copy, split, stdin, stdout};

/// Answers with `[<time>] ` and the same bytes.
#[derive(Parser)]
enum Cli {
    /// Serve until Ctrl-C
    Serve {
        /// Where to listen
        #[arg(default_value = "tcp://127.0.0.1:9004")]
        addr: Addr,
        /// iterative, pool:N, threads:MAX, fork:MAX, prefork:N, tasks or percore[:N]
        #[arg(long, default_value_t)]
        model: Model,
        /// Append the client's address, as ` ('127.0.0.1', 40312)`
        #[arg(long)]
        peer: bool,
    },
    /// Send standard input, print what comes back
    Connect {
        /// Where the server listens
        #[arg(default_value = "tcp://127.0.0.1:9004")]
        addr: Addr,
    },
}

/// The most that one chunk has, in bytes.
const CHUNK: usize = 1024;

struct Timestamp {
    peer: bool,
}

impl Handler for Timestamp {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let suffix = match conn.peer().as_inet() {
            Some(peer) if self.peer => format!(" ('{}', {})", peer.ip(), peer.port()),
            _ => String::new(),
        };
        loop {
            let chunk = conn.recv(CHUNK).await?;
            if chunk.is_empty() {
                return Ok(());
            }
            // One write, so that a client that reads once is likely to get it all.
            let stamp = format!("[{}] ", ctime());
            conn.write_all(&[stamp.as_bytes(), &chunk, suffix.as_bytes()].concat()).await?;
        }
    }
}

/// The local time as ctime(3) writes it, without its newline.
fn ctime() -> impl std::fmt::Display {
    jiff::Zoned::now().strftime("%a %b %e %H:%M:%S %Y").to_string()
}

fn serve(addr: Addr, model: Model, peer: bool) -> cli::Exit {
    let server = Server::bind(addr)?.model(model);
    cli::announce(&server.addrs())?;
    let report = server.serve(Timestamp { peer })?;
    Ok(cli::say(report)?)
}

async fn connect(addr: Addr) -> cli::Exit {
    let (mut from, mut to) = split(client::connect(addr).await?);
    let send = async {
        copy(&mut stdin(), &mut to).await?;
        to.shutdown().await
    };
    let receive = async { copy(&mut from, &mut stdout()).await };
    tokio::select! {
        received = receive => received.map(drop)?,
        Err(error) = send => return Err(error.into()),
    }
    Ok(())
}

fn main() -> cli::Exit {
    match Cli::parse() {
        Cli::Serve { addr, model, peer } => serve(addr, model, peer),
        Cli::Connect { addr } => cli::block_on(connect(addr)),
    }
}
