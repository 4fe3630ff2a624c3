//! Stream handlers that do what their client says, one line, one command.

use std::{
    future::pending,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    sync::OnceLock,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use serde_json::json;
use sockeye::{
    BlockingConn, BlockingHandler, Conn, ConnInfo, Failure, Handler, Model, PerConnection,
    PreparedServer, RequestHandler, Server, tls::TlsServer,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Notify,
    task::coop::unconstrained,
};

use crate::events;

/// How long a handler computes: longer than any test waits.
const LONG: Duration = Duration::from_secs(100);

/// Every byte back.
pub(crate) struct Echo;

impl Handler for Echo {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        loop {
            let chunk = conn.recv(64 * 1024).await?;
            if chunk.is_empty() {
                return Ok(());
            }
            conn.write_all(&chunk).await?;
        }
    }

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        events::failed(Some(info.id().get()), failure);
    }
}

/// Does what each line says, until `bye` or the end of the stream.
pub(crate) struct Script;

impl Handler for Script {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        while let Some(line) = conn.read_line().await? {
            let line = String::from_utf8_lossy(&line).into_owned();
            if !obey(conn, &line).await? {
                break;
            }
        }
        Ok(())
    }

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        events::failed(Some(info.id().get()), failure);
    }
}

/// As [`Script`], but at the drain it waits for no further line and says goodbye.
pub(crate) struct Idle;

impl Handler for Idle {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        while let Some(line) = conn.read_line_or_drain().await? {
            if !obey(conn, &String::from_utf8_lossy(&line)).await? {
                break;
            }
        }
        conn.write_all(b"goodbye\n").await
    }

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        events::failed(Some(info.id().get()), failure);
    }
}

/// As [`Echo`], up to the drain.
pub(crate) struct IdleEcho;

impl Handler for IdleEcho {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        while let Some(chunk) = conn.recv_or_drain(64 * 1024).await? {
            conn.write_all(&chunk).await?;
        }
        conn.write_all(b"goodbye\n").await
    }
}

/// As [`Script`], and TLS can be started, by `starttls`; `patience` sets the idle limit, in milliseconds.
pub(crate) struct StartTls(pub(crate) TlsServer);

impl Handler for StartTls {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        while let Some(line) = conn.read_line().await? {
            if &*line == b"starttls" {
                conn.write_all(b"go on\n").await?;
                let own = self.0.for_connection().map_err(io::Error::from)?;
                let discarded = conn.start_tls(&own).await?;
                conn.write_all(format!("discarded {discarded}\n").as_bytes()).await?;
            } else if let Some(time) = line.strip_prefix(b"patience ") {
                let time = std::str::from_utf8(time).ok().and_then(|time| time.parse().ok());
                conn.set_read_idle(time.map(Duration::from_millis));
                conn.write_all(b"patient\n").await?;
            } else if !obey(conn, &String::from_utf8_lossy(&line)).await? {
                break;
            }
        }
        Ok(())
    }

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        events::failed(Some(info.id().get()), failure);
    }
}

/// A server that was prepared while another's connection was open; it stays as it is until the
/// process ends.
static BESIDE: OnceLock<PreparedServer> = OnceLock::new();

/// A handler wants a server beside its own, and then it is there.
pub(crate) static WANTED: Notify = Notify::const_new();
static PREPARED: Notify = Notify::const_new();

/// Prepares the server that a handler wants.
pub(crate) fn prepare_beside() {
    let prepared = Server::bind("tcp://127.0.0.1:0").and_then(|server| {
        server.model(Model::ForkPerConnection { max: 2 }).with(Script).prepare()
    });
    BESIDE.get_or_init(|| prepared.expect("another server"));
    PREPARED.notify_one();
}

/// Obeys one command; whether more may follow.
async fn obey(conn: &mut Conn, line: &str) -> io::Result<bool> {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let number = rest.parse::<usize>().unwrap_or(0);
    let answer = match command {
        "echo" => rest.to_owned(),
        "pid" => std::process::id().to_string(),
        "thread" => format!("{:?}", std::thread::current().id()),
        "id" => conn.info().id().to_string(),
        "peer" => conn.peer().to_string(),
        "listener" => conn.info().listener().to_string(),
        "full" => conn.at_capacity().to_string(),
        "open" => conn.server().connections().len().to_string(),
        "stats" => stats(conn),
        "drain" => {
            conn.server().drain();
            "draining".to_owned()
        }
        "stop" => {
            conn.server().stop();
            "stopping".to_owned()
        }
        "beside" => {
            WANTED.notify_one();
            PREPARED.notified().await;
            BESIDE.get().map_or_else(String::new, |beside| beside.addrs()[0].to_string())
        }
        "wait" => {
            conn.write_all(b"waiting\n").await?;
            conn.drain_signal().wait().await;
            "drained".to_owned()
        }
        "block" => {
            conn.write_all(b"blocking\n").await?;
            loop {
                std::thread::park();
            }
        }
        "hang" => {
            conn.write_all(b"hanging\n").await?;
            pending().await
        }
        "spin" => {
            conn.write_all(b"spinning\n").await?;
            let begin = Instant::now();
            while begin.elapsed() < LONG {}
            "spun".to_owned()
        }
        "big" => {
            send_pattern(conn, number).await?;
            return Ok(true);
        }
        "take" => {
            let mut body = (&mut *conn).take(number as u64);
            let taken = tokio::io::copy(&mut body, &mut tokio::io::sink()).await?;
            format!("took {taken}")
        }
        "refuse" => {
            conn.write_all(b"500 refused\n").await?;
            return Err(io::Error::other("the handler was told to refuse"));
        }
        "dawdle" => return dawdle(conn).await,
        "fill" => {
            let piece = [0; 16 * 1024];
            // Not up to the task's share of time, but up to what the connection holds.
            while let Some(written) = unconstrained(conn.write(&piece)).now_or_never() {
                written?;
            }
            return Ok(false);
        }
        "bye" => return Ok(false),
        "error" => return Err(io::Error::other("the handler was told to fail")),
        #[expect(clippy::panic, reason = "the handler is told to")]
        "panic" => panic!("the handler was told to panic"),
        _ => format!("what is {command:?}?"),
    };
    conn.write_all(format!("{answer}\n").as_bytes()).await?;
    Ok(true)
}

