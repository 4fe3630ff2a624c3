//! What the libraries say, on standard error.

use std::{env, io};

use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::EnvFilter;

/// Sets the filter by itself, as `SOCKEYE_LOG=sockeye::client=debug`, unless `-v` or `-q` are given.
const VARIABLE: &str = "SOCKEYE_LOG";

/// By default warnings, and what a server's operator asked for by a signal or a command.
const DEFAULT: &str =
    "warn,sockeye::server::signals=info,sockeye::tls::server=info,sockeye_node::control=info";

/// With `-v` also what was connected to, each request, and each connection that failed. What the start-up check found is said by `serve` itself.
const VERBOSE: &str =
    "info,sockeye::client=debug,sockeye::handler=debug,sockeye::server::prepared=warn";

/// Begins to log, as many `-v` and `-q` as were given.
pub(crate) fn start(verbose: u8, quiet: u8) {
    let filter = match (verbose, quiet) {
        (0, 0) => DEFAULT,
        (1, _) => VERBOSE,
        (2, _) => "debug",
        (3.., _) => "trace",
        (_, 1) => "error",
        (_, 2..) => "off",
    };
    let wanted = env::var(VARIABLE).ok().filter(|_| verbose == 0 && quiet == 0);
    let (filter, malformed) = match wanted.map(EnvFilter::try_new) {
        Some(Ok(wanted)) => (wanted, None),
        Some(Err(error)) => (EnvFilter::new(filter), Some(error)),
        None => (EnvFilter::new(filter), None),
    };
    let colour = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    // Without time: who keeps a log (journald, a container) stamps each line.
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(colour)
        .with_target(verbose > 1)
        .without_time()
        // A standard error that nobody reads any more is no reason to write to it once again.
        .log_internal_errors(false)
        .with_env_filter(filter)
        .init();
    if let Some(error) = malformed {
        tracing::warn!("{VARIABLE} is passed over: {error}");
    }
}
