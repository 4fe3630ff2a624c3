//! Datagrams to a server that prints them, until somebody says `bye`: a handler that stops its
//! own server.

mod cli;
mod typed;

use std::io;

use clap::Parser;
use sockeye::{DatagramHandler, Packet, Server, client};
use typed::Lines;

/// Sends lines to a server that prints them; `bye` ends both.
#[derive(Parser)]
enum Cli {
    /// Print each datagram and its sender, until one says `bye`
    Serve(cli::Listen),
    /// Send each line of standard input, until one says `bye`
    Connect(cli::Call),
}

/// Where it listens unless told otherwise.
const ADDR: &str = "udp://127.0.0.1:9005";

/// The word that ends the talk, and the server.
const BYE: &str = "bye";

struct Talk;

impl DatagramHandler for Talk {
    async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
        let message = packet.data().trim_ascii_end();
        cli::say(format_args!("{}: {}", packet.peer(), String::from_utf8_lossy(message)))?;
        if message == BYE.as_bytes() {
            // From whichever thread or process this is: what came before is still handled.
            packet.server().drain();
        }
        Ok(())
    }
}

fn serve(cli::Listen { addr, model }: cli::Listen) -> cli::Exit {
    let server = Server::bind_datagram(addr)?.model(model);
    cli::announce(&server.addrs())?;
    Ok(cli::say(server.serve(Talk)?)?)
}

async fn connect(cli::Call { addr }: cli::Call) -> cli::Exit {
    let socket = client::connect_datagram(&addr).await?;
    let mut lines = Lines::new("> ");
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
        Cli::Serve(listen) => serve(listen),
        Cli::Connect(call) => cli::block_on(connect(call)),
    }
}
