//! Every chunk back with its ASCII letters in upper case: the smallest server, and its client.

mod cli;
mod pipe;

use std::io;

use clap::Parser;
use sockeye::{Conn, Handler, Server, client};
use tokio::io::AsyncWriteExt;

/// Answers with ASCII letters in upper case, all other bytes unchanged.
#[derive(Parser)]
enum Cli {
    /// Serve until Ctrl-C
    Serve(cli::Listen),
    /// Send standard input, print what comes back
    Connect(cli::Call),
}

/// Where it listens unless told otherwise.
const ADDR: &str = "tcp://127.0.0.1:9001";

/// The most that one chunk has, in bytes.
const CHUNK: usize = 16 * 1024;

struct Upper;

impl Handler for Upper {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        loop {
            let chunk = conn.recv(CHUNK).await?;
            if chunk.is_empty() {
                return Ok(());
            }
            conn.write_all(&chunk.to_ascii_uppercase()).await?;
        }
    }
}

fn serve(cli::Listen { addr, model }: cli::Listen) -> cli::Exit {
    let server = Server::bind(addr)?.model(model);
    cli::announce(&server.addrs())?;
    Ok(cli::say(server.serve(Upper)?)?)
}

fn main() -> cli::Exit {
    match Cli::parse() {
        Cli::Serve(listen) => serve(listen),
        Cli::Connect(call) => {
            cli::block_on(async { pipe::through(client::connect(call.addr).await?).await })
        }
    }
}
