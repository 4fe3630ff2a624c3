//! Paths as the log writes them: text where they are text, reversible where they are not.
//!
//! A byte that is not part of valid UTF-8 is written `\xHH`, and a backslash `\\`. On top of that comes
//! what JSON asks for.

use super::put;

/// Appends the inside of a JSON string for a path, at most [`MAX_PATH`](super::MAX_PATH) bytes of it.
pub(crate) fn put(out: &mut Vec<u8>, path: &[u8]) {
    let path = &path[..path.len().min(super::MAX_PATH)];
    if path.iter().copied().all(put::is_plain) {
        out.extend_from_slice(path);
    } else {
        put::escaped(out, &escape(path));
    }
}

/// A path's text: what the JSON string of `path` and `to` says.
#[must_use]
pub fn escape(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len() + 8);
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            text.push_str("\\x");
            text.extend([byte >> 4, byte & 15].map(|digit| {
                char::from_digit(digit.into(), 16).map_or('0', |c| c.to_ascii_uppercase())
            }));
        }
    }
    text
}

/// The path of a text that [`escape`] gave; nothing if it is no such text.
#[must_use]
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut path = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        path.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('\\') {
            path.push(b'\\');
            rest = after;
        } else {
            let digits = rest.strip_prefix('x')?.as_bytes().get(..2)?;
            path.extend(put::unhex::<1>(digits)?);
            // Both digits are ASCII, so this is a boundary.
            rest = &rest[3..];
        }
    }
    path.extend_from_slice(rest.as_bytes());
    Some(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_are_text_read_as_they_are() {
        assert_eq!(escape("/报告 1.txt".as_bytes()), "/报告 1.txt");
        assert_eq!(escape(b"/a\\b\xff\n"), "/a\\\\b\\xFF\n");
    }

    #[test]
    fn what_is_no_escape_is_refused() {
        for text in ["\\", "\\a", "\\x", "\\xf", "\\xéé", "\\x+1"] {
            assert_eq!(unescape(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_path_comes_back(path in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(unescape(&escape(&path)), Some(path.clone()));
            let mut json = vec![b'"'];
            put(&mut json, &path);
            json.push(b'"');
            prop_assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), escape(&path));
        }

        #[test]
        fn any_text_is_answered(text: String) {
            let _ = unescape(&text);
        }
    }
}
