//! `sockeye reload`: a running node takes up what was configured anew.

use sockeye_node::command::{Answer, Command, Reloaded};

use crate::{
    data::{self, DataArgs},
    failure::{Failure, Fault},
    output::print,
};

/// Have a running node read its configuration and certificate again
///
/// What can change while it runs is applied: listeners are opened and closed without touching the
/// connections of others. What has to wait for a restart is said. SIGHUP does the same.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye reload           after a change of sockeye.toml, or of the certificate
  sockeye reload --json    the same, for scripts")]
pub(crate) struct ReloadArgs {
    #[command(flatten)]
    data: DataArgs,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

impl ReloadArgs {
    /// For the node on this data folder.
    pub(crate) fn of(data: DataArgs) -> Self {
        Self { data, json: false }
    }
}

/// Reloads, and says what changed.
pub(crate) fn run(args: &ReloadArgs) -> Result<(), Failure> {
    let answer = data::ask_running(&args.data, Command::Reload)?;
    let Answer::Reloaded(reloaded) = answer else { return Err(data::unexpected()) };
    let text = if args.json { serde_json::to_string(&reloaded)? + "\n" } else { told(&reloaded) };
    print(text)?;
    for warning in &reloaded.warnings {
        tracing::warn!("{warning}");
    }
    if reloaded.failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Fault::Partly, reloaded.failed.join("\n")))
}

fn told(reloaded: &Reloaded) -> String {
    let mut lines = Vec::new();
    for change in &reloaded.changed {
        let when = if change.applied { "" } else { ", from the next start on" };
        lines.push(format!("{} = {}{when}", change.key, change.after));
    }
    lines.extend(reloaded.opened.iter().map(|listen| format!("opened {listen}")));
    lines.extend(reloaded.closed.iter().map(|listen| format!("closed {listen}")));
    let certificate = reloaded.certificate.as_ref();
    if let (Some(certificate), true) = (certificate, reloaded.renewed) {
        lines.push(format!("a new certificate is shown: {certificate}"));
    }
    if lines.is_empty() {
        lines.push("nothing has changed".to_owned());
    }
    if let (Some(certificate), false) = (certificate, reloaded.renewed) {
        lines.push(format!("the certificate is still {certificate}"));
    }
    lines.join("\n") + "\n"
}
