//! `sockeye user add`.

use std::str::FromStr;

use serde::Serialize;
use sockeye_accounts::{
    Account, AccountAnswer, AccountCommand, AccountName, AccountQuery, Error, NameError,
    PasswordChoice, Role, Secret,
};
use sockeye_node::command::Refusal;

use super::password::PasswordArgs;
use crate::{
    data::{Target, ask_accounts, unexpected},
    failure::Failure,
    output::{note, print, print_json},
    quota::QuotaArgs,
};

/// Add an account
///
/// On a terminal its password is asked for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye user add alice --quota 10GiB       without it, quota.bytes of the configuration
  sockeye user add bob --initial
  pass show team/carol | sockeye user add carol --password-stdin
  sockeye user add backup --no-password      for tokens and keys alone")]
pub(super) struct AddArgs {
    /// What it is called
    name: Typed,

    /// What its rights begin from: admin, member or guest
    #[arg(long, value_name = "ROLE", default_value = "member")]
    role: Role,

    #[command(flatten)]
    quota: QuotaArgs,

    #[command(flatten)]
    password: PasswordArgs,

    /// No password: it is used with tokens and keys
    #[arg(long, conflicts_with_all = ["password_stdin", "initial"])]
    no_password: bool,

    #[command(flatten)]
    target: Target,
}

/// A name as it was typed.
#[derive(Clone, Debug)]
struct Typed {
    name: AccountName,
    typed: String,
}

impl FromStr for Typed {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Ok(Self { name: text.parse()?, typed: text.to_owned() })
    }
}

/// An account with the password that was made up for it.
#[derive(Debug, Serialize)]
struct WithPassword<'a> {
    #[serde(flatten)]
    account: &'a Account,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

/// Adds it.
pub(super) fn run(args: AddArgs) -> Result<(), Failure> {
    let AddArgs { name: Typed { name, typed }, role, quota, password, no_password, target } = args;
    let quota = quota.choice()?;
    let password = match no_password {
        true => PasswordChoice::None,
        false => {
            if password.asks() {
                check_free(&target, &name)?;
            }
            password.choice(name.as_str(), false)?
        }
    };
    let command = AccountCommand::Add { name, role, quota, password };
    let AccountAnswer::WithPassword { account, initial } = ask_accounts(&target, command)? else {
        return Err(unexpected());
    };
    tell(&target, &account, initial.as_ref(), "added")?;
    if account.name.as_str() != typed {
        note(&format!("{typed} is called {} here: names have no capitals", account.name));
    }
    Ok(())
}

/// Refuses a name that an account has, before a password is typed twice for it.
fn check_free(target: &Target, name: &AccountName) -> Result<(), Failure> {
    let query = AccountQuery { starts_with: name.to_string(), limit: 1, ..AccountQuery::default() };
    match ask_accounts(target, AccountCommand::List(query))? {
        AccountAnswer::Accounts(page)
            if page.entries.first().is_some_and(|it| it.name == *name) =>
        {
            Err(Refusal::from(Error::NameTaken(name.clone())).into())
        }
        AccountAnswer::Accounts(_) => Ok(()),
        _ => Err(unexpected()),
    }
}

/// Says what was done, and the password that was made up, once.
pub(super) fn tell(
    target: &Target,
    account: &Account,
    initial: Option<&Secret>,
    done: &str,
) -> Result<(), Failure> {
    let password = initial.map(Secret::expose);
    if target.json {
        return print_json([WithPassword { account, password }]);
    }
    print(match password {
        Some(password) => {
            format!("{}: {done}; its password, to be changed: {password}\n", account.name)
        }
        None => format!("{}: {done}\n", account.name),
    })
}
