//! `sockeye user list`.

use serde::Serialize;
use sockeye_accounts::{
    Account, AccountAnswer, AccountCommand, AccountName, AccountQuery, MAX_PAGE, Role,
};
use sockeye_node::command::{Command, Used};

use crate::{
    data::{Target, ask_accounts, ask_used, each_page, unexpected},
    failure::Failure,
    output::{Columns, day, note, print, print_json, short_used},
};

/// List accounts, in the order of their names
///
/// USED is what a home holds, trash and uploads included; `-` where it was not closed well, or nobody was in it yet.
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

/// An account with what its home holds, if that is known.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    account: Account,
    used: Option<Used>,
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
        |account: &Account| account.name.clone(),
        |page| {
            let ids = page.iter().map(|account| account.id).collect();
            let command = Command::Used { accounts: ids, shared: Vec::new() };
            let rows = page.into_iter().zip(ask_used(&target.data, command)?);
            accounts.extend(rows.map(|(account, used)| Row { account, used }));
            Ok(true)
        },
    )?;
    if target.json {
        print_json(&accounts)?;
    } else {
        print(table(&accounts))?;
    }
    if let (true, Some(last)) = (more, accounts.last()) {
        note(&format!("there are more: go on with --after {}, or list --all", last.account.name));
    }
    Ok(())
}

fn table(accounts: &[Row]) -> String {
    let mut columns = Columns::headed(["NAME", "ROLE", "STATE", "USED", "QUOTA", "SINCE"]);
    for Row { account, used } in accounts {
        columns.row([
            account.name.to_string(),
            account.role.to_string(),
            state(account).to_owned(),
            short_used(*used),
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
