//! What a segment holds, in a few kilobytes beside it, so that queries can pass it over.
//!
//! A summary is a help and never the truth: one that does not fit its segment is not used, and the
//! next segment's first line holds its digest, so that [`verify`](crate::verify) finds a forged one.

use std::{fs, io, io::Read as _, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    chain::Hash,
    operation::Event,
    outcome::Outcome,
    replace::replace,
    segments::Segment,
    wire::{FORMAT, line::Entry, moment, put},
};

/// Bytes of the filter of words: 1,000 accounts give a wrong hint in one of 5,000 queries.
const FILTER: usize = 4096;

/// Bits that a word sets in the filter.
const BITS: u32 = 4;

/// Longest summary's file, in bytes; more is none.
const MAX_FILE: u64 = 64 * 1024;

/// What the lines of a segment, or of a batch, are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The earliest and latest moments, in microseconds; the first is the greater while there is none.
    pub(crate) earliest: u64,
    pub(crate) latest: u64,
    /// The [bits](Event::bit) of the events, all set if one is not known.
    events: u32,
    /// The [bits](Outcome::bit) of the outcomes, likewise.
    outcomes: u32,
    /// A Bloom filter of the accounts and protocols.
    words: Box<[u8; FILTER]>,
}

/// What a word is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Word {
    Account = 1,
    Protocol = 2,
}

/// The summary as it stands in its file.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: u64,
    /// The segment's first line.
    first: u64,
    /// The length of the segment that this is about.
    bytes: u64,
    earliest: String,
    latest: String,
    events: Vec<String>,
    outcomes: Vec<String>,
    words: String,
}

impl Summary {
    pub(crate) fn new() -> Self {
        let words = Box::new([0; FILTER]);
        Self { earliest: u64::MAX, latest: 0, events: 0, outcomes: 0, words }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.words.fill(0);
        (self.earliest, self.latest, self.events, self.outcomes) = (u64::MAX, 0, 0, 0);
    }

    pub(crate) fn add(&mut self, micros: u64, event: Event, outcome: Outcome) {
        self.earliest = self.earliest.min(micros);
        self.latest = self.latest.max(micros);
        self.events |= event.bit();
        self.outcomes |= outcome.bit();
    }

    pub(crate) fn add_word(&mut self, word: Word, text: &str) {
        for (byte, bit) in places(word, text) {
            self.words[byte] |= bit;
        }
    }

