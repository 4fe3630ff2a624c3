//! What a line is put together from, appended to the bytes that there are: numbers, hex, JSON text.

use std::borrow::Cow;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends a number in decimal digits.
pub(crate) fn number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        // A digit is below 10.
        digits[at] = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends bytes as small hexadecimal digits.
pub(crate) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + 2 * bytes.len(), 0);
    set_hex(&mut out[start..], bytes);
}

/// The two digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [HEX[byte >> 4], HEX[byte & 15]];
        byte += 1;
    }
    pairs
};

/// Writes bytes as hexadecimal digits over a place of twice their length.
pub(crate) fn set_hex(place: &mut [u8], bytes: &[u8]) {
    for (digits, byte) in place.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *digits = PAIRS[usize::from(*byte)];
    }
}

/// The value of each hexadecimal digit, small or capital; [`NO_DIGIT`] for what is none.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let digit = HEX[value as usize];
        digits[digit as usize] = value;
        digits[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    digits
};

const NO_DIGIT: u8 = 0xff;

/// Reads hexadecimal digits.
pub(crate) fn unhex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    let mut seen = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        let (high, low) = (DIGITS[usize::from(pair[0])], DIGITS[usize::from(pair[1])]);
        seen |= high | low;
        *byte = high << 4 | low;
    }
    (seen < 16).then_some(bytes)
}

/// What stands at the end of a text that was cut off.
const CUT: &str = "…";

/// A text, cut off behind so many bytes.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() > most {
        Cow::Owned([&text[..text.floor_char_boundary(most)], CUT].concat())
    } else {
        Cow::Borrowed(text)
    }
}

/// Appends the inside of a JSON string, at most so many bytes of the text.
pub(crate) fn text(out: &mut Vec<u8>, text: &str, most: usize) {
    escaped(out, &cut(text, most));
}

/// Whether a byte stands for itself in a JSON string, a path, and a terminal.
pub(crate) fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// Appends the inside of a JSON string. Control characters are escaped beyond what JSON asks for,
/// so that no terminal obeys a log.
pub(crate) fn escaped(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(is_plain) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            c if c.is_control() => {
                // Control characters lie below U+00A0.
                out.extend_from_slice(b"\\u00");
                hex(out, &[u32::from(c).to_le_bytes()[0]]);
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn put(of: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        of(&mut out);
        out
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_between_characters() {
        let cut = put(|out| text(out, "aé", 2));
        assert_eq!(cut, "a…".as_bytes());
        assert_eq!(put(|out| text(out, "aé", 3)), "aé".as_bytes());
    }

    proptest! {
        #[test]
        fn numbers_are_as_the_standard_library_prints_them(n: u64) {
            prop_assert_eq!(put(|out| number(out, n)), n.to_string().into_bytes());
        }

        #[test]
        fn hex_reads_back(bytes: [u8; 5]) {
            let mut digits = put(|out| hex(out, &bytes));
            prop_assert_eq!(unhex(&digits), Some(bytes));
            digits.make_ascii_uppercase();
            prop_assert_eq!(unhex(&digits), Some(bytes));
        }

        #[test]
        fn what_has_no_value_is_no_digit(byte: u8) {
            let value = char::from(byte).to_digit(16).map(|value| [value.to_le_bytes()[0]]);
            prop_assert_eq!(unhex::<1>(&[b'0', byte]), value);
        }

        #[test]
        fn any_text_reads_back_as_json_and_holds_no_control_character(original: String) {
            let json = put(|out| {
                out.push(b'"');
                escaped(out, &original);
                out.push(b'"');
            });
            let written = str::from_utf8(&json).unwrap();
            prop_assert!(!written.chars().any(char::is_control));
            prop_assert_eq!(serde_json::from_str::<String>(written).unwrap(), original);
        }
    }
}
