//! SSH public keys, as a line of `authorized_keys` gives them; kept for the SSH server to come.
//!
//! Parsed here (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4, and OpenSSH's PROTOCOL.u2f), so that what is
//! kept is a key and nothing else. No signature is checked here.

use std::{fmt, str::FromStr};

use data_encoding::{BASE64, BASE64_NOPAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::token::MAX_LABEL;

/// Most keys that an account can have.
pub const MAX_KEYS: usize = 64;

/// Longest line that is looked at, in bytes: an RSA key of 16,384 bits with its comment.
const MAX_LINE: usize = 8 * 1024;

/// Sizes of RSA keys that are taken, in bits (NIST SP 800-131A: at least 2048).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=16_384;

/// The kinds of keys that are taken, and the fields after the kind's name.
const KINDS: [(&str, &[Field]); 7] = [
    ("ssh-ed25519", &[Field::Exactly(32)]),
    ("ecdsa-sha2-nistp256", &[Field::Curve("nistp256"), Field::Point(65)]),
    ("ecdsa-sha2-nistp384", &[Field::Curve("nistp384"), Field::Point(97)]),
    ("ecdsa-sha2-nistp521", &[Field::Curve("nistp521"), Field::Point(133)]),
    ("ssh-rsa", &[Field::Exponent, Field::Modulus]),
    ("sk-ssh-ed25519@openssh.com", &[Field::Exactly(32), Field::Application]),
    (
        "sk-ecdsa-sha2-nistp256@openssh.com",
        &[Field::Curve("nistp256"), Field::Point(65), Field::Application],
    ),
];

/// What a field of a key has to be.
#[derive(Clone, Copy, Debug)]
enum Field {
    Exactly(usize),
    Curve(&'static str),
    /// An uncompressed point of a curve: 4, then both coordinates.
    Point(usize),
    Exponent,
    Modulus,
    Application,
}

/// Why a text is no public key that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not a line of the form `KIND BASE64 [COMMENT]`.
    #[error(
        "a public key is one line: its kind, its base64, and a comment (the file ends in .pub)"
    )]
    Form,
    /// The private half: it must never leave its owner's machine.
    #[error("this is a private key: keep it to yourself, and give the file that ends in .pub")]
    Private,
    /// A kind that is not taken.
    #[error("keys of this kind are not taken: ssh-ed25519, ecdsa-sha2-*, ssh-rsa and sk-* are")]
    Kind,
    /// Restrictions in front of the key.
    #[error("options in front of a key are not taken: give the key alone")]
    Options,
    /// An RSA key shorter than 2048 or longer than 16384 bits.
    #[error("an RSA key has 2048 to 16384 bits; make a new one with `ssh-keygen -t ed25519`")]
    Size,
    /// The base64 does not hold what its kind says.
    #[error("the key is damaged: its base64 does not hold what its kind says")]
    Damaged,
}

/// An SSH public key.
///
/// Printed and parsed as the line that `ssh-keygen` writes; found by its fingerprint.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey {
    kind: KindName,
    blob: Box<[u8]>,
    comment: Box<str>,
}

/// The name of one of [`KINDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KindName(&'static str);

impl PublicKey {
    /// The kind's name: `ssh-ed25519`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind.0
    }

    /// The key as SSH sends it (RFC 4253 §6.6).
    #[must_use]
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// What its owner calls it; often `user@machine`.
    #[must_use]
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The key's fingerprint, as `ssh-keygen -l` prints it: `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", BASE64_NOPAD.encode(&Sha256::digest(&self.blob)))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let line = text.trim();
        if line.contains("PRIVATE KEY") {
            return Err(KeyError::Private);
        }
        if line.len() > MAX_LINE || line.contains(char::is_control) {
            return Err(KeyError::Form);
        }
        let mut words = line.split_ascii_whitespace();
        let (named, base64) = words.next().zip(words.next()).ok_or(KeyError::Form)?;
        let &(kind, fields) =
            KINDS.iter().find(|(kind, _)| *kind == named).ok_or_else(|| unknown_kind(line))?;
        let blob = BASE64
            .decode(base64.as_bytes())
            .or_else(|_| BASE64_NOPAD.decode(base64.as_bytes()))
            .map_err(|_| KeyError::Damaged)?;
        check(&blob, kind, fields)?;
        let mut comment = words.collect::<Vec<_>>().join(" ");
        comment.truncate(comment.floor_char_boundary(MAX_LABEL));
        Ok(Self { kind: KindName(kind), blob: blob.into(), comment: comment.into() })
    }
}

/// Why a line that begins with no known kind is none: options stand in front of a known one.
fn unknown_kind(line: &str) -> KeyError {
    let known = |word: &str| KINDS.iter().any(|(kind, _)| *kind == word);
    match line.split_ascii_whitespace().any(known) {
        true => KeyError::Options,
        false if line.starts_with("ssh-") || line.starts_with("sk-") => KeyError::Kind,
        false => KeyError::Form,
    }
}

