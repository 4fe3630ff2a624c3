//! A batch: lines that are written together. One is open for those who append, one is being written.

use crate::{
    chain::{self, Hash, TAIL},
    key::{PublicKey, SIGNATURE, SigningKey},
    operation::{Event, Operation, Own},
    outcome::Outcome,
    record::{self, Record},
    summary::{Summary, Word},
    wire::{FORMAT, MAX_NAME, moment::Clock, put},
};

/// Whole lines, their hashes still open until the batch is [chained](Batch::chain).
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    /// Where each line ends, so that it need not be looked for.
    ends: Vec<usize>,
    /// The number of the first line, also of one that is yet to come.
    pub(crate) first: u64,
    /// The number of the next line.
    pub(crate) next: u64,
    pub(crate) summary: Summary,
    /// Whether the first line begins a segment.
    pub(crate) header: bool,
    /// Where the checkpoint begins, which is the last line.
    checkpoint: Option<usize>,
    clock: Clock,
}

/// What stands in front of the hash before, in what a checkpoint signs.
const CONTEXT: &[u8] = b"sockeye journal checkpoint 1\0";

const SIGNATURE_KEY: &[u8] = b",\"signature\":\"";
const PREVIOUS_KEY: &[u8] = b",\"previous\":\"";
const SUMMARY_KEY: &[u8] = b",\"summary\":\"";

impl Batch {
    /// An empty batch whose first line will have this number.
    pub(crate) fn new(next: u64) -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
            first: next,
            next,
            summary: Summary::new(),
            header: false,
            checkpoint: None,
            clock: Clock::new(),
        }
    }

    /// Makes it empty again, without giving its memory back.
    pub(crate) fn restart(&mut self, next: u64) {
        self.bytes.clear();
        self.ends.clear();
        self.summary.clear();
        (self.first, self.next, self.header, self.checkpoint) = (next, next, false, None);
    }

    /// Appends a record and gives its number.
    pub(crate) fn push(&mut self, record: &Record<'_>) -> u64 {
        let seq = self.next;
        record.put(&mut self.bytes, seq, &mut self.clock);
        self.ends.push(self.bytes.len());
        let micros = record::micros(record.at);
        self.summary.add(micros, Event::Operation(record.operation), record.outcome);
        // As the line has them.
        self.summary.add_word(Word::Protocol, &put::cut(record.protocol, MAX_NAME));
        if let Some(account) = record.account {
            self.summary.add_word(Word::Account, &put::cut(account, MAX_NAME));
        }
        self.next += 1;
        seq
    }

    /// Appends the first line of a segment.
    pub(crate) fn push_header(&mut self, micros: u64) {
        self.header = true;
        self.push_own(Own::Segment, Outcome::Ok, micros, |out| {
            out.extend_from_slice(b",\"format\":");
            put::number(out, FORMAT);
            for name in [PREVIOUS_KEY, SUMMARY_KEY] {
                out.extend_from_slice(name);
                put::hex(out, &Hash::ZERO.0);
                out.push(b'"');
            }
        });
    }

    /// Appends a checkpoint; nothing may follow it in this batch.
    pub(crate) fn push_checkpoint(&mut self, micros: u64, key: PublicKey) {
        self.checkpoint = Some(self.bytes.len());
        self.push_own(Own::Checkpoint, Outcome::Ok, micros, |out| {
            text(out, "key", &key.to_string());
            out.extend_from_slice(SIGNATURE_KEY);
            put::hex(out, &[0; SIGNATURE]);
            out.push(b'"');
        });
    }

    /// Appends that a torn end was cut off, that lines are missing, or both.
    ///
    /// What a crash tears is no failure; missing lines are.
    pub(crate) fn push_repair(
        &mut self,
        micros: u64,
        outcome: Outcome,
        cut: u64,
        lost: u64,
        why: &str,
    ) {
        self.push_own(Own::Repair, outcome, micros, |out| {
            number(out, "bytes", cut);
            number(out, "lost", lost);
            text(out, "detail", why);
        });
    }

    /// Appends that segments before this line are removed.
    pub(crate) fn push_retention(&mut self, micros: u64, first: u64, bytes: u64) {
        self.push_own(Own::Retention, Outcome::Ok, micros, |out| {
            number(out, "first", first);
            number(out, "bytes", bytes);
        });
    }

    /// Appends how many operations of each name were carried out unrecorded.
    pub(crate) fn push_gap(&mut self, micros: u64, counts: &[u64; Operation::COUNT]) {
        let each: Vec<_> = Operation::all()
            .zip(counts)
            .filter(|(_, count)| **count > 0)
            .map(|(operation, count)| format!("{operation} {count}"))
            .collect();
        self.push_own(Own::Gap, Outcome::Failed, micros, |out| {
            number(out, "lost", counts.iter().sum());
            text(out, "detail", &each.join(", "));
        });
    }

    fn push_own(
        &mut self,
        own: Own,
        outcome: Outcome,
        micros: u64,
        more: impl FnOnce(&mut Vec<u8>),
    ) {
        let out = &mut self.bytes;
        record::begin(out, self.next, micros, &mut self.clock, own.name(), outcome);
        more(out);
        out.extend_from_slice(TAIL);
        self.ends.push(self.bytes.len());
        self.summary.add(micros, Event::Own(own), outcome);
        self.next += 1;
    }

    /// Fills in all that depends on what stands before, and gives the hash of the last line.
    pub(crate) fn chain(&mut self, previous: Hash, summary: Hash, key: &SigningKey) -> Hash {
        let mut hash = previous;
        let mut at = 0;
        for &end in &self.ends {
            let line = &mut self.bytes[at..end];
            if at == 0 && self.header {
                fill(line, PREVIOUS_KEY, &previous.0);
                fill(line, SUMMARY_KEY, &summary.0);
            }
            if self.checkpoint == Some(at) {
                sign(line, hash, key);
            }
            hash = chain::seal(hash, line);
            at = end;
        }
        hash
    }

    /// Whether its last line is a checkpoint.
    pub(crate) const fn is_signed(&self) -> bool {
        self.checkpoint.is_some()
    }
}

/// The message that a checkpoint signs: the hash before, and its own line up to the signature.
pub(crate) fn signed(previous: Hash, content: &[u8]) -> Option<Vec<u8>> {
    let end = memchr::memmem::find(content, SIGNATURE_KEY)?;
    Some([CONTEXT, &previous.0, &content[..end]].concat())
}

fn sign(line: &mut [u8], previous: Hash, key: &SigningKey) {
    if let Some(message) = signed(previous, line) {
        fill(line, SIGNATURE_KEY, &key.sign(&message));
    }
}

/// Fills a place that was left open for bytes in hexadecimal digits.
fn fill(line: &mut [u8], name: &[u8], bytes: &[u8]) {
    if let Some(at) = memchr::memmem::find(line, name) {
        put::set_hex(&mut line[at + name.len()..][..2 * bytes.len()], bytes);
    }
}

fn text(out: &mut Vec<u8>, name: &str, text: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":\"");
    put::escaped(out, text);
    out.push(b'"');
}

fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    put::number(out, value);
}
