//! Byte ranges (RFC 9110 §14).

use sockeye_node::Range;

/// What a Range header asks of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The whole: no range, an unknown unit, a malformed header, or more ranges than the limit, all of
    /// which a server ignores (§14.2).
    Whole,
    /// One stretch.
    Part(Range),
    /// Several, apart from each other, in the order they were asked for.
    Parts(Vec<Range>),
    /// None that the file has: 416.
    Unsatisfiable,
}

/// Two stretches with less than this between them are sent as one: a part's header costs about as much.
const GAP: u64 = 80;

/// What `header` asks of a file of `size` bytes; more than `max` ranges are as good as none.
#[must_use]
pub fn parse(header: &[u8], size: u64, max: usize) -> Wanted {
    let Some(specs) = specs(header, max) else { return Wanted::Whole };
    let mut parts: Vec<Range> = Vec::with_capacity(specs.len());
    for spec in specs {
        if let Some(range) = spec.of(size) {
            add(&mut parts, range);
        }
    }
    match parts[..] {
        [] => Wanted::Unsatisfiable,
        [one] => Wanted::Part(one),
        _ => Wanted::Parts(parts),
    }
}

/// One range as it was written.
#[derive(Clone, Copy)]
enum Spec {
    /// `FIRST-[LAST]`
    From(u64, Option<u64>),
    /// `-LENGTH`
    Last(u64),
}

impl Spec {
    /// The bytes of a file of `size` bytes that it covers, if any.
    fn of(self, size: u64) -> Option<Range> {
        match self {
            Self::From(first, last) => {
                let end = last.map_or(size, |l| l.saturating_add(1).min(size));
                let length = end.checked_sub(first).filter(|&l| l > 0)?;
                Some(Range { offset: first, length })
            }
            Self::Last(length) => {
                let length = length.min(size);
                (length > 0).then_some(Range { offset: size - length, length })
            }
        }
    }
}

/// All the ranges of the header, or `None` if it is malformed, of another unit, or has more than `max`.
fn specs(header: &[u8], max: usize) -> Option<Vec<Spec>> {
    let text = str::from_utf8(header).ok()?;
    let (unit, set) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut specs = Vec::new();
    // RFC 9110 §5.6.1.2: empty elements of a list are passed over, and they too are limited.
    for (count, item) in set.split(',').map(|s| s.trim_matches([' ', '\t'])).enumerate() {
        if count >= max.saturating_mul(2) || specs.len() > max {
            return None;
        }
        if !item.is_empty() {
            specs.push(spec(item)?);
        }
    }
    (!specs.is_empty() && specs.len() <= max).then_some(specs)
}

fn spec(item: &str) -> Option<Spec> {
    let (first, last) = item.split_once('-')?;
    if first.is_empty() {
        return number(last).map(Spec::Last);
    }
    let first = number(first)?;
    if last.is_empty() {
        return Some(Spec::From(first, None));
    }
    let last = number(last)?;
    (first <= last).then_some(Spec::From(first, Some(last)))
}

/// Digits alone; a number too large to count is larger than any file.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

/// Adds `range`, joined with what it overlaps or nearly touches.
fn add(parts: &mut Vec<Range>, mut range: Range) {
    // Joining two can bring the result to touch a third; there are at most `max` to go through.
    while let Some(at) = parts.iter().position(|p| near(p, &range)) {
        let other = parts.remove(at);
        let end = (other.offset + other.length).max(range.offset + range.length);
        let offset = other.offset.min(range.offset);
        range = Range { offset, length: end - offset };
        // The joined range keeps the place of the first.
        if parts.iter().all(|p| !near(p, &range)) {
            parts.insert(at, range);
            return;
        }
    }
    parts.push(range);
}

