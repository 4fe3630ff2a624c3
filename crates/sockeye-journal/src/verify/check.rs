//! Going through a log, line by line.

use std::{fs::File, io, path::Path};

use super::{Fault, FaultKind, MOST_FAULTS, Verdict};
use crate::{
    Error, Result, batch,
    chain::{self, Hash},
    head::{Head, Kept},
    key::PublicKey,
    operation::{Event, Own},
    outcome::Outcome,
    read::lines::{Line, Lines},
    segments::Segment,
    summary::{self, Summary},
    wire::{
        FORMAT,
        line::{self, Entry},
    },
};

/// Where the check stands.
pub(super) struct Check {
    key: PublicKey,
    kept: Kept,
    against: Option<Head>,
    /// The number that the next line has, and the hash before it; nothing before the first line.
    expected: Option<(u64, Hash)>,
    /// The segment before.
    before: Option<Segment>,
    /// What is recorded of removed segments: the first line that is kept, signed and not yet signed.
    kept_from: u64,
    kept_from_unsigned: u64,
    /// The hashes of the lines that the heads are about.
    at_kept: Option<Hash>,
    at_against: Option<Hash>,
    verdict: Verdict,
}

impl Check {
    pub(super) fn new(key: PublicKey, kept: Kept, against: Option<Head>) -> Self {
        let verdict = Verdict {
            segments: 0,
            lines: 0,
            first: 0,
            last: 0,
            signed: 0,
            checkpoints: 0,
            faults: Vec::new(),
            more_faults: 0,
            notes: Vec::new(),
        };
        Self {
            key,
            kept,
            against,
            expected: None,
            before: None,
            kept_from: 1,
            kept_from_unsigned: 1,
            at_kept: None,
            at_against: None,
            verdict,
        }
    }

    fn fault(&mut self, file: &Path, line: Option<u64>, kind: FaultKind) {
        if self.verdict.faults.len() < MOST_FAULTS {
            self.verdict.faults.push(Fault { file: file.to_owned(), line, kind });
        } else {
            self.verdict.more_faults += 1;
        }
    }

