//! `sockeye shared`: the folders that several accounts use.

mod show;

use clap::Subcommand;
use serde::Serialize;
use sockeye_accounts::{AccountAnswer, AccountCommand, Quota, Shared, SharedName, shell_word};
use sockeye_node::command::{Command, Used, Whose};

use crate::{
    data::{Target, ask_accounts, ask_used, each_shared, unexpected},
    failure::Failure,
    output::{Columns, day, print, print_json, short_used},
    prompt::confirm,
    quota::{QuotaArgs, warn},
};

/// Add, list and change the folders that several accounts use
///
/// Admins have all rights in each; others those that they are granted. Clients find it at /shared/NAME.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye shared add team --quota 100GiB
  sockeye user grant alice /shared/team all
  sockeye shared show team                                who may do what in it
  sockeye shared list")]
pub(crate) struct SharedArgs {
    #[command(subcommand)]
    verb: SharedVerb,
}

/// What to do with shared folders.
#[derive(Debug, Subcommand)]
enum SharedVerb {
    /// Add a shared folder
    Add {
        /// What it is called
        name: SharedName,
        #[command(flatten)]
        quota: QuotaArgs,
        #[command(flatten)]
        target: Target,
    },
    /// List the shared folders, with what they hold
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Show what a shared folder holds, and who may do what in it
    Show {
        /// Which
        name: SharedName,
        #[command(flatten)]
        target: Target,
    },
    /// Remove a shared folder, and all grants in it
    ///
    /// Its files stay on the disk, under the id that is printed, until `sockeye store purge-orphans`.
    Remove {
        /// Which
        name: SharedName,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Bound what a shared folder may hold; a limit that is not named stays
    Quota {
        /// Which
        name: SharedName,
        #[command(flatten)]
        quota: QuotaArgs,
        #[command(flatten)]
        target: Target,
    },
}

/// Does it.
pub(crate) fn run(args: SharedArgs) -> Result<(), Failure> {
    match args.verb {
        SharedVerb::Add { name, quota, target } => {
            let quota = quota.quota()?;
            change(&target, AccountCommand::SharedAdd { name, quota }, |shared| {
                let path = shared.path();
                let word = shell_word(&path);
                format!("{path}: added; `sockeye user grant NAME {word} RIGHTS` opens it")
            })
        }
        SharedVerb::List { target } => list(&target),
        SharedVerb::Show { name, target } => show::run(name, &target),
        SharedVerb::Remove { name, yes, target } => {
            if !yes {
                // Nobody is asked about what is not there.
                show::ask(name.clone(), &target)?;
            }
            confirm(yes, &format!("Remove the shared folder {name}?"))?;
            change(&target, AccountCommand::SharedRemove(name), |shared| {
                format!("{}: removed; its files stay in shared/{}", shared.path(), shared.id)
            })
        }
        SharedVerb::Quota { quota, .. } if quota.is_empty() => {
            Err(Failure::usage("neither --quota nor --files says what it may hold")
                .hint("`sockeye shared show` tells what it may hold now"))
        }
        SharedVerb::Quota { name, quota, target } => {
            let (quota, of) = (quota.choice()?, Whose::Shared(name.clone()));
            let mut set = Quota::NONE;
            change(&target, AccountCommand::SharedQuota { name, quota }, |shared| {
                set = shared.quota;
                format!("{}: quota {}", shared.path(), shared.quota)
            })?;
            warn(&target.data, of, set)
        }
    }
}

fn change(
    target: &Target,
    command: AccountCommand,
    done: impl FnOnce(&Shared) -> String,
) -> Result<(), Failure> {
    match ask_accounts(target, command)? {
        AccountAnswer::Shared(shared) => {
            let done = done(&shared);
            if target.json { print_json([shared]) } else { print(done + "\n") }
        }
        _ => Err(unexpected()),
    }
}

/// A shared folder with what it holds, if that is known.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    shared: Shared,
    used: Option<Used>,
}

fn list(target: &Target) -> Result<(), Failure> {
    let mut folders = Vec::new();
    each_shared(target, |page| {
        let ids = page.iter().map(|shared| shared.id).collect();
        let command = Command::Used { accounts: Vec::new(), shared: ids };
        let rows = page.into_iter().zip(ask_used(&target.data, command)?);
        folders.extend(rows.map(|(shared, used)| Row { shared, used }));
        Ok(true)
    })?;
    match folders.as_slice() {
        folders if target.json => print_json(folders),
        [] => print("there are no shared folders\n"),
        folders => print(table(folders)),
    }
}

fn table(folders: &[Row]) -> String {
    let mut columns = Columns::headed(["PATH", "USED", "QUOTA", "SINCE"]);
    for Row { shared, used } in folders {
        let quota = shared.quota.to_string();
        columns.row([shared.path(), short_used(*used), quota, day(shared.created)]);
    }
    columns.text()
}