/// Waits for a line up to the deadline, says that it was one, and fails once something comes.
async fn dawdle(conn: &mut Conn) -> io::Result<bool> {
    let read = conn.read_line().await;
    conn.write_all(b"421 too slow\n").await?;
    conn.stream().readable().await?;
    read.map(|_| true)
}

fn stats(conn: &Conn) -> String {
    let stats = conn.server().stats().named();
    let stats: serde_json::Map<_, _> =
        stats.into_iter().map(|(name, n)| (name.to_owned(), n.into())).collect();
    serde_json::Value::from(stats).to_string()
}

/// Bytes that tell if one is missing: each position modulo a prime.
async fn send_pattern(conn: &mut Conn, len: usize) -> io::Result<()> {
    const PRIME: usize = 251;
    let block: Vec<u8> = (0..PRIME * 256).map(|at| u8::try_from(at % PRIME).unwrap_or(0)).collect();
    let mut left = len;
    while left > 0 {
        let n = left.min(block.len());
        conn.write_all(&block[..n]).await?;
        left -= n;
    }
    Ok(())
}

/// Tells its steps; the line it is sent says how it ends.
pub(crate) struct Steps {
    setup_fails: bool,
}

pub(crate) fn steps(setup_fails: bool) -> impl Handler {
    StepsHandler(PerConnection::new(move |_: &ConnInfo| Steps { setup_fails }))
}

impl RequestHandler for Steps {
    async fn setup(&mut self, conn: &mut Conn) -> io::Result<()> {
        step(conn, "setup");
        if self.setup_fails { Err(io::Error::other("setup was told to fail")) } else { Ok(()) }
    }

    async fn handle(&mut self, conn: &mut Conn) -> io::Result<()> {
        step(conn, "handle");
        Script.handle(conn).await
    }

    async fn finish(&mut self, conn: &mut Conn) -> io::Result<()> {
        step(conn, "finish");
        Ok(())
    }
}

fn step(conn: &Conn, step: &str) {
    events::emit(&json!({"event": "step", "conn": conn.info().id().get(), "step": step}));
}

/// `PerConnection` with errors told as events.
struct StepsHandler<H>(H);

impl<H: Handler> Handler for StepsHandler<H> {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        self.0.handle(conn).await
    }

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        events::failed(Some(info.id().get()), failure);
    }
}

/// The script's simplest commands, with blocking reads and writes.
pub(crate) struct BlockingScript;

impl BlockingHandler for BlockingScript {
    fn handle(&self, conn: &mut BlockingConn) -> io::Result<()> {
        let mut conn = BufReader::new(conn);
        let mut line = String::new();
        while conn.read_line(&mut line)? > 0 {
            if !obey_blocking(conn.get_mut(), line.trim_end())? {
                break;
            }
            line.clear();
        }
        Ok(())
    }

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        events::failed(Some(info.id().get()), failure);
    }
}

/// As [`BlockingScript`], but at the drain it waits for no further line and says goodbye.
pub(crate) struct BlockingIdle;

impl BlockingHandler for BlockingIdle {
    fn handle(&self, conn: &mut BlockingConn) -> io::Result<()> {
        // Its first byte by itself, so that the line's rest is read after it.
        let mut first = [0];
        let n = conn.read(&mut first)?;
        let mut begun = first[..n].to_vec();
        while let Some(line) = conn.read_line_or_drain()? {
            begun.extend_from_slice(&line);
            if !obey_blocking(conn, &String::from_utf8_lossy(&std::mem::take(&mut begun)))? {
                break;
            }
        }
        conn.write_all(b"goodbye\n")
    }

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        events::failed(Some(info.id().get()), failure);
    }
}

/// Obeys one command; whether more may follow.
fn obey_blocking(conn: &mut BlockingConn, line: &str) -> io::Result<bool> {
    match line {
        "error" => return Err(io::Error::other("the handler was told to fail")),
        #[expect(clippy::panic, reason = "the handler is told to")]
        "panic" => panic!("the handler was told to panic"),
        "bye" => return Ok(false),
        "wait" => {
            conn.write_all(b"waiting\n")?;
            conn.wait_for_drain()?;
            conn.write_all(b"drained\n")?;
        }
        _ => conn.write_all(format!("{line}\n").as_bytes())?,
    }
    Ok(true)
}

/// Admits nobody.
pub(crate) struct Refuse;

impl Handler for Refuse {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        step(conn, "handle");
        Ok(())
    }

    fn verify(&self, info: &ConnInfo) -> bool {
        events::emit(&json!({"event": "step", "conn": info.id().get(), "step": "verify"}));
        false
    }

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        events::failed(Some(info.id().get()), failure);
    }
}

/// Panics where it is told of a failure.
pub(crate) struct ReportPanics;

impl Handler for ReportPanics {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        Script.handle(conn).await
    }

    fn on_error(&self, info: &ConnInfo, failure: &Failure) {
        events::failed(Some(info.id().get()), failure);
        #[expect(clippy::panic, reason = "the panic is what is tested")]
        {
            panic!("on_error panics");
        }
    }
}
