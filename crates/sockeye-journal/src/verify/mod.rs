//! Verification: whether a log is whole, and if not, where and how.
//!
//! # What it finds, and what not
//!
//! Everything up to the last checkpoint is covered by a signature. Whoever has not the key cannot edit,
//! insert, reorder or remove a line there without being found. Lines behind it (of about a second, as
//! long as the log is written) are chained and not yet signed: who can change the files can change
//! those, and it is told how many there are.
//!
//! Cutting the end off is found by the folder's `head`, which is signed as well: it names a line that is
//! gone then. Who kept an older `head` of the same log can put it back together with a log that is cut
//! at the same place; that, and a log whose key was replaced together with it, is found by a [`Head`]
//! or a key kept elsewhere, and not without. Who has the key can write any log.

mod check;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{
    Error, Result,
    head::{Head, Kept},
    key::PublicKey,
    segments::Segment,
};
use check::Check;

/// Most faults that are listed; more are counted.
pub const MOST_FAULTS: usize = 100;

/// What was found out about a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// How many segments and lines there are.
    pub segments: u64,
    /// How many lines there are.
    pub lines: u64,
    /// The number of the first line that is kept; 1 unless older ones were removed for their age.
    pub first: u64,
    /// The number of the last line.
    pub last: u64,
    /// The number of the last checkpoint; all up to it is signed.
    pub signed: u64,
    /// How many checkpoints there are.
    pub checkpoints: u64,
    /// What is wrong, at most [`MOST_FAULTS`].
    pub faults: Vec<Fault>,
    /// How many faults there are beyond those.
    pub more_faults: u64,
    /// What is worth knowing, and not wrong.
    pub notes: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Something that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The file that it was found in.
    pub file: PathBuf,
    /// The line in it, from 1; none if the file as a whole is meant.
    pub line: Option<u64>,
    /// What it is.
    pub kind: FaultKind,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.kind)
    }
}

/// What can be wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// Not a line of a log, or of a newer format.
    #[error("this is not a line of a log")]
    Broken,
    /// The line, or what stands before it, is not what was written.
    #[error("the line was changed, or what stands before it: its hash does not fit")]
    Changed,
    /// Lines are missing.
    #[error("lines {first} to {last} are missing")]
    Missing {
        /// The first that is missing.
        first: u64,
        /// The last that is missing.
        last: u64,
    },
    /// A line stands where another is expected.
    #[error("line {found} stands where {expected} is expected: lines were reordered or repeated")]
    OutOfOrder {
        /// What should stand here.
        expected: u64,
        /// What stands here.
        found: u64,
    },
    /// The first line of a segment does not continue the one before.
    #[error("the segment does not continue the one before it")]
    Disjoint,
    /// A checkpoint's signature is not by the key.
    #[error("the checkpoint is not signed by the key {0}")]
    Signature(PublicKey),
    /// A segment's summary, which searches go by, is not what was written.
    #[error("the summary was changed, and searches may pass over lines: remove it")]
    Summary,
    /// The end is missing.
    #[error("the log is cut short: it ends with line {last}, and had {head}")]
    CutShort {
        /// The last line.
        last: u64,
        /// The line that it had.
        head: u64,
    },
    /// The line that a head is about is another one.
    #[error(
        "line {0} is not the one that the head was taken from: this is another log, or it was rewritten"
    )]
    OtherLine(u64),
    /// The folder's head is missing or damaged.
    #[error(
        "the head is {0}: whether the end was cut off cannot be told without one kept elsewhere"
    )]
    Head(&'static str),
    /// What the journal itself found and recorded.
    #[error("the journal recorded: {0}")]
    Recorded(String),
}

/// Verifies the log of a folder with a public key, and against a head that was kept elsewhere.
///
/// It reads everything once, in bounded memory; the log may be written meanwhile.
///
/// # Errors
/// If there is no log, or it cannot be read. What is wrong with it is no error but part of the verdict.
pub fn verify(folder: &Path, key: PublicKey, against: Option<Head>) -> Result<Verdict> {
    // Before the lines, as it is written after them.
    let kept = Kept::read(folder)?;
    let segments = Segment::list(folder)?;
    if segments.is_empty() {
        return Err(Error::NoLog(folder.to_owned()));
    }
    let mut check = Check::new(key, kept, against);
    let newest = segments.len() - 1;
    for (index, segment) in segments.iter().enumerate() {
        check.segment(segment, index == newest)?;
    }
    Ok(check.end(folder, &segments[0]))
}
