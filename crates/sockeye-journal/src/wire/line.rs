//! Lines read back: whatever stands in a log, an entry comes out of it or nothing does.

use std::borrow::Cow;

use serde::Deserialize;

use super::moment;
use crate::{
    chain::{self, Hash},
    operation::Event,
    outcome::Outcome,
};

/// What one line says.
///
/// Names of events and outcomes are texts, as a newer version may have written them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry<'a> {
    /// The number of the line in the whole log, from 1.
    pub seq: u64,
    /// When, in microseconds since 1970.
    pub micros: u64,
    /// What was done; see [`Entry::event`].
    pub op: Cow<'a, str>,
    /// What came of it; see [`Entry::outcome`].
    pub outcome: Cow<'a, str>,
    /// Over which protocol.
    pub protocol: Option<Cow<'a, str>>,
    /// Whether that was under TLS; nothing if it was no connection, or an earlier version wrote the line.
    pub tls: Option<bool>,
    /// By whom.
    pub user: Option<Cow<'a, str>>,
    /// From where.
    pub from: Option<Cow<'a, str>>,
    /// On what; [`path::unescape`](super::path::unescape) gives the bytes.
    pub path: Option<Cow<'a, str>>,
    /// Where it went to; as `path`.
    pub to: Option<Cow<'a, str>>,
    /// How many bytes went by; of a repair, how many were cut off.
    pub bytes: Option<u64>,
    /// The BLAKE3 digest of the contents.
    pub blake3: Option<Hash>,
    /// How long it took, in microseconds.
    pub took_us: Option<u64>,
    /// What else there is to say.
    pub detail: Option<Cow<'a, str>>,
    /// The hash of the line.
    pub hash: Hash,
    /// What only the journal's own lines have.
    pub own: OwnFields<'a>,
}

/// The parts that only the journal's own lines have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnFields<'a> {
    /// Of a segment: the version of its format.
    pub format: Option<u64>,
    /// Of a segment: the hash of the last line before it.
    pub previous: Option<Hash>,
    /// Of a segment: the digest of the summary of the one before, zeros if there is none.
    pub summary: Option<Hash>,
    /// Of a checkpoint: the public key, hexadecimal.
    pub key: Option<Cow<'a, str>>,
    /// Of a checkpoint: the signature, hexadecimal.
    pub signature: Option<Cow<'a, str>>,
    /// Of a retention: the first line that is kept.
    pub first: Option<u64>,
    /// Of a repair: how many lines are missing; of a gap: how many operations were not recorded.
    pub lost: Option<u64>,
}

/// The line as JSON has it.
#[derive(Deserialize)]
struct Raw<'a> {
    seq: u64,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(borrow)]
    op: Cow<'a, str>,
    #[serde(borrow)]
    outcome: Cow<'a, str>,
    #[serde(borrow, default)]
    protocol: Option<Text<'a>>,
    tls: Option<bool>,
    #[serde(borrow, default)]
    user: Option<Text<'a>>,
    #[serde(borrow, default)]
    from: Option<Text<'a>>,
    #[serde(borrow, default)]
    path: Option<Text<'a>>,
    #[serde(borrow, default)]
    to: Option<Text<'a>>,
    bytes: Option<u64>,
    #[serde(borrow, default)]
    blake3: Option<Text<'a>>,
    took_us: Option<u64>,
    #[serde(borrow, default)]
    detail: Option<Text<'a>>,
    format: Option<u64>,
    #[serde(borrow, default)]
    previous: Option<Text<'a>>,
    #[serde(borrow, default)]
    summary: Option<Text<'a>>,
    #[serde(borrow, default)]
    key: Option<Text<'a>>,
    #[serde(borrow, default)]
    signature: Option<Text<'a>>,
    first: Option<u64>,
    lost: Option<u64>,
}

/// A text that is borrowed where it has no escapes, also inside of an `Option`.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads a line, without its end.
#[must_use]
pub fn parse(line: &[u8]) -> Option<Entry<'_>> {
    let (_, hash) = chain::split(line).filter(|_| line.len() < super::MAX_LINE)?;
    let raw: Raw<'_> = serde_json::from_slice(line).ok()?;
    // A hash that is there and is none makes the line a broken one.
    let hash_of = |text: Option<Text<'_>>| match text {
        Some(text) => Hash::from_hex(text.0.as_bytes()).map(Some),
        None => Some(None),
    };
    Some(Entry {
        seq: raw.seq,
        micros: moment::parse(raw.at.as_bytes())?,
        op: raw.op,
        outcome: raw.outcome,
        protocol: raw.protocol.map(|text| text.0),
        tls: raw.tls,
        user: raw.user.map(|text| text.0),
        from: raw.from.map(|text| text.0),
        path: raw.path.map(|text| text.0),
        to: raw.to.map(|text| text.0),
        bytes: raw.bytes,
        blake3: hash_of(raw.blake3)?,
        took_us: raw.took_us,
        detail: raw.detail.map(|text| text.0),
        hash,
        own: OwnFields {
            format: raw.format,
            previous: hash_of(raw.previous)?,
            summary: hash_of(raw.summary)?,
            key: raw.key.map(|text| text.0),
            signature: raw.signature.map(|text| text.0),
            first: raw.first,
            lost: raw.lost,
        },
    })
}

