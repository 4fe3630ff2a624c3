//! The command that destroys homes which belong to nobody any more: those of accounts and shared folders that were
//! removed, whose files stay until then.

use std::{collections::HashSet, fs, path::PathBuf};

use serde::{Deserialize, Serialize};
use sockeye_accounts::{AccountId, Commander, ErrorKind, SharedId};
use sockeye_journal::{Operation, Record};

use super::{Refusal, RefusalKind, check::folders};
use crate::Node;

/// Most folders that are destroyed by one command.
const MOST: usize = 1000;

/// Homes that belong to nobody any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orphans {
    /// Where they lie, or lay.
    pub folders: Vec<PathBuf>,
    /// Whether there are more than one command takes.
    pub more: bool,
    /// Whether they were destroyed.
    pub destroyed: bool,
}

/// Finds them, and destroys them if that is wanted: for good, with all that is in them.
pub(super) async fn execute(
    node: &Node,
    destroy: bool,
    by: &Commander,
) -> Result<Orphans, Refusal> {
    let mut found = Vec::new();
    for folder in folders(&node.folder().homes())? {
        let (folder, name) = folder?;
        let Ok(id) = name.parse::<AccountId>() else { continue };
        match node.accounts().find(id).await {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => found.push(folder),
            Err(error) => return Err(error.into()),
        }
    }
    found.extend(of_shared(node).await?);
    found.sort();
    let more = found.len() > MOST;
    found.truncate(MOST);
    if destroy {
        for folder in &found {
            remove(node, folder.clone()).await?;
            let detail = format!("store purge-orphans: {} destroyed", folder.display());
            let recorder = node.recorder();
            recorder.command(Operation::Purge, by, |it| Record { detail: Some(&detail), ..it });
        }
    }
    Ok(Orphans { folders: found, more, destroyed: destroy })
}

/// Those of shared folders. What lies on the disk is looked at first: a folder is added to the accounts before it is made.
async fn of_shared(node: &Node) -> Result<Vec<PathBuf>, Refusal> {
    let lying: Result<Vec<_>, Refusal> = folders(&node.folder().shared())?.collect();
    let lying = lying?;
    let all = node.accounts().all_shared().await?;
    let known: HashSet<_> = all.into_iter().map(|shared| shared.id).collect();
    let is_nobodys = |name: &str| name.parse::<SharedId>().is_ok_and(|id| !known.contains(&id));
    let found = lying.into_iter().filter(|(_, name)| is_nobodys(name));
    Ok(found.map(|(folder, _)| folder).collect())
}

/// Removes a folder with all that is in it; links in it are removed, not followed.
async fn remove(node: &Node, folder: PathBuf) -> Result<(), Refusal> {
    let path = folder.clone();
    let removed = node.pool().run(move || fs::remove_dir_all(&path)).await;
    let refused = |error: &dyn std::fmt::Display| {
        Refusal::new(RefusalKind::Failed, format!("cannot remove {}: {error}", folder.display()))
    };
    removed.map_err(|error| refused(&error))?.map_err(|error| refused(&error))
}
