//! `sockeye user`: the accounts of a node.
//!
//! Each verb makes a command of its arguments, has it carried out by whoever holds the data folder, and
//! says what came of it.

mod add;
mod change;
mod grant;
mod import;
mod key;
mod list;
mod passwd;
mod password;
mod remove;
mod show;
mod token;

use clap::Subcommand;

use crate::failure::Failure;

/// Add, list and change the accounts of a node
///
/// With the node running or not: a change holds at once, also for sessions that run.
///
/// A name begins with a letter, has letters, digits, `-` and `_`, at most 32, and no case: it is also a
/// nick and the left side of an address.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye user add alice --quota 10GiB                  asks for a password
  sockeye user add bob --role guest --initial           makes one up, which bob is to change
  sudo cat /etc/shadow | sockeye user import - --dry-run   accounts of another server, with their passwords
  sockeye user grant alice /shared/team read,write,list
  sockeye user token create alice backup --path /backup --expires 90d
  sockeye user lock bob                                 ends bob's sessions, too")]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    verb: UserVerb,
}

/// What to do with accounts.
#[derive(Debug, Subcommand)]
enum UserVerb {
    Add(add::AddArgs),
    Import(import::ImportArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Passwd(passwd::PasswdArgs),
    Rename(change::RenameArgs),
    Remove(remove::RemoveArgs),
    Lock(change::LockArgs),
    Unlock(change::UnlockArgs),
    Quota(change::QuotaOfArgs),
    Role(change::RoleArgs),
    Grant(grant::GrantArgs),
    Key(key::KeyArgs),
    Token(token::TokenArgs),
}

/// Does it.
pub(crate) fn run(args: UserArgs) -> Result<(), Failure> {
    match args.verb {
        UserVerb::Add(args) => add::run(args),
        UserVerb::Import(args) => import::run(args),
        UserVerb::List(args) => list::run(args),
        UserVerb::Show(args) => show::run(args),
        UserVerb::Passwd(args) => passwd::run(args),
        UserVerb::Rename(args) => change::rename(args),
        UserVerb::Remove(args) => remove::run(args),
        UserVerb::Lock(args) => change::lock(args),
        UserVerb::Unlock(args) => change::unlock(args),
        UserVerb::Quota(args) => change::quota(args),
        UserVerb::Role(args) => change::role(args),
        UserVerb::Grant(args) => grant::run(args),
        UserVerb::Key(args) => key::run(args),
        UserVerb::Token(args) => token::run(args),
    }
}
