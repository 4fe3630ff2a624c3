//! Every byte back as it came (RFC 862), and a client that counts on it.

mod cli;

use std::io;

use clap::Parser;
use sockeye::{Addr, Conn, Handler, Model, Server, client};
use tokio::io::{AsyncWriteExt, copy, split, stdin, stdout};

/// Answers with the same bytes.
#[derive(Parser)]
enum Cli {
    /// Serve until Ctrl-C
    Serve {
        /// Where to listen
        #[arg(default_value = "tcp://127.0.0.1:9002")]
        addr: Addr,
        /// iterative, pool:N, threads:MAX, fork:MAX, prefork:N, tasks or percore[:N]
        #[arg(long, default_value_t)]
        model: Model,
    },
    /// Send standard input, print what comes back
    Connect {
        /// Where the server listens
        #[arg(default_value = "tcp://127.0.0.1:9002")]
        addr: Addr,
    },
}

/// The most that one chunk has, in bytes.
const CHUNK: usize = 16 * 1024;

struct Echo;

impl Handler for Echo {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        loop {
            let chunk = conn.recv(CHUNK).await?;
            if chunk.is_empty() {
                return Ok(());
            }
            conn.write_all(&chunk).await?;
        }
    }
}

fn serve(addr: Addr, model: Model) -> cli::Exit {
    let server = Server::bind(addr)?.model(model);
    cli::announce(&server.addrs())?;
    let report = server.serve(Echo)?;
    Ok(cli::say(report)?)
}

async fn connect(addr: Addr) -> cli::Exit {
    let (mut from, mut to) = split(client::connect(addr).await?);
    let send = async {
        copy(&mut stdin(), &mut to).await?;
        // The server sees the end of the input, and can still answer.
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
        Cli::Serve { addr, model } => serve(addr, model),
        Cli::Connect { addr } => cli::block_on(connect(addr)),
    }
}
