//! Every chunk back behind the time at which it came: a handler with settings of its own.

mod cli;
mod pipe;

use std::io;

use clap::Parser;
use sockeye::{Conn, Handler, Server, client};
use tokio::io::AsyncWriteExt;

/// Answers with `[<time>] ` and the same bytes.
#[derive(Parser)]
enum Cli {
    /// Serve until Ctrl-C
    Serve {
        #[command(flatten)]
        listen: cli::Listen,
        /// Append the client's address, as ` ('127.0.0.1', 40312)`
        #[arg(long)]
        peer: bool,
    },
    /// Send standard input, print what comes back
    Connect(cli::Call),
}

/// Where it listens unless told otherwise.
const ADDR: &str = "tcp://127.0.0.1:9004";

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

fn serve(cli::Listen { addr, model }: cli::Listen, peer: bool) -> cli::Exit {
    let server = Server::bind(addr)?.model(model);
    cli::announce(&server.addrs())?;
    Ok(cli::say(server.serve(Timestamp { peer })?)?)
}

fn main() -> cli::Exit {
    match Cli::parse() {
        Cli::Serve { listen, peer } => serve(listen, peer),
        Cli::Connect(call) => {
            cli::block_on(async { pipe::through(client::connect(call.addr).await?).await })
        }
    }
}
