//! Files of the current folder for whoever names them, and a client that shows the progress.
//!
//! The header of the answer has no end mark: a client takes the first that it reads for all of
//! it. The server therefore pauses behind it; see "framing" in the documentation.

mod cli;
mod jail;
mod transfer;

use std::{io, path::Path};

use clap::Parser;
use sockeye::{
    Conn, Handler, Server, client,
    framing::{HEADER_PAUSE, read_until_pause},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    signal::ctrl_c,
    time::sleep,
};
use transfer::{Incoming, PIECE, SEPARATOR};

/// Serves the files of the current folder by name, and fetches them.
#[derive(Parser)]
enum Cli {
    /// Serve the current folder until Ctrl-C
    Serve(cli::Listen),
    /// Fetch a file into the current folder
    #[command(allow_missing_positional = true)]
    Connect {
        #[command(flatten)]
        call: cli::Call,
        /// The file's name in the server's folder
        name: String,
        /// Replace a file of that name
        #[arg(long)]
        force: bool,
    },
}

/// Where it listens unless told otherwise.
const ADDR: &str = "tcp://127.0.0.1:9008";

/// What follows the name of a file that does not exist.
const NO_SUCH_FILE: &str = "文件不存在";

struct Download {
    folder: jail::Jail,
}

impl Handler for Download {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let Some(name) = read_until_pause(conn, |_| true).await? else { return Ok(()) };
        let name = name.trim_ascii_end();
        cli::say(format_args!("{}: {}", conn.peer(), String::from_utf8_lossy(name)))?;
        let Some((file, size)) = self.folder.open(name)? else {
            let answer = [b"-1", SEPARATOR.as_bytes(), name, NO_SUCH_FILE.as_bytes()];
            return conn.write_all(&answer.concat()).await;
        };
        conn.write_all(format!("0{SEPARATOR}{size}").as_bytes()).await?;
        conn.flush().await?;
        sleep(HEADER_PAUSE).await;
        match conn.send_file(&file, 0, size).await? {
            sent if sent == size => Ok(()),
            _ => Err(io::Error::other("the file became shorter while it was sent")),
        }
    }
}

fn serve(cli::Listen { addr, model }: cli::Listen) -> cli::Exit {
    let server = Server::bind(addr)?.model(model);
    cli::announce(&server.addrs())?;
    Ok(cli::say(server.serve(Download { folder: jail::Jail::current()? })?)?)
}

async fn connect(cli::Call { addr }: cli::Call, name: String, force: bool) -> cli::Exit {
    let own = transfer::base_name(&name).ok_or("that is no name of a file")?;
    if !force && Path::new(own).exists() {
        return Err(format!("{own} exists already; to replace it, say --force").into());
    }
    let mut stream = client::connect(addr).await?;
    stream.write_all(name.as_bytes()).await?;
    // As above: what comes first is the header, and with bad luck some of the file.
    let mut answer = stream.recv(PIECE).await?.to_vec();
    let (code, rest) = transfer::split(&answer).ok_or("the server gave no answer")?;
    if code != b"0" {
        let at = answer.len() - rest.len();
        stream.read_to_end(&mut answer).await?;
        return Err(String::from_utf8_lossy(&answer[at..]).into());
    }
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (size, first) = rest.split_at(digits);
    let size = str::from_utf8(size)?.parse().map_err(|_| "the server's answer has no size")?;

    let mut file = Incoming::create(Path::new(own))?;
    tokio::select! {
        filled = file.fill(first.chain(stream), size, transfer::progress(size, own)?) => filled?,
        _ = ctrl_c() => return Err("interrupted".into()),
    }
    file.finish(force)?;
    Ok(cli::say(format_args!("{own}: {size} bytes"))?)
}

fn main() -> cli::Exit {
    match Cli::parse() {
        Cli::Serve(listen) => serve(listen),
        Cli::Connect { call, name, force } => cli::block_on(connect(call, name, force)),
    }
}
