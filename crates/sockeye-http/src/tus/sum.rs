//! The checksum of one piece.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

use crate::wire::tus::{Algorithm, Checksum};

/// A checksum being computed.
pub(super) enum Sum {
    /// SHA-1, which the protocol has in every server, or SHA-256.
    Digest(Box<Context>),
    Crc32(crc32fast::Hasher),
}

impl Sum {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        let digest = |algorithm| Self::Digest(Box::new(Context::new(algorithm)));
        match algorithm {
            Algorithm::Sha1 => digest(&SHA1_FOR_LEGACY_USE_ONLY),
            Algorithm::Sha256 => digest(&SHA256),
            Algorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Digest(context) => context.update(bytes),
            Self::Crc32(hasher) => hasher.update(bytes),
        }
    }

    /// Whether what came is what was announced.
    pub(super) fn is(self, announced: &Checksum) -> bool {
        match self {
            Self::Digest(context) => context.finish().as_ref() == announced.value,
            Self::Crc32(hasher) => hasher.finalize().to_be_bytes() == announced.value[..],
        }
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn known_checksums_come_out() {
        for (algorithm, value) in [
            (Algorithm::Sha1, "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"),
            (Algorithm::Sha256, "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"),
            (Algorithm::Crc32, "0d4a1185"),
        ] {
            let value = HEXLOWER.decode(value.as_bytes()).unwrap();
            let announced = Checksum { algorithm, value };
            for (pieces, expected) in [(["hello ", "world"], true), (["hello ", "World"], false)] {
                let mut sum = Sum::new(algorithm);
                pieces.iter().for_each(|piece| sum.update(piece.as_bytes()));
                assert_eq!(sum.is(&announced), expected);
            }
        }
    }
}
