//! A stretch of a file, as XCRC and its like take one behind a path (as deployed; there is no standard).

/// The argument `PATH START [END]`, or the path between quotation marks and perhaps these behind it: the path, the first byte,
/// and the byte behind the last, if it is told. `None` if it has no such form.
///
/// A path may end like that by itself: a file of the whole name goes first, if there is one.
///
/// ```
/// use sockeye_ftp::wire::stretch;
/// assert_eq!(stretch::parse(b"a file 0 100"), Some((&b"a file"[..], 0, Some(100))));
/// assert_eq!(stretch::parse(b"\"a file\""), Some((&b"a file"[..], 0, None)));
/// ```
#[must_use]
pub fn parse(argument: &[u8]) -> Option<(&[u8], u64, Option<u64>)> {
    if let Some(rest) = argument.strip_prefix(b"\"") {
        let end = rest.iter().rposition(|&b| b == b'"')?;
        let mut words = rest[end + 1..].split(|&b| b == b' ').filter(|word| !word.is_empty());
        let start = words.next().map_or(Some(0), number)?;
        let last = words.next().map_or(Some(None), |word| number(word).map(Some))?;
        return words.next().is_none().then_some((&rest[..end], start, last));
    }
    let mut words = argument.rsplitn(3, |&b| b == b' ');
    let (last, before) = (number(words.next()?)?, words.next()?);
    match (number(before), words.next()) {
        (Some(start), Some(name)) => Some((name, start, Some(last))),
        _ => Some((&argument[..argument.iter().rposition(|&b| b == b' ')?], last, None)),
    }
}

fn number(word: &[u8]) -> Option<u64> {
    let is_number = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    str::from_utf8(word).ok().filter(|_| is_number)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_stretch_stands_behind_the_path() {
        for (argument, expected) in [
            ("a 1 2", Some(("a", 1, Some(2)))),
            ("a b 7", Some(("a b", 7, None))),
            ("\"a b\"", Some(("a b", 0, None))),
            ("\"a b\" 1", Some(("a b", 1, None))),
            ("\"a b\" 1 20", Some(("a b", 1, Some(20)))),
            ("\"a\" b", None),
            ("\"a\" 1 b", None),
            ("\"a\" 1 2 3", None),
            ("a b", None),
            ("7", None),
            ("a -1", None),
            ("a 99999999999999999999", None),
            ("\"a", None),
            ("", None),
        ] {
            let found = parse(argument.as_bytes());
            let expected = expected.map(|(name, start, end)| (name.as_bytes(), start, end));
            assert_eq!(found, expected, "{argument}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_the_path_is_part_of_it(text in "[a 0-9\"-]{0,30}", bytes in proptest::collection::vec(any::<u8>(), 0..30)) {
            for argument in [text.as_bytes(), &bytes] {
                if let Some((path, ..)) = parse(argument) {
                    prop_assert!(argument.starts_with(path) || argument[1..].starts_with(path));
                }
            }
        }
    }
}
