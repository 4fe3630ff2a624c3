//! `sockeye user rename | lock | unlock | quota | role`: the verbs that change one thing and answer with
//! the account.

use sockeye_accounts::{Account, AccountAnswer, AccountCommand, AccountName, Quota, Role};
use sockeye_node::command::Whose;

use crate::{
    data::{Target, ask_accounts, unexpected},
    failure::Failure,
    output::{print, print_json},
    quota::{Bound, choice, number, size, warn},
};

/// Call an account otherwise; its files and its sessions stay
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sockeye user rename alice alicia")]
pub(super) struct RenameArgs {
    /// What it is called
    name: AccountName,
    /// What it is to be called
    to: AccountName,
    #[command(flatten)]
    target: Target,
}

/// Renames it.
pub(super) fn rename(args: RenameArgs) -> Result<(), Failure> {
    let RenameArgs { name, to, target } = args;
    let done = format!("{name} is {to} now");
    change(&target, AccountCommand::Rename { name, to }, |_| done)
}

/// Keep an account from logging in, and end its sessions
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sockeye user lock bob")]
pub(super) struct LockArgs {
    /// Which
    name: AccountName,
    #[command(flatten)]
    target: Target,
}

/// Locks it.
pub(super) fn lock(args: LockArgs) -> Result<(), Failure> {
    let done = |account: &Account| format!("{}: locked; its sessions have ended", account.name);
    change(&args.target, AccountCommand::Lock(args.name), done)
}

/// Let a locked account log in again
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sockeye user unlock bob")]
pub(super) struct UnlockArgs {
    /// Which
    name: AccountName,
    #[command(flatten)]
    target: Target,
}

/// Unlocks it.
pub(super) fn unlock(args: UnlockArgs) -> Result<(), Failure> {
    let done = |account: &Account| format!("{}: unlocked", account.name);
    change(&args.target, AccountCommand::Unlock(args.name), done)
}

/// Bound what an account's home may hold, or show what does
///
/// A limit that is not named stays as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye user quota alice                         what it is
  sockeye user quota alice 20GiB
  sockeye user quota alice --files 100000          the size stays
  sockeye user quota alice none --files none       no limit of either kind")]
pub(super) struct QuotaOfArgs {
    /// Whose
    name: AccountName,
    /// How much, as 10GiB, or none
    #[arg(value_parser = size)]
    size: Option<Bound>,
    /// How many files and folders, or none
    #[arg(long, value_name = "N", value_parser = number)]
    files: Option<Bound>,
    #[command(flatten)]
    target: Target,
}

/// Sets it, or shows it.
pub(super) fn quota(args: QuotaOfArgs) -> Result<(), Failure> {
    let QuotaOfArgs { name, size, files, target } = args;
    if size.is_none() && files.is_none() {
        return match ask_accounts(&target, AccountCommand::Show(name))? {
            AccountAnswer::Details { account, .. } if target.json => print_json([account]),
            AccountAnswer::Details { account, .. } => {
                print(format!("{}: quota {}\n", account.name, account.quota))
            }
            _ => Err(unexpected()),
        };
    }
    let quota = choice(size, files)?;
    let mut set = Quota::NONE;
    let done = |account: &Account| {
        set = account.quota;
        format!("{}: quota {}", account.name, account.quota)
    };
    let of = Whose::Account(name.clone());
    change(&target, AccountCommand::Quota { name, quota }, done)?;
    warn(&target.data, of, set)
}

/// Make an account an admin, a member or a guest
///
/// An admin administers the others and has all rights in shared folders and in /public; a member has all rights in its
/// own home; a guest may read and list it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  sockeye user role alice admin")]
pub(super) struct RoleArgs {
    /// Whose
    name: AccountName,
    /// admin, member or guest
    role: Role,
    #[command(flatten)]
    target: Target,
}

/// Sets it.
pub(super) fn role(args: RoleArgs) -> Result<(), Failure> {
    let RoleArgs { name, role, target } = args;
    let done = |account: &Account| format!("{}: {}", account.name, account.role);
    change(&target, AccountCommand::Role { name, role }, done)
}

/// Has it carried out, and says so.
pub(super) fn change(
    target: &Target,
    command: AccountCommand,
    done: impl FnOnce(&Account) -> String,
) -> Result<(), Failure> {
    match ask_accounts(target, command)? {
        AccountAnswer::Account(account) => {
            let done = done(&account);
            if target.json { print_json([account]) } else { print(done + "\n") }
        }
        _ => Err(unexpected()),
    }
}
