//! `sockeye share`: links for those who have no account.

mod add;

use std::str::FromStr;

use clap::Subcommand;
use serde::Serialize;
use sockeye_accounts::{AccountName, Secret, Share, ShareId, ShareKind};
use sockeye_node::command::{Answer, Command, ShareAnswer, ShareCommand, ShareEnd, SharedLink};

use crate::{
    data::{self, Target},
    failure::Failure,
    output::{Columns, minute, print, print_json, short_size},
};

/// Share a file or a folder by a link, with whoever has no account
///
/// A link gives what its owner may do there, at this moment and no more: it dies with the account, with its right to
/// share, and when it is revoked. Whoever has the link can use it: send it as you would a key.
///
/// Links begin with http.url of the configuration, or else with the address of the first listener.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye share add /docs/plan.pdf --user alice --expires 7d
  sockeye share add /photos --user alice --downloads 10 --password
  sockeye share add /inbox --user alice --upload          a drop box: files go in, nothing is shown
  sockeye share add /inbox --user alice --upload --max-size 1GiB --max-files 20
  sockeye share list --user alice
  sockeye share revoke 01J9ZQ3V8E6Y0T2M4K5N7P8R9S         or the link itself
  curl -OJ 'http://127.0.0.1:8080/-/s/LINK'               fetches a shared file
  curl -OJ -u :PASSWORD 'http://127.0.0.1:8080/-/s/LINK'  with its password
  curl -T photo.jpg 'http://127.0.0.1:8080/-/s/LINK/'     puts a file into a drop box")]
pub(crate) struct ShareArgs {
    #[command(subcommand)]
    verb: ShareVerb,
}

/// What to do with shares.
#[derive(Debug, Subcommand)]
enum ShareVerb {
    Add(add::AddArgs),
    /// List the shares with their links, the oldest first
    List {
        /// Only those of this account
        #[arg(long, value_name = "NAME")]
        user: Option<AccountName>,
        #[command(flatten)]
        target: Target,
    },
    /// Revoke a share: its link leads nowhere from now on
    Revoke {
        /// Which: its link, or the id that the list has
        share: Which,
        #[command(flatten)]
        target: Target,
    },
}

/// A share as a program reads it.
#[derive(Debug, Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    share: &'a Share,
    owner: &'a AccountName,
    url: &'a str,
    dead: Option<ShareEnd>,
}

/// Which share, as it is typed.
#[derive(Clone, Debug)]
enum Which {
    Id(ShareId),
    /// What a link ends with.
    Link(Secret),
}

impl FromStr for Which {
    type Err = <ShareId as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((_, link)) = text.split_once("/-/s/") else { return text.parse().map(Self::Id) };
        let link = link.split(['/', '?', '#']).next().unwrap_or(link);
        Ok(Self::Link(Secret::new(link.to_owned())))
    }
}

impl<'a> From<&'a SharedLink> for Row<'a> {
    fn from(linked: &'a SharedLink) -> Self {
        let SharedLink { share, owner, url, dead } = linked;
        Self { share, owner, url: url.expose(), dead: *dead }
    }
}

/// Does it.
pub(crate) fn run(args: ShareArgs) -> Result<(), Failure> {
    match args.verb {
        ShareVerb::Add(args) => add::run(args),
        ShareVerb::List { user, target } => list(user, &target),
        ShareVerb::Revoke { share, target } => {
            let command = match share {
                Which::Id(id) => ShareCommand::Revoke { id, of: None },
                Which::Link(link) => ShareCommand::RevokeLink { link },
            };
            match ask(&target, command)? {
                ShareAnswer::Revoked(share) if target.json => print_json([share]),
                ShareAnswer::Revoked(share) => print(format!("{}: no longer shared\n", share.path)),
                _ => Err(data::unexpected()),
            }
        }
    }
}

/// Has it carried out by the running node, or else here.
fn ask(target: &Target, command: ShareCommand) -> Result<ShareAnswer, Failure> {
    match data::execute(&target.data, Command::Share(command))? {
        Answer::Share(answer) => Ok(answer),
        _ => Err(data::unexpected()),
    }
}

fn list(user: Option<AccountName>, target: &Target) -> Result<(), Failure> {
    let mut shares = Vec::new();
    let page = |after| match ask(target, ShareCommand::List { of: user.clone(), after })? {
        ShareAnswer::Page { entries, more } => Ok((entries, more)),
        _ => Err(data::unexpected()),
    };
    data::each_page(
        page,
        |linked| linked.share.id,
        |page| {
            shares.extend(page);
            Ok(true)
        },
    )?;
    match shares.as_slice() {
        shares if target.json => print_json(shares.iter().map(Row::from)),
        [] => print("nothing is shared\n"),
        shares => print(table(shares)),
    }
}

fn table(shares: &[SharedLink]) -> String {
    let mut columns =
        Columns::headed(["ID", "OWNER", "PATH", "FOR", "UNTIL", "USED", "STATE", "LABEL", "LINK"]);
    for SharedLink { share, owner, url, dead } in shares {
        let lock = if share.has_password { ", password" } else { "" };
        columns.row([
            share.id.to_string(),
            owner.to_string(),
            share.path.to_string(),
            format!("{}{lock}", kind(share)),
            share.expires.map_or_else(|| "revoked".to_owned(), minute),
            used(share),
            dead.map_or_else(|| "open".to_owned(), |end| end.to_string()),
            share.label.clone().unwrap_or_else(|| "-".to_owned()),
            url.expose().to_owned(),
        ]);
    }
    columns.text()
}

/// What its link is for.
fn kind(share: &Share) -> &'static str {
    match share.kind {
        ShareKind::Download => "download",
        ShareKind::Upload => "upload",
    }
}

/// How often it was used, and how often it may be; of a drop box, what was put there.
fn used(share: &Share) -> String {
    let of = |most: Option<String>| most.map_or(String::new(), |most| format!(" of {most}"));
    match share.kind {
        ShareKind::Upload => {
            let files = of(share.max_files.map(|most| most.to_string()));
            let bytes = of(share.max_bytes.map(short_size));
            format!("{}{files} files, {}{bytes}", share.taken_files, short_size(share.taken_bytes))
        }
        ShareKind::Download => {
            format!("{}{}", share.downloaded, of(share.downloads.map(|most| most.to_string())))
        }
    }
}
