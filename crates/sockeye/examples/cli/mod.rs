//! The edges that all examples share: arguments, saying where they listen, printing, failing.
//!
//! Nothing here is about sockets; what an example teaches stands in the example.

use std::{
    fmt,
    future::Future,
    io::{self, IsTerminal, Write},
};

use clap::Args;
use sockeye::{Addr, Model};
use tracing_subscriber::EnvFilter;

/// What every `serve` is told. Each example has its own `ADDR`.
#[derive(Args)]
pub(crate) struct Listen {
    /// Where to listen
    #[arg(default_value = crate::ADDR)]
    pub(crate) addr: Addr,
    /// iterative, pool:N, threads:MAX, fork:MAX, prefork:N, tasks or percore[:N]
    #[arg(long, default_value_t)]
    pub(crate) model: Model,
}

/// What every `connect` is told.
#[derive(Args)]
pub(crate) struct Call {
    /// Where the server listens
    #[arg(default_value = crate::ADDR)]
    pub(crate) addr: Addr,
}

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
        f.write_str(&printable(&self.0))
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

/// Prints a text on a line of its own, whole: what other connections, threads and processes
/// print comes before or after it, never in the middle. Whatever a peer sent may be in it.
pub(crate) fn say(text: impl fmt::Display) -> io::Result<()> {
    let line = printable(&text.to_string()) + "\n";
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}

/// A text made fit for a terminal, which would obey control characters. Further lines of it are
/// indented, so that none is taken for another message.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' => printable.push_str("\n    "),
            char if char.is_control() => printable.extend(char.escape_debug()),
            char => printable.push(char),
        }
    }
    printable
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
