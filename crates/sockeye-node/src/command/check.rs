//! The command that compares what homes are said to hold with what they hold.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sockeye::quantity::format_count;
use sockeye_accounts::{AccountId, Commander, SharedId};
use sockeye_journal::{Operation, Record};
use sockeye_store::{CheckReport, Home};

use super::{Refusal, RefusalKind, Whose};
use crate::{Error, Node, data::DataError};

/// Most homes that are named in one answer.
const MOST_NAMED: usize = 1000;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Homes that were looked at.
    pub homes: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Their files and folders.
    pub entries: u64,
    /// Homes with something to mend, at most a thousand.
    pub faults: Vec<HomeFault>,
    /// How many there are.
    pub faulty: u64,
    /// Homes that were not closed, as after a crash, and in which nothing is to be mended, at most a thousand: the check
    /// has counted them, which is all that they needed.
    pub counted_anew: Vec<String>,
    /// Folders among the homes that belong to nobody, at most a thousand. A check never touches them.
    pub orphans: Vec<String>,
    /// Whether what was found was mended.
    pub repaired: bool,
}

/// A home with something to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeFault {
    /// Whose it is.
    pub whose: String,
    /// What is wrong, in words.
    pub what: String,
}

/// Checks one home, or all.
pub(super) async fn execute(
    node: &Node,
    of: Option<Whose>,
    repair: bool,
    by: &Commander,
) -> Result<Checked, Refusal> {
    let checked = check(node, of, repair).await?;
    if repair && checked.faulty > 0 {
        let mended = format_count(checked.faulty, "home", "homes");
        let detail = format!("store check --repair: {mended} mended");
        let recorder = node.recorder();
        recorder.command(Operation::Admin, by, |it| Record { detail: Some(&detail), ..it });
    }
    Ok(checked)
}

async fn check(node: &Node, of: Option<Whose>, repair: bool) -> Result<Checked, Refusal> {
    let mut checked = Checked { repaired: repair, ..Checked::default() };
    if let Some(whose) = of {
        let home = node.home_of(&whose).await?;
        checked.look_at(&home, || whose.to_string(), repair).await?;
        return Ok(checked);
    }
    for folder in folders(&node.folder().homes())? {
        let (folder, name) = folder?;
        let folder = folder.display().to_string();
        let Some(id) = name.parse::<AccountId>().ok() else { continue };
        match node.account_home(id).await {
            Ok((account, home)) => {
                checked.look_at(&home, || format!("the home of {}", account.name), repair).await?;
            }
            Err(refusal) if refusal.kind == RefusalKind::NotFound => checked.orphan(folder),
            Err(refusal) => return Err(refusal),
        }
    }
    checked.shared_folders(node, repair).await?;
    let public = node.gate().public_home().await?;
    checked.look_at(&public, || Whose::Public.to_string(), repair).await?;
    Ok(checked)
}

impl Checked {
    async fn shared_folders(&mut self, node: &Node, repair: bool) -> Result<(), Refusal> {
        let mut known = HashSet::new();
        for shared in node.accounts().all_shared().await? {
            let home = node.gate().shared_home(&shared.name).await?;
            self.look_at(&home, || shared.path(), repair).await?;
            known.insert(shared.id);
        }
        for folder in folders(&node.folder().shared())? {
            let (folder, name) = folder?;
            if name.parse::<SharedId>().is_ok_and(|id| !known.contains(&id)) {
                self.orphan(folder.display().to_string());
            }
        }
        Ok(())
    }

    async fn look_at(
        &mut self,
        home: &Home,
        whose: impl Fn() -> String,
        repair: bool,
    ) -> Result<(), Refusal> {
        let report = home.check(repair).await.map_err(Error::from)?;
        self.homes += 1;
        self.bytes += report.counted.files.bytes;
        self.entries += report.counted.files.entries;
        if report.only_lacks_a_count() {
            // What this counts is what the home is said to hold from now on.
            home.space().await.map_err(Error::from)?;
            if self.counted_anew.len() < MOST_NAMED {
                self.counted_anew.push(whose());
            }
        } else if !report.is_sound() {
            self.faulty += 1;
            if self.faults.len() < MOST_NAMED {
                self.faults.push(HomeFault { whose: whose(), what: told(&report) });
            }
        }
        Ok(())
    }

    fn orphan(&mut self, folder: String) {
        if self.orphans.len() < MOST_NAMED {
            self.orphans.push(folder);
        }
    }
}

/// What is wrong, in words.
fn told(report: &CheckReport) -> String {
    let mut told = Vec::new();
    match report.recorded {
        None => told.push("it was not closed, and was counted".to_owned()),
        Some(recorded) => {
            let pairs = [
                ("files", recorded.files, report.counted.files),
                ("partials", recorded.partials, report.counted.partials),
                ("trash", recorded.trash, report.counted.trash),
            ];
            let differ = pairs.into_iter().filter(|(_, recorded, counted)| recorded != counted);
            told.extend(differ.map(|(what, recorded, counted)| {
                format!("{what}: {recorded} recorded, {counted} counted")
            }));
        }
    }
    if report.orphaned_partials > 0 {
        let (one, many) = ("partial file of no upload", "partial files of no upload");
        told.push(format_count(report.orphaned_partials, one, many).to_string());
    }
    if report.leftovers > 0 {
        let (one, many) = ("leftover in the trash", "leftovers in the trash");
        told.push(format_count(report.leftovers, one, many).to_string());
    }
    told.join("; ")
}

/// The folders in a folder, each with its path and its name.
pub(super) fn folders(
    of: &Path,
) -> Result<impl Iterator<Item = Result<(PathBuf, String), Refusal>> + use<>, Refusal> {
    let path = of.to_owned();
    let failed = move |error: io::Error| {
        Refusal::new(RefusalKind::Failed, DataError::io("list", path.clone(), error))
    };
    let entries = fs::read_dir(of).map_err(&failed)?;
    Ok(entries.map(move |entry| {
        let entry = entry.map_err(&failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        Ok((entry.path(), name))
    }))
}
