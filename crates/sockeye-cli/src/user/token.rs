//! `sockeye user token`.

use clap::Subcommand;
use serde::Serialize;
use sockeye::addr::nearest;
use sockeye_accounts::{
    Account, AccountAnswer, AccountCommand, AccountName, Prefix, Protocols, Rights, Token, TokenId,
};

use super::{change::change, show::token_line};
use crate::{
    data::{Target, ask_accounts, unexpected},
    failure::Failure,
    lifetime::Lifetime,
    output::{note, print, print_json},
    serve::PROTOCOLS,
};

/// Create, list and revoke the access tokens of an account
///
/// A token stands for its account's password, as far as its scope goes: at a path, with some rights,
/// over some protocols, until its end. HTTP takes it as a Bearer token, every protocol as the password.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye user token create alice backup --path /backup --rights read,write,list
  sockeye user token create ci builds --protocols http --expires 24h
  sockeye user token list alice
  sockeye user token revoke alice 01J9ZQ3V8E6Y0T2M4K5N7P8R9S")]
pub(super) struct TokenArgs {
    #[command(subcommand)]
    verb: TokenVerb,
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
enum TokenVerb {
    /// Create a token; its text is printed once
    Create(CreateArgs),
    /// List the tokens, without their secrets
    List {
        /// Whose
        name: AccountName,
        #[command(flatten)]
        target: Target,
    },
    /// Revoke a token, and end its sessions
    Revoke {
        /// Whose
        name: AccountName,
        /// Which, by its id
        id: TokenId,
        #[command(flatten)]
        target: Target,
    },
}

/// What a new token is for.
#[derive(Debug, clap::Args)]
struct CreateArgs {
    /// Whose
    name: AccountName,

    /// What it is called
    label: String,

    /// Where it is good for anything
    #[arg(long, default_value = "/")]
    path: Prefix,

    /// What its bearer may do there, as far as the account may
    #[arg(long, default_value = "all")]
    rights: Rights,

    /// Over which protocols, as http,ftp
    #[arg(long, default_value = "any")]
    protocols: Protocols,

    /// For how long, as 24h or 90d, or never
    #[arg(long, value_name = "TIME", default_value = "90d")]
    expires: Lifetime,

    #[command(flatten)]
    target: Target,
}

/// A token with its text.
#[derive(Debug, Serialize)]
struct WithSecret<'a> {
    #[serde(flatten)]
    token: &'a Token,
    secret: &'a str,
}

/// Does it.
pub(super) fn run(args: TokenArgs) -> Result<(), Failure> {
    match args.verb {
        TokenVerb::Create(args) => create(args),
        TokenVerb::List { name, target } => {
            let AccountAnswer::Tokens(tokens) =
                ask_accounts(&target, AccountCommand::Tokens(name))?
            else {
                return Err(unexpected());
            };
            if target.json {
                return print_json(tokens);
            }
            print(tokens.iter().map(|token| token_line(token) + "\n").collect::<String>())
        }
        TokenVerb::Revoke { name, id, target } => {
            let done = |account: &Account| format!("{}: token revoked", account.name);
            change(&target, AccountCommand::RevokeToken { name, id }, done)
        }
    }
}

fn create(args: CreateArgs) -> Result<(), Failure> {
    let CreateArgs { name, label, path: prefix, rights, protocols, expires, target } = args;
    let expires = expires.end()?;
    check(&protocols)?;
    let command = AccountCommand::CreateToken { name, label, prefix, rights, protocols, expires };
    let AccountAnswer::NewToken { token, secret } = ask_accounts(&target, command)? else {
        return Err(unexpected());
    };
    if target.json {
        return print_json([WithSecret { token: &token, secret: secret.expose() }]);
    }
    // Alone on standard output, so that it can be piped into a safe.
    note(&token_line(&token));
    print(format!("{}\n", secret.expose()))
}

/// Refuses a protocol that nothing here speaks: the token would be good for nothing.
fn check(protocols: &Protocols) -> Result<(), Failure> {
    let spoken = || PROTOCOLS.iter().filter(|protocol| !protocol.local_only).map(|it| it.name);
    let Some(unknown) = protocols.names().find(|name| !spoken().any(|known| known == *name)) else {
        return Ok(());
    };
    let known = spoken().collect::<Vec<_>>().join(", ");
    let failure = Failure::usage(format!("`{unknown}` is not spoken here, only {known}"));
    Err(failure.hints(nearest(unknown, spoken()).map(|meant| format!("did you mean {meant}?"))))
}
