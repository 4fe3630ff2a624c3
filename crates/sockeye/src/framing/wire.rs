//! The arithmetic of framing: bytes in, positions and numbers out.
//!
//! Nothing here reads, writes, allocates for a peer or knows a runtime; the codecs beside it do.

use super::FrameError;

/// The most bytes that a varint length may have: ten groups of seven bits hold 64.
pub const MAX_VARINT: usize = 10;

/// The most digits that an announced size may have, surrounding white space included.
pub const MAX_SIZE_TEXT: usize = 64;

/// The form of the length in front of a [`LengthPrefixed`](super::LengthPrefixed) frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LengthField {
    /// One byte: frames of up to 255 bytes.
    U8,
    /// Two bytes, most significant first (network byte order).
    U16Be,
    /// Two bytes, least significant first.
    U16Le,
    /// Four bytes, most significant first (network byte order).
    U32Be,
    /// Four bytes, least significant first.
    U32Le,
    /// One to ten bytes of LEB128, as Protocol Buffers delimit messages: seven bits a byte,
    /// least significant first, the high bit set on all but the last.
    Varint,
}

/// A length read from the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// The size of the body in bytes.
    pub body: u64,
    /// How many bytes the length itself takes.
    pub field: usize,
}

impl LengthField {
    /// The largest body that this form can announce, in bytes.
    #[must_use]
    pub const fn max(self) -> u64 {
        match self {
            Self::U8 => u8::MAX as u64,
            Self::U16Be | Self::U16Le => u16::MAX as u64,
            Self::U32Be | Self::U32Le => u32::MAX as u64,
            Self::Varint => u64::MAX,
        }
    }

    /// Reads the length at the beginning of `bytes`; `None` while its end is missing.
    ///
    /// # Errors
    /// [`FrameError::OverlongVarint`].
    pub fn read(self, bytes: &[u8]) -> Result<Option<Length>, FrameError> {
        let (body, field) = match self {
            Self::U8 => (bytes.first().map(|byte| u64::from(*byte)), 1),
            Self::U16Be => (bytes.first_chunk().map(|b| u16::from_be_bytes(*b).into()), 2),
            Self::U16Le => (bytes.first_chunk().map(|b| u16::from_le_bytes(*b).into()), 2),
            Self::U32Be => (bytes.first_chunk().map(|b| u32::from_be_bytes(*b).into()), 4),
            Self::U32Le => (bytes.first_chunk().map(|b| u32::from_le_bytes(*b).into()), 4),
            Self::Varint => return read_varint(bytes),
        };
        Ok(body.map(|body| Length { body, field }))
    }

    /// Writes `body` as a length into `out` and returns how many bytes that took; `None` if
    /// the number is above [`max`](Self::max).
    pub fn write(self, body: u64, out: &mut [u8; MAX_VARINT]) -> Option<usize> {
        if body > self.max() {
            return None;
        }
        let big = body.to_be_bytes();
        let little = body.to_le_bytes();
        let fixed = match self {
            Self::U8 => &little[..1],
            Self::U16Be => &big[6..],
            Self::U16Le => &little[..2],
            Self::U32Be => &big[4..],
            Self::U32Le => &little[..4],
            Self::Varint => return Some(write_varint(body, out)),
        };
        out[..fixed.len()].copy_from_slice(fixed);
        Some(fixed.len())
    }
}

/// Reads an unsigned LEB128 number; `None` while its last byte is missing.
fn read_varint(bytes: &[u8]) -> Result<Option<Length>, FrameError> {
    let mut body = 0_u64;
    for (index, byte) in bytes.iter().take(MAX_VARINT).enumerate() {
        let bits = u64::from(byte & 0x7f);
        // The tenth group has room for one bit, and a last group of zero was not needed.
        let overflows = index == MAX_VARINT - 1 && *byte > 1;
        let padded = index > 0 && *byte == 0;
        if overflows || padded {
            return Err(FrameError::OverlongVarint);
        }
        body |= bits << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some(Length { body, field: index + 1 }));
        }
    }
    Ok(None)
}

/// Writes an unsigned LEB128 number in its shortest form.
fn write_varint(mut value: u64, out: &mut [u8; MAX_VARINT]) -> usize {
    let mut used = 0;
    for slot in out {
        used += 1;
        let group = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            *slot = group;
            break;
        }
        *slot = group | 0x80;
    }
    used
}

/// Reads a size in decimal ASCII digits, white space around it ignored.
///
/// # Errors
/// [`FrameError::NotASize`], also for signs, for numbers above 2⁶⁴ − 1 and for text above
/// [`MAX_SIZE_TEXT`].
pub fn parse_size(text: &[u8]) -> Result<u64, FrameError> {
    let not_a_size = || FrameError::NotASize {
        seen: text[..text.len().min(MAX_SIZE_TEXT)].escape_ascii().to_string(),
    };
    let digits = text.trim_ascii();
    if text.len() > MAX_SIZE_TEXT || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(not_a_size());
    }
    digits
        .iter()
        .try_fold(0_u64, |size, digit| size.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
        .ok_or_else(not_a_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [LengthField; 6] = [
        LengthField::U8,
        LengthField::U16Be,
        LengthField::U16Le,
        LengthField::U32Be,
        LengthField::U32Le,
        LengthField::Varint,
    ];

    #[test]
    fn lengths_have_the_bytes_that_their_name_says() {
        let mut out = [0; MAX_VARINT];
        for (field, expected) in [
            (LengthField::U16Be, &[0x01, 0x02][..]),
            (LengthField::U16Le, &[0x02, 0x01]),
            (LengthField::U32Be, &[0, 0, 0x01, 0x02]),
            (LengthField::U32Le, &[0x02, 0x01, 0, 0]),
            (LengthField::Varint, &[0x82, 0x02]),
        ] {
            let used = field.write(0x102, &mut out).unwrap();
            assert_eq!(&out[..used], expected, "{field:?}");
        }
        assert_eq!(LengthField::U8.write(0x102, &mut out), None);
    }

    #[test]
    fn the_largest_length_of_every_form_survives_a_round_trip() {
        for field in ALL {
            let mut out = [0; MAX_VARINT];
            let used = field.write(field.max(), &mut out).unwrap();
            let length = field.read(&out[..used]).unwrap();
            assert_eq!(length, Some(Length { body: field.max(), field: used }), "{field:?}");
            assert_eq!(field.read(&out[..used - 1]).unwrap(), None, "{field:?}");
        }
    }

    #[test]
    fn varints_that_are_padded_or_above_64_bits_are_refused() {
        let overlong: [&[u8]; 4] = [
            &[0x80, 0x00],
            &[0xff, 0x80, 0x00],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
        ];
        for bytes in overlong {
            let result = LengthField::Varint.read(bytes);
            assert!(matches!(result, Err(FrameError::OverlongVarint)), "{bytes:x?}: {result:?}");
        }
    }

    #[test]
    fn sizes_are_plain_decimal_numbers() {
        assert_eq!(parse_size(b"0").unwrap(), 0);
        assert_eq!(parse_size(b" 1024\r\n").unwrap(), 1024);
        assert_eq!(parse_size(b"18446744073709551615").unwrap(), u64::MAX);
        for bad in ["", " ", "-1", "+1", "1 2", "0x10", "12a", "18446744073709551616", "一"] {
            let error = parse_size(bad.as_bytes()).unwrap_err();
            assert!(matches!(error, FrameError::NotASize { .. }), "{bad}: {error}");
        }
        assert!(parse_size(&[b'0'; MAX_SIZE_TEXT + 1]).is_err());
    }
}
