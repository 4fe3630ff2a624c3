//! The segments of a log: files named by the number of their first line, and what stands in the folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// One file of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The number of its first line.
    pub first: u64,
    /// Where it is.
    pub path: PathBuf,
}

const EXTENSION: &str = "jsonl";

impl Segment {
    pub(crate) fn new(folder: &Path, first: u64) -> Self {
        Self { first, path: folder.join(format!("{first:020}.{EXTENSION}")) }
    }

    /// The segments of a folder, the oldest first; files of other names are none.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn list(folder: &Path) -> Result<Vec<Self>> {
        let mut segments = Vec::new();
        let entries = fs::read_dir(folder).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::NoLog(folder.to_owned()),
            _ => Error::at(folder)(error),
        })?;
        for entry in entries {
            let name = entry.map_err(Error::at(folder))?.file_name();
            segments.extend(name.to_str().and_then(Self::parse).map(|n| Self::new(folder, n)));
        }
        segments.sort_unstable_by_key(|segment| segment.first);
        Ok(segments)
    }

    /// The number in a segment's name.
    fn parse(name: &str) -> Option<u64> {
        let digits = name.strip_suffix(EXTENSION)?.strip_suffix('.')?;
        let is_number = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|number| is_number && *number > 0)
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{:020}.{EXTENSION}", self.first)
    }

    /// Where its summary is.
    pub(crate) fn summary(&self) -> PathBuf {
        self.path.with_extension("summary")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_listed_by_their_numbers_and_other_files_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let (ten, nine) = (Segment::new(folder.path(), 10), Segment::new(folder.path(), 9));
        for name in [&*ten.name(), &nine.name(), "journal.key", "7.jsonl", "head"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::write(folder.path().join("00000000000000000000.jsonl"), "").unwrap();
        fs::write(folder.path().join("+0000000000000000011.jsonl"), "").unwrap();
        fs::write(nine.summary(), "").unwrap();
        assert_eq!(Segment::list(folder.path()).unwrap(), [nine, ten]);
        let gone = folder.path().join("gone");
        assert!(matches!(Segment::list(&gone), Err(Error::NoLog(_))));
    }
}
