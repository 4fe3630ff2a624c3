//! `sockeye user grant`.

use sockeye_accounts::{Account, AccountCommand, AccountName, Grant, Prefix, Rights};

use super::change::change;
use crate::{data::Target, failure::Failure};

/// Give an account rights at a path, or take them back
///
/// The rights are read, write, delete, list and share, `all` or `none`. They hold for the path and all
/// that is beneath it; of several grants the longest path decides. Without one, an account has all rights
/// in its own home (a guest: read and list), none in a shared folder and none to change /public (an admin:
/// all in both).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye user grant alice /shared/team read,write,list
  sockeye user grant alice /shared/team/closed none
  sockeye user grant alice /public read,write,delete,list     to fill what everybody may read
  sockeye user grant alice /shared/team --remove")]
pub(super) struct GrantArgs {
    /// To whom
    name: AccountName,

    /// Where: /shared/NAME, /public, a path in either, or one in the account's home
    path: Prefix,

    /// Which rights, as read,list
    #[arg(required_unless_present = "remove", conflicts_with = "remove")]
    rights: Option<Rights>,

    /// Take back what was granted at exactly this path
    #[arg(long)]
    remove: bool,

    #[command(flatten)]
    target: Target,
}

/// Grants it, or takes it back.
pub(super) fn run(args: GrantArgs) -> Result<(), Failure> {
    let GrantArgs { name, path: prefix, rights, target, .. } = args;
    let path = prefix.clone();
    let done = move |account: &Account| {
        format!("{}: {} at {path}", account.name, account.rights_at(&path))
    };
    let command = match rights {
        Some(rights) => AccountCommand::Grant { name, grant: Grant { prefix, rights } },
        None => AccountCommand::Ungrant { name, prefix },
    };
    change(&target, command, done)
}
