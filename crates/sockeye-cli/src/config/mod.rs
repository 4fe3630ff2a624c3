//! `sockeye config`: what a node is configured to do, and what is wrong with that.

mod edit;

use std::io::{self, Write};

use clap::Subcommand;
use serde::Serialize;
use sockeye::{addr::Transport, quantity::format_count};
use sockeye_node::{
    Listen,
    certificate::{CertificateFiles, Loaded},
    config::{Config, KEYS, Place, Shown, default_file},
};

use crate::{
    data::{DataArgs, sources},
    failure::{Failure, Fault},
    output,
    serve::PROTOCOLS,
};

/// Check, show or change the configuration of a node
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye config check                        is the file right? names file, line and key if not
  sockeye config show                         what holds, and where each value comes from
  sockeye config show --changed               only what differs from the default
  sockeye config set ftp.passive-ports 50000-50100
  sockeye config set listen 'http+tls+tcp://[::]:443 ftp+tcp://[::]:21?tls=required' --reload
  sockeye config unset ftp.passive-ports      its default holds again
  sockeye config default > sockeye.toml       the commented default file
  SOCKEYE_TRASH_KEEP=7d sockeye config show   what the environment sets is shown as well")]
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
    },
    /// Print each value and where it comes from
    Show {
        #[command(flatten)]
        data: DataArgs,
        /// Leave out what is as it is by default
        #[arg(long)]
        changed: bool,
        /// Print one JSON object for each key
        #[arg(long)]
        json: bool,
    },
    /// Set keys in the file, which stays as it is in all else; nothing is written that could not be served
    Set(edit::SetArgs),
    /// Take keys out of the file, so that their defaults hold
    Unset(edit::UnsetArgs),
    /// Print the default file, with a comment for each key
    Default,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    key: &'a str,
    value: &'a str,
    from: String,
    default: String,
    help: String,
}

/// Checks, shows or prints.
pub(crate) fn run(args: &ConfigArgs) -> Result<(), Failure> {
    match &args.verb {
        ConfigVerb::Check { data } => check(data),
        ConfigVerb::Show { data, changed, json } => {
            let shown = load(data)?.shown().into_iter();
            let shown = shown.filter(|it| !changed || it.place != Place::Default);
            printed(|out| show(out, shown, *json))
        }
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

fn check(data: &DataArgs) -> Result<(), Failure> {
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
    let odd: Vec<_> = exposed.chain(unreachable(&config)?).collect();
    for warning in &odd {
        tracing::warn!("{warning}");
    }
    let certificate = CertificateFiles::check(&folder, &config, PROTOCOLS)?;
    let set = config.shown().iter().filter(|it| it.place != Place::Default).count();
    printed(|out| {
        let odd = match (config.warnings().len() + odd.len()) as u64 {
            0 => String::new(),
            odd => format!(", but for {}", format_count(odd, "warning", "warnings")),
        };
        writeln!(out, "{}: right{odd}; {set} of {} keys are set", file.display(), KEYS.len())?;
        let Some(Loaded { presented, .. }) = certificate else { return Ok(()) };
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

fn show(out: &mut impl Write, shown: impl Iterator<Item = Shown>, json: bool) -> io::Result<()> {
    for Shown { key, value, place } in shown {
        if !json {
            writeln!(out, "{key} = {value}  # {place}")?;
            continue;
        }
        let row = KEYS.iter().find(|row| row.name == key);
        let row = Row {
            key,
            value: &value,
            from: place.to_string(),
            default: row.map(|row| row.default_toml()).unwrap_or_default(),
            help: row.map(|row| row.help.concat().trim().to_owned()).unwrap_or_default(),
        };
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Prints what is put together in memory.
fn printed(print: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<(), Failure> {
    let mut text = Vec::new();
    print(&mut text)?;
    output::print(text)
}
