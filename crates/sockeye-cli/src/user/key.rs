//! `sockeye user key`.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use clap::{Subcommand, ValueHint};
use sockeye_accounts::{Account, AccountAnswer, AccountCommand, AccountName, PublicKey};

use super::{change::change, show::key_line};
use crate::{
    data::{Target, ask_accounts, unexpected},
    failure::Failure,
    output::{print, print_json},
};

/// Longest file that is looked at, in bytes.
const MAX_FILE: u64 = 16 * 1024;

/// Add, list and remove the SSH public keys of an account
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye user key add alice ~/.ssh/id_ed25519.pub
  ssh-add -L | head -1 | sockeye user key add alice -
  sockeye user key list alice")]
pub(super) struct KeyArgs {
    #[command(subcommand)]
    verb: KeyVerb,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
enum KeyVerb {
    /// Add a key
    Add {
        /// Whose
        name: AccountName,
        /// The file with the public key, or - for standard input
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        target: Target,
    },
    /// List the keys
    List {
        /// Whose
        name: AccountName,
        #[command(flatten)]
        target: Target,
    },
    /// Remove a key
    Remove {
        /// Whose
        name: AccountName,
        /// Which: SHA256:…
        fingerprint: String,
        #[command(flatten)]
        target: Target,
    },
}

/// Does it.
pub(super) fn run(args: KeyArgs) -> Result<(), Failure> {
    match args.verb {
        KeyVerb::Add { name, file, target } => {
            let key = read(&file)?;
            let AccountAnswer::Key(key) =
                ask_accounts(&target, AccountCommand::AddKey { name: name.clone(), key })?
            else {
                return Err(unexpected());
            };
            if target.json {
                return print_json([key]);
            }
            print(format!("{name}: added {}\n", key_line(&key)))
        }
        KeyVerb::List { name, target } => {
            let AccountAnswer::Keys(keys) = ask_accounts(&target, AccountCommand::Keys(name))?
            else {
                return Err(unexpected());
            };
            if target.json {
                return print_json(keys);
            }
            print(keys.iter().map(|key| key_line(key) + "\n").collect::<String>())
        }
        KeyVerb::Remove { name, fingerprint, target } => {
            let done = |account: &Account| format!("{}: key removed", account.name);
            change(&target, AccountCommand::RemoveKey { name, fingerprint }, done)
        }
    }
}

/// The key in a file.
fn read(file: &PathBuf) -> Result<PublicKey, Failure> {
    let mut text = String::new();
    let read = match file.as_os_str() == "-" {
        true => io::stdin().lock().take(MAX_FILE).read_to_string(&mut text),
        false => {
            let opened = File::open(file);
            opened.and_then(|opened| opened.take(MAX_FILE).read_to_string(&mut text))
        }
    };
    read.map_err(|error| Failure::from(error).about(file.display()))?;
    text.parse().map_err(|error| Failure::usage(error).about(file.display()))
}
