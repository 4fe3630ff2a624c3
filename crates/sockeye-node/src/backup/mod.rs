//! Backups: a snapshot of what a node knows, taken while it runs, and put back where there is none.
//!
//! What is in it: the accounts, the properties of files and the locks on them, the configuration, the journal up to a checkpoint, and the keys. The files of
//! the homes are not: they are plain files under `homes`, `shared` and `public`, for rsync(1) and the like.

mod restoring;
mod taking;

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

pub use self::taking::Snapshot;
pub(crate) use self::taking::sweep;
use crate::data::{DataError, make_folder};

/// The list of a backup's files, which is written last.
pub const MANIFEST: &str = "manifest.json";

/// The format of the list.
const FORMAT: u32 = 1;

/// Bytes that are copied at once.
const PIECE: usize = 256 * 1024;

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
    /// There is none.
    #[error("there is no folder {}", .0.display())]
    Missing(PathBuf),
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

fn name_of(path: &Path) -> PathBuf {
    path.file_name().map(PathBuf::from).unwrap_or_default()
}

fn make_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| make_folder(folder).map(drop))
}

/// Brings the names of these files in `top`, and of the folders that they lie in, to the disk.
fn sync_names<'a>(top: &Path, files: impl IntoIterator<Item = &'a BackedUp>) -> io::Result<()> {
    let folders = files.into_iter().filter_map(|file| file.path.parent());
    let folders = folders.flat_map(Path::ancestors);
    let folders: BTreeSet<_> = folders.map(|folder| top.join(folder)).collect();
    folders.iter().try_for_each(|folder| File::open(folder)?.sync_all())
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
