//! The chain: each line's hash covers the line and, by the hash before it, all lines before.

use std::{fmt, str::FromStr};

use crate::{Error, wire::put};

/// The hash of a line: BLAKE3 over the hash of the line before and the line itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub(crate) [u8; 32]);

impl Hash {
    /// What stands in for the hash before the first line.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of a line, given that of the line before and what stands in front of `,"hash":`.
    #[must_use]
    pub fn link(self, content: &[u8]) -> Self {
        // What fits into one chunk of BLAKE3 is hashed at one go, which spares half the time.
        let mut chunk = [0; blake3::CHUNK_LEN];
        if let Some(place) = chunk.get_mut(..self.0.len() + content.len()) {
            let (before, rest) = place.split_at_mut(self.0.len());
            before.copy_from_slice(&self.0);
            rest.copy_from_slice(content);
            return Self::of(place);
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0).update(content);
        Self(*hasher.finalize().as_bytes())
    }

    /// The hash of some bytes alone.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Reads 64 hexadecimal digits.
    pub(crate) fn from_hex(digits: &[u8]) -> Option<Self> {
        put::unhex(digits).map(Self)
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_hex(text.as_bytes()).ok_or_else(|| Error::NoHash(text.to_owned()))
    }
}

/// What follows a line's content: the hash, still to be filled in.
pub(crate) const TAIL: &[u8; TAIL_LENGTH] =
    b",\"hash\":\"0000000000000000000000000000000000000000000000000000000000000000\"}\n";

/// Length of what follows a line's content, line end included.
pub(crate) const TAIL_LENGTH: usize = BEFORE_HASH.len() + 64 + AFTER_HASH.len() + 1;

const BEFORE_HASH: &[u8] = b",\"hash\":\"";
const AFTER_HASH: &[u8] = b"\"}";

/// Fills the hash into a whole line, line end included, and gives it.
pub(crate) fn seal(previous: Hash, line: &mut [u8]) -> Hash {
    let (content, tail) = line.split_at_mut(line.len().saturating_sub(TAIL_LENGTH));
    let hash = previous.link(content);
    put::set_hex(&mut tail[BEFORE_HASH.len()..][..64], &hash.0);
    hash
}

/// A line without its end, as its content and its hash; nothing if no hash stands at its end.
pub(crate) fn split(line: &[u8]) -> Option<(&[u8], Hash)> {
    let at = line.len().checked_sub(TAIL_LENGTH - 1)?;
    let (content, tail) = line.split_at(at);
    let digits = tail.strip_prefix(BEFORE_HASH)?.strip_suffix(AFTER_HASH)?;
    Hash::from_hex(digits).map(|hash| (content, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_line_splits_into_its_content_and_the_hash_of_both() {
        let mut line = [&b"{\"seq\":1"[..], TAIL].concat();
        let hash = seal(Hash::ZERO, &mut line);
        let (content, stated) = split(&line[..line.len() - 1]).unwrap();
        assert_eq!((content, stated), (&b"{\"seq\":1"[..], hash));
        let whole = [&[0; 32][..], content].concat();
        assert_eq!(hash, Hash::of(&whole));
        assert_ne!(hash, hash.link(content));
        assert_eq!(hash.to_string().parse::<Hash>().unwrap(), hash);
    }

    #[test]
    fn a_line_of_any_length_has_the_hash_of_what_is_before_it_and_itself() {
        let before = Hash::of(b"before");
        for length in [0, 1, 63, 991, 992, 993, 1024, 5000] {
            let content = vec![b'x'; length];
            let whole = [&before.0[..], &content].concat();
            assert_eq!(before.link(&content), Hash::of(&whole), "{length}");
        }
    }

    #[test]
    fn a_line_that_does_not_end_with_a_hash_does_not_split() {
        for line in [&b""[..], b"{}", &TAIL[1..], &TAIL[..TAIL.len() - 2]] {
            assert!(split(line).is_none(), "{}", line.escape_ascii());
        }
        assert!("5f".parse::<Hash>().is_err());
    }
}
