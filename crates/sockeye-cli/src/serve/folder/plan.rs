//! What `sockeye serve DIR` was asked for, resolved: every value checked, every default filled in.
//!
//! Nothing is bound and nothing is printed here; files are opened, so that what is missing is told first.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use sockeye::{Addr, Model, quantity::parse_duration};
use sockeye_http::{AccessLog, Config};
use sockeye_node::{Home, Listen, ListenError, Name};

use super::{
    super::{
        args::{ServeArgs, Switch},
        certificate::Certificate,
        protocols::{HTTP, PROTOCOLS},
    },
    access_log::{self, LogFile},
};
use crate::failure::{Failure, Fault};

/// Where to listen if nothing is said.
const LISTEN: &str = "127.0.0.1:8080";

/// What runs connections if nothing is said.
const MODEL: &str = "tasks";

/// The file that stands for its folder if nothing is said.
const INDEX: &str = "index.html";

/// How long a drain may take if nothing is said.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a connection may wait for its first byte before a model that can only run so many at once
/// accepts it: browsers connect ahead and then say nothing, which would take a place.
const DEFER_ACCEPT: &str = "30s";

/// What to serve, where and how.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) home: Home,
    /// The folder's real path.
    pub(super) folder: PathBuf,
    pub(super) listeners: Vec<Addr>,
    pub(super) model: Model,
    pub(super) workers: Option<usize>,
    /// There if a listener speaks TLS.
    pub(super) certificate: Option<Certificate>,
    pub(super) config: Config,
    pub(super) access_log: Option<LogFile>,
    /// How long a drain waits for connections.
    pub(super) drain: Duration,
    pub(super) open: bool,
    pub(super) qr: bool,
    pub(super) json: bool,
}

impl Plan {
    /// Gives the arguments their meaning.
    pub(super) fn resolve(args: ServeArgs) -> Result<Self, Failure> {
        for (given, argument) in [(args.data.is_given(), "--data"), (!args.set.is_empty(), "--set")]
        {
            if given {
                let message =
                    format!("{argument} is for a node, and DIR shares one folder without one");
                return Err(Failure::usage(message).hint("leave out DIR to serve a node"));
            }
        }
        let model: Model = args.model.as_deref().unwrap_or(MODEL).parse()?;
        let workers = workers(args.workers, model)?;
        let listeners = listeners(&args, model)?;
        let drain = args.drain.as_deref().map_or(Ok(DRAIN), parse_duration);
        let drain = drain.map_err(|error| Failure::usage(format!("--drain: {error}")))?;
        let certificate = match (listeners.iter().any(|addr| addr.tls), args.cert) {
            (false, _) => None,
            (true, None) => Some(Certificate::SelfSigned),
            (true, Some(chain)) => {
                Some(Certificate::Files { key: args.key.unwrap_or_else(|| chain.clone()), chain })
            }
        };
        let (home, folder) = folder(args.folder.as_deref().unwrap_or(Path::new(".")))?;
        let home = if args.hidden { home.with_hidden() } else { home };
        let log = args.access_log.as_deref().map(|path| LogFile::open(path, args.json));
        let access_log = log.transpose()?;
        let mut config = Config::default();
        let names = args.index.iter().map(String::as_str);
        let usual = args.index.is_empty().then_some(INDEX);
        config.index = names.chain(usual).map(index).collect::<Result<_, _>>()?;
        config.listing = args.listing != Some(Switch::Off);
        config.precompressed = args.precompressed;
        config.hosts = args.host;
        config.access_log = match access_log.clone() {
            Some(log) => Some(AccessLog::new(move |record| log.write(record))),
            // With -v each request is told on standard error.
            None => {
                tracing::enabled!(tracing::Level::INFO).then(|| AccessLog::new(access_log::tell))
            }
        };
        let (open, qr, json) = (args.open, args.qr, args.json);
        Ok(Self {
            home,
            folder,
            listeners,
            model,
            workers,
            certificate,
            config,
            access_log,
            drain,
            open,
            qr,
            json,
        })
    }
}

/// The folder, open, and its real path.
fn folder(given: &Path) -> Result<(Home, PathBuf), Failure> {
    let real = || fs::canonicalize(given);
    let home = Home::open(given).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            Failure::from(error).hint("check its owner and mode with `ls -ld`")
        }
        io::ErrorKind::NotADirectory => {
            let failure = Failure::new(Fault::Usage, error);
            match real().ok().as_deref().and_then(Path::parent) {
                Some(parent) => {
                    failure.hint(format!("share the folder it is in: {}", parent.display()))
                }
                None => failure,
            }
        }
        _ => Failure::from(error),
    })?;
    let real = real().map_err(|error| Failure::from(error).about(given.display()))?;
    Ok((home, real))
}

