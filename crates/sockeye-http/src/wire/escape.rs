//! Percent-encoding (RFC 3986 §2.1).

use std::{borrow::Cow, fmt::Write as _};

/// Decodes one path segment; `None` if a `%` is not followed by two hexadecimal digits.
///
/// `+` is a plus sign: only forms use it for a space.
#[must_use]
pub fn decode(segment: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some(first) = segment.iter().position(|&b| b == b'%') else {
        return Some(Cow::Borrowed(segment));
    };
    let mut out = Vec::with_capacity(segment.len());
    let mut rest = segment;
    out.extend_from_slice(&rest[..first]);
    rest = &rest[first..];
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'%' {
            let (&high, tail) = tail.split_first()?;
            let (&low, tail) = tail.split_first()?;
            out.push(digit(high)? << 4 | digit(low)?);
            rest = tail;
        } else {
            out.push(byte);
            rest = tail;
        }
    }
    Some(Cow::Owned(out))
}

/// Appends `name`, with all but unreserved characters (RFC 3986 §2.3) encoded: safe as one segment of a
/// URL, in a header and in an HTML attribute.
pub fn encode_into(out: &mut String, name: &[u8]) {
    for &byte in name {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            // Writing to a string does not fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_decoded_and_malformed_ones_refused() {
        assert_eq!(decode(b"a%20b+c%e4%B8%ad").as_deref(), Some("a b+c中".as_bytes()));
        for bad in [&b"%"[..], b"a%2", b"%zz", b"%%41", b"%-1", b"%+1"] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(name in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut text = String::new();
            encode_into(&mut text, &name);
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
            let decoded = decode(text.as_bytes()).unwrap().into_owned();
            prop_assert_eq!(decoded, name);
        }

        #[test]
        fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes);
        }
    }
}
