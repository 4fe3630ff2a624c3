//! Why a data folder cannot be had: what stands in the way, and the way out.

use std::{io, path::PathBuf};

/// Why a data folder cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// There is none.
    #[error("there is no data folder {}", .0.display())]
    NotThere(PathBuf),
    /// Somebody else holds it.
    #[error("{} is in use{}", path.display(), by(*.pid))]
    Held {
        /// The folder.
        path: PathBuf,
        /// The process that holds it, as far as it said so.
        pid: Option<u32>,
    },
    /// The folder has something else in it.
    #[error("{} is no data folder: it has {found} in it", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// Something that is in it.
        found: String,
    },
    /// It is a file.
    #[error("{} is a file, not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// It belongs to another user, who could not read what this one would write.
    #[error("{} belongs to the user with id {owner}, and this is the user with id {own}", path.display())]
    NotOwned {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who wants it.
        own: u32,
    },
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

fn by(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" by process {pid}"))
}

impl DataError {
    /// The system refused to `verb` what is at `path`.
    pub(crate) fn io(verb: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { verb, path: path.into(), source }
    }

    /// The way out, if there is one that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotThere(_) => Some("`sockeye serve` makes one; --data names another".to_owned()),
            Self::Held { pid: Some(pid), .. } => Some(format!(
                "stop it first (Ctrl-C where it runs, `systemctl stop sockeye`, or `kill {pid}`), or let this one have \
                 another folder with --data and other listeners with --listen"
            )),
            Self::Held { pid: None, .. } => Some("try again shortly".to_owned()),
            Self::Foreign { .. } | Self::NotAFolder(_) => {
                Some("name an empty folder, or one that is to be made, with --data".to_owned())
            }
            Self::NotOwned { owner, .. } => {
                Some(format!("run this as that user: `sudo -u '#{owner}' sockeye …`"))
            }
            Self::Io { verb: "make the folder", source, .. }
                if source.kind() == io::ErrorKind::NotFound =>
            {
                Some("no folder can be made there: name another with --data".to_owned())
            }
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => Some(
                    "check its owner and mode with `ls -ld`, or name another with --data".into(),
                ),
                io::ErrorKind::ReadOnlyFilesystem => {
                    Some("name a folder that can be written with --data".to_owned())
                }
                io::ErrorKind::StorageFull => Some("make room on its filesystem".to_owned()),
                _ => None,
            },
        }
    }
}
