//! The right to write in a data folder: its lock, and that it is private and one's own.

use std::{fs, os::unix::fs::MetadataExt as _};

use super::{DataError, DataFolder, Found, creation::Creation, lock, make_folder};

/// Group and others.
const FOREIGN: u32 = 0o077;

/// A data folder whose lock this process holds; others are refused until it is dropped.
///
/// One that was made by [`Hold::take_or_create`] is taken back when it is dropped before [`Hold::keep`], so that
/// a start that fails leaves nothing behind.
#[derive(Debug)]
pub struct Hold {
    folder: DataFolder,
    /// In front of the lock: what is taken back is taken back under it.
    creation: Option<Creation>,
    _lock: lock::Lock,
}

impl Hold {
    /// Takes the lock of a data folder that is there.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn take(folder: &DataFolder) -> Result<Self, DataError> {
        let path = folder.path().to_owned();
        match folder.found()? {
            Found::Ours => {}
            Found::Nothing => return Err(DataError::NotThere(path)),
            Found::Foreign(found) => return Err(DataError::Foreign { path, found }),
            Found::NotAFolder => return Err(DataError::NotAFolder(path)),
        }
        owned(folder)?;
        let lock = lock::take(&path, &folder.lock())?;
        // It may have been begun with a configuration alone.
        make_folders(folder)?;
        Ok(Self { folder: folder.clone(), creation: None, _lock: lock })
    }

    /// Takes the lock of a data folder, which is made if it is not there yet: with its folders, and without
    /// what others keep in it.
    ///
    /// # Errors
    /// [`DataError`]; nothing of a folder that was not there is left behind then.
    pub fn take_or_create(folder: &DataFolder) -> Result<Self, DataError> {
        if folder.found()? != Found::Nothing {
            return Self::take(folder);
        }
        let creation = Creation::begin(folder.path())?;
        let lock = match lock::take(folder.path(), &folder.lock()) {
            Ok(lock) => lock,
            Err(error) => {
                // Somebody else was faster, and it is theirs.
                if matches!(error, DataError::Held { .. }) {
                    creation.keep();
                }
                return Err(error);
            }
        };
        make_folders(folder)?;
        Ok(Self { folder: folder.clone(), creation: Some(creation), _lock: lock })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// Whether it was made just now, and is not kept yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.creation.is_some()
    }

    /// Keeps a folder that was made: it is complete.
    pub fn keep(&mut self) {
        if let Some(creation) = self.creation.take() {
            creation.keep();
        }
    }
}

/// Makes what is missing of the folders that others keep things in.
fn make_folders(folder: &DataFolder) -> Result<(), DataError> {
    for path in [folder.tls(), folder.homes(), folder.shared(), folder.public()] {
        make_folder(&path).map_err(|error| DataError::io("make the folder", path, error))?;
    }
    Ok(())
}

/// Refuses a folder of another user, and warns of one that others may look into.
fn owned(folder: &DataFolder) -> Result<(), DataError> {
    let path = folder.path();
    let found = fs::metadata(path).map_err(|error| DataError::io("open", path, error))?;
    let own = rustix::process::geteuid().as_raw();
    if found.uid() != own {
        return Err(DataError::NotOwned { path: path.to_owned(), owner: found.uid(), own });
    }
    if found.mode() & FOREIGN != 0 {
        tracing::warn!(
            "others may look into the data folder: `chmod 700 {}` keeps them out",
            path.display()
        );
    }
    Ok(())
}
