//! Messages to a server that prints them and says that they came: a dialogue, and a handler
//! that is not in the way when its server stops.

mod cli;
mod typed;

use std::io;

use clap::Parser;
use sockeye::{Conn, Handler, Server, client};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use typed::Lines;

/// Sends lines to a server that prints them and answers `已送达` (delivered).
#[derive(Parser)]
enum Cli {
    /// Print each message, one conversation after the other (with `--model iterative`) or all
    /// at once, until Ctrl-C
    Serve(cli::Listen),
    /// Send each line of standard input, print each receipt; `q` ends the conversation
    Connect(cli::Call),
}

/// Where it listens unless told otherwise.
const ADDR: &str = "tcp://127.0.0.1:9006";

/// The answer to each message: delivered.
const RECEIPT: &str = "已送达";

/// The message that ends the conversation; it gets no answer.
const QUIT: &str = "q";

/// The longest message, in bytes. A longer one may be read as several.
const LONGEST: usize = 1024;

struct Talk;

impl Handler for Talk {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let (peer, drain) = (conn.peer().clone(), conn.drain_signal());
        cli::say(format_args!("{peer} begins"))?;
        loop {
            // Nobody has to wait for a person who is thinking: the server may stop here.
            let message = tokio::select! {
                message = conn.recv(LONGEST) => message?,
                () = drain.wait() => break,
            };
            let text = message.trim_ascii_end();
            if message.is_empty() || text == QUIT.as_bytes() {
                break;
            }
            cli::say(format_args!("{peer}: {}", String::from_utf8_lossy(text)))?;
            conn.write_all(RECEIPT.as_bytes()).await?;
        }
        cli::say(format_args!("{peer} ends"))
    }
}

fn serve(cli::Listen { addr, model }: cli::Listen) -> cli::Exit {
    let server = Server::bind(addr)?.model(model);
    cli::announce(&server.addrs())?;
    Ok(cli::say(server.serve(Talk)?)?)
}

async fn connect(cli::Call { addr }: cli::Call) -> cli::Exit {
    let mut stream = client::connect(addr).await?;
    let mut lines = Lines::new("> ");
    let mut receipt = [0; RECEIPT.len()];
    while let Some(line) = lines.next().await? {
        // No bytes are no message, and no receipt would come.
        if line.is_empty() {
            continue;
        }
        if line.len() > LONGEST {
            cli::say(format_args!("not sent: over {LONGEST} bytes"))?;
            continue;
        }
        stream.write_all(line.as_bytes()).await?;
        if line == QUIT {
            break;
        }
        // The receipt is also what keeps two messages apart.
        stream.read_exact(&mut receipt).await.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the server hung up"),
            _ => error,
        })?;
        cli::say(String::from_utf8_lossy(&receipt))?;
    }
    Ok(())
}

fn main() -> cli::Exit {
    match Cli::parse() {
        Cli::Serve(listen) => serve(listen),
        Cli::Connect(call) => cli::block_on(connect(call)),
    }
}
