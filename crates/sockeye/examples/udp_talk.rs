//! Datagrams to a server that prints them, until somebody says `bye`: a handler that stops its
//! own server.

mod cli;

use std::io;

use clap::Parser;
use sockeye::{Addr, DatagramHandler, Model, Packet, Server, client};

/// Sends lines to a server that prints them; `bye` ends both.
#[derive(Parser)]
enum Cli {
    /// Print each datagram and its sender, until one says `bye`
    Serve {
        /// Where to listen
        #[arg(default_value = "udp://127.0.0.1:9005")]
        addr: Addr,
        /// iterative, pool:N, threads:MAX, fork:MAX, prefork:N, tasks or percore[:N]
        #[arg(long, default_value_t)]
        model: Model,
    },
    /// Send each line of standard input, until one says `bye`
    Connect {
        /// Where the server listens
        #[arg(default_value = "udp://127.0.0.1:9005")]
        addr: Addr,
    },
}

/// The word that ends the talk, and the server.
const BYE: &str = "bye";

struct Talk;

impl DatagramHandler for Talk {
    async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
        let message = packet.data().trim_ascii_end();
        cli::say(format_args!("{}: {}", packet.peer(), cli::printable(message)))?;
        if message == BYE.as_bytes() {
            // From whichever thread or process this is: what came before is still handled.
            packet.server().drain();
        }
        Ok(())
    }
}

fn serve(addr: Addr, model: Model) -> cli::Exit {
    let server = Server::bind_datagram(addr)?.model(model);
    cli::announce(&server.addrs())?;
    let report = server.serve(Talk)?;
    Ok(cli::say(report)?)
}

async fn connect(addr: Addr) -> cli::Exit {
    let socket = client::connect_datagram(&addr).await?;
    let mut lines = cli::Lines::new("> ");
    while let Some(line) = lines.next().await? {
        socket.send(line.as_bytes()).await?;
        if line.trim_end() == BYE {
            break;
        }
    }
    Ok(())
}

fn main() -> cli::Exit {
    match Cli::parse() {
        Cli::Serve { addr, model } => serve(addr, model),
        Cli::Connect { addr } => cli::block_on(connect(addr)),
    }
}