fn near(a: &Range, b: &Range) -> bool {
    let (first, second) = if a.offset <= b.offset { (a, b) } else { (b, a) };
    second.offset <= first.offset.saturating_add(first.length).saturating_add(GAP)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(offset: u64, length: u64) -> Range {
        Range { offset, length }
    }

    #[test]
    fn single_ranges() {
        for (header, expected) in [
            ("bytes=0-499", Wanted::Part(range(0, 500))),
            ("bytes=500-", Wanted::Part(range(500, 9500))),
            ("bytes=-500", Wanted::Part(range(9500, 500))),
            ("bytes=-20000", Wanted::Part(range(0, 10_000))),
            ("bytes=9999-", Wanted::Part(range(9999, 1))),
            ("bytes=0-99999999999999999999999", Wanted::Part(range(0, 10_000))),
            ("Bytes= 0-0", Wanted::Part(range(0, 1))),
            ("bytes=10000-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=99999999999999999999999-", Wanted::Unsatisfiable),
            ("bytes=1-0", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=0-1-2", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("bytes 0-1", Wanted::Whole),
        ] {
            assert_eq!(parse(header.as_bytes(), 10_000, 16), expected, "{header}");
        }
        assert_eq!(parse(b"bytes=0-", 0, 16), Wanted::Unsatisfiable);
    }

    #[test]
    fn several_ranges() {
        for (header, expected) in [
            ("bytes=0-0,-1", Wanted::Parts(vec![range(0, 1), range(9999, 1)])),
            ("bytes=5000-5001,0-1", Wanted::Parts(vec![range(5000, 2), range(0, 2)])),
            ("bytes=0-10,5-20", Wanted::Part(range(0, 21))),
            ("bytes=0-10, 12-20", Wanted::Part(range(0, 21))),
            ("bytes=0-9,500-509,5-504", Wanted::Part(range(0, 510))),
            ("bytes=0-1,20000-", Wanted::Part(range(0, 2))),
            ("bytes=0-1,,500-500,", Wanted::Parts(vec![range(0, 2), range(500, 1)])),
            ("bytes=0-1,x", Wanted::Whole),
        ] {
            assert_eq!(parse(header.as_bytes(), 10_000, 16), expected, "{header}");
        }
    }

    #[test]
    fn more_ranges_than_the_limit_are_ignored() {
        let list = |n: u64| {
            let items: Vec<_> = (0..n).map(|i| format!("{}-{}", i * 1000, i * 1000)).collect();
            format!("bytes={}", items.join(","))
        };
        assert!(
            matches!(parse(list(16).as_bytes(), 1_000_000, 16), Wanted::Parts(p) if p.len() == 16)
        );
        assert_eq!(parse(list(17).as_bytes(), 1_000_000, 16), Wanted::Whole);
        let commas = format!("bytes=0-1{}", ",".repeat(100));
        assert_eq!(parse(commas.as_bytes(), 1_000_000, 16), Wanted::Whole);
    }

    proptest! {
        #[test]
        fn parts_lie_in_the_file_and_apart(
            pairs in proptest::collection::vec((0u64..3000, 0u64..3000), 1..12),
            size in 0u64..2500,
        ) {
            let items: Vec<_> = pairs.iter().map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))).collect();
            let header = format!("bytes={}", items.join(","));
            let parts = match parse(header.as_bytes(), size, 16) {
                Wanted::Part(part) => vec![part],
                Wanted::Parts(parts) => parts,
                Wanted::Unsatisfiable => Vec::new(),
                Wanted::Whole => return Err(TestCaseError::fail("well-formed")),
            };
            for (i, a) in parts.iter().enumerate() {
                prop_assert!(a.length > 0 && a.offset + a.length <= size);
                prop_assert!(parts[i + 1..].iter().all(|b| !near(a, b)));
            }
            let asked = |at: u64| pairs.iter().any(|(a, b)| (*a.min(b)..=*a.max(b)).contains(&at));
            for at in (0..size).filter(|&at| asked(at)) {
                prop_assert!(parts.iter().any(|p| (p.offset..p.offset + p.length).contains(&at)), "{at}");
            }
        }

        #[test]
        fn parsing_never_panics(bytes in "(bytes=)?[0-9,\\- a]{0,60}", size in any::<u64>()) {
            let _ = parse(bytes.as_bytes(), size, 16);
        }
    }
}
