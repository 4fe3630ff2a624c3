//! Opening: where the log ends, and what a crash has left behind that.
//!
//! Only the end is looked at. What is wrong further up stays as it is, for `verify` to find.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use crate::{
    Error, Result,
    chain::{self, Hash},
    head::{Head, Kept},
    key::{KEY_FILE, SigningKey},
    operation::{Event, Own},
    read::lines::{Line, Lines},
    segments::Segment,
    summary::{self, Summary},
    wire::{
        FORMAT, MAX_LINE,
        line::{self, Entry},
    },
};

/// A log that was found, or made.
pub(super) struct Recovered {
    pub(super) lock: File,
    pub(super) key: SigningKey,
    pub(super) head: Option<Head>,
    /// The last segment; none if the log is new.
    pub(super) tail: Option<Tail>,
    /// The number and the hash of the last line.
    pub(super) written: u64,
    pub(super) hash: Hash,
    /// The digest of the last segment's summary.
    pub(super) sealed_summary: Hash,
    pub(super) repair: Option<Repair>,
}

/// What there is to record of the opening.
pub(super) struct Repair {
    /// How many bytes were cut off.
    pub(super) cut: u64,
    /// How many lines are missing that were there.
    pub(super) lost: u64,
    /// Whether it is more than what a crash explains.
    pub(super) failed: bool,
    pub(super) why: &'static str,
}

/// The end of a segment.
pub(super) struct Tail {
    pub(super) segment: Segment,
    /// Where its last good line ends.
    pub(super) length: u64,
    /// What stands behind that, in bytes.
    torn: u64,
    seq: u64,
    hash: Hash,
    pub(super) born: SystemTime,
    /// Whether the last line is a checkpoint.
    pub(super) signed: bool,
    checkpoints: u64,
    pub(super) summary: Summary,
    /// The hash of the line that the head is about, if that stands here.
    at_head: Option<Hash>,
}

impl Recovered {
    pub(super) fn of_folder(folder: &Path) -> Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Error::at(folder))?;
        let mut segments = Segment::list(folder)?;
        let key = SigningKey::of_folder(folder, segments.is_empty())?;
        let lock = lock(folder)?;
        // Listed before it was locked.
        segments = if segments.is_empty() { segments } else { Segment::list(folder)? };
        let kept = Kept::read(folder)?;
        let head = match kept {
            Kept::Good(head) if head.key == key.public() => Some(head),
            _ => None,
        };
        let mut cut = 0;
        let mut tail = None;
        while let Some(segment) = segments.pop() {
            let (found, torn) = Tail::find(&segment, head)?;
            cut += torn;
            tail = found;
            if tail.is_some() {
                break;
            }
            // A crash came before its first line was whole.
            fs::remove_file(&segment.path).map_err(Error::at(&segment.path))?;
        }
        let (written, hash) = tail.as_ref().map_or((0, Hash::ZERO), |tail| (tail.seq, tail.hash));
        let sealed_summary = match &tail {
            Some(tail) => summary::digest(&tail.segment).ok().flatten().unwrap_or(Hash::ZERO),
            None => Hash::ZERO,
        };
        let repair = Repair::needed(cut, tail.as_ref(), kept, head);
        Ok(Self { lock, key, head, tail, written, hash, sealed_summary, repair })
    }
}

/// Keeps others from writing the log, for as long as the file is open.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(KEY_FILE);
    let file = File::open(&path).map_err(Error::at(&path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(Error::Locked(folder.to_owned())),
        Err(error) => Err(Error::at(path)(error.into())),
    }
}

impl Repair {
    fn needed(cut: u64, tail: Option<&Tail>, kept: Kept, head: Option<Head>) -> Option<Self> {
        let seq = tail.map_or(0, |tail| tail.seq);
        let lost = head.map_or(0, |head| head.seq.saturating_sub(seq));
        let differs = head
            .zip(tail.and_then(|tail| tail.at_head))
            .is_some_and(|(head, hash)| head.hash != hash);
        // The first head is written just after the first checkpoint, and a crash may come between.
        let had_head = tail.is_some_and(|tail| tail.checkpoints > 1 || tail.segment.first > 1);
        let (failed, why) = match kept {
            Kept::Good(_) if lost > 0 => (true, "lines are missing that were there"),
            Kept::Good(_) if differs => (true, "lines were changed"),
            Kept::Good(_) if head.is_none() => (true, "the head was signed by another key"),
            Kept::Bad => (true, "the head was damaged"),
            Kept::Missing if had_head => (true, "the head was missing"),
            _ if cut > 0 => (false, "a torn end was cut off"),
            _ => return None,
        };
        Some(Self { cut, lost, failed, why })
    }
}

