//! `sockeye user show`.

use std::{fmt::Write as _, path::PathBuf};

use serde::Serialize;
use sockeye_accounts::{Account, AccountAnswer, AccountCommand, AccountName, Key, Token};
use sockeye_node::command::{Answer, Command, Held, Whose};

use super::list::state;
use crate::{
    data::{self, Target, ask_accounts, unexpected},
    failure::Failure,
    output::{held, minute, print, print_json},
};

/// Show all that is known of an account, but no secret
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye user show alice
  sockeye user show alice --json | jq .tokens")]
pub(super) struct ShowArgs {
    /// Which
    name: AccountName,

    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Serialize)]
struct Details {
    #[serde(flatten)]
    account: Account,
    /// Where its files lie on the disk.
    files: PathBuf,
    space: Held,
    keys: Vec<Key>,
    tokens: Vec<Token>,
}

/// Shows it.
pub(super) fn run(args: ShowArgs) -> Result<(), Failure> {
    let ShowArgs { name, target } = args;
    let AccountAnswer::Details { account, keys, tokens } =
        ask_accounts(&target, AccountCommand::Show(name.clone()))?
    else {
        return Err(unexpected());
    };
    let of = Whose::Account(name);
    let Answer::Space(space) = data::execute(&target.data, Command::Space { of })? else {
        return Err(unexpected());
    };
    let files = target.data.folder()?.files_of(account.id);
    let details = Details { account, files, space, keys, tokens };
    if target.json { print_json([details]) } else { print(text(&details)) }
}

fn text(details: &Details) -> String {
    let Details { account, files, space, keys, tokens } = details;
    let mut text = String::new();
    let mut line = |name: &str, value: &dyn std::fmt::Display| {
        // Writing into a string does not fail.
        let _ = writeln!(text, "{name:8}{value}");
    };
    line("name", &account.name);
    line("id", &account.id);
    line("role", &account.role);
    line("state", &state(account));
    line("quota", &account.quota);
    line("holds", &held(space));
    line("files", &files.display());
    line("since", &minute(account.created));
    for grant in &account.grants {
        line("grant", grant);
    }
    for key in keys {
        line("key", &key_line(key));
    }
    for token in tokens {
        line("token", &token_line(token));
    }
    text
}

/// A key in one line.
pub(super) fn key_line(key: &Key) -> String {
    format!("{} {} {}", key.fingerprint, key.key.kind(), key.key.comment()).trim_end().to_owned()
}

/// A token in one line.
pub(super) fn token_line(token: &Token) -> String {
    let Token { id, label, prefix, rights, protocols, .. } = token;
    let expires = token.expires.map_or_else(|| "never".to_owned(), minute);
    let used = token.last_used.map_or_else(|| "never".to_owned(), minute);
    format!("{id} {label}: {rights} on {prefix} over {protocols}; ends {expires}, last used {used}")
}
