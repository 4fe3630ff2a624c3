//! Percent-encoding of paths and names, RFC 3986 §2.1, over bytes.

use std::fmt;

/// Decodes `%XX`; every other byte stands for itself.
///
/// The error is the place of the `%` that is not followed by two hexadecimal digits.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, usize> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(&byte) = bytes.get(i) {
        if byte == b'%' {
            let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
            let value = digit(i + 1).zip(digit(i + 2)).map(|(high, low)| high * 16 + low);
            out.push(value.and_then(|v| u8::try_from(v).ok()).ok_or(i)?);
            i += 3;
        } else {
            out.push(byte);
            i += 1;
        }
    }
    Ok(out)
}

/// Prints bytes so that [`decode`] gives them back: text as it is, and as `%XX` whatever
/// has a meaning in an address, is no UTF-8, or does not show as one character.
pub(super) struct Encoded<'a>(pub(super) &'a [u8]);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if is_plain(c) && !matches!(c, '%' | '?' | '#') {
                    write!(f, "{c}")?;
                } else {
                    encode(f, c.encode_utf8(&mut [0; 4]).as_bytes())?;
                }
            }
            encode(f, chunk.invalid())?;
        }
        Ok(())
    }
}

fn encode(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "%{byte:02X}"))
}

/// Whether a character shows as itself: no control, no space, nothing that is invisible
/// or turns the direction of the text around.
pub(super) fn is_plain(c: char) -> bool {
    let invisible = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    !c.is_control() && !c.is_whitespace() && !invisible
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_has_a_meaning_is_encoded_and_text_is_not() {
        let shown = |bytes: &[u8]| Encoded(bytes).to_string();
        assert_eq!(shown(b"/run/a b?c#d%"), "/run/a%20b%3Fc%23d%25");
        assert_eq!(shown("/run/文件".as_bytes()), "/run/文件");
        assert_eq!(shown(b"\xff\n\0"), "%FF%0A%00");
        assert_eq!(shown("\u{202e}x".as_bytes()), "%E2%80%AEx");
    }

    #[test]
    fn a_lone_percent_sign_is_found() {
        assert_eq!(decode("a%2"), Err(1));
        assert_eq!(decode("ab%zz"), Err(2));
        assert_eq!(decode("%"), Err(0));
        assert_eq!(decode("%4é"), Err(0));
        assert_eq!(decode("%41%2f"), Ok(b"A/".to_vec()));
    }

    proptest! {
        #[test]
        fn encoded_bytes_are_decoded_back(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&Encoded(&bytes).to_string()), Ok(bytes));
        }
    }
}
