//! `sockeye user grant`.

use sockeye_accounts::{Account, AccountCommand, AccountName, Grant, Prefix, Rights, shell_word};

use super::change::change;
use crate::{
    data::{Target, each_shared},
    failure::Failure,
    output::note,
};

/// Give an account rights at a path, or take them back
///
/// The rights are read, write, delete, list and share (to make links for others), `all` or `none`. They hold for the path and all
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
    let done = |account: &Account| told(account, &path);
    let command = match rights {
        Some(rights) => AccountCommand::Grant { name, grant: Grant { prefix, rights } },
        None => AccountCommand::Ungrant { name, prefix },
    };
    change(&target, command, done)?;
    if rights.is_some() {
        tell_of_reach(&path);
    }
    match path.first_in_home().filter(|_| rights.is_some()) {
        Some(first) => warn_of_shared(&target, &path, first),
        None => Ok(()),
    }
}

/// Folders of a machine that are not those of a home.
const OF_A_MACHINE: [&str; 9] = ["etc", "home", "media", "mnt", "opt", "root", "srv", "tmp", "var"];

/// Says so where more was granted than is easily meant, or something else.
fn tell_of_reach(path: &Prefix) {
    if path.as_str() == "/shared" {
        note(
            "that holds in every shared folder, also in those that are added later; \
              `--remove` takes it back, and /shared/NAME is one of them",
        );
    }
    if path.first_in_home().is_some_and(|first| OF_A_MACHINE.contains(&first)) {
        note(&format!(
            "{path} is what the account sees of its home, and no folder of this machine; `--remove` takes it back"
        ));
    }
}

/// What holds now; in a home also whose that is, and what would hold without the grant.
fn told(account: &Account, path: &Prefix) -> String {
    let Account { name, .. } = account;
    let rights = account.rights_at(path);
    let mut text = format!("{name}: {rights} at {path}");
    if path.as_str() == "/" || path.first_in_home().is_some() {
        text += &format!(" in {name}'s own home");
        let before = account.rights_without(path);
        if before != rights {
            text += &format!(", in place of {before}");
        }
    }
    text
}

/// Says so where a shared folder is called as what was granted in a home: that may have been meant.
fn warn_of_shared(target: &Target, path: &Prefix, first: &str) -> Result<(), Failure> {
    let mut meant = None;
    each_shared(target, |page| {
        meant = page.into_iter().find(|shared| shared.name.folded() == first.to_lowercase());
        Ok(meant.is_none())
    })?;
    if let Some(shared) = meant {
        let rest = path.as_str().get(1 + first.len()..).unwrap_or_default();
        let (path, there) = (shell_word(path.as_str()), shared.path() + rest);
        note(&format!(
            "{path} is in the account's own home; the shared folder is at {}. Was that meant? \
             `--remove` takes this one back",
            shell_word(&there)
        ));
    }
    Ok(())
}
