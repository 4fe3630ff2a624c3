//! `sockeye share`: links for those who have no account.

mod add;

use clap::Subcommand;
use serde::Serialize;
use sockeye_accounts::{AccountName, Share, ShareId, ShareKind};
use sockeye_node::command::{Answer, Command, ShareAnswer, ShareCommand, SharedLink};

use crate::{
    data::{self, Target},
    failure::Failure,
    output::{Columns, day, print, print_json},
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
  sockeye share list --user alice
  sockeye share revoke 01J9ZQ3V8E6Y0T2M4K5N7P8R9S
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
        /// Which, by the id that the list has
        id: ShareId,
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
}

impl<'a> From<&'a SharedLink> for Row<'a> {
    fn from(linked: &'a SharedLink) -> Self {
        Self { share: &linked.share, owner: &linked.owner, url: linked.url.expose() }
    }
}

/// Does it.
pub(crate) fn run(args: ShareArgs) -> Result<(), Failure> {
    match args.verb {
        ShareVerb::Add(args) => add::run(args),
        ShareVerb::List { user, target } => list(user, &target),
        ShareVerb::Revoke { id, target } => {
            match ask(&target, ShareCommand::Revoke { id, of: None })? {
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
    let mut columns = Columns::headed(["ID", "OWNER", "PATH", "FOR", "UNTIL", "USED", "LINK"]);
    for SharedLink { share, owner, url } in shares {
        let until = share.expires.map_or_else(|| "revoked".to_owned(), day);
        let cells = [
            share.id.to_string(),
            owner.to_string(),
            share.path.to_string(),
            what_for(share),
            until,
            used(share),
            url.expose().to_owned(),
        ];
        columns.row(cells);
    }
    columns.text()
}

fn what_for(share: &Share) -> String {
    let lock = if share.has_password { ", password" } else { "" };
    let kind = match share.kind {
        ShareKind::Download => "download",
        ShareKind::Upload => "upload",
    };
    format!("{kind}{lock}")
}

/// How often it was used, and how often it may be.
fn used(share: &Share) -> String {
    match (share.kind, share.downloads) {
        (ShareKind::Upload, _) => "-".to_owned(),
        (ShareKind::Download, Some(most)) => format!("{} of {most}", share.downloaded),
        (ShareKind::Download, None) => share.downloaded.to_string(),
    }
}
