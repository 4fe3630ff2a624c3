//! The arguments of `sockeye serve`, as they are typed.

use std::path::PathBuf;

use clap::{ArgAction, ValueEnum, ValueHint, builder::RangedU64ValueParser};

use crate::data::DataArgs;

/// Most threads that may be asked for.
const MOST_WORKERS: u64 = 1024;

/// What is for a node alone, and what for DIR.
const NODE: &str = "Of a node";
const FOLDER: &str = "Of a shared folder";

/// Serve a team's node, or share one folder on the web
///
/// Without DIR: accounts with a home each, over every protocol that is configured, from the data folder,
/// which is made at the first start. With DIR: that folder for reading, without accounts: files, listings,
/// ranges and conditional requests over HTTP/1.1, and over HTTP/2 with TLS.
///
/// Both serve until Ctrl-C or SIGTERM. Without --listen only this machine can connect. Of a folder, hidden
/// files (see --hidden), devices and the like, and symbolic links that lead out of it are left out.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye serve                                            a node, on http://127.0.0.1:8080/
  sockeye serve --listen http+tls+tcp://[::]:8443          the same for everybody, encrypted
  sockeye serve ~/photos                                   one folder, on http://127.0.0.1:8080/
  sockeye serve ~/photos --tls --listen [::]:8443 --qr     for everybody, encrypted, with a QR code
  sockeye serve ~/photos --listen 'unix:///run/web.sock?mode=0660'
  sockeye serve ~/photos --model fork:40                   a process for each connection")]
pub(crate) struct ServeArgs {
    /// A folder to share for reading, in place of a node
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) folder: Option<PathBuf>,

    /// Where to listen, in place of what is configured: http+tcp://…, http+tls+tcp://…, ftp+tcp://…, ftp+tls+tcp://…,
    /// http+unix://PATH, http+fd://NAME; DIR has http alone, also as HOST:PORT or PORT; repeatable [default for DIR:
    /// 127.0.0.1:8080]
    #[arg(short, long, value_name = "ADDR", action = ArgAction::Append)]
    pub(super) listen: Vec<String>,

    /// What other servers of folders call it: answered with what it is called here.
    #[arg(short, long, value_name = "PORT", num_args = 0..=1, default_missing_value = "8080", hide = true)]
    pub(super) port: Option<String>,

    /// Who runs a connection: tasks, percore[:N]; for DIR also iterative, pool:N, threads:MAX, fork:MAX,
    /// prefork:N; a number left out is 40, that of percore the processors [default: tasks]
    #[arg(short, long, value_name = "MODEL")]
    pub(super) model: Option<String>,

    /// Threads of the model `tasks` [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=MOST_WORKERS))]
    pub(super) workers: Option<usize>,

    /// TLS on every listener, with a certificate made for this run unless --cert gives one
    #[arg(long, help_heading = FOLDER)]
    pub(super) tls: bool,

    /// The certificate chain, PEM, the server's own first; read again on SIGHUP
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) cert: Option<PathBuf>,

    /// The certificate's private key, PEM [default: in the file of --cert]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert")]
    pub(super) key: Option<PathBuf>,

    /// A file that stands for its folder; repeatable, the first that exists is taken [default: index.html]
    #[arg(long, value_name = "NAME", action = ArgAction::Append)]
    pub(super) index: Vec<String>,

    /// Whether folders without such a file are listed [default: on]
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    pub(super) listing: Option<Switch>,

    /// Serve hidden files as well: those whose name, or a folder's above them, begins with a dot
    ///
    /// Without this they are neither listed nor found, but for /.well-known/, which is for everybody.
    #[arg(long, help_heading = FOLDER)]
    pub(super) hidden: bool,

    /// Send FILE.br, FILE.zst or FILE.gz for FILE, to who takes that
    #[arg(long, help_heading = FOLDER)]
    pub(super) precompressed: bool,

    /// A further name that listeners on loopback answer to, beside localhost; repeatable
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Hostname, action = ArgAction::Append)]
    pub(super) host: Vec<String>,

    /// How long connections may go on after Ctrl-C or SIGTERM, as 5m; a second signal ends them [default: 10s]
    #[arg(long, value_name = "TIME")]
    pub(super) drain: Option<String>,

    /// Write a line for each request to FILE, reopened on SIGHUP; without FILE to standard output,
    /// with --json to standard error
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    #[arg(value_hint = ValueHint::FilePath, help_heading = FOLDER)]
    pub(super) access_log: Option<PathBuf>,

    /// Open the folder in a browser
    #[arg(long)]
    pub(super) open: bool,

    /// Show the URL as a QR code, for a telephone
    #[arg(long)]
    pub(super) qr: bool,

    /// Print one line of JSON when ready, and nothing else, on standard output
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten, next_help_heading = NODE)]
    pub(super) data: DataArgs,

    /// Set a key of a node's configuration, as --set trash.keep=7d; repeatable
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append, help_heading = NODE)]
    pub(super) set: Vec<String>,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Switch {
    On,
    Off,
}
