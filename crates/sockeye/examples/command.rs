//! Commands run by the server's shell, and their output: size, acknowledgement, body.
//!
//! Whoever reaches this server may do all that its user may. So it listens on a Unix socket
//! that belongs to that user alone, unless told otherwise; and it hangs up on what looks like
//! HTTP, as any web page can have a browser post to a port of its own machine.

mod cli;
mod shell;

use std::{io, time::Duration};

use clap::Parser;
use sockeye::{
    Addr, Conn, Handler, Limits, Model, Server, Stream, client,
    framing::{read_until_pause, recv_acknowledged, send_acknowledged},
    quantity::parse_duration,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

/// Runs commands on the server, prints their output.
#[derive(Parser)]
enum Cli {
    /// Run what clients ask for, until Ctrl-C
    Serve {
        /// Where to listen
        #[arg(default_value = "unix://command.sock")]
        addr: Addr,
        /// iterative, pool:N, threads:MAX, fork:MAX, prefork:N, tasks or percore[:N]
        #[arg(long, default_value_t)]
        model: Model,
        /// How long a command may run
        #[arg(long, default_value = "60s", value_parser = parse_duration)]
        time: Duration,
        /// Listen also where others can connect: they may do all that you may
        #[arg(long)]
        i_know: bool,
    },
    /// Run one command, or each line of standard input
    Connect {
        /// Where the server listens
        #[arg(default_value = "unix://command.sock")]
        addr: Addr,
        /// The command, behind `--`
        #[arg(last = true)]
        command: Vec<String>,
    },
}

/// The answer where a command has no output.
const NO_OUTPUT: &[u8] = b"command error";

/// The most clients at once.
const MOST_CLIENTS: usize = 64;

struct Run {
    time: Duration,
}

impl Handler for Run {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let drain = conn.drain_signal();
        loop {
            // The command has no end mark; it is over when the client waits.
            let command = tokio::select! {
                command = read_until_pause(conn, |_| true) => command?,
                () = drain.wait() => return Ok(()),
            };
            let Some(command) = command else { return Ok(()) };
            if shell::looks_like_http(&command) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "HTTP: not answered"));
            }
            cli::say(format_args!("{}: {}", conn.peer(), cli::printable(&command)))?;
            // A client that is gone wants no output: dropping the future kills the command.
            let output = tokio::select! {
                output = shell::run(command, self.time) => output?,
                gone = closed(conn) => return gone,
            };
            let body = if output.is_empty() { NO_OUTPUT } else { &output };
            send_acknowledged(conn, body).await?;
        }
    }
}

/// Returns once the peer has closed. What it sends meanwhile stays unread.
async fn closed(conn: &mut Conn) -> io::Result<()> {
    if conn.fill_buf().await?.is_empty() { Ok(()) } else { std::future::pending().await }
}

fn serve(addr: Addr, model: Model, time: Duration, i_know: bool) -> cli::Exit {
    let limits = Limits { max_connections: MOST_CLIENTS, ..Limits::default() };
    let server = match i_know {
        true => Server::bind(&addr)?,
        false => Server::bind(shell::keep_private(&addr)?)?,
    };
    let addrs = if i_know { server.addrs() } else { vec![addr] };
    cli::announce(&addrs)?;
    let report = server.model(model).limits(limits).serve(Run { time })?;
    Ok(cli::say(report)?)
}

async fn ask(stream: &mut Stream, command: &str) -> cli::Exit {
    stream.write_all(command.as_bytes()).await?;
    let output = recv_acknowledged(stream, shell::MOST_OUTPUT * 2).await?;
    Ok(cli::pass_on(&output.ok_or("the server hung up")?)?)
}

async fn connect(addr: Addr, command: Vec<String>) -> cli::Exit {
    let mut stream = client::connect(addr).await?;
    if !command.is_empty() {
        return ask(&mut stream, &command.join(" ")).await;
    }
    let mut lines = cli::Lines::new("$ ");
    while let Some(line) = lines.next().await? {
        if !line.trim().is_empty() {
            ask(&mut stream, &line).await?;
        }
    }
    Ok(())
}

fn main() -> cli::Exit {
    match Cli::parse() {
        Cli::Serve { addr, model, time, i_know } => serve(addr, model, time, i_know),
        Cli::Connect { addr, command } => cli::block_on(connect(addr, command)),
    }
}