    pub(super) fn segment(&mut self, segment: &Segment, is_newest: bool) -> Result<()> {
        let at = || Error::at(&segment.path);
        let file = match File::open(&segment.path) {
            Ok(file) => file,
            // Removed for its age just now, if none of those before is there either.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.expected.is_none() => {
                return Ok(());
            }
            Err(error) => return Err(at()(error)),
        };
        let length = file.metadata().map_err(at())?.len();
        // What authenticates the summaries of the others is the segment behind them.
        let stored = if is_newest { Summary::of(segment, length) } else { None };
        let mut summary = stored.is_some().then(Summary::new);
        let faults_before = self.verdict.faults.len();
        self.verdict.segments += 1;
        let mut lines = Lines::new(file);
        let mut number = 0;
        while let Some(line) = lines.next().map_err(at())? {
            number += 1;
            match line {
                Line::Whole(line) => {
                    self.line(segment, number, line);
                    if let Some(summary) = &mut summary
                        && let Some(entry) = line::parse(line)
                    {
                        summary.add_entry(&entry);
                    }
                }
                Line::Torn(part) if is_newest => {
                    let note = "incomplete: it is being written, or was torn by a crash";
                    let bytes = part.len();
                    self.verdict.notes.push(format!("the last line ({bytes} bytes) is {note}"));
                }
                Line::TooLong | Line::Torn(_) => {
                    self.fault(&segment.path, Some(number), FaultKind::Broken);
                }
            }
        }
        // A line that was changed is summed up otherwise, and was told of.
        if stored != summary && self.verdict.faults.len() == faults_before {
            self.fault(&segment.summary(), None, FaultKind::Summary);
        }
        self.before = Some(segment.clone());
        Ok(())
    }

    fn line(&mut self, segment: &Segment, number: u64, line: &[u8]) {
        let parts = chain::split(line).zip(line::beginning(line));
        let Some(((content, hash), beginning)) = parts else {
            self.fault(&segment.path, Some(number), FaultKind::Broken);
            // The line behind it has the hash that should have stood here: nothing to go by.
            if let Some((seq, _)) = &mut self.expected {
                *seq += 1;
            }
            return;
        };
        let seq = beginning.seq;
        let is_own = Own::all().any(|own| own.name().as_bytes() == beginning.op);
        let entry = if is_own || number == 1 { line::parse(line) } else { None };
        if number == 1 {
            self.header(segment, entry.as_ref());
        }
        let (expected, previous) = self.expected.unwrap_or((seq, Hash::ZERO));
        if seq != expected {
            let kind = match seq.checked_sub(1) {
                Some(last) if seq > expected => FaultKind::Missing { first: expected, last },
                _ => FaultKind::OutOfOrder { expected, found: seq },
            };
            self.fault(&segment.path, Some(number), kind);
        } else if previous.link(content) != hash {
            self.fault(&segment.path, Some(number), FaultKind::Changed);
        }
        if let Some(entry) = entry.filter(|_| is_own) {
            self.own(segment, number, previous, content, &entry);
        } else if is_own {
            self.fault(&segment.path, Some(number), FaultKind::Broken);
        }
        // From here on by what the line says of itself, so that one change is one fault.
        self.expected = Some((seq.saturating_add(1), hash));
        self.note(seq, hash);
    }

    /// Counts a line, and notes what the heads are compared with.
    fn note(&mut self, seq: u64, hash: Hash) {
        self.verdict.lines += 1;
        self.verdict.last = seq;
        if self.verdict.first == 0 {
            self.verdict.first = seq;
        }
        if matches!(self.kept, Kept::Good(head) if head.seq == seq) {
            self.at_kept = Some(hash);
        }
        if self.against.is_some_and(|head| head.seq == seq) {
            self.at_against = Some(hash);
        }
    }

    /// The first line of a segment: it continues the one before, and names its summary.
    fn header(&mut self, segment: &Segment, entry: Option<&Entry<'_>>) {
        let header = entry.filter(|entry| entry.event() == Some(Event::Own(Own::Segment)));
        let Some((header, previous)) = header.and_then(|it| Some((it, it.own.previous?))) else {
            self.fault(&segment.path, Some(1), FaultKind::Broken);
            self.expected.get_or_insert((segment.first, Hash::ZERO));
            return;
        };
        if header.own.format.is_none_or(|format| format > FORMAT) || header.seq != segment.first {
            self.fault(&segment.path, Some(1), FaultKind::Broken);
        }
        match self.expected {
            // That lines are missing in between is told of the line.
            Some((seq, _)) if seq != header.seq => return,
            Some((_, hash)) if hash != previous => {
                return self.fault(&segment.path, Some(1), FaultKind::Disjoint);
            }
            Some(_) => {}
            None => self.expected = Some((segment.first, previous)),
        }
        if let Some(before) = self.before.clone() {
            let there = summary::digest(&before).ok().flatten();
            if there.is_some() && there != header.own.summary {
                self.fault(&before.summary(), None, FaultKind::Summary);
            }
        }
    }

    /// What the journal says itself.
    fn own(
        &mut self,
        segment: &Segment,
        number: u64,
        previous: Hash,
        content: &[u8],
        entry: &Entry<'_>,
    ) {
        match entry.event() {
            Some(Event::Own(Own::Checkpoint)) => {
                let signature = entry.own.signature.as_deref().unwrap_or_default();
                let message = batch::signed(previous, content);
                if message.is_some_and(|message| self.key.verifies(&message, signature)) {
                    self.verdict.signed = entry.seq;
                    self.verdict.checkpoints += 1;
                    self.kept_from = self.kept_from_unsigned;
                } else {
                    self.fault(&segment.path, Some(number), FaultKind::Signature(self.key));
                }
            }
            Some(Event::Own(Own::Retention)) => {
                let first = entry.own.first.unwrap_or_default();
                self.kept_from_unsigned = self.kept_from_unsigned.max(first);
            }
            Some(Event::Own(Own::Repair)) => {
                let what = entry.detail.as_deref().unwrap_or_default();
                let (cut, lost) =
                    (entry.bytes.unwrap_or_default(), entry.own.lost.unwrap_or_default());
                let text = format!("{what} ({cut} bytes cut off, {lost} lines missing)");
                if entry.outcome == Outcome::Ok.name() {
                    self.verdict.notes.push(format!("line {}: {text}", entry.seq));
                } else {
                    self.fault(&segment.path, Some(number), FaultKind::Recorded(text));
                }
            }
            Some(Event::Own(Own::Gap)) => {
                let what = entry.detail.as_deref().unwrap_or_default();
                let note = format!("line {}: not recorded while the log was stalled", entry.seq);
                self.verdict.notes.push(format!("{note}: {what}"));
            }
            _ => {}
        }
        self.verdict.notes.truncate(MOST_FAULTS);
    }

    /// What was found out, once all segments are through.
    pub(super) fn end(mut self, folder: &Path, oldest: &Segment) -> Verdict {
        self.beginning(oldest);
        self.heads(folder);
        self.verdict
    }

    /// Whether what is missing at the front was removed for its age.
    fn beginning(&mut self, oldest: &Segment) {
        let first = self.verdict.first;
        if first > self.kept_from {
            let kind = FaultKind::Missing { first: self.kept_from, last: first - 1 };
            self.fault(&oldest.path, None, kind);
        } else if first > 1 {
            let note = format!("lines 1 to {} were removed for their age, as recorded", first - 1);
            self.verdict.notes.push(note);
        }
    }

    /// Whether the end is where the heads say.
    fn heads(&mut self, folder: &Path) {
        let path = folder.join(crate::HEAD_FILE);
        match self.kept {
            Kept::Good(head) if head.key == self.key => {
                self.compare(&path, head, self.at_kept);
            }
            Kept::Good(_) => self.fault(&path, None, FaultKind::Head("signed by another key")),
            Kept::Bad => self.fault(&path, None, FaultKind::Head("damaged")),
            // Nothing was signed yet: there is none.
            Kept::Missing if self.verdict.checkpoints == 0 => {}
            Kept::Missing => self.fault(&path, None, FaultKind::Head("missing")),
        }
        if let Some(head) = self.against {
            if head.seq < self.verdict.first {
                let note = "the head to compare with is older than what is kept";
                self.verdict.notes.push(note.to_owned());
            } else {
                self.compare(folder, head, self.at_against);
            }
        }
        let unsigned = self.verdict.last - self.verdict.signed.min(self.verdict.last);
        if unsigned > 0 {
            self.verdict.notes.push(format!("the last {unsigned} lines are not yet signed"));
        }
    }

    fn compare(&mut self, file: &Path, head: Head, found: Option<Hash>) {
        let last = self.verdict.last;
        match found {
            Some(hash) if hash == head.hash => {}
            None if head.seq > last => {
                self.fault(file, None, FaultKind::CutShort { last, head: head.seq });
            }
            _ => self.fault(file, None, FaultKind::OtherLine(head.seq)),
        }
    }
}
