//! Facts that a client changes: the arguments of MFF (draft-somers-ftp-mfxx) and of SITE CHMOD.

use sockeye_node::Timestamp;

use super::{
    command::split,
    digits,
    time::{self, TimeError},
};

/// What is to change of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// When its content was changed.
    pub modified: Option<Timestamp>,
    /// Its permissions, nine bits.
    pub mode: Option<u32>,
}

/// Why an argument is no change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// No `FACT=VALUE;` and path.
    #[error("Syntax error: facts such as modify=20260101000000; and a path are needed.")]
    Missing,
    /// A fact that cannot be changed.
    #[error("Only the facts modify and UNIX.mode can be changed.")]
    Fact,
    /// Not a time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// No mode and path for SITE CHMOD.
    #[error("SITE CHMOD needs two arguments: a mode such as 644, and a path.")]
    Arguments,
    /// Not permissions, for SITE CHMOD.
    #[error("Invalid SITE CHMOD format: a mode is three octal digits such as 644.")]
    Chmod,
    /// Not permissions.
    #[error("A mode is three octal digits such as 644.")]
    Mode,
}

impl ChangeError {
    /// The code of the reply that it makes: 504 for a fact that is none here, else 501.
    #[must_use]
    pub fn code(&self) -> u16 {
        if *self == Self::Fact { 504 } else { 501 }
    }
}

/// The argument of MFF: `modify=20260101000000;UNIX.mode=644; PATH`.
///
/// # Errors
/// [`ChangeError`]; nothing is to be changed then.
pub fn parse_mff(argument: &[u8]) -> Result<(Changes, &[u8]), ChangeError> {
    const MISSING: ChangeError = ChangeError::Missing;
    let (facts, path) = split(argument);
    let facts = facts.strip_suffix(b";").filter(|_| !path.is_empty()).ok_or(MISSING)?;
    let mut changes = Changes::default();
    for fact in facts.split(|&b| b == b';') {
        let equals = fact.iter().position(|&b| b == b'=').ok_or(MISSING)?;
        let (name, value) = (&fact[..equals], &fact[equals + 1..]);
        if name.eq_ignore_ascii_case(b"modify") {
            changes.modified = Some(time::parse(value)?);
        } else if name.eq_ignore_ascii_case(b"UNIX.mode") {
            changes.mode = Some(mode(value)?);
        } else {
            return Err(ChangeError::Fact);
        }
    }
    Ok((changes, path))
}

/// The argument of SITE CHMOD: `644 PATH`.
///
/// # Errors
/// [`ChangeError::Arguments`], [`ChangeError::Chmod`].
pub fn parse_chmod(argument: &[u8]) -> Result<(u32, &[u8]), ChangeError> {
    let (digits, path) = split(argument);
    if path.is_empty() {
        return Err(ChangeError::Arguments);
    }
    Ok((mode(digits).map_err(|_| ChangeError::Chmod)?, path))
}

/// Permissions in octal, also with zeros in front; nothing above the nine bits for owner, group and others.
fn mode(text: &[u8]) -> Result<u32, ChangeError> {
    if text.is_empty() || text.len() > 5 {
        return Err(ChangeError::Mode);
    }
    let add = |sum: u32, byte: &u8| match byte {
        b'0'..=b'7' => Some(sum * 8 + u32::from(byte - b'0')),
        _ => None,
    };
    text.iter().try_fold(0, add).filter(|&mode| mode <= 0o777).ok_or(ChangeError::Mode)
}

impl Changes {
    /// Appends what was changed, for the reply (213) to MFF and MFMT: the facts, a space, the path.
    pub fn write(&self, out: &mut Vec<u8>, path: &[u8]) {
        if let Some(modified) = self.modified {
            out.extend(b"Modify=");
            time::write(out, modified);
            out.push(b';');
        }
        if let Some(mode) = self.mode {
            out.extend(b"UNIX.mode=");
            digits::octal(out, mode.into(), 4);
            out.push(b';');
        }
        out.push(b' ');
        out.extend(path);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT: Timestamp = Timestamp { seconds: 951_782_400, nanos: 0 };

    #[test]
    fn facts_are_changed_together_and_told() {
        let both = Changes { modified: Some(AT), mode: Some(0o640) };
        let argument = b"Modify=20000229000000;unix.mode=0640; a b";
        assert_eq!(parse_mff(argument), Ok((both, &b"a b"[..])));
        let mut out = Vec::new();
        both.write(&mut out, b"a b");
        assert_eq!(out, b"Modify=20000229000000;UNIX.mode=0640; a b");
        let mode = Changes { mode: Some(0o7), ..Changes::default() };
        assert_eq!(parse_mff(b"UNIX.mode=7; a"), Ok((mode, &b"a"[..])));
    }

    #[test]
    fn what_is_no_change_is_refused_as_a_whole() {
        for (argument, text, code) in [
            ("", "Syntax error", 501),
            ("a", "Syntax error", 501),
            ("modify=20000229000000;", "Syntax error", 501),
            ("modify=20000229000000 a", "Syntax error", 501),
            ("modify; a", "Syntax error", 501),
            ("; a", "Syntax error", 501),
            ("modify=x; a", "Invalid time format", 501),
            ("UNIX.mode=888; a", "A mode is", 501),
            ("modify=20000229000000;size=1; a", "Only the facts", 504),
        ] {
            let error = parse_mff(argument.as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with(text), "{argument}: {error}");
            assert_eq!(error.code(), code, "{argument}");
        }
    }

    #[test]
    fn a_mode_has_nine_bits() {
        assert_eq!(parse_chmod(b"755 a b"), Ok((0o755, &b"a b"[..])));
        assert_eq!(parse_chmod(b"00644 a"), Ok((0o644, &b"a"[..])));
        for argument in ["4755 a", "1777 a", "u+x a", "8 a", "-1 a", " a", "000644 a"] {
            assert_eq!(parse_chmod(argument.as_bytes()), Err(ChangeError::Chmod), "{argument}");
        }
        assert_eq!(parse_chmod(b"644"), Err(ChangeError::Arguments));
    }

    proptest! {
        #[test]
        fn what_is_told_reads_back(
            seconds in proptest::option::of(0i64..=253_402_207_200),
            mode in proptest::option::of(0u32..=0o777),
            path in "[a-z ;=]{1,10}",
        ) {
            prop_assume!(seconds.is_some() || mode.is_some());
            let modified = seconds.map(|seconds| Timestamp { seconds, nanos: 0 });
            let changes = Changes { modified, mode };
            let mut out = Vec::new();
            changes.write(&mut out, path.as_bytes());
            prop_assert_eq!(parse_mff(&out), Ok((changes, path.as_bytes())));
        }

        #[test]
        fn nothing_makes_them_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), text in "[a-zA-Z0-9=;. ]{0,40}") {
            let _ = (parse_mff(&bytes), parse_chmod(&bytes));
            let _ = (parse_mff(text.as_bytes()), parse_chmod(text.as_bytes()));
        }
    }
}
