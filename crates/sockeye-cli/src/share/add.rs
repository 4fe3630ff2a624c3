//! `sockeye share add`.

use std::io::IsTerminal as _;

use sockeye_accounts::{AccountName, Prefix, ShareKind};
use sockeye_node::{
    command::{ShareAnswer, ShareCommand},
    config::Bytes,
};

use super::{Row, ask, kind, used};
use crate::{
    data::{self, Target},
    failure::Failure,
    lifetime::Lifetime,
    output::{minute, note, print, print_json},
    prompt::{from_stdin, twice},
};

/// Share a file or a folder; the link is printed
#[derive(Debug, clap::Args)]
pub(super) struct AddArgs {
    /// What to share, as its owner sees it: /docs/plan.pdf, /shared/team/report
    path: Prefix,

    /// Whose it is
    #[arg(long, value_name = "NAME")]
    user: AccountName,

    /// For how long, as 24h or 7d, or never
    #[arg(long, value_name = "TIME", default_value = "7d")]
    expires: Lifetime,

    /// How often it may be downloaded
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    #[arg(conflicts_with = "upload")]
    downloads: Option<u64>,

    /// Ask for a password that has to be known beside the link
    #[arg(long)]
    password: bool,

    /// Read that password from standard input, up to the line's end
    #[arg(long, conflicts_with = "password")]
    password_stdin: bool,

    /// A drop box: new files go into the folder, and nothing of it is shown
    #[arg(long)]
    upload: bool,

    /// How much may be put into a drop box, in all: 10GiB
    #[arg(long, value_name = "SIZE", requires = "upload")]
    max_size: Option<Bytes>,

    /// How many files may be put into a drop box, in all
    #[arg(long, value_name = "N", requires = "upload")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    max_files: Option<u64>,

    /// What it is called in lists
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,

    #[command(flatten)]
    target: Target,
}

/// Does it.
pub(super) fn run(args: AddArgs) -> Result<(), Failure> {
    let expires = args.expires.end()?;
    let password = match (args.password, args.password_stdin) {
        (_, true) => Some(from_stdin()?),
        (true, false) if std::io::stdin().is_terminal() => {
            Some(twice("the link", args.user.as_str())?)
        }
        (true, false) => {
            return Err(Failure::usage("no terminal to ask for the password")
                .hint("--password-stdin reads it from standard input"));
        }
        (false, false) => None,
    };
    if let Some(password) = &password {
        password.check_password(args.user.as_str()).map_err(Failure::usage)?;
    }
    let command = ShareCommand::Add {
        of: args.user,
        path: args.path,
        kind: if args.upload { ShareKind::Upload } else { ShareKind::Download },
        label: args.label,
        expires,
        downloads: args.downloads,
        max_bytes: args.max_size.map(|Bytes(bytes)| bytes),
        max_files: args.max_files,
        password,
    };
    let ShareAnswer::Added(linked) = ask(&args.target, command)? else {
        return Err(data::unexpected());
    };
    if args.target.json {
        return print_json([Row::from(&linked)]);
    }
    // The link alone on standard output, so that it can be piped on.
    let share = &linked.share;
    let until = share
        .expires
        .map_or_else(|| "until it is revoked".to_owned(), |end| format!("until {}", minute(end)));
    let is_bounded =
        [share.downloads, share.max_bytes, share.max_files].iter().any(Option::is_some);
    let used = if is_bounded { format!(", used {}", used(share)) } else { String::new() };
    let kind = kind(share);
    let lock = if share.has_password { ", with a password" } else { "" };
    note(&format!("{}: {kind} of {}{lock}, {until}{used}", share.id, share.path));
    print(format!("{}\n", linked.url.expose()))
}
