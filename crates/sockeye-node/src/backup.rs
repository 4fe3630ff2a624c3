//! Backups: a snapshot of what a node knows, taken while it runs, and put back where there is none.
//!
//! What is in it: the accounts, the properties of files and the locks on them, the configuration, the journal up to a checkpoint, and the keys. The files of
//! the homes are not: they are plain files under `homes`, `shared` and `public`, for rsync(1) and the like.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use sockeye_journal::{Operation, Record};

use crate::{
    Node,
    command::{Commander, Refusal, RefusalKind},
    data::{DataError, DataFolder, make_folder},
};

/// The list of a backup's files, which is written last.
pub const MANIFEST: &str = "manifest.json";

/// The format of the list.
const FORMAT: u32 = 1;

/// The extension of the journal's segments.
const SEGMENT: &str = "jsonl";

/// Bytes that are copied at once.
const PIECE: usize = 256 * 1024;

/// What a holder of the data folder put aside for a backup: a folder within it, to be copied and removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The folder.
    pub folder: PathBuf,
    /// Its files, from there: where each belongs in a data folder, and how much of it counts.
    pub files: Vec<(PathBuf, u64)>,
}

/// The list of a backup's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of this list.
    pub format: u32,
    /// The version of the program that made it.
    pub version: String,
    /// When it was made, in seconds since 1970.
    pub made: u64,
    /// The files.
    pub files: Vec<BackedUp>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// Where it belongs in a data folder.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: u64,
    /// The BLAKE3 digest of them, in hexadecimal digits.
    pub blake3: String,
}