/// What a line begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning<'a> {
    /// The number of the line.
    pub seq: u64,
    /// When, in microseconds since 1970.
    pub micros: u64,
    /// The name of the event.
    pub op: &'a [u8],
}

/// Reads what a line begins with, and not the rest of it.
#[must_use]
pub fn beginning(line: &[u8]) -> Option<Beginning<'_>> {
    let digits = line.strip_prefix(b"{\"seq\":")?;
    let length = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = digits.split_at(length);
    let seq = str::from_utf8(digits).ok()?.parse().ok()?;
    let (at, rest) = rest.strip_prefix(b",\"at\":\"")?.split_at_checked(moment::LENGTH)?;
    let op = rest.strip_prefix(b"\",\"op\":\"")?;
    let op = &op[..memchr::memchr(b'"', op)?];
    Some(Beginning { seq, micros: moment::parse(at)?, op })
}

impl Entry<'_> {
    /// What was done, if this version knows it.
    #[must_use]
    pub fn event(&self) -> Option<Event> {
        Event::from_name(&self.op)
    }

    /// What came of it, if this version knows it.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        Outcome::from_name(&self.outcome)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = r#"{"seq":7,"at":"2026-11-21T16:28:49.123456Z","op":"rename","outcome":"ok","protocol":"http","user":"al\"ice","from":"192.0.2.1","path":"/a\\\\b","to":"/c","bytes":3,"took_us":87,"detail":"é\u0007","hash":"5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e"}"#;

    #[test]
    fn a_line_says_what_it_says() {
        let entry = parse(LINE.as_bytes()).unwrap();
        assert_eq!((entry.seq, entry.micros), (7, 1_795_278_529_123_456));
        assert_eq!((entry.event().unwrap().name(), entry.outcome()), ("rename", Some(Outcome::Ok)));
        assert_eq!(
            (entry.user.as_deref(), entry.path.as_deref()),
            (Some("al\"ice"), Some("/a\\\\b"))
        );
        assert_eq!((entry.bytes, entry.took_us), (Some(3), Some(87)));
        assert_eq!(entry.tls, None, "an earlier version did not say");
        let secure = LINE.replace("\"user\"", "\"tls\":true,\"user\"");
        assert_eq!(parse(secure.as_bytes()).unwrap().tls, Some(true));
        assert_eq!(entry.detail.as_deref(), Some("é\u{7}"));
        assert_eq!(entry.own, OwnFields::default());
        let beginning = beginning(LINE.as_bytes()).unwrap();
        assert_eq!(beginning, Beginning { seq: 7, micros: entry.micros, op: b"rename" });
    }

    #[test]
    fn what_a_newer_version_adds_is_passed_over() {
        let newer = LINE.replace("\"rename\"", "\"teleport\",\"place\":[1,{\"x\":null}]");
        let entry = parse(newer.as_bytes()).unwrap();
        assert_eq!((&*entry.op, entry.event()), ("teleport", None));
    }

    #[test]
    fn what_is_no_line_is_none() {
        let long = LINE.replace("/c", &"c".repeat(super::super::MAX_LINE));
        for line in [
            "",
            "{}",
            &LINE[1..],
            &LINE[..LINE.len() - 1],
            &LINE.replace("\"seq\":7", "\"seq\":-7"),
            &LINE.replace("\"seq\":7", "\"seq\":\"7\""),
            &LINE.replace("\"seq\":7", "\"seq\":7,\"seq\":8"),
            &LINE.replace("\"op\":\"rename\",", ""),
            &LINE.replace("-21T", "-31T"),
            &LINE.replace("\"bytes\":3", "\"bytes\":1e400"),
            &LINE.replace("\"bytes\":3", "\"blake3\":\"5f\""),
            &LINE.replace("é", "\u{0}"),
            &long,
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line:.200}");
        }
    }

    proptest! {
        /// What stands at the beginning is what the whole line says, whatever became of it.
        #[test]
        fn a_damaged_line_is_read_or_refused(
            damage in proptest::collection::vec((0..LINE.len(), any::<u8>()), 1..4),
            cut in 0..LINE.len(),
        ) {
            let mut line = LINE.as_bytes().to_vec();
            for (at, byte) in damage {
                line[at] = byte;
            }
            for line in [&line[..], &line[cut..], &line[..cut]] {
                if let (Some(entry), Some(beginning)) = (parse(line), beginning(line)) {
                    prop_assert_eq!((entry.seq, entry.micros), (beginning.seq, beginning.micros));
                    let is_escaped = beginning.op.contains(&b'\\');
                    prop_assert!(is_escaped || entry.op.as_bytes() == beginning.op);
                }
            }
        }

        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let hash = LINE.find(",\"hash\"").unwrap();
            let _ = (parse(&bytes), beginning(&bytes));
            let _ = parse(&[&bytes, &LINE.as_bytes()[hash..]].concat());
        }
    }
}
