//! Digests of contents: BLAKE3, which every write computes, and SHA-256, which others speak.

use std::fmt;

use sha2::Digest as _;

/// How a digest is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// BLAKE3, 256 bits.
    Blake3,
    /// SHA-256 (FIPS 180-4).
    Sha256,
}

/// A digest of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Digest {
    /// BLAKE3, 256 bits.
    Blake3([u8; 32]),
    /// SHA-256 (FIPS 180-4).
    Sha256([u8; 32]),
}

impl Algorithm {
    /// Its name in lower case, as in `sha256:…`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blake3 => "blake3",
            Self::Sha256 => "sha256",
        }
    }

    /// The digest of `bytes`.
    #[must_use]
    pub fn of(self, bytes: &[u8]) -> Digest {
        match self {
            Self::Blake3 => Digest::Blake3(*blake3::hash(bytes).as_bytes()),
            Self::Sha256 => Digest::Sha256(sha2::Sha256::digest(bytes).into()),
        }
    }

    pub(crate) fn digest(self, bytes: [u8; 32]) -> Digest {
        match self {
            Self::Blake3 => Digest::Blake3(bytes),
            Self::Sha256 => Digest::Sha256(bytes),
        }
    }
}

impl Digest {
    /// How it was computed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Blake3(_) => Algorithm::Blake3,
            Self::Sha256(_) => Algorithm::Sha256,
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        match self {
            Self::Blake3(bytes) | Self::Sha256(bytes) => bytes,
        }
    }

    /// Reads what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, digits) = text.split_once(':')?;
        let algorithm =
            [Algorithm::Blake3, Algorithm::Sha256].into_iter().find(|a| a.name() == name)?;
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(algorithm.digest(bytes))
    }
}

/// `blake3:` or `sha256:` and 64 digits in lower case.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.algorithm().name())?;
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A digest being computed.
#[derive(Clone, Debug)]
pub(crate) enum Hasher {
    Blake3(Box<blake3::Hasher>),
    Sha256(Box<sha2::Sha256>),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Blake3 => Self::Blake3(Box::default()),
            Algorithm::Sha256 => Self::Sha256(Box::default()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn finish(&self) -> Digest {
        match self {
            Self::Blake3(hasher) => Digest::Blake3(*hasher.finalize().as_bytes()),
            Self::Sha256(hasher) => Digest::Sha256(hasher.as_ref().clone().finalize().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests_come_out_and_are_read_back() {
        let empty = Algorithm::Sha256.of(b"");
        assert_eq!(
            empty.to_string(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let empty = Algorithm::Blake3.of(b"");
        assert_eq!(
            empty.to_string(),
            "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        );
        assert_eq!(Digest::parse(&empty.to_string()), Some(empty));
        for text in ["", "blake3", "blake3:", "md5:00", "sha256:zz", &"blake3:é".repeat(9)] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }

    #[test]
    fn pieces_give_the_digest_of_the_whole() {
        for algorithm in [Algorithm::Blake3, Algorithm::Sha256] {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"one ");
            hasher.update(b"whole");
            assert_eq!(hasher.finish(), algorithm.of(b"one whole"));
        }
    }
}
