//! Digests of an upload, computed while its bytes are still in the processor's cache.

use crate::{Algorithm, Digest, digest::Hasher};

/// The digests of the first bytes of a partial: as many as came in order.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    blake3: Hasher,
    /// The one that the client announced, if it is another.
    announced: Option<Hasher>,
    hashed: u64,
}

impl Tracker {
    pub(crate) fn new(announced: Option<Digest>) -> Self {
        let other = announced.map(|digest| digest.algorithm()).filter(|a| *a != Algorithm::Blake3);
        Self {
            blake3: Hasher::new(Algorithm::Blake3),
            announced: other.map(Hasher::new),
            hashed: 0,
        }
    }

    /// Takes note of bytes written at `offset`.
    pub(crate) fn feed(&mut self, offset: u64, bytes: &[u8]) {
        if offset < self.hashed {
            self.reset();
        }
        if offset == self.hashed {
            self.blake3.update(bytes);
            if let Some(hasher) = &mut self.announced {
                hasher.update(bytes);
            }
            self.hashed += bytes.len() as u64;
        }
    }

    /// Bytes from the first on that are in the digests; what follows has to be read.
    pub(crate) fn hashed(&self) -> u64 {
        self.hashed
    }

    pub(crate) fn blake3(&self) -> Digest {
        self.blake3.finish()
    }

    /// The digest to be compared with the announced one.
    pub(crate) fn like(&self, digest: &Digest) -> Digest {
        match (&self.announced, digest) {
            (Some(hasher), Digest::Sha256(_)) => hasher.finish(),
            _ => self.blake3(),
        }
    }

    pub(crate) fn reset(&mut self) {
        let announced = self.announced.is_some().then(|| Hasher::new(Algorithm::Sha256));
        *self = Self { blake3: Hasher::new(Algorithm::Blake3), announced, hashed: 0 };
    }
}
