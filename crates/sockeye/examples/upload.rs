//! Files from whoever sends them, into the current folder, and a client that shows the progress.
//!
//! A file gets its name when all of it is there. What stays incomplete is kept aside, and
//! nobody's upload is mixed with another's.

mod cli;
mod transfer;

use std::{
    io,
    path::{Path, PathBuf},
};

use clap::Parser;
use indicatif::ProgressBar;
use sockeye::{Conn, Handler, Server, client, framing::read_until_pause, quantity::parse_size};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use transfer::{Incoming, PIECE, SEPARATOR};

/// Stores what clients send in the current folder, and sends files.
#[derive(Parser)]
enum Cli {
    /// Store what comes as `[接收]NAME` in the current folder, until Ctrl-C
    Serve {
        #[command(flatten)]
        listen: cli::Listen,
        /// The largest file that is taken
        #[arg(long, default_value = "16GiB", value_parser = parse_size)]
        largest: u64,
    },
    /// Send a file
    #[command(allow_missing_positional = true)]
    Connect {
        #[command(flatten)]
        call: cli::Call,
        file: PathBuf,
    },
}

/// Where it listens unless told otherwise.
const ADDR: &str = "tcp://127.0.0.1:9009";

/// What stands before the names of stored files: received.
const RECEIVED: &str = "[接收]";

/// The server's word that it is ready for the bytes.
const READY: &str = "ok";

struct Upload {
    largest: u64,
}

impl Handler for Upload {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let is_complete = |header: &[u8]| parse(header).is_some();
        let Some(header) = read_until_pause(conn, is_complete).await? else { return Ok(()) };
        let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
        let (name, size) = parse(&header).ok_or_else(|| invalid("no header"))?;
        let name = transfer::base_name(&name).ok_or_else(|| invalid("that names no file"))?;
        if size > self.largest {
            return Err(invalid("larger than --largest"));
        }
        let name = format!("{RECEIVED}{name}");
        let mut file = Incoming::create(Path::new(&name))?;
        conn.write_all(READY.as_bytes()).await?;
        file.fill(&mut *conn, size, ProgressBar::hidden()).await?;
        file.finish(true)?;
        cli::say(format_args!("{}: {name}, {size} bytes", conn.peer()))
    }
}

/// Name and size, once the separator and a number are there.
fn parse(header: &[u8]) -> Option<(String, u64)> {
    let (name, size) = transfer::split(header)?;
    let size = str::from_utf8(size).ok()?.trim_end().parse().ok()?;
    Some((String::from_utf8_lossy(name).into_owned(), size))
}

fn serve(cli::Listen { addr, model }: cli::Listen, largest: u64) -> cli::Exit {
    let server = Server::bind(addr)?.model(model);
    cli::announce(&server.addrs())?;
    Ok(cli::say(server.serve(Upload { largest })?)?)
}

async fn connect(cli::Call { addr }: cli::Call, path: PathBuf) -> cli::Exit {
    let failed = |error| format!("{}: {error}", path.display());
    let file = std::fs::File::open(&path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let name = path.file_name().ok_or("that is no name of a file")?.to_string_lossy();

    let mut stream = client::connect(addr).await?;
    stream.write_all(format!("{name}{SEPARATOR}{size}").as_bytes()).await?;
    if stream.recv(PIECE).await? != READY {
        return Err("the server does not take this file".into());
    }
    let bar = transfer::progress(size, &name)?;
    while bar.position() < size {
        match stream.send_file(&file, bar.position(), PIECE as u64).await? {
            0 => return Err("the file became shorter while it was sent".into()),
            sent => bar.inc(sent),
        }
    }
    bar.finish();
    // The server closes once the file has its name.
    stream.shutdown().await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(cli::say(format_args!("{name}: {size} bytes"))?)
}

fn main() -> cli::Exit {
    match Cli::parse() {
        Cli::Serve { listen, largest } => serve(listen, largest),
        Cli::Connect { call, file } => cli::block_on(connect(call, file)),
    }
}
