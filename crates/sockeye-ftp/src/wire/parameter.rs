//! Arguments that are codes and numbers (RFC 959 §5.3.2): TYPE, STRU and MODE, REST and ALLO.

use super::reply::Reply;

/// How a file is represented while it is sent (RFC 959 §3.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Type {
    /// Text, its lines ended by CR LF. Every connection begins with it (§5.1).
    #[default]
    Ascii,
    /// The bytes of the file.
    Image,
}

/// Why an argument is no parameter of its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// One of the standard's that is not done here; with what is.
    #[error("Unimplemented: {0} is all there is.")]
    Unimplemented(&'static str),
    /// None of the standard's; with what is done here.
    #[error("Unrecognized: use {0}.")]
    Unrecognized(&'static str),
    /// No type.
    #[error("Unsupported type: use {0}.")]
    Type(&'static str),
    /// No number of bytes.
    #[error("Invalid parameter: a number of bytes is needed, from 0 to 9223372036854775807.")]
    Number,
}

impl ParameterError {
    /// The reply that it makes.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let code = if let Self::Unimplemented(_) = self { 504 } else { 501 };
        Reply::new(code, self.to_string())
    }
}

/// The argument of TYPE: `A`, also with the format `N` that nothing is printed by; `I`; `L 8`, which is the same here.
///
/// `L 7`, text of seven bits, is ASCII. Spaces may be missing.
///
/// # Errors
/// [`ParameterError::Unimplemented`] for EBCDIC, print formats and other lengths of bytes;
/// [`ParameterError::Type`].
pub fn parse_type(argument: &[u8]) -> Result<Type, ParameterError> {
    const THERE_ARE: &str = "A, I or L 8";
    let code: Vec<u8> =
        argument.iter().filter(|&&b| b != b' ').map(u8::to_ascii_uppercase).collect();
    match &code[..] {
        b"A" | b"AN" | b"L7" => Ok(Type::Ascii),
        b"I" | b"L8" => Ok(Type::Image),
        b"AT" | b"AC" | b"E" | b"EN" | b"ET" | b"EC" => {
            Err(ParameterError::Unimplemented(THERE_ARE))
        }
        [b'L', bits @ ..] if number(bits).is_ok() => Err(ParameterError::Unimplemented(THERE_ARE)),
        _ => Err(ParameterError::Type(THERE_ARE)),
    }
}

/// The argument of STRU: `F`, a file without records or pages.
///
/// # Errors
/// [`ParameterError::Unimplemented`] for `R` and `P`; [`ParameterError::Unrecognized`].
pub fn parse_structure(argument: &[u8]) -> Result<(), ParameterError> {
    only(argument, b'F', b"RP", "F")
}

/// The argument of MODE: `S`, the bytes as a stream.
///
/// # Errors
/// [`ParameterError::Unimplemented`] for `B`, `C` and `Z`; [`ParameterError::Unrecognized`].
pub fn parse_mode(argument: &[u8]) -> Result<(), ParameterError> {
    only(argument, b'S', b"BCZ", "S")
}

fn only(
    argument: &[u8],
    own: u8,
    others: &[u8],
    there_is: &'static str,
) -> Result<(), ParameterError> {
    match argument.trim_ascii().to_ascii_uppercase()[..] {
        [code] if code == own => Ok(()),
        [code] if others.contains(&code) => Err(ParameterError::Unimplemented(there_is)),
        _ => Err(ParameterError::Unrecognized(there_is)),
    }
}

/// The argument of REST: where in the file the next transfer begins (RFC 3659 §5.3).
///
/// # Errors
/// [`ParameterError::Number`], also for a number that no file's length can be.
pub fn parse_offset(argument: &[u8]) -> Result<u64, ParameterError> {
    number(argument.trim_ascii())
}

/// The argument of ALLO: how long the next file will be, and perhaps `R` with the length of a record, which says
/// nothing more (RFC 959 §4.1.3).
///
/// # Errors
/// [`ParameterError::Number`].
pub fn parse_allocation(argument: &[u8]) -> Result<u64, ParameterError> {
    let mut words = argument.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let length = number(words.next().unwrap_or_default())?;
    match (words.next(), words.next(), words.next()) {
        (None, ..) => Ok(length),
        (Some(b"R" | b"r"), Some(record), None) => number(record).map(|_| length),
        _ => Err(ParameterError::Number),
    }
}

/// A decimal number that a file's length can be.
fn number(digits: &[u8]) -> Result<u64, ParameterError> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = str::from_utf8(digits).ok().filter(|_| is_number);
    let number = text.and_then(|text| text.parse::<i64>().ok());
    number.map(i64::unsigned_abs).ok_or(ParameterError::Number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn types_are_text_and_bytes() {
        use ParameterError::Unimplemented;
        const ALL: &str = "A, I or L 8";
        for (argument, expected) in [
            ("a", Ok(Type::Ascii)),
            ("A N", Ok(Type::Ascii)),
            ("L7", Ok(Type::Ascii)),
            ("I", Ok(Type::Image)),
            ("l 8", Ok(Type::Image)),
            ("L8 ", Ok(Type::Image)),
            ("A T", Err(Unimplemented(ALL))),
            ("E", Err(Unimplemented(ALL))),
            ("L 36", Err(Unimplemented(ALL))),
            ("", Err(ParameterError::Type(ALL))),
            ("L", Err(ParameterError::Type(ALL))),
            ("I N", Err(ParameterError::Type(ALL))),
            ("?!?", Err(ParameterError::Type(ALL))),
        ] {
            assert_eq!(parse_type(argument.as_bytes()), expected, "{argument}");
        }
    }

    #[test]
    fn structure_and_mode_are_one_each() {
        assert_eq!((parse_structure(b"f"), parse_mode(b" S ")), (Ok(()), Ok(())));
        for (result, code) in [
            (parse_structure(b"P"), 504),
            (parse_structure(b"r"), 504),
            (parse_structure(b"FF"), 501),
            (parse_mode(b"B"), 504),
            (parse_mode(b"z"), 504),
            (parse_mode(b""), 501),
        ] {
            assert_eq!(result.unwrap_err().reply().code(), code, "{result:?}");
        }
    }

    #[test]
    fn numbers_are_what_a_file_can_have() {
        for (argument, number) in [
            ("0", Ok(0)),
            (" 10 ", Ok(10)),
            ("9223372036854775807", Ok(i64::MAX.unsigned_abs())),
            ("9223372036854775808", Err(ParameterError::Number)),
            ("", Err(ParameterError::Number)),
            ("-1", Err(ParameterError::Number)),
            ("+1", Err(ParameterError::Number)),
            ("10.1", Err(ParameterError::Number)),
            ("str", Err(ParameterError::Number)),
            ("1 2", Err(ParameterError::Number)),
        ] {
            assert_eq!(parse_offset(argument.as_bytes()), number, "{argument}");
        }
        assert_eq!(parse_allocation(b"100 R 10"), Ok(100));
        assert_eq!((parse_allocation(b" 7 "), parse_allocation(b"7\t")), (Ok(7), Ok(7)));
        for argument in ["", "x", "100 R", "100 10", "100 R 10 R", "100 R x"] {
            assert!(parse_allocation(argument.as_bytes()).is_err(), "{argument}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_them_panic(argument in "[A-Za-z0-9 -]{0,30}", bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            for argument in [argument.as_bytes(), &bytes] {
                let _ = (parse_type(argument), parse_structure(argument), parse_mode(argument));
                let offset = parse_offset(argument);
                prop_assert!(offset.is_err() || parse_allocation(argument) == offset);
            }
        }
    }
}
