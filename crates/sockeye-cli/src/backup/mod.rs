//! `sockeye backup` and `sockeye restore`: what a node knows, put aside and put back.

use std::path::PathBuf;

use clap::ValueHint;
use serde::Serialize;
use sockeye::quantity::format_count;
use sockeye_node::{
    backup::{BackupError, Manifest},
    command::{Answer, Command},
    data::Hold,
};

use crate::{
    data::{self, DataArgs},
    failure::{Failure, Fault, fault_of},
    output::{print, print_json, short_size},
};

/// Back up accounts, configuration, journal and keys, also while the node runs
///
/// The files of the homes are not in it: they are plain files under homes, shared and public of the data
/// folder, for rsync and the like. A backup has the node's keys and password hashes in it: keep it as
/// closed as the data folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye backup /backup/monday                a new folder, with a list of digests
  sockeye backup /backup/monday --data /srv/node
  sockeye restore /backup/monday               puts it back into a data folder without accounts")]
pub(crate) struct BackupArgs {
    /// The folder to make
    #[arg(value_name = "DEST", value_hint = ValueHint::DirPath)]
    to: PathBuf,

    #[command(flatten)]
    data: DataArgs,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// Put a backup back into a data folder that has no accounts
///
/// Every file is compared with the backup's digests first. Homes that are in the data folder stay, and
/// belong to their accounts again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye restore /backup/monday --data /srv/node
  sockeye restore /backup/monday --check           only compare it with its digests")]
pub(crate) struct RestoreArgs {
    /// The backup
    #[arg(value_name = "BACKUP", value_hint = ValueHint::DirPath)]
    from: PathBuf,

    #[command(flatten)]
    data: DataArgs,

    /// Compare the backup with its digests, and put nothing back
    #[arg(long)]
    check: bool,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Done<'a> {
    /// The backup, or the data folder that it was put back into.
    #[serde(flatten)]
    what: What<'a>,
    files: u64,
    bytes: u64,
    /// Files that the node needs and that are not in it, as they lie outside of its data folder.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    left_out: &'a [PathBuf],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum What<'a> {
    /// A backup that was made.
    Backup(&'a str),
    /// One that is right.
    Checked(&'a str),
    /// A data folder that one was put back into.
    Restored(&'a str),
}

impl Done<'_> {
    /// As JSON if that is asked for, and else in words.
    fn print(&self, json: bool) -> Result<(), Failure> {
        if json {
            return print_json([self]);
        }
        let counted = format_count(self.files, "file", "files");
        let size = short_size(self.bytes);
        print(match self.what {
            What::Backup(to) => {
                format!("{to}: {counted}, {size}; without the files of the homes\n")
            }
            What::Checked(from) => format!("{from}: right; {counted}, {size}\n"),
            What::Restored(to) => format!("{to}: {counted}, {size} put back\n"),
        })
    }
}

/// Makes a backup.
pub(crate) fn run(args: &BackupArgs) -> Result<(), Failure> {
    if args.to.exists() {
        return Err(BackupError::Taken(args.to.clone()).into());
    }
    // Held until it is copied, if no node holds it.
    let (answer, _hold) = data::execute_holding(&args.data, Command::Snapshot)?;
    let Answer::Snapshot(snapshot) = &answer else { return Err(data::unexpected()) };
    let manifest = snapshot.copy(&args.to)?;
    let (files, bytes) = sum(&manifest);
    let (to, left_out) = (args.to.to_string_lossy(), &snapshot.left_out);
    Done { what: What::Backup(&to), files, bytes, left_out }.print(args.json)?;
    for file in left_out {
        tracing::warn!(
            "{} is not in the backup, as it lies outside of the data folder: without it the node does not start; \
             copy it as well (tls.cert, tls.key)",
            file.display()
        );
    }
    Ok(())
}

/// Puts a backup back, or looks whether that could be done.
pub(crate) fn restore(args: &RestoreArgs) -> Result<(), Failure> {
    let manifest = Manifest::read(&args.from)?;
    let (files, bytes) = sum(&manifest);
    if args.check {
        manifest.verify(&args.from)?;
        let from = args.from.to_string_lossy();
        return Done { what: What::Checked(&from), files, bytes, left_out: &[] }.print(args.json);
    }
    let folder = args.data.folder()?;
    let mut hold = Hold::take_or_create(&folder)?;
    manifest.restore(&args.from, &folder)?;
    hold.keep();
    let to = folder.path().to_string_lossy();
    Done { what: What::Restored(&to), files, bytes, left_out: &[] }.print(args.json)
}

fn sum(manifest: &Manifest) -> (u64, u64) {
    (manifest.files.len() as u64, manifest.files.iter().map(|file| file.bytes).sum())
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Data(error) => error.into(),
            BackupError::Taken(_) => Self::usage(error).hint("name a folder that is not there yet"),
            BackupError::Missing(_) => Self::new(Fault::NotFound, error),
            BackupError::NoBackup { .. } => Self::usage(error),
            BackupError::Occupied(_) => Self::new(Fault::Failed, error)
                .hint("name another data folder with --data, or move this one's sockeye.db away"),
            BackupError::Io { ref source, .. } => Self::new(fault_of(source), error),
            _ => Self::new(Fault::Failed, error),
        }
    }
}
