//! A byte stream has no messages: three messages sent with three writes are seen as something
//! else by a server that takes each read for a message; `--framed` is the cure on both sides.

mod cli;

use std::{io, time::Duration};

use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use sockeye::{
    Conn, Handler, Server, client,
    framing::{LengthField, LengthPrefixed},
};
use tokio::{io::AsyncWriteExt, time::sleep};
use tokio_util::codec::Framed;

/// Shows what becomes of messages in a byte stream, and how framing keeps them apart.
#[derive(Parser)]
enum Cli {
    /// Print what each read gives, or each frame, until Ctrl-C
    Serve {
        #[command(flatten)]
        listen: cli::Listen,
        /// Expect each message's length in front of it
        #[arg(long)]
        framed: bool,
    },
    /// Send three messages
    Connect {
        #[command(flatten)]
        call: cli::Call,
        /// Send each message's length in front of it
        #[arg(long)]
        framed: bool,
    },
}

/// Where it listens unless told otherwise.
const ADDR: &str = "tcp://127.0.0.1:9010";

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
                cli::say(format_args!("a frame: {}", String::from_utf8_lossy(&frame)))?;
            }
            return Ok(());
        }
        loop {
            let read = conn.recv(ROOM).await?;
            if read.is_empty() {
                return Ok(());
            }
            cli::say(format_args!("a read: {}", String::from_utf8_lossy(&read)))?;
        }
    }
}

fn serve(cli::Listen { addr, model }: cli::Listen, framed: bool) -> cli::Exit {
    let server = Server::bind(addr)?.model(model);
    cli::announce(&server.addrs())?;
    Ok(cli::say(server.serve(Sticky { framed })?)?)
}

async fn connect(cli::Call { addr }: cli::Call, framed: bool) -> cli::Exit {
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
        Cli::Serve { listen, framed } => serve(listen, framed),
        Cli::Connect { call, framed } => cli::block_on(connect(call, framed)),
    }
}