    /// Takes in what another line of the segment says.
    pub(crate) fn add_entry(&mut self, entry: &Entry<'_>) {
        self.earliest = self.earliest.min(entry.micros);
        self.latest = self.latest.max(entry.micros);
        self.events |= entry.event().map_or(u32::MAX, Event::bit);
        self.outcomes |= entry.outcome().map_or(u32::MAX, Outcome::bit);
        for (word, text) in [(Word::Account, &entry.user), (Word::Protocol, &entry.protocol)] {
            if let Some(text) = text {
                self.add_word(word, text);
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.earliest = self.earliest.min(other.earliest);
        self.latest = self.latest.max(other.latest);
        self.events |= other.events;
        self.outcomes |= other.outcomes;
        for (byte, more) in self.words.iter_mut().zip(other.words.iter()) {
            *byte |= more;
        }
    }

    /// Whether there may be a line with this account or protocol.
    pub(crate) fn may_have(&self, word: Word, text: &str) -> bool {
        places(word, text).all(|(byte, bit)| self.words[byte] & bit != 0)
    }

    /// Whether there may be a line with one of the events of this set.
    pub(crate) const fn has_event(&self, bits: u32) -> bool {
        self.events & bits != 0
    }

    pub(crate) const fn has_outcome(&self, outcome: Outcome) -> bool {
        self.outcomes & outcome.bit() != 0
    }

    /// Writes the summary of a segment of that length, and gives the digest of its file.
    pub(crate) fn store(&self, segment: &Segment, bytes: u64) -> io::Result<Hash> {
        let text = |micros| String::from_utf8_lossy(&moment::format(micros)).into_owned();
        let mut words = Vec::with_capacity(2 * FILTER);
        put::hex(&mut words, &*self.words);
        let stored = Stored {
            format: FORMAT,
            first: segment.first,
            bytes,
            earliest: text(self.earliest),
            latest: text(self.latest),
            events: Event::all()
                .filter(|event| self.has_event(event.bit()))
                .map(|event| event.name().to_owned())
                .collect(),
            outcomes: Outcome::all()
                .filter(|outcome| self.has_outcome(*outcome))
                .map(|outcome| outcome.name().to_owned())
                .collect(),
            words: String::from_utf8_lossy(&words).into_owned(),
        };
        let json = serde_json::to_vec(&stored)?;
        replace(&segment.summary(), &json, 0o666, false)?;
        Ok(Hash::of(&json))
    }

    /// The summary of a segment of that length; nothing if it has none, or one of another length.
    pub(crate) fn of(segment: &Segment, bytes: u64) -> Option<Self> {
        let stored: Stored = serde_json::from_slice(&read(&segment.summary()).ok()?).ok()?;
        let fits = (stored.format, stored.first, stored.bytes) == (FORMAT, segment.first, bytes);
        if !fits {
            return None;
        }
        let mut summary = Self::new();
        *summary.words = put::unhex(stored.words.as_bytes())?;
        summary.earliest = moment::parse(stored.earliest.as_bytes())?;
        summary.latest = moment::parse(stored.latest.as_bytes())?;
        for name in &stored.events {
            summary.events |= Event::from_name(name).map_or(u32::MAX, Event::bit);
        }
        for name in &stored.outcomes {
            summary.outcomes |= Outcome::from_name(name).map_or(u32::MAX, Outcome::bit);
        }
        Some(summary)
    }
}

/// The digest of a segment's summary; nothing if there is none.
pub(crate) fn digest(segment: &Segment) -> io::Result<Option<Hash>> {
    match read(&segment.summary()) {
        Ok(json) => Ok(Some(Hash::of(&json))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A summary's file, as far as one can be long.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut json = Vec::new();
    fs::File::open(path)?.take(MAX_FILE).read_to_end(&mut json)?;
    Ok(json)
}

/// The bytes and bits of a word in the filter. The hash is FNV-1a, as it has to be the same for ever and
/// in every version; that somebody could make words that share their bits costs time, nothing else.
fn places(word: Word, text: &str) -> impl Iterator<Item = (usize, u8)> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in [word as u8].into_iter().chain(text.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    // The low bits of FNV are its better ones; double hashing makes four places of two.
    let (first, step) = (hash, (hash >> 32) | 1);
    (0..BITS).map(move |index| {
        let place = first.wrapping_add(step.wrapping_mul(u64::from(index))) % (FILTER as u64 * 8);
        // Below the filter's length, and below 8.
        (usize::try_from(place / 8).unwrap_or(0), 1 << (place % 8))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Operation;

    #[test]
    fn a_stored_summary_comes_back_for_its_segment_alone() {
        let folder = tempfile::tempdir().unwrap();
        let segment = Segment::new(folder.path(), 7);
        let mut summary = Summary::new();
        summary.add(5, Event::Operation(Operation::Read), Outcome::Denied);
        summary.add(3, Event::Operation(Operation::Write), Outcome::Ok);
        summary.add_word(Word::Account, "alice");
        let digest_of_file = summary.store(&segment, 100).unwrap();
        assert_eq!(digest(&segment).unwrap(), Some(digest_of_file));
        assert_eq!(Summary::of(&segment, 100), Some(summary.clone()));
        assert_eq!(Summary::of(&segment, 101), None);
        assert!(summary.may_have(Word::Account, "alice"));
        assert!(!summary.may_have(Word::Protocol, "alice"));
        assert!(!summary.has_event(Event::Operation(Operation::List).bit()));
        assert!(summary.has_outcome(Outcome::Denied) && !summary.has_outcome(Outcome::Busy));
        assert_eq!((summary.earliest, summary.latest), (3, 5));
    }

    #[test]
    fn a_thousand_accounts_hardly_ever_give_a_wrong_hint() {
        let mut summary = Summary::new();
        (0..1000).for_each(|n| summary.add_word(Word::Account, &format!("user{n}")));
        assert!((0..1000).all(|n| summary.may_have(Word::Account, &format!("user{n}"))));
        let others = (0..100_000).map(|n| format!("other{n}"));
        let wrong = others.filter(|name| summary.may_have(Word::Account, name)).count();
        assert!(wrong < 100, "{wrong} of 100,000");
    }

    #[test]
    fn garbage_beside_a_segment_is_no_summary() {
        let folder = tempfile::tempdir().unwrap();
        let segment = Segment::new(folder.path(), 7);
        for garbage in ["", "{}", "[1]", "{\"format\":1}"] {
            fs::write(segment.summary(), garbage).unwrap();
            assert_eq!(Summary::of(&segment, 0), None, "{garbage}");
        }
    }
}
