//! Numbers as text, put at the end of bytes: for listings of a hundred thousand lines.

/// Appends `value` in decimal, behind as many spaces as make it at least `width` wide.
pub(super) fn decimal(out: &mut Vec<u8>, value: u64, width: usize) {
    radix::<10>(out, value, width, b' ');
}

/// Appends `value` in octal, with zeros in front to be at least `width` wide.
pub(super) fn octal(out: &mut Vec<u8>, value: u64, width: usize) {
    radix::<8>(out, value, width, b'0');
}

/// Appends `value` in hexadecimal.
pub(super) fn hexadecimal(out: &mut Vec<u8>, value: u64) {
    radix::<16>(out, value, 1, b'0');
}

/// Appends `value`, below 100, as two digits.
pub(super) fn two(out: &mut Vec<u8>, value: i8) {
    let value = value.unsigned_abs();
    out.extend([b'0' + value / 10 % 10, b'0' + value % 10]);
}

fn radix<const BASE: u64>(out: &mut Vec<u8>, mut value: u64, width: usize, fill: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // Enough for 64 bits in octal, and for every width that is asked for.
    let mut text = [fill; 24];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = DIGITS[usize::try_from(value % BASE).unwrap_or_default()];
        value /= BASE;
        if value == 0 {
            break;
        }
    }
    let start = at.min(text.len().saturating_sub(width));
    out.extend_from_slice(&text[start..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_written_as_the_language_writes_them(
            value in prop_oneof![any::<u64>(), 0u64..2000, Just(u64::MAX)],
            width in 0usize..20,
        ) {
            let mut out = Vec::new();
            decimal(&mut out, value, width);
            out.push(b'|');
            octal(&mut out, value, width);
            out.push(b'|');
            hexadecimal(&mut out, value);
            let expected = format!("{value:width$}|{value:0width$o}|{value:x}");
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn two_digits_are_two() {
        let mut out = Vec::new();
        [0, 7, 59, 99].into_iter().for_each(|value| two(&mut out, value));
        assert_eq!(out, b"00075999");
    }
}