impl Tail {
    /// The end of a segment, nothing if it has no whole line, and how many bytes are torn.
    fn find(segment: &Segment, head: Option<Head>) -> Result<(Option<Self>, u64)> {
        let at = || Error::at(&segment.path);
        let mut file = File::open(&segment.path).map_err(at())?;
        let length = file.metadata().map_err(at())?.len();
        if let Some(tail) = Self::signed(segment, &mut file, length, head).map_err(at())? {
            return Ok((Some(tail), 0));
        }
        file.rewind().map_err(at())?;
        match Self::read(segment, file, length, head)? {
            Some(tail) => {
                let torn = tail.torn;
                Ok((Some(tail), torn))
            }
            None => Ok((None, length)),
        }
    }

    /// The end of a segment that was closed well: the last line is the head's, and it has a summary.
    fn signed(
        segment: &Segment,
        file: &mut File,
        length: u64,
        head: Option<Head>,
    ) -> io::Result<Option<Self>> {
        let (Some(head), Some(summary)) = (head, Summary::of(segment, length)) else {
            return Ok(None);
        };
        let mut beginning = Vec::new();
        (&mut *file).take(MAX_LINE as u64).read_to_end(&mut beginning)?;
        let mut end = Vec::new();
        file.seek(SeekFrom::Start(length.saturating_sub(MAX_LINE as u64)))?;
        file.read_to_end(&mut end)?;
        let Some((lines, b'\n')) = end.split_last().map(|(last, lines)| (lines, *last)) else {
            return Ok(None);
        };
        let last = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let entry = line::parse(last).filter(|last| (last.seq, last.hash) == (head.seq, head.hash));
        Ok(entry.map(|entry| Self {
            segment: segment.clone(),
            length,
            torn: 0,
            seq: entry.seq,
            hash: entry.hash,
            born: line::beginning(&beginning).map_or(UNIX_EPOCH, |line| moment(line.micros)),
            signed: true,
            checkpoints: 0,
            summary,
            at_head: Some(entry.hash),
        }))
    }

    /// The end of any segment: behind the last line whose hash fits that of the line before it.
    fn read(
        segment: &Segment,
        file: File,
        length: u64,
        head: Option<Head>,
    ) -> Result<Option<Self>> {
        let mut lines = Lines::new(file);
        let mut tail: Option<Self> = None;
        let mut previous = None;
        let mut whole = 0_u64;
        while let Some(line) = lines.next().map_err(Error::at(&segment.path))? {
            let Line::Whole(line) = line else { continue };
            whole += 1;
            let Some((content, hash)) = chain::split(line) else { continue };
            let entry = line::parse(line);
            if whole == 1 {
                check_format(segment, entry.as_ref())?;
                previous = entry.as_ref().and_then(|entry| entry.own.previous);
            }
            let fits = previous.is_some_and(|previous| previous.link(content) == hash);
            previous = Some(hash);
            let Some(entry) = entry.filter(|_| fits) else { continue };
            let found = tail.get_or_insert_with(|| Self::beginning(segment, &entry));
            found.add(&entry, head);
            found.length = lines.offset();
        }
        match &mut tail {
            Some(tail) => tail.torn = length - tail.length,
            None if whole > 0 => {
                let why = "its first line cannot be read".to_owned();
                return Err(Error::Damaged { path: segment.path.clone(), why });
            }
            None => {}
        }
        Ok(tail)
    }

    fn beginning(segment: &Segment, entry: &Entry<'_>) -> Self {
        Self {
            segment: segment.clone(),
            length: 0,
            torn: 0,
            seq: 0,
            hash: Hash::ZERO,
            born: moment(entry.micros),
            signed: false,
            checkpoints: 0,
            summary: Summary::new(),
            at_head: None,
        }
    }

    fn add(&mut self, entry: &Entry<'_>, head: Option<Head>) {
        (self.seq, self.hash) = (entry.seq, entry.hash);
        self.signed = entry.event() == Some(Event::Own(Own::Checkpoint));
        self.checkpoints += u64::from(self.signed);
        self.summary.add_entry(entry);
        if head.is_some_and(|head| head.seq == entry.seq) {
            self.at_head = Some(entry.hash);
        }
    }
}

fn check_format(segment: &Segment, first: Option<&Entry<'_>>) -> Result<()> {
    let format = first.and_then(|first| first.own.format).unwrap_or(FORMAT);
    if format > FORMAT {
        return Err(Error::Newer { path: segment.path.clone(), format });
    }
    Ok(())
}

fn moment(micros: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(micros)
}
