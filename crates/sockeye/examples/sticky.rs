//! A byte stream has no messages: three messages sent with three writes are seen as something
//! else by a server that takes each read for a message; `--framed` is the cure on both sides.

mod cli;

use std::{io, time::Duration};

use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use sockeye::{
    Addr, Conn, Handler, Model, Server, client,
    framing::{LengthField, LengthPrefixed},
};
use tokio::{io::AsyncWriteExt, time::sleep};
use tokio_util::codec::Framed;

/// Shows what becomes of messages in a byte stream, and how framing keeps them apart.
#[derive(Parser)]
enum Cli {
    /// Print what each read gives, or each frame, until Ctrl-C
    Serve {
        /// Where to listen
        #[arg(default_value = "tcp://127.0.0.1:9010")]
        addr: Addr,
        /// iterative, pool:N, threads:MAX, fork:MAX, prefork:N, tasks or percore[:N]
        #[arg(long, default_value_t)]
        model: Model,
        /// Expect each message's length in front of it
        #[arg(long)]
        framed: bool,
    },
    /// Send three messages
    Connect {
        /// Where the server listens
        #[arg(default_value = "tcp://127.0.0.1:9010")]
        addr: Addr,
        /// Send each message's length in front of it
        #[arg(long)]
        framed: bool,
    },
}

const MESSAGES: [&str; 3] = ["one", "two!", "a message of 24 bytes .."];

/// What the server takes for enough room for a message, in bytes.
const ROOM: usize = 16;

/// How long the server is busy with something else, as any server is at times. Meanwhile the
/// messages arrive.
const BUSY: Duration = Duration::from_millis(200);

/// Both sides must agree on the form of the length: here four bytes, the most significant first.
const LENGTH: LengthField = LengthField::U32Be;

struct Sticky {
    framed: bool,
}

impl Handler for Sticky {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        sleep(BUSY).await;
        if self.framed {
            let mut frames = Framed::new(conn, LengthPrefixed::new(LENGTH));
            while let Some(frame) = frames.next().await.transpose()? {
                cli::say(format_args!("a frame: {}", cli::printable(&frame)))?;
            }
            return Ok(());
        }
        loop {
            let read = conn.recv(ROOM).await?;
            if read.is_empty() {
                return Ok(());
            }
            cli::say(format_args!("a read: {}", cli::printable(&read)))?;
        }
    }
}

fn serve(addr: Addr, model: Model, framed: bool) -> cli::Exit {
    let server = Server::bind(addr)?.model(model);
    cli::announce(&server.addrs())?;
    let report = server.serve(Sticky { framed })?;
    Ok(cli::say(report)?)
}

async fn connect(addr: Addr, framed: bool) -> cli::Exit {
    let mut stream = client::connect(addr).await?;
    if framed {
        let mut frames = Framed::new(stream, LengthPrefixed::new(LENGTH));
        for message in MESSAGES {
            frames.send(message).await?;
        }
    } else {
        for message in MESSAGES {
            stream.write_all(message.as_bytes()).await?;
        }
    }
    Ok(())
}

fn main() -> cli::Exit {
    match Cli::parse() {
        Cli::Serve { addr, model, framed } => serve(addr, model, framed),
        Cli::Connect { addr, framed } => cli::block_on(connect(addr, framed)),
    }
}
