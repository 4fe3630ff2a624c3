//! A backup taken: put aside within the data folder by whoever holds it, and copied from there.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use sockeye_journal::{Operation, Record};

use super::{
    BackedUp, BackupError, FORMAT, MANIFEST, Manifest, copy, io_error, make_folder_of, name_of,
    sync_names,
};
use crate::{
    Node,
    certificate::CertificateFiles,
    command::{Commander, Refusal, RefusalKind},
    data::{DataError, DataFolder, make_folder, write_private},
};

/// What a holder of the data folder put aside for a backup: a folder within it, to be copied and removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The folder.
    pub folder: PathBuf,
    /// Its files, from there: where each belongs in a data folder, and how much of it counts.
    pub files: Vec<(PathBuf, u64)>,
    /// Files that the node needs and that lie outside of its data folder: they are not in it.
    #[serde(default)]
    pub left_out: Vec<PathBuf>,
}

impl Node {
    /// Puts aside what a backup is made of: the accounts as they are at one moment, and the journal up to a
    /// checkpoint, as far as it is now.
    pub(crate) async fn snapshot(&self, by: &Commander) -> Result<Snapshot, Refusal> {
        let failed = |error: &dyn std::fmt::Display| {
            Refusal::new(RefusalKind::Failed, format!("cannot make a snapshot: {error}"))
        };
        let name = format!("{}-{}", std::process::id(), self.since().elapsed().as_nanos());
        let folder = self.folder().snapshots().join(name);
        for path in [&self.folder().snapshots(), &folder] {
            make_folder(path).map_err(|error| failed(&DataError::io("make", path, error)))?;
        }
        let database = folder.join(name_of(&self.folder().database()));
        self.accounts().backup(&database).await?;
        let (marks, path) = (self.marks().clone(), folder.join(name_of(&self.folder().marks())));
        let copied = self.pool().run(move || marks.backup(&path)).await;
        copied.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        // With who was there and what was done up to here, this included.
        let taken = |record| Record { detail: Some("backup taken"), ..record };
        self.recorder().command(Operation::Admin, by, taken);
        self.journal().checkpoint().await.map_err(|error| failed(&error))?;
        let (from, to) = (self.folder().clone(), folder.clone());
        let linked = self.pool().run(move || gather(&from, &to)).await;
        let files = linked.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        let of = CertificateFiles::of(self.folder(), &self.config().settings);
        Ok(Snapshot { left_out: of.outside(&self.folder().tls()), folder, files })
    }
}

/// Copies what is beside what is in `to` already, and puts the journal there. What of it counts is how long it is now.
fn gather(from: &DataFolder, to: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for path in [from.database(), from.marks()] {
        let place = name_of(&path);
        let bytes = fs::metadata(to.join(&place))?.len();
        files.push((place, bytes));
    }
    let relative =
        |path: &Path| path.strip_prefix(from.path()).map(Path::to_owned).map_err(io::Error::other);
    let settings = [from.config(), from.links_key()].into_iter().chain(listed(&from.tls())?);
    for path in settings.filter(|path| path.is_file()) {
        let place = relative(&path)?;
        make_folder_of(&to.join(&place))?;
        let bytes = fs::copy(&path, to.join(&place))?;
        files.push((place, bytes));
    }
    let journal = relative(&from.journal())?;
    make_folder(&to.join(&journal))?;
    let put = sockeye_journal::snapshot(&from.journal(), &to.join(&journal));
    let put = put.map_err(io::Error::other)?.into_iter();
    files.extend(put.map(|(name, bytes)| (journal.join(name), bytes)));
    Ok(files)
}

/// What is in a folder, if it is there.
fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

impl Snapshot {
    /// Copies it to the new folder `to`, checked and with its list, and removes it. Blocks.
    ///
    /// # Errors
    /// [`BackupError`]; what was written of the backup is removed then.
    pub fn copy(&self, to: &Path) -> Result<Manifest, BackupError> {
        // Whoever keeps house leaves alone what is locked.
        let being_copied = File::open(&self.folder).map_err(io_error("open", &self.folder))?;
        being_copied.lock_shared().map_err(io_error("lock", &self.folder))?;
        let copied = self.copy_to(to);
        if copied.is_err() && !matches!(copied, Err(BackupError::Taken(_))) {
            let _ = fs::remove_dir_all(to);
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, "{} stays behind", self.folder.display());
        }
        copied
    }

    fn copy_to(&self, to: &Path) -> Result<Manifest, BackupError> {
        match make_folder(to) {
            Ok(true) => {}
            Ok(false) => return Err(BackupError::Taken(to.to_owned())),
            Err(error) => return Err(io_error("make the folder", to)(error)),
        }
        let mut files = Vec::new();
        for (path, bytes) in &self.files {
            let place = to.join(path);
            make_folder_of(&place).map_err(io_error("make the folder of", &place))?;
            let from = self.folder.join(path);
            let digest = copy(&from, &place, *bytes).map_err(io_error("copy", &from))?;
            files.push(BackedUp { path: path.clone(), bytes: *bytes, blake3: digest });
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let manifest = Manifest {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made: since.unwrap_or_default().as_secs(),
            files,
        };
        let text = serde_json::to_vec_pretty(&manifest).map_err(io::Error::from);
        let written = text.and_then(|text| {
            sync_names(to, &manifest.files)?;
            // Last, and synced with its name.
            write_private(&to.join(MANIFEST), &text)
        });
        written.map_err(io_error("write", &to.join(MANIFEST)))?;
        Ok(manifest)
    }
}

/// Removes what was put aside for who then went away: what is older than `age` and nobody copies. Blocks.
pub(crate) fn sweep(folder: &DataFolder, age: Duration) -> io::Result<()> {
    for snapshot in listed(&folder.snapshots())? {
        let opened = File::open(&snapshot)?;
        let old = opened.metadata()?.modified()?.elapsed().is_ok_and(|it| it >= age);
        if old && opened.try_lock().is_ok() {
            fs::remove_dir_all(&snapshot)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_aside_is_swept_out_unless_it_is_new_or_being_copied() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = DataFolder::new(scratch.path().to_owned());
        let place = |name: &str| folder.snapshots().join(name);
        for name in ["left", "copied"] {
            fs::create_dir_all(place(name)).unwrap();
        }
        let copied = File::open(place("copied")).unwrap();
        copied.lock_shared().unwrap();
        sweep(&folder, Duration::from_secs(3600)).unwrap();
        assert!(place("left").exists());
        sweep(&folder, Duration::ZERO).unwrap();
        assert!(!place("left").exists() && place("copied").exists());
    }
}
