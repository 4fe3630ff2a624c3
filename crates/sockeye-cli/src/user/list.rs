//! `sockeye user list`.

use sockeye_accounts::{
    Account, AccountAnswer, AccountCommand, AccountName, AccountQuery, MAX_PAGE, Role,
};

use crate::{
    data::{Target, ask_accounts, each_page, unexpected},
    failure::Failure,
    output::{Columns, day, note, print, print_json},
};

/// List accounts, in the order of their names
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye user list
  sockeye user list --role admin
  sockeye user list --locked --json
  sockeye user list --all --json | jq -r .name")]
pub(super) struct ListArgs {
    /// Only names that begin so
    #[arg(value_name = "START", default_value = "", hide_default_value = true)]
    starts_with: String,

    /// Only this role: admin, member or guest
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,

    /// Only locked ones
    #[arg(long, conflicts_with = "unlocked")]
    locked: bool,

    /// Only those that are not locked
    #[arg(long)]
    unlocked: bool,

    /// Only those after this name
    #[arg(long, value_name = "NAME")]
    after: Option<AccountName>,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = AccountQuery::PAGE, conflicts_with = "all")]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=MAX_PAGE as u64))]
    limit: usize,

    /// All of them, however many
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    target: Target,
}

/// Lists them.
pub(super) fn run(args: ListArgs) -> Result<(), Failure> {
    let ListArgs { starts_with, role, locked, unlocked, after, limit, all, target } = args;
    let locked = (locked || unlocked).then_some(locked);
    let limit = if all { MAX_PAGE } else { limit };
    let mut query = AccountQuery { starts_with, role, locked, after, limit };
    let (mut accounts, mut more) = (Vec::new(), false);
    let page = |after: Option<AccountName>| {
        query.after = after.or_else(|| query.after.take());
        match ask_accounts(&target, AccountCommand::List(query.clone()))? {
            AccountAnswer::Accounts(page) => {
                more = page.more && !all;
                Ok((page.entries, page.more && all))
            }
            _ => Err(unexpected()),
        }
    };
    each_page(
        page,
        |account| account.name.clone(),
        |page| {
            accounts.extend(page);
            Ok(true)
        },
    )?;
    if target.json {
        print_json(&accounts)?;
    } else {
        print(table(&accounts))?;
    }
    if let (true, Some(last)) = (more, accounts.last()) {
        note(&format!("there are more: go on with --after {}, or list --all", last.name));
    }
    Ok(())
}

fn table(accounts: &[Account]) -> String {
    let mut columns = Columns::headed(["NAME", "ROLE", "STATE", "QUOTA", "SINCE"]);
    for account in accounts {
        columns.row([
            account.name.to_string(),
            account.role.to_string(),
            state(account).to_owned(),
            account.quota.to_string(),
            day(account.created),
        ]);
    }
    columns.text()
}

/// What is to be known of an account at a glance.
pub(super) fn state(account: &Account) -> &'static str {
    match account {
        Account { locked: true, .. } => "locked",
        Account { must_change: true, .. } => "password to be changed",
        Account { has_password: false, .. } => "no password",
        _ => "active",
    }
}
