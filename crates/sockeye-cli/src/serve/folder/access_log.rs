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

/// Where lines go to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    File(PathBuf),
    Output,
    /// Where standard output is for scripts.
    Errors,
}

#[derive(Debug)]
struct State {
    target: Target,
    file: RwLock<File>,
    /// Whether it has been said that lines are lost.
    complained: AtomicBool,
}

impl LogFile {
    /// Opens a file for appending, or for `-` standard output, or standard error if that output is taken.
    pub(super) fn open(path: &Path, output_taken: bool) -> Result<Self, Failure> {
        let target = match (path.as_os_str() == "-", output_taken) {
            (false, _) => Target::File(path.to_owned()),
            (true, false) => Target::Output,
            (true, true) => Target::Errors,
        };
        let file = target.open().map_err(|error| {
            let is_folder = error.kind() == io::ErrorKind::IsADirectory;
            let failure = Failure::from(error);
            match &target {
                Target::File(path) if is_folder => failure
                    .about(format!("--access-log {}", path.display()))
                    .hint("put the folder to share in front, or write --access-log=-"),
                Target::File(path) => failure.about(format!("--access-log {}", path.display())),
                Target::Output => failure.about("standard output"),
                Target::Errors => failure.about("standard error"),
            }
        })?;
        let (file, complained) = (RwLock::new(file), AtomicBool::new(false));
        Ok(Self(Arc::new(State { target, file, complained })))
    }

    /// Whether it is a file, which may have been moved away.
    pub(super) fn can_reopen(&self) -> bool {
        matches!(self.0.target, Target::File(_))
    }

    /// Opens the file again by its name, after logrotate(8) has moved it.
    pub(super) fn reopen(&self) -> io::Result<()> {
        let file = self.0.target.open()?;
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

/// Tells of a request where everything else is told.
pub(super) fn tell(record: &Record<'_>) {
    let mut line = String::with_capacity(160);
    combined(&mut line, record);
    tracing::info!("{line}");
}

impl Target {
    fn open(&self) -> io::Result<File> {
        match self {
            Self::File(path) => OpenOptions::new().append(true).create(true).open(path),
            Self::Output => Ok(io::stdout().as_fd().try_clone_to_owned()?.into()),
            Self::Errors => Ok(io::stderr().as_fd().try_clone_to_owned()?.into()),
        }
    }
}
