//! `sockeye config`: what a node is configured to do, and what is wrong with that.

mod edit;
mod show;

use std::io::{self, Write};

use clap::Subcommand;
use serde::Serialize;
use sockeye::{addr::Transport, quantity::format_count};
use sockeye_node::{
    Listen,
    certificate::{CertificateFiles, Presented},
    config::{Config, KEYS, Place, default_file},
};

use crate::{
    data::{DataArgs, sources},
    failure::{Failure, Fault},
    output,
    serve::{PROTOCOLS, names},
};

/// Check, show or change the configuration of a node
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye config check                        is the file right? names file, line and key if not
  sockeye config show                         what holds in the node that runs, from where, and what waits
  sockeye config show ftp --changed           of these keys, only what differs from the default
  sockeye config set ftp.passive-ports 50000-50100
  sockeye config set listen 'http+tls+tcp://[::]:443 ftp+tcp://[::]:21?tls=required' --reload
  sockeye config unset ftp.passive-ports      its default holds again
  sockeye config default > sockeye.toml       the commented default file
  SOCKEYE_TRASH_KEEP=7d sockeye config show   where none runs, what the environment sets is shown as well")]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    verb: ConfigVerb,
}

/// What to do with it.
#[derive(Debug, Subcommand)]
enum ConfigVerb {
    /// Say what is wrong with it, by file, line and key, or with the certificate; exit code 2 if anything is in the file
    Check {
        #[command(flatten)]
        data: DataArgs,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Print each value that holds, where it comes from, and what waits: of the node that runs, if one does
    Show(show::ShowArgs),
    /// Set keys in the file, which stays as it is in all else; nothing is written that could not be served
    Set(edit::SetArgs),
    /// Take keys out of the file, so that their defaults hold
    Unset(edit::UnsetArgs),
    /// Print the default file, with a comment for each key
    Default,
}

/// That the configuration is right.
#[derive(Debug, Serialize)]
struct Right<'a> {
    file: String,
    /// Keys that are not as they are by default.
    set: usize,
    keys: usize,
    warnings: &'a [String],
    certificate: Option<&'a Presented>,
}

/// Checks, shows or prints.
pub(crate) fn run(args: &ConfigArgs) -> Result<(), Failure> {
    match &args.verb {
        ConfigVerb::Check { data, json } => check(data, *json),
        ConfigVerb::Show(args) => show::show(args),
        ConfigVerb::Set(args) => edit::set(args),
        ConfigVerb::Unset(args) => edit::unset(args),
        ConfigVerb::Default => printed(|out| out.write_all(default_file().as_bytes())),
    }
}

fn load(data: &DataArgs) -> Result<Config, Failure> {
    let config = Config::load(&sources(&data.folder()?, Vec::new())?, PROTOCOLS)?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    Ok(config)
}

fn check(data: &DataArgs, json: bool) -> Result<(), Failure> {
    let folder = data.folder()?;
    let file = folder.config();
    if !file.exists() {
        let message = format!("there is no configuration {}", file.display());
        return Err(Failure::new(Fault::NotFound, message).hint(
            "`sockeye serve` makes one at its first start; --data names another data folder",
        ));
    }
    let config = load(data)?;
    let exposed = exposed(&config).into_iter();
    let exposed = exposed.map(|warning| format!("{}: {warning}", config.place("listen")));
    let mut odd: Vec<_> = exposed.chain(unreachable(&config)?).collect();
    let certificate = CertificateFiles::check(&folder, &config, PROTOCOLS)?;
    let strange = certificate.as_ref();
    odd.extend(strange.and_then(|it| it.strangeness(&config, PROTOCOLS, names)));
    for warning in &odd {
        tracing::warn!("{warning}");
    }
    let set = config.shown().iter().filter(|it| it.place != Place::Default).count();
    let presented = certificate.as_ref().map(|loaded| &loaded.presented);
    if json {
        let warnings: Vec<_> =
            config.warnings().iter().map(ToString::to_string).chain(odd).collect();
        let file = file.display().to_string();
        let right =
            Right { file, set, keys: KEYS.len(), warnings: &warnings, certificate: presented };
        return output::print_json([right]);
    }
    printed(|out| {
        let odd = match (config.warnings().len() + odd.len()) as u64 {
            0 => String::new(),
            odd => format!(", but for {}", format_count(odd, "warning", "warnings")),
        };
        writeln!(out, "{}: right{odd}; {set} of {} keys are set", file.display(), KEYS.len())?;
        let Some(presented) = presented else { return Ok(()) };
        writeln!(out, "certificate: {presented}")
    })
}

/// What is to be said of listeners that others can reach and read, as it is when they are opened. Of an inherited socket
/// it is not known where it is.
fn exposed(config: &Config) -> Vec<String> {
    let said = |listen: &Listen| {
        let protocol = listen.check(PROTOCOLS).ok()?;
        let is_known = listen.addr.transport() != Transport::Inherited;
        is_known.then(|| listen.warning(protocol, std::slice::from_ref(&listen.addr))).flatten()
    };
    config.settings.listen.iter().filter_map(said).collect()
}

/// What is to be said of the address that clients are told, which is looked up.
fn unreachable(config: &Config) -> Result<Option<String>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(config.unreachable()).map(|fault| fault.to_string()))
}

/// Prints what is put together in memory.
fn printed(print: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<(), Failure> {
    let mut text = Vec::new();
    print(&mut text)?;
    output::print(text)
}
