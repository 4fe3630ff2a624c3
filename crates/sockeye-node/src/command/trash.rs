//! Commands about what was removed or replaced: listed, restored, destroyed.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sockeye_accounts::Commander;
use sockeye_journal::{Operation, Record};
use sockeye_store::{FilePath, Home, Kind, Purge, TrashEntry, TrashId};

use super::{Refusal, RefusalKind, Whose, beginning};
use crate::{Error, Node};

/// Most that is listed in one answer.
const PAGE: usize = 1000;

/// Something to do with a trash.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TrashCommand {
    /// Lists what was removed, the oldest first; answered by [`TrashAnswer::Page`].
    List {
        /// Those after this one.
        after: Option<String>,
    },
    /// Puts something back; answered by [`TrashAnswer::Restored`].
    Restore {
        /// What, by its id.
        id: String,
        /// Where to, if not where it was.
        to: Option<String>,
    },
    /// Destroys one thing; answered by [`TrashAnswer::Purged`].
    Purge {
        /// What, by its id.
        id: String,
    },
    /// Destroys what was removed before a moment; answered by [`TrashAnswer::Purged`].
    PurgeBefore(SystemTime),
    /// Destroys everything; answered by [`TrashAnswer::Purged`].
    PurgeAll,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TrashAnswer {
    /// Some of it.
    Page {
        /// The oldest first.
        entries: Vec<Removed>,
        /// Whether there are more.
        more: bool,
    },
    /// Where it is now.
    Restored(String),
    /// How much was destroyed.
    Purged {
        /// Bytes of files.
        bytes: u64,
        /// Files and folders.
        entries: u64,
    },
}

/// Something that was removed or replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// By what it is restored.
    pub id: String,
    /// Where it was, from the home's root; of a path that is very long, the beginning.
    pub path: String,
    /// When it was removed.
    pub deleted: SystemTime,
    /// Whether it is a folder.
    pub folder: bool,
    /// Bytes, of a folder with all below it.
    pub bytes: u64,
    /// Files and folders, itself included.
    pub entries: u64,
}

impl From<TrashEntry> for Removed {
    fn from(entry: TrashEntry) -> Self {
        let TrashEntry { id, path, deleted, kind, bytes, entries } = entry;
        let folder = kind == Kind::Folder;
        Self { id: id.to_string(), path: beginning(&shown(&path)), deleted, folder, bytes, entries }
    }
}

fn shown(path: &FilePath) -> String {
    path.to_string()
}

/// Carries out a command about a trash.
pub(super) async fn execute(
    node: &Node,
    of: Whose,
    command: TrashCommand,
    by: &Commander,
) -> Result<TrashAnswer, Refusal> {
    let home = node.home_of(&of).await?;
    match command {
        TrashCommand::List { after } => {
            let after = after.as_deref().map(id).transpose()?;
            let mut entries = home.trash(after, PAGE + 1).await.map_err(Error::from)?;
            let more = entries.len() > PAGE;
            entries.truncate(PAGE);
            let entries = entries.into_iter().map(Removed::from).collect();
            Ok(TrashAnswer::Page { entries, more })
        }
        TrashCommand::Restore { id: text, to } => {
            let (id, to) = (id(&text)?, to.as_deref().map(place).transpose()?);
            let restored =
                home.restore(id, to).await.map_err(|error| not_restored(error.into()))?;
            let what = What { of: &of, id: Some(id), path: Some(&restored) };
            record(node, Operation::Restore, &what, by, None);
            Ok(TrashAnswer::Restored(shown(&restored)))
        }
        TrashCommand::Purge { id: text } => {
            let id = id(&text)?;
            let path = home.removed_path(id).await.map_err(Error::from)?;
            let what = What { of: &of, id: Some(id), path: Some(&path) };
            purge(node, &what, &home, Purge::One(id), by).await
        }
        TrashCommand::PurgeBefore(moment) => {
            purge(node, &What::many(&of), &home, Purge::Before(moment), by).await
        }
        TrashCommand::PurgeAll => purge(node, &What::many(&of), &home, Purge::All, by).await,
    }
}

/// What the log says of what was put back or destroyed.
struct What<'a> {
    of: &'a Whose,
    /// The one thing that it was.
    id: Option<TrashId>,
    /// Where that is now, or was.
    path: Option<&'a FilePath>,
}

impl<'a> What<'a> {
    fn many(of: &'a Whose) -> Self {
        Self { of, id: None, path: None }
    }
}

/// Why something does not come back, with the way out.
fn not_restored(error: Error) -> Refusal {
    match error {
        Error::NotFound => Refusal::new(
            RefusalKind::NotFound,
            "nothing of that id is in the trash: it was restored or destroyed, or is somebody else's",
        )
        .hint("`sockeye trash list` has what is there"),
        error @ (Error::Exists | Error::NoParent) => {
            Refusal::from(error).hint("--to PATH restores it somewhere else")
        }
        other => other.into(),
    }
}

async fn purge(
    node: &Node,
    what: &What<'_>,
    home: &Home,
    purge: Purge,
    by: &Commander,
) -> Result<TrashAnswer, Refusal> {
    let purged = home.purge(purge).await.map_err(Error::from)?;
    record(node, Operation::Purge, what, by, Some(purged.bytes));
    Ok(TrashAnswer::Purged { bytes: purged.bytes, entries: purged.entries })
}

fn record(node: &Node, operation: Operation, what: &What<'_>, by: &Commander, bytes: Option<u64>) {
    let detail = match what.id {
        Some(id) => format!("trash {id} of {}", what.of),
        None => what.of.to_string(),
    };
    let path = what.path.map(|path| [b"/", path.as_bytes()].concat());
    node.recorder().command(operation, by, |record| Record {
        path: path.as_deref(),
        bytes,
        detail: Some(&detail),
        ..record
    });
}

fn id(text: &str) -> Result<TrashId, Refusal> {
    text.parse().map_err(|error| {
        Refusal::new(RefusalKind::Usage, format!("{text:?}: {error}"))
            .hint("`sockeye trash list` has the ids")
    })
}

fn place(text: &str) -> Result<FilePath, Refusal> {
    let path = FilePath::parse(text.trim_start_matches('/').as_bytes());
    path.map_err(|error| Refusal::new(RefusalKind::Usage, format!("{text:?}: {error}")))
}
