//! The access log: a line for each request, appended in one write.
//!
//! Written where the request was handled, in whichever process: a write of that size to a file opened
//! for appending is not torn, so that no thread and no lock between processes is needed.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use sockeye_http::wire::log::{Record, combined};

use crate::failure::Failure;

/// A log file; clones are one.
#[derive(Clone, Debug)]
pub(super) struct LogFile(Arc<State>);

#[derive(Debug)]
struct State {
    /// `None` is standard output.
    path: Option<PathBuf>,
    file: RwLock<File>,
    /// Whether it has been said that lines are lost.
    complained: AtomicBool,
}

impl LogFile {
    /// Opens a file for appending, or standard output for `-`.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let path = Some(path).filter(|path| path.as_os_str() != "-");
        let file = open(path).map_err(|error| {
            let is_folder = error.kind() == io::ErrorKind::IsADirectory;
            let failure = Failure::from(error);
            match path {
                Some(path) if is_folder => failure
                    .about(format!("--access-log {}", path.display()))
                    .hint("put the folder to share in front, or write --access-log=-"),
                Some(path) => failure.about(format!("--access-log {}", path.display())),
                None => failure.about("standard output"),
            }
        })?;
        let (path, complained) = (path.map(Path::to_owned), AtomicBool::new(false));
        Ok(Self(Arc::new(State { path, file: RwLock::new(file), complained })))
    }

    /// Whether it is a file, which may have been moved away.
    pub(super) fn can_reopen(&self) -> bool {
        self.0.path.is_some()
    }

    /// Opens the file again by its name, after logrotate(8) has moved it.
    pub(super) fn reopen(&self) -> io::Result<()> {
        let file = open(self.0.path.as_deref())?;
        *self.0.file.write().unwrap_or_else(PoisonError::into_inner) = file;
        self.0.complained.store(false, Relaxed);
        Ok(())
    }

    /// Appends a line. A log that cannot be written does not stop the server; it is said once.
    pub(super) fn write(&self, record: &Record<'_>) {
        let mut line = String::with_capacity(160);
        combined(&mut line, record);
        line.push('\n');
        let file = self.0.file.read().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = (&*file).write_all(line.as_bytes())
            && !self.0.complained.swap(true, Relaxed)
        {
            tracing::error!(%error, "lines of the access log are lost");
        }
    }
}

fn open(path: Option<&Path>) -> io::Result<File> {
    match path {
        Some(path) => OpenOptions::new().append(true).create(true).open(path),
        None => Ok(io::stdout().as_fd().try_clone_to_owned()?.into()),
    }
}
