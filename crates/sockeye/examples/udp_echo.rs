//! Every datagram back to its sender: no connections, and no promise that anything arrives.

mod cli;
mod typed;

use std::{io, time::Duration};

use clap::Parser;
use sockeye::{DatagramHandler, Packet, Server, client};
use tokio::time::timeout;
use typed::Lines;

/// Answers each datagram with the same bytes.
#[derive(Parser)]
enum Cli {
    /// Serve until Ctrl-C
    Serve(cli::Listen),
    /// Send each line of standard input, print each answer
    Connect(cli::Call),
}

/// Where it listens unless told otherwise.
const ADDR: &str = "udp://127.0.0.1:9003";

/// How long the client waits for an answer: it, or the question, may be lost.
const PATIENCE: Duration = Duration::from_secs(2);

/// The largest datagram that there is, in bytes.
const LARGEST: usize = 65_535;

struct Echo;

impl DatagramHandler for Echo {
    async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
        packet.reply(packet.data()).await
    }
}

fn serve(cli::Listen { addr, model }: cli::Listen) -> cli::Exit {
    let server = Server::bind_datagram(addr)?.model(model);
    cli::announce(&server.addrs())?;
    Ok(cli::say(server.serve(Echo)?)?)
}

async fn connect(cli::Call { addr }: cli::Call) -> cli::Exit {
    // "Connected" means that this socket hears this peer alone; nothing was sent.
    let socket = client::connect_datagram(&addr).await?;
    let mut lines = Lines::new("> ");
    let mut answer = vec![0; LARGEST];
    while let Some(line) = lines.next().await? {
        socket.send(line.as_bytes()).await?;
        match timeout(PATIENCE, socket.recv(&mut answer)).await {
            Ok(Ok(size)) => cli::say(String::from_utf8_lossy(&answer[..size]))?,
            // A machine where nobody listens may say so, and a firewall may swallow that.
            Ok(Err(error)) => return Err(format!("{addr}: {error}").into()),
            Err(_elapsed) => cli::say("no answer: lost, or nobody is there")?,
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
