//! A backup put back into a data folder that has no accounts.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    BackedUp, BackupError, FORMAT, MANIFEST, Manifest, copy, io_error, make_folder_of, name_of,
    sync_names,
};
use crate::data::DataFolder;

impl Manifest {
    /// Reads the list of the backup in `folder`.
    ///
    /// # Errors
    /// [`BackupError::Missing`]; [`BackupError::NoBackup`], also of a newer format or with a path that leads out of the folder.
    pub fn read(folder: &Path) -> Result<Self, BackupError> {
        let no_backup = |why: String| BackupError::NoBackup { path: folder.to_owned(), why };
        let text = fs::read(folder.join(MANIFEST)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if !folder.exists() => BackupError::Missing(folder.to_owned()),
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
        for files in [first, last] {
            files.iter().try_for_each(|file| file.put_back(folder, to))?;
            sync_names(to.path(), files).map_err(io_error("write", to.path()))?;
        }
        Ok(())
    }
}

impl BackedUp {
    /// Puts one file of the backup in `folder` where it belongs, whole or not at all.
    fn put_back(&self, folder: &Path, to: &DataFolder) -> Result<(), BackupError> {
        let place = to.path().join(&self.path);
        make_folder_of(&place).map_err(io_error("make the folder of", &place))?;
        let mut draft = place.clone().into_os_string();
        draft.push(".new");
        let draft = PathBuf::from(draft);
        let _ = fs::remove_file(&draft);
        copy(&folder.join(&self.path), &draft, self.bytes)
            .and_then(|_| forget_beside(&place))
            .and_then(|()| fs::rename(&draft, &place))
            .map_err(io_error("write", &place))
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
