//! Validators and conditional requests (RFC 9110 §8.8, §13).

use std::fmt;

use sockeye_node::{Meta, Range};

use super::{
    coding::Coding,
    date,
    head::Fields,
    method::Method,
    range::{self, Wanted},
};

/// A strong entity tag, quotes included.
///
/// It is made of the file's device, inode, size and modification time in nanoseconds. A file that is
/// replaced has another inode, and one that is written in place another time, so equal tags mean equal
/// bytes, which is what makes a tag strong (§8.8.1): ranges can be joined on its word. What it cannot
/// see is a write in place that keeps the size and falls into the same tick of the filesystem's clock
/// (some milliseconds), or one whose writer sets the time back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ETag([u8; 34]);

impl ETag {
    /// The tag of a file.
    #[must_use]
    pub fn of(meta: &Meta) -> Self {
        let time =
            meta.modified.seconds.unsigned_abs().rotate_left(32) ^ u64::from(meta.modified.nanos);
        // Mixed rather than written out, so that the tag does not tell inode numbers.
        let mut halves = [0x736f_636b_6579_6521, 0x6574_6167_2076_3100];
        for half in &mut halves {
            for word in [meta.device, meta.inode, meta.size, time] {
                *half = mix(*half ^ word);
            }
        }
        let mut text = [b'"'; 34];
        for (digits, half) in text[1..33].chunks_exact_mut(16).zip(halves) {
            hex(digits, half);
        }
        Self(text)
    }

    /// The tag of what `hash` is a hash of.
    #[must_use]
    pub fn of_hash(hash: [u8; 16]) -> Self {
        let mut text = [b'"'; 34];
        for (digits, half) in text[1..33].chunks_exact_mut(16).zip(hash.as_chunks::<8>().0) {
            hex(digits, u64::from_be_bytes(*half));
        }
        Self(text)
    }

    /// The tag of the same content in a coding.
    #[must_use]
    pub fn coded(&self, coding: Coding) -> Self {
        let name = coding.name().bytes().fold(0, |word, byte| word << 8 | u64::from(byte));
        let mut hash = [0; 16];
        let (words, _) = self.0[1..33].as_chunks::<8>();
        let mut word = name;
        for (n, eight) in words.iter().enumerate() {
            word = mix(word ^ u64::from_le_bytes(*eight));
            hash[n % 2 * 8..][..8].copy_from_slice(&word.to_be_bytes());
        }
        Self::of_hash(hash)
    }

