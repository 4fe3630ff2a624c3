//! The edges that all examples share: saying where they listen, printing, failing, typing.
//!
//! Nothing here is about sockets; what an example teaches stands in the example.

#![allow(dead_code, reason = "each example uses a part of it")]

use std::{
    fmt,
    future::Future,
    io::{self, IsTerminal, Write},
};

use sockeye::Addr;
use tokio::io::{AsyncBufReadExt, BufReader, Stdin};
use tracing_subscriber::EnvFilter;

/// How an example's `main` ends.
pub(crate) type Exit = Result<(), Failed>;

/// Why an example ends with an error. `main` prints it by `Debug`, so that is for people here.
pub(crate) struct Failed(String);

impl<E: fmt::Display> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the framework's log tells unless `RUST_LOG` asks for something else.
const LOG: &str = "warn,sockeye::server::signals=info";

/// Says where a server listens, one address a line. From here on the framework's log goes to
/// standard error.
pub(crate) fn announce(addrs: &[Addr]) -> io::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG));
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours);
    // A log that nobody reads any more is no reason to end.
    log.with_writer(io::stderr).log_internal_errors(false).init();
    addrs.iter().try_for_each(|addr| say(format_args!("listening on {addr}")))
}

/// Prints one line, whole: those of other connections, threads and processes come before or
/// after it, never in the middle.
pub(crate) fn say(line: impl fmt::Display) -> io::Result<()> {
    let line = format!("{line}\n");
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}

/// Prints what was received as it is, also on a terminal: for what the user asked to see.
pub(crate) fn pass_on(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    if !bytes.ends_with(b"\n") && out.is_terminal() {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// What a peer sent, made fit for a terminal: its control characters would be obeyed there.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for char in String::from_utf8_lossy(bytes).chars() {
        match char.is_control() {
            true => text.extend(char.escape_debug()),
            false => text.push(char),
        }
    }
    text
}

/// Several lines, each [`printable`] and indented.
pub(crate) fn printable_lines(lines: &[Vec<u8>]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| format!("    {}", printable(line))).collect();
    lines.join("\n")
}

/// Runs a client to its end.
pub(crate) fn block_on<E>(client: impl Future<Output = Result<(), E>>) -> Exit
where
    Failed: From<E>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(client);
    // A thread may still be waiting for standard input; nobody waits for that thread.
    runtime.shutdown_background();
    Ok(outcome?)
}

/// The lines of standard input, with a prompt where a person types them.
pub(crate) struct Lines {
    lines: tokio::io::Lines<BufReader<Stdin>>,
    prompt: &'static str,
}

impl Lines {
    pub(crate) fn new(prompt: &'static str) -> Self {
        let typed = io::stdin().is_terminal() && io::stdout().is_terminal();
        let prompt = if typed { prompt } else { "" };
        Self { lines: BufReader::new(tokio::io::stdin()).lines(), prompt }
    }

    /// The next line without its end; `None` at the end of the input.
    pub(crate) async fn next(&mut self) -> io::Result<Option<String>> {
        io::stdout().write_all(self.prompt.as_bytes())?;
        io::stdout().flush()?;
        self.lines.next_line().await
    }
}
