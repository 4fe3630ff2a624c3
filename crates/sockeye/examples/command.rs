//! Commands run by the server's shell, and their output: size, acknowledgement, body.
//!
//! Whoever reaches this server may do all that its user may. So it listens on a Unix socket
//! that belongs to that user alone, unless told otherwise; and it hangs up on what looks like
//! HTTP, as any web page can have a browser post to a port of its own machine.

mod cli;
mod shell;
mod typed;

use std::{
    io::{self, Write},
    time::Duration,
};

use clap::Parser;
use sockeye::{
    Conn, Handler, Limits, Server, Stream, client,
    framing::{read_until_pause, recv_acknowledged, send_acknowledged},
    quantity::parse_duration,
};
use tokio::io::AsyncWriteExt;
use typed::Lines;

/// Runs commands on the server, prints their output.
#[derive(Parser)]
enum Cli {
    /// Run what clients ask for, until Ctrl-C
    Serve {
        #[command(flatten)]
        listen: cli::Listen,
        /// How long a command may run
        #[arg(long, default_value = "60s", value_parser = parse_duration)]
        time: Duration,
        /// Listen also where others can connect: they may do all that you may
        #[arg(long)]
        i_know: bool,
    },
    /// Run one command, or each line of standard input
    Connect {
        #[command(flatten)]
        call: cli::Call,
        /// The command, behind `--`
        #[arg(last = true)]
        command: Vec<String>,
    },
}

/// Where it listens unless told otherwise.
const ADDR: &str = "unix://command.sock";

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
            cli::say(format_args!("{}: {}", conn.peer(), String::from_utf8_lossy(&command)))?;
            // A client that is gone wants no output: dropping the future kills the command.
            let output = tokio::select! {
                output = shell::run(command, self.time) => output?,
                gone = shell::closed(conn) => return gone,
            };
            let body = if output.is_empty() { NO_OUTPUT } else { &output };
            send_acknowledged(conn, body).await?;
        }
    }
}

fn serve(cli::Listen { addr, model }: cli::Listen, time: Duration, i_know: bool) -> cli::Exit {
    let limits = Limits { max_connections: MOST_CLIENTS, ..Limits::default() };
    let server = match i_know {
        true => Server::bind(&addr)?,
        false => Server::bind(shell::keep_private(&addr)?)?,
    };
    let addrs = if i_know { server.addrs() } else { vec![addr] };
    cli::announce(&addrs)?;
    Ok(cli::say(server.model(model).limits(limits).serve(Run { time })?)?)
}

async fn ask(stream: &mut Stream, command: &str) -> cli::Exit {
    stream.write_all(command.as_bytes()).await?;
    let output = recv_acknowledged(stream, shell::MOST_OUTPUT * 2).await?;
    let output = output.ok_or("the server hung up")?;
    // As it is, also on a terminal: it is what the user asked to see.
    io::stdout().write_all(&output)?;
    Ok(io::stdout().flush()?)
}

async fn connect(cli::Call { addr }: cli::Call, command: Vec<String>) -> cli::Exit {
    let mut stream = client::connect(addr).await?;
    if !command.is_empty() {
        return ask(&mut stream, &command.join(" ")).await;
    }
    let mut lines = Lines::new("$ ");
    while let Some(line) = lines.next().await? {
        if !line.trim().is_empty() {
            ask(&mut stream, &line).await?;
        }
    }
    Ok(())
}

fn main() -> cli::Exit {
    match Cli::parse() {
        Cli::Serve { listen, time, i_know } => serve(listen, time, i_know),
        Cli::Connect { call, command } => cli::block_on(connect(call, command)),
    }
}
