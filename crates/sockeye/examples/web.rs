//! A web server for the current folder, down to the bytes of HTTP/1.1: what a browser sends,
//! and the least that it needs back. The real thing is `sockeye serve DIR`.

mod cli;
mod http;
mod jail;

use std::{fs::File, io, time::Duration};

use clap::Parser;
use http::{Request, kind_of};
use sockeye::{Conn, Handler, Limits, Server, client};
use tokio::{
    io::{AsyncWriteExt, copy, stdout},
    time::timeout,
};

/// Serves the files of the current folder to browsers.
#[derive(Parser)]
enum Cli {
    /// Serve until Ctrl-C
    Serve {
        #[command(flatten)]
        listen: cli::Listen,
        /// Answer everything with the page `hello world`
        #[arg(long)]
        fixed: bool,
    },
    /// Print the server's answer to a request for PATH
    Connect {
        #[command(flatten)]
        call: cli::Call,
        #[arg(default_value = "/")]
        path: String,
    },
}

/// Where it listens unless told otherwise.
const ADDR: &str = "tcp://127.0.0.1:8000";

/// How long a request's head may take to arrive.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// The longest line of a head, in bytes.
const LONGEST_LINE: usize = 8 * 1024;

struct Web {
    folder: jail::Jail,
    fixed: bool,
}

enum Page {
    File { file: File, size: u64, kind: &'static str },
    Text { status: &'static str, text: &'static str },
}

impl Handler for Web {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        // A browser opens connections that it may never use.
        let Some(head) = timeout(HEAD_TIME, http::read_head(conn)).await?? else { return Ok(()) };
        let shown = head.join(&b'\n');
        cli::say(format_args!("{} asks\n{}", conn.peer(), String::from_utf8_lossy(&shown)))?;
        let request = Request::parse(&head);
        let body = request.as_ref().is_none_or(|request| request.wants_body);
        match self.page(request)? {
            Page::File { file, size, kind } => {
                conn.write_all(http::head("200 OK", kind, size).as_bytes()).await?;
                if body && conn.send_file(&file, 0, size).await? < size {
                    return Err(io::Error::other("the file became shorter while it was sent"));
                }
            }
            Page::Text { status, text } => {
                let head = http::head(status, "text/html; charset=utf-8", text.len() as u64);
                conn.write_all(head.as_bytes()).await?;
                conn.write_all(if body { text.as_bytes() } else { b"" }).await?;
            }
        }
        Ok(())
    }
}

impl Web {
    fn page(&self, request: Option<Request>) -> io::Result<Page> {
        let text = |status, text| Ok(Page::Text { status, text });
        let Some(request) = request else {
            return text("400 Bad Request", "<h1>400</h1>This is no request of HTTP/1.\n");
        };
        if !request.is_read {
            return text("405 Method Not Allowed", "<h1>405</h1>Only GET and HEAD work here.\n");
        }
        if self.fixed {
            return text("200 OK", "hello world");
        }
        let mut path = request.path;
        if path.is_empty() || path.ends_with(b"/") {
            path.extend_from_slice(b"index.html");
        }
        match self.folder.open(&path)? {
            Some((file, size)) => Ok(Page::File { file, size, kind: kind_of(&path) }),
            None => text("404 Not Found", "<h1>404</h1>There is no such page.\n"),
        }
    }
}

fn serve(cli::Listen { addr, model }: cli::Listen, fixed: bool) -> cli::Exit {
    let limits = Limits { max_line: LONGEST_LINE, ..Limits::default() };
    let server = Server::bind(addr)?.model(model).limits(limits);
    cli::announce(&server.addrs())?;
    Ok(cli::say(server.serve(Web { folder: jail::Jail::current()?, fixed })?)?)
}

async fn connect(cli::Call { addr }: cli::Call, path: String) -> cli::Exit {
    let mut stream = client::connect(addr).await?;
    stream.write_all(http::request(&path).as_bytes()).await?;
    copy(&mut stream, &mut stdout()).await?;
    Ok(())
}

fn main() -> cli::Exit {
    match Cli::parse() {
        Cli::Serve { listen, fixed } => serve(listen, fixed),
        Cli::Connect { call, path } => cli::block_on(connect(call, path)),
    }
}