fn check(blob: &[u8], kind: &str, fields: &[Field]) -> Result<(), KeyError> {
    let mut rest = blob;
    if take(&mut rest)? != kind.as_bytes() {
        return Err(KeyError::Damaged);
    }
    for field in fields {
        let bytes = take(&mut rest)?;
        let right = match *field {
            Field::Exactly(length) => bytes.len() == length,
            Field::Curve(name) => bytes == name.as_bytes(),
            Field::Point(length) => bytes.len() == length && bytes[0] == 4,
            Field::Exponent => !bytes.is_empty() && bytes.len() <= 8 && bytes[0] < 0x80,
            Field::Modulus => {
                let bits = bit_length(bytes).ok_or(KeyError::Damaged)?;
                if !RSA_BITS.contains(&bits) {
                    return Err(KeyError::Size);
                }
                true
            }
            Field::Application => !bytes.is_empty(),
        };
        if !right {
            return Err(KeyError::Damaged);
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(KeyError::Damaged) }
}

/// The next field: its length in four bytes, then as many.
fn take<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], KeyError> {
    let (length, tail) = rest.split_first_chunk::<4>().ok_or(KeyError::Damaged)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| KeyError::Damaged)?;
    let (field, tail) = tail.split_at_checked(length).ok_or(KeyError::Damaged)?;
    *rest = tail;
    Ok(field)
}

/// The bits of a positive `mpint` (RFC 4251 §5); `None` if it is negative or has needless zeros.
fn bit_length(bytes: &[u8]) -> Option<usize> {
    let digits = match *bytes {
        [0, second, ..] if second >= 0x80 => &bytes[1..],
        [first, ..] if (1..0x80).contains(&first) => bytes,
        _ => return None,
    };
    let top = digits.first()?.leading_zeros() as usize;
    Some(digits.len() * 8 - top)
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), BASE64.encode(&self.blob))?;
        if self.comment.is_empty() { Ok(()) } else { write!(f, " {}", self.comment) }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.kind(), self.fingerprint())
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

/// A public key of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The key itself.
    pub key: PublicKey,
    /// Its fingerprint: `SHA256:…`.
    pub fingerprint: String,
    /// When it was added.
    #[serde(serialize_with = "crate::write_to_the_second")]
    pub created: Timestamp,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made with `ssh-keygen`, and their fingerprints as `ssh-keygen -l` prints them.
    const KEYS: &str = include_str!("../tests/fixtures/keys");

    fn keys() -> impl Iterator<Item = (&'static str, &'static str)> {
        KEYS.lines().filter_map(|line| line.split_once('\t'))
    }

    #[test]
    fn real_keys_are_read_and_have_the_fingerprint_that_ssh_keygen_prints() {
        let mut kinds = Vec::new();
        for (fingerprint, line) in keys() {
            let key: PublicKey = line.parse().unwrap();
            assert_eq!(key.fingerprint(), fingerprint);
            assert_eq!(key.to_string(), line);
            assert_eq!(key.comment(), "alice@example.org");
            kinds.push(key.kind());
        }
        assert_eq!(kinds.len(), 5, "{kinds:?}");
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_to_do() {
        let (_, good) = keys().next().unwrap();
        let damaged = good.replacen("AAAA", "AAAB", 1);
        let options = format!("no-pty,from=\"10.0.0.0/8\" {good}");
        for (text, fault) in [
            ("", KeyError::Form),
            ("hello", KeyError::Form),
            ("hello world", KeyError::Form),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nxyz", KeyError::Private),
            ("ssh-dss AAAA", KeyError::Kind),
            ("ssh-ed25519 !!!!", KeyError::Damaged),
            ("ssh-rsa AAAAC3NzaC1lZDI1NTE5", KeyError::Damaged),
            (damaged.as_str(), KeyError::Damaged),
            (options.as_str(), KeyError::Options),
        ] {
            assert_eq!(text.parse::<PublicKey>(), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_short_rsa_key_is_refused() {
        let mut blob = Vec::new();
        let modulus: Vec<u8> = std::iter::once(0).chain([0xff; 128]).collect();
        for field in [b"ssh-rsa".as_slice(), &[1, 0, 1], &modulus] {
            blob.extend_from_slice(&u32::try_from(field.len()).unwrap().to_be_bytes());
            blob.extend_from_slice(field);
        }
        let line = format!("ssh-rsa {}", BASE64.encode(&blob));
        assert_eq!(line.parse::<PublicKey>(), Err(KeyError::Size));
    }

    proptest! {
        #[test]
        fn a_key_with_any_bytes_is_answered(kind in 0..KINDS.len(), blob: Vec<u8>) {
            let line = format!("{} {}", KINDS[kind].0, BASE64.encode(&blob));
            prop_assert!(line.parse::<PublicKey>().is_err());
        }

        #[test]
        fn any_text_is_answered(text: String) {
            let _ = text.parse::<PublicKey>();
        }
    }
}