/// Why a backup was not made, or not put back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is something where the backup was to be.
    #[error("{} is there already", .0.display())]
    Taken(PathBuf),
    /// It is no backup.
    #[error("{} is no backup: {why}", path.display())]
    NoBackup {
        /// The folder.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A file is not what it was.
    #[error("{} was changed since the backup was made; nothing was put back", .0.display())]
    Changed(PathBuf),
    /// There is something that would be lost.
    #[error("{} has accounts already", .0.display())]
    Occupied(PathBuf),
    /// The data folder.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The system refused.
    #[error("cannot {verb} {}: {source}", path.display())]
    Io {
        /// What was to be done.
        verb: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

fn io_error(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    move |source| BackupError::Io { verb, path: path.to_owned(), source }
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
        let linked = self.pool().run(move || link(&from, &to)).await;
        let files = linked.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        Ok(Snapshot { folder, files })
    }
}

fn name_of(path: &Path) -> PathBuf {
    path.file_name().map(PathBuf::from).unwrap_or_default()
}

/// Links what does not change in place (the journal's segments only grow) and copies the rest. What of it
/// counts is how long it is now.
fn link(from: &DataFolder, to: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    let mut add = |path: &Path| -> io::Result<()> {
        files.push((path.to_owned(), fs::metadata(to.join(path))?.len()));
        Ok(())
    };
    add(&name_of(&from.database()))?;
    add(&name_of(&from.marks()))?;
    let relative = |path: &Path| path.strip_prefix(from.path()).map(Path::to_owned);
    let journal = listed(&from.journal())?.into_iter().filter(|path| path.is_file());
    let (segments, others): (Vec<_>, Vec<_>) =
        journal.partition(|path| path.extension().is_some_and(|it| it == SEGMENT));
    // What is said of the segments before them, so that it is not said of lines that are missing.
    let settings =
        [from.config(), from.links_key()].into_iter().chain(listed(&from.tls())?).chain(others);
    for path in settings.filter(|path| path.is_file()) {
        let place = relative(&path).map_err(io::Error::other)?;
        make_folder_of(&to.join(&place))?;
        match fs::copy(&path, to.join(&place)) {
            // A head that was begun has its name by now, or an old segment's summary went with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            done => done?,
        };
        add(&place)?;
    }
    for path in segments {
        let place = relative(&path).map_err(io::Error::other)?;
        let linked = to.join(&place);
        match fs::hard_link(&path, &linked) {
            // Removed as too old, just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            done => done?,
        }
        files.push((place, whole_lines(&linked)?));
    }
    Ok(files)
}

/// The bytes of a segment up to the end of its last whole line: a line may just be written.
fn whole_lines(path: &Path) -> io::Result<u64> {
    use std::io::{Seek as _, SeekFrom};
    let mut file = File::open(path)?;
    let mut end = file.metadata()?.len();
    let mut piece = vec![0; PIECE];
    while end > 0 {
        let begin = end.saturating_sub(PIECE as u64);
        file.seek(SeekFrom::Start(begin))?;
        let length = usize::try_from(end - begin).map_err(io::Error::other)?;
        file.read_exact(&mut piece[..length])?;
        if let Some(at) = piece[..length].iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

fn make_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| make_folder(folder).map(drop))
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
            crate::data::write_private(&to.join(MANIFEST), &text)?;
            File::open(to)?.sync_all()
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

/// Copies the first `bytes` of a file to a new one, for its owner alone, brings them to the disk, and gives
/// their digest.
fn copy(from: &Path, to: &Path, bytes: u64) -> io::Result<String> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut source = File::open(from)?.take(bytes);
    let mut target = File::options().write(true).create_new(true).mode(0o600).open(to)?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    let mut copied = 0;
    loop {
        let n = source.read(&mut piece)?;
        if n == 0 {
            break;
        }
        hasher.update(&piece[..n]);
        target.write_all(&piece[..n])?;
        copied += n as u64;
    }
    if copied < bytes {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter meanwhile"));
    }
    target.sync_all()?;
    Ok(hasher.finalize().to_hex().to_string())
}

impl Manifest {
    /// Reads the list of the backup in `folder`.
    ///
    /// # Errors
    /// [`BackupError::NoBackup`], also of a newer format or with a path that leads out of the folder.
    pub fn read(folder: &Path) -> Result<Self, BackupError> {
        let no_backup = |why: String| BackupError::NoBackup { path: folder.to_owned(), why };
        let text = fs::read(folder.join(MANIFEST)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => no_backup(format!("it has no {MANIFEST}")),
            _ => no_backup(format!("{MANIFEST}: {error}")),
        })?;
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| no_backup(format!("{MANIFEST}: {error}")))?;
        if manifest.format > FORMAT {
            let why =
                format!("{MANIFEST} is of format {}, newer than this program", manifest.format);
            return Err(no_backup(why));
        }
        let plain = |path: &Path| {
            path.components().all(|part| matches!(part, std::path::Component::Normal(_)))
        };
        if let Some(file) = manifest.files.iter().find(|file| !plain(&file.path)) {
            return Err(no_backup(format!("{} leads out of it", file.path.display())));
        }
        Ok(manifest)
    }

    /// Looks whether every file of the backup in `folder` is what it was. Blocks.
    ///
    /// # Errors
    /// [`BackupError::Changed`], or what could not be read.
    pub fn verify(&self, folder: &Path) -> Result<(), BackupError> {
        for file in &self.files {
            let path = folder.join(&file.path);
            let digest = digest(&path).map_err(io_error("read", &path))?;
            if digest != file.blake3 {
                return Err(BackupError::Changed(path));
            }
        }
        Ok(())
    }

    /// Puts the backup in `folder` into a data folder that has no accounts; homes that are there stay, and
    /// belong to their accounts again. The caller holds the data folder. Blocks.
    ///
    /// # Errors
    /// [`BackupError`]; nothing is put back unless the whole backup is right.
    pub fn restore(&self, folder: &Path, to: &DataFolder) -> Result<(), BackupError> {
        if to.database().exists() {
            return Err(BackupError::Occupied(to.path().to_owned()));
        }
        self.verify(folder)?;
        // The accounts last: without them it counts as not restored.
        let database = name_of(&to.database());
        let (last, first): (Vec<_>, Vec<_>) =
            self.files.iter().partition(|file| file.path == database);
        for file in first.into_iter().chain(last) {
            let place = to.path().join(&file.path);
            make_folder_of(&place).map_err(io_error("make the folder of", &place))?;
            let mut draft = place.clone().into_os_string();
            draft.push(".new");
            let draft = PathBuf::from(draft);
            let _ = fs::remove_file(&draft);
            copy(&folder.join(&file.path), &draft, file.bytes)
                .and_then(|_| forget_beside(&place))
                .and_then(|()| fs::rename(&draft, &place))
                .map_err(io_error("write", &place))?;
        }
        let synced = File::open(to.path()).and_then(|folder| folder.sync_all());
        synced.map_err(io_error("write", to.path()))
    }
}

/// Removes what SQLite left beside an older database of that name, which is of no other.
fn forget_beside(path: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
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