fn listeners(args: &ServeArgs, model: Model) -> Result<Vec<Addr>, Failure> {
    let usual = args.listen.is_empty().then_some(LISTEN);
    let texts = args.listen.iter().map(String::as_str).chain(usual);
    let mut listeners = texts.map(listener).collect::<Result<Vec<_>, _>>()?;
    let everywhere = args.tls || args.cert.is_some() && !listeners.iter().any(|addr| addr.tls);
    for addr in &mut listeners {
        addr.tls |= everywhere;
        let waits = model.capacity().is_some() && addr.transport().name() == "tcp";
        if waits && addr.options.defer_accept.is_none() {
            *addr = addr.clone().with_option("defer-accept", DEFER_ACCEPT)?;
        }
    }
    Ok(listeners)
}

/// A listener; of what a node can listen for, a shared folder speaks HTTP alone.
fn listener(text: &str) -> Result<Addr, Failure> {
    let listen = Listen::parse_or(text, HTTP.name)?;
    match (listen.check(&[HTTP]), listen.check(PROTOCOLS)) {
        (Err(ListenError::Unknown { .. }), Ok(protocol)) => {
            let message =
                format!("--listen {listen}: a folder without accounts is served by http alone");
            Err(Failure::usage(message).hint(format!(
                "`sockeye serve` without DIR speaks {} as well: accounts, with a home each",
                protocol.name
            )))
        }
        (checked, _) => Ok(checked.map(|_| listen.addr.clone())?),
    }
}

impl From<ListenError> for Failure {
    fn from(error: ListenError) -> Self {
        let hint = error.hint();
        let failure: Self = match error {
            ListenError::Address(error) => error.into(),
            other => Self::usage(format!("--listen {other}")),
        };
        failure.hints(hint)
    }
}

fn workers(workers: Option<usize>, model: Model) -> Result<Option<usize>, Failure> {
    if workers.is_some() && model != Model::Tasks {
        let message = format!("--workers is for the model `tasks`, not for {model}");
        return Err(Failure::usage(message).hint("the number of the others stands behind a colon"));
    }
    Ok(workers)
}

fn index(name: &str) -> Result<Name, Failure> {
    Name::parse(name.as_bytes()).map_err(|error| {
        Failure::usage(format!("--index {name}: {error}")).hint("a file's name, without its folder")
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: ServeArgs,
    }

    fn resolved(line: &str) -> Result<Plan, Failure> {
        let words = std::iter::once("serve").chain(line.split_whitespace());
        Plan::resolve(Line::try_parse_from(words).unwrap().args)
    }

    fn addrs(line: &str) -> Vec<String> {
        resolved(line).unwrap().listeners.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_loopback_port_is_the_default() {
        assert_eq!(addrs(""), ["tcp://127.0.0.1:8080"]);
        assert_eq!(addrs("--listen [::]:80 -l unix://@x"), ["tcp://[::]:80", "unix://@x"]);
    }

    #[test]
    fn tls_is_on_all_listeners_or_on_those_that_name_it() {
        assert_eq!(addrs("--tls -l [::1]:80 -l localhost:1")[1], "tls+tcp://localhost:1");
    }

    #[test]
    fn a_certificate_alone_means_tls_unless_a_listener_names_it() {
        assert_eq!(addrs("--cert x.pem"), ["tls+tcp://127.0.0.1:8080"]);
        assert_eq!(
            addrs("--cert x.pem -l localhost:1 -l tls+tcp://localhost:2"),
            ["tcp://localhost:1", "tls+tcp://localhost:2"]
        );
    }

    #[test]
    fn models_that_can_only_run_so_many_wait_for_a_first_byte() {
        for model in ["iterative", "pool:2", "threads:2", "fork:2", "prefork:2"] {
            let line = format!("--model {model} -l localhost:1 -l unix://@x");
            assert_eq!(addrs(&line), ["tcp://localhost:1?defer-accept=30s", "unix://@x"]);
        }
        assert_eq!(addrs("--model percore:1 -l localhost:1"), ["tcp://localhost:1"]);
        assert_eq!(
            addrs("--model iterative -l tcp://localhost:1?defer-accept=5s"),
            ["tcp://localhost:1?defer-accept=5s"]
        );
    }

    #[test]
    fn what_does_not_go_together_is_usage() {
        for line in [
            "--workers 2 --model pool:2",
            "--drain 5",
            "--model pool:0",
            "--index a/b",
            "-l udp://[::]:1",
        ] {
            assert_eq!(resolved(line).unwrap_err().fault(), Fault::Usage, "{line}");
        }
    }
}
