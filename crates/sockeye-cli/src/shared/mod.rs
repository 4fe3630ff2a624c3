//! `sockeye shared`: the folders that several accounts use.

use clap::Subcommand;
use sockeye_accounts::{AccountAnswer, AccountCommand, MAX_PAGE, Shared, SharedName};

use crate::{
    data::{Target, ask_accounts, each_page, unexpected},
    failure::Failure,
    output::{Columns, day, print, print_json},
    prompt::confirm,
    quota::QuotaArgs,
};

/// Add, list and change the folders that several accounts use
///
/// Admins have all rights in each; others those that they are granted. Clients find it at /shared/NAME.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye shared add team --quota 100GiB
  sockeye user grant alice /shared/team read,write,list
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
    /// List the shared folders
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Remove a shared folder, and all grants in it
    ///
    /// Its files stay on the disk, under the id that is printed, until somebody deletes them.
    Remove {
        /// Which
        name: SharedName,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Bound what a shared folder may hold; what is not said has no limit
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
                format!("{}: added; `sockeye user grant NAME {0} RIGHTS` opens it", shared.path())
            })
        }
        SharedVerb::List { target } => list(&target),
        SharedVerb::Remove { name, yes, target } => {
            confirm(yes, &format!("Remove the shared folder {name}?"))?;
            change(&target, AccountCommand::SharedRemove(name), |shared| {
                format!("{}: removed; its files stay in shared/{}", shared.path(), shared.id)
            })
        }
        SharedVerb::Quota { name, quota, target } => {
            let quota = quota.choice()?;
            change(&target, AccountCommand::SharedQuota { name, quota }, |shared| {
                format!("{}: quota {}", shared.path(), shared.quota)
            })
        }
    }
}

fn change(
    target: &Target,
    command: AccountCommand,
    done: impl FnOnce(&Shared) -> String,
) -> Result<(), Failure> {
    match ask_accounts(target, command)? {
        AccountAnswer::Shared(shared) if target.json => print_json([shared]),
        AccountAnswer::Shared(shared) => print(done(&shared) + "\n"),
        _ => Err(unexpected()),
    }
}

fn list(target: &Target) -> Result<(), Failure> {
    let mut folders = Vec::new();
    let page = |after| {
        let command = AccountCommand::SharedList { after, limit: MAX_PAGE };
        match ask_accounts(target, command)? {
            AccountAnswer::SharedFolders(page) => Ok((page.entries, page.more)),
            _ => Err(unexpected()),
        }
    };
    each_page(
        page,
        |shared| shared.name.clone(),
        |page| {
            folders.extend(page);
            Ok(true)
        },
    )?;
    match folders.as_slice() {
        folders if target.json => print_json(folders),
        [] => print("there are no shared folders\n"),
        folders => print(table(folders)),
    }
}

fn table(folders: &[Shared]) -> String {
    let mut columns = Columns::headed(["PATH", "QUOTA", "SINCE"]);
    for shared in folders {
        columns.row([shared.path(), shared.quota.to_string(), day(shared.created)]);
    }
    columns.text()
}
