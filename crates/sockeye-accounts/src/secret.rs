//! Secrets in memory: wiped when dropped, and never shown.

use std::fmt;

use zeroize::Zeroizing;

use crate::random;

/// Shortest password that can be set, in characters.
pub const MIN_PASSWORD: usize = 8;

/// Longest password or token that is looked at, in bytes.
pub const MAX_SECRET: usize = 1024;

/// Letters of an initial password: none that is easily taken for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Why a text cannot be set as a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Fewer than [`MIN_PASSWORD`] characters.
    #[error("a password has at least {MIN_PASSWORD} characters")]
    TooShort,
    /// More than [`MAX_SECRET`] bytes.
    #[error("a password has at most {MAX_SECRET} bytes")]
    TooLong,
    /// It has a NUL or a line's end in it, which not every protocol can carry.
    #[error("a password has no line's end and no NUL in it")]
    Control,
    /// It is the account's name, or one letter again and again.
    #[error("a password is neither the account's name nor one character again and again")]
    Guessed,
}

/// A password or a token: wiped from memory when dropped, and shown by neither `Debug` nor `Display`.
///
/// What it says is had by [`Secret::expose`] alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes what was received as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// A new password that its owner is to change: twenty letters and digits in groups of five, about
    /// a hundred bits.
    #[must_use]
    pub fn initial() -> Self {
        let random = Zeroizing::new(random::bytes::<20>());
        let mut text = Zeroizing::new(String::with_capacity(23));
        for (index, byte) in random.iter().enumerate() {
            if index % 5 == 0 && index > 0 {
                text.push('-');
            }
            // 256 is a multiple of 32: every letter is as likely as the others.
            text.push(char::from(LETTERS[usize::from(byte % 32)]));
        }
        Self(text)
    }

    /// What the secret says. Never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this can be set as the password of the account called `name`.
    ///
    /// # Errors
    /// Which rule it breaks; the message does not repeat it.
    pub fn check_password(&self, name: &str) -> Result<(), PasswordError> {
        let text = self.expose();
        if text.len() > MAX_SECRET {
            return Err(PasswordError::TooLong);
        }
        if text.chars().count() < MIN_PASSWORD {
            return Err(PasswordError::TooShort);
        }
        if text.contains(['\0', '\r', '\n']) {
            return Err(PasswordError::Control);
        }
        let first = text.chars().next();
        if text.eq_ignore_ascii_case(name) || text.chars().all(|c| Some(c) == first) {
            return Err(PasswordError::Guessed);
        }
        Ok(())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// For fields that have to cross the control socket: `#[serde(with = "exposed")]` says in the open that
/// the secret is written out.
pub(crate) mod exposed {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Secret;

    pub(crate) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}

/// As [`exposed`], for a secret that may be missing.
pub(crate) mod exposed_option {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::Secret;

    pub(crate) fn serialize<S: Serializer>(
        secret: &Option<Secret>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(Secret::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hunter2hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn weak_passwords_are_refused_without_being_repeated() {
        for (text, fault) in [
            ("short", PasswordError::TooShort),
            ("", PasswordError::TooShort),
            ("aaaaaaaaaaaa", PasswordError::Guessed),
            ("Margarete", PasswordError::Guessed),
            ("two\nlines here", PasswordError::Control),
        ] {
            let error = Secret::new(text).check_password("margarete").unwrap_err();
            assert_eq!(error, fault, "{text:?}");
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
        let long = Secret::new("ab".repeat(MAX_SECRET));
        assert_eq!(long.check_password("x"), Err(PasswordError::TooLong));
        assert_eq!(Secret::new("八个字的口令也行").check_password("x"), Ok(()));
    }

    #[test]
    fn initial_passwords_differ_and_can_be_set() {
        let (one, other) = (Secret::initial(), Secret::initial());
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), 23);
        assert_eq!(one.check_password("admin"), Ok(()));
    }
}
