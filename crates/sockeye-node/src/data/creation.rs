//! A data folder that is being made: taken back unless it is kept.
//!
//! What is taken back is all that is in the folder: it was empty, and its lock is held.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{DataError, NOTHING, make_folder};

/// What was made so far.
#[derive(Debug)]
pub(super) struct Creation {
    folder: PathBuf,
    /// Folders that were not there before, the outermost first: the data folder, and those above it.
    made: Vec<PathBuf>,
    kept: bool,
}

impl Creation {
    /// Makes the folder, and those above it.
    pub(super) fn begin(folder: &Path) -> Result<Self, DataError> {
        let mut creation = Self { folder: folder.to_owned(), made: Vec::new(), kept: false };
        let missing: Vec<_> = folder.ancestors().take_while(|path| !path.exists()).collect();
        for path in missing.into_iter().rev().filter(|path| !path.as_os_str().is_empty()) {
            match make_folder(path) {
                Ok(true) => creation.made.push(path.to_owned()),
                Ok(false) => {}
                Err(error) => return Err(DataError::io("make the folder", path, error)),
            }
        }
        if creation.made.last().is_none_or(|made| made != folder) {
            // It was there, empty: from now on it is private.
            let private = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
            private.map_err(|error| DataError::io("make private", folder, error))?;
        }
        Ok(creation)
    }

    /// It is complete.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }

    fn take_back(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name() == NOTHING {
                continue;
            }
            let path = entry.path();
            match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(path)?,
                false => fs::remove_file(path)?,
            }
        }
        self.made.iter().rev().try_for_each(fs::remove_dir)
    }
}

impl Drop for Creation {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        match self.take_back() {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %self.folder.display(), %error, "a part of the data folder stays");
            }
        }
    }
}