    /// The tag as it stands in a header.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// The finalizer of splitmix64: every bit of the input reaches every bit of the output.
fn mix(mut word: u64) -> u64 {
    word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn hex(out: &mut [u8], word: u64) {
    for (digit, byte) in out.chunks_exact_mut(2).zip(word.to_be_bytes()) {
        digit[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        digit[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
}

/// A file as conditions see it.
#[derive(Clone, Copy, Debug)]
pub struct Validators {
    /// Its tag.
    pub etag: ETag,
    /// When it changed, in seconds since the epoch.
    pub modified: i64,
    /// Its size in bytes.
    pub size: u64,
}

impl Validators {
    /// Those of a file.
    #[must_use]
    pub fn of(meta: &Meta) -> Self {
        Self { etag: ETag::of(meta), modified: meta.modified.seconds, size: meta.size }
    }

    /// Those of the same file in a coding.
    #[must_use]
    pub fn coded(self, coding: Coding) -> Self {
        Self { etag: self.etag.coded(coding), ..self }
    }
}

/// What is sent of a file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// 200: all of it.
    Whole,
    /// 206: one stretch.
    Part(Range),
    /// 206: several stretches, as multipart/byteranges.
    Parts(Vec<Range>),
    /// 304: the client has it already.
    NotModified,
    /// 412: it is not what the client expects.
    PreconditionFailed,
    /// 416: the ranges lie beyond its end.
    Unsatisfiable,
}

/// Evaluates the conditions in the order of RFC 9110 §13.2.2, and then the range.
///
/// `now` is in seconds since the epoch; `max_ranges` as in [`range::parse`].
#[must_use]
pub fn select(
    method: Method,
    fields: &Fields<'_>,
    file: &Validators,
    now: i64,
    max_ranges: usize,
) -> Selection {
    if fields.is_unconditional() {
        return Selection::Whole;
    }
    if let Some(list) = fields.if_match {
        if !matches_in_any_coding(list, file, Comparison::Strong) {
            return Selection::PreconditionFailed;
        }
    } else if let Some(since) = fields.if_unmodified_since.and_then(date::parse_http_date)
        && file.modified > since
    {
        return Selection::PreconditionFailed;
    }
    if let Some(list) = fields.if_none_match {
        if matches(list, &file.etag, Comparison::Weak) {
            return Selection::NotModified;
        }
    } else if let Some(since) = fields.if_modified_since.and_then(date::parse_http_date)
        && file.modified <= since
    {
        return Selection::NotModified;
    }
    match fields.range {
        // Ranges are defined for GET alone (§14.2).
        Some(ranges) if method == Method::Get && still_the_same(fields.if_range, file, now) => {
            match range::parse(ranges, file.size, max_ranges) {
                Wanted::Whole => Selection::Whole,
                Wanted::Part(part) => Selection::Part(part),
                Wanted::Parts(parts) => Selection::Parts(parts),
                Wanted::Unsatisfiable => Selection::Unsatisfiable,
            }
        }
        _ => Selection::Whole,
    }
}

/// What has to hold of the file that a request changes, at the moment it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing.
    Any,
    /// There is none.
    Absent,
    /// There is one.
    Present,
    /// It is still the one that was looked at.
    Unchanged,
}

/// Whether the conditions of a request that changes a file can be judged without looking at the file.
#[must_use]
pub fn needs_no_look(fields: &Fields<'_>) -> bool {
    fields.if_match.is_none()
        && fields.if_unmodified_since.is_none()
        && fields.if_none_match.is_none_or(|list| list.trim_ascii() == b"*")
}

/// Evaluates the conditions of a request that changes `file`, in the order of RFC 9110 §13.2.2; `None` if
/// they do not hold (412), and otherwise what has to hold when the change is made.
///
/// If-Modified-Since and ranges are of GET alone (§13.1.3, §14.2).
#[must_use]
pub fn guard(fields: &Fields<'_>, file: Option<&Validators>) -> Option<Guard> {
    let mut guard = Guard::Any;
    if let Some(list) = fields.if_match {
        file.filter(|file| matches_in_any_coding(list, file, Comparison::Strong))?;
        let any = list.trim_ascii() == b"*";
        guard = if any { Guard::Present } else { Guard::Unchanged };
    } else if let Some(since) = fields.if_unmodified_since.and_then(date::parse_http_date)
        && let Some(file) = file
    {
        if file.modified > since {
            return None;
        }
        guard = Guard::Unchanged;
    }
    match (fields.if_none_match, file) {
        (Some(list), Some(file)) if matches_in_any_coding(list, file, Comparison::Weak) => None,
        (Some(_), Some(_)) => Some(Guard::Unchanged),
        (Some(_), None) => Some(Guard::Absent),
        (None, _) => Some(guard),
    }
}

/// If-Range (§13.1.5): a strong tag that matches, or the exact date of a file that did not change within
/// the last second, as a date is a strong validator only then (§8.8.2.2).
fn still_the_same(if_range: Option<&[u8]>, file: &Validators, now: i64) -> bool {
    let Some(value) = if_range else { return true };
    let value = value.trim_ascii();
    if value.contains(&b'"') {
        return value == file.etag.as_bytes();
    }
    date::parse_http_date(value) == Some(file.modified) && file.modified < now
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// Whether a list of entity tags, or `*`, holds that of this file, in whatever coding the client had it.
fn matches_in_any_coding(list: &[u8], file: &Validators, how: Comparison) -> bool {
    let mut coded = Coding::ALL.iter().map(|coding| file.etag.coded(*coding));
    matches(list, &file.etag, how) || coded.any(|etag| matches(list, &etag, how))
}

/// Whether a list of entity tags, or `*`, holds `etag` (§8.8.3.2).
fn matches(list: &[u8], etag: &ETag, how: Comparison) -> bool {
    let mut rest = list.trim_ascii();
    if rest == b"*" {
        return true;
    }
    while !rest.is_empty() {
        let weak = rest.starts_with(b"W/");
        let from = if weak { 2 } else { 0 };
        // A tag holds no quote, so the next one ends it; commas within are its own.
        let Some(inner) = rest[from..].strip_prefix(b"\"") else { return false };
        let Some(len) = inner.iter().position(|&b| b == b'"') else { return false };
        let tag = &rest[from..from + len + 2];
        if tag == etag.as_bytes() && (!weak || how == Comparison::Weak) {
            return true;
        }
        let after = rest[from + len + 2..].trim_ascii_start();
        rest = match after.strip_prefix(b",") {
            Some(more) => more.trim_ascii_start(),
            None => return false,
        };
        while let Some(more) = rest.strip_prefix(b",") {
            rest = more.trim_ascii_start();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sockeye_node::{Kind, Timestamp};

    use super::*;

    const MODIFIED: i64 = 784_111_777;
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn meta() -> Meta {
        let modified = Timestamp { seconds: MODIFIED, nanos: 5 };
        Meta { kind: Kind::File, size: 1000, modified, mode: 0o644, device: 1, inode: 2 }
    }

    fn tag() -> String {
        format!("{:?}", ETag::of(&meta()))
    }

    fn ask(headers: &[(&str, &str)], now: i64) -> Selection {
        let mut fields = Fields::default();
        for (name, value) in headers {
            fields.add(name.as_bytes(), value.as_bytes());
        }
        select(Method::Get, &fields, &Validators::of(&meta()), now, 16)
    }

    #[test]
    fn a_change_is_guarded_as_its_conditions_have_it() {
        use Guard::{Absent, Any, Present, Unchanged};
        let (tag, now) = (tag(), Validators::of(&meta()));
        for (name, value, present, absent) in [
            ("X", "", Some(Any), Some(Any)),
            ("If-Match", "*", Some(Present), None),
            ("If-Match", &tag, Some(Unchanged), None),
            ("If-Match", "\"other\"", None, None),
            ("If-Match", &format!("W/{tag}"), None, None),
            ("If-Match", "", None, None),
            ("If-None-Match", "*", None, Some(Absent)),
            ("If-None-Match", &tag, None, Some(Absent)),
            ("If-None-Match", "\"other\"", Some(Unchanged), Some(Absent)),
            ("If-Unmodified-Since", DATE, Some(Unchanged), Some(Any)),
            ("If-Unmodified-Since", EARLIER, None, Some(Any)),
            ("If-Unmodified-Since", "nonsense", Some(Any), Some(Any)),
            ("If-Modified-Since", LATER, Some(Any), Some(Any)),
        ] {
            let mut fields = Fields::default();
            fields.add(name.as_bytes(), value.as_bytes());
            assert_eq!(guard(&fields, Some(&now)), present, "{name}: {value}");
            assert_eq!(guard(&fields, None), absent, "{name}: {value}");
            if needs_no_look(&fields) && value != "*" {
                assert_eq!(present, absent, "{name}: {value}");
            }
        }
        let both = Fields {
            if_match: Some(tag.as_bytes()),
            if_none_match: Some(b"*"),
            ..Fields::default()
        };
        assert!(!needs_no_look(&both));
        assert_eq!(guard(&both, Some(&now)), None);
    }

    #[test]
    fn a_tag_changes_with_every_part_of_the_identity() {
        let changes: [fn(&mut Meta); 5] = [
            |m| m.device += 1,
            |m| m.inode += 1,
            |m| m.size += 1,
            |m| m.modified.seconds += 1,
            |m| m.modified.nanos += 1,
        ];
        for change in changes {
            let mut other = meta();
            change(&mut other);
            assert_ne!(ETag::of(&other), ETag::of(&meta()));
        }
        assert_eq!(tag().len(), 34);
        assert_eq!(tag(), tag());
    }

    #[test]
    fn the_tag_of_a_hash_has_all_of_it() {
        let hash = std::array::from_fn(|at| u8::try_from(at * 17).unwrap());
        let tag = ETag::of_hash(hash);
        assert_eq!(format!("{tag:?}"), "\"00112233445566778899aabbccddeeff\"");
    }

    #[test]
    fn the_conditional_matrix() {
        use Selection::{NotModified, PreconditionFailed, Whole};
        let (tag, other) = (&*tag(), "\"other\"");
        let (weak, list) = (&*format!("W/{tag}"), &*format!("\"a,b\" , W/\"c\",{tag}"));
        for (headers, expected) in [
            (&[("if-match", tag)][..], Whole),
            (&[("if-match", list)], Whole),
            (&[("if-match", "*")], Whole),
            (&[("if-match", other)], PreconditionFailed),
            (&[("if-match", weak)], PreconditionFailed),
            (&[("if-match", "junk")], PreconditionFailed),
            (&[("if-unmodified-since", DATE)], Whole),
            (&[("if-unmodified-since", EARLIER)], PreconditionFailed),
            (&[("if-unmodified-since", "junk")], Whole),
            (&[("if-match", tag), ("if-unmodified-since", EARLIER)], Whole),
            (&[("if-none-match", tag)], NotModified),
            (&[("if-none-match", weak)], NotModified),
            (&[("if-none-match", list)], NotModified),
            (&[("if-none-match", "*")], NotModified),
            (&[("if-none-match", other)], Whole),
            (&[("if-modified-since", DATE)], NotModified),
            (&[("if-modified-since", LATER)], NotModified),
            (&[("if-modified-since", EARLIER)], Whole),
            (&[("if-none-match", other), ("if-modified-since", LATER)], Whole),
            (&[("if-match", other), ("if-none-match", tag)], PreconditionFailed),
            (&[("if-none-match", tag), ("range", "bytes=0-1")], NotModified),
        ] {
            assert_eq!(ask(headers, MODIFIED + 60), expected, "{headers:?}");
        }
    }

    #[test]
    fn if_range_needs_a_strong_validator() {
        let part = Selection::Part(Range { offset: 0, length: 2 });
        let (tag, weak) = (&*tag(), &*format!("W/{}", tag()));
        for (validator, now, expected) in [
            (tag, MODIFIED, &part),
            (weak, MODIFIED, &Selection::Whole),
            ("\"other\"", MODIFIED, &Selection::Whole),
            (DATE, MODIFIED + 1, &part),
            (DATE, MODIFIED, &Selection::Whole),
            (LATER, MODIFIED + 60, &Selection::Whole),
            ("junk", MODIFIED + 60, &Selection::Whole),
        ] {
            let headers = [("range", "bytes=0-1"), ("if-range", validator)];
            assert_eq!(ask(&headers, now), *expected, "{validator}");
        }
    }

    #[test]
    fn head_ignores_ranges() {
        let mut fields = Fields::default();
        fields.add(b"range", b"bytes=0-1");
        let selection = select(Method::Head, &fields, &Validators::of(&meta()), MODIFIED, 16);
        assert_eq!(selection, Selection::Whole);
    }

    proptest! {
        #[test]
        fn lists_of_tags_never_panic(bytes in "[W/\",a* ]{0,40}") {
            let _ = matches(bytes.as_bytes(), &ETag::of(&meta()), Comparison::Weak);
        }
    }
}
