//! A home's digests: noted where they come up, and computed where they are asked for.

use std::{os::fd::OwnedFd, sync::Arc};

use rustix::io::retry_on_intr;

use super::{Note, SMALLEST, flights::Sum};
use crate::{
    Algorithm, Digest, Error, File, FilePath, Home, Kind, Meta, Opened, Result, Version,
    digest::Hasher,
    keep::Keep,
    tree::{self, Next, Step},
    upload::{plan::Plan, writing::PIECE},
};

/// Bytes read before the thread is given back.
const STRETCH: u64 = 64 << 20;

/// Files that are compared with what is known at once.
const COMPARED: usize = 1000;

impl Home {
    /// The digest of a file's content: as it is known, or computed now.
    ///
    /// # Errors
    /// As [`Home::open_path`]; [`Error::WrongKind`] for a folder; [`Error::Changed`] or [`Error::Shrunk`] if it was written to meanwhile.
    ///
    /// Cancellation: safe.
    pub async fn digest(&self, path: &FilePath, algorithm: Algorithm) -> Result<Digest> {
        let file = match self.open_path(path).await? {
            Opened::File(file) => file,
            Opened::Folder(_) => {
                return Err(Error::WrongKind { expected: "a file, found a folder" });
            }
        };
        let version = file.meta().version();
        match self.known_digest(version, algorithm).await {
            Some(digest) => Ok(digest),
            None => self.compute_digest(&file, algorithm).await,
        }
    }

    /// The digest of the file that `path` leads to, if it still is `version`: as it is known, or computed now unless it
    /// is larger than `most` bytes; none then.
    ///
    /// # Errors
    /// As [`Home::digest`]; [`Error::Changed`] also if it is another file by now.
    ///
    /// Cancellation: safe.
    pub async fn digest_of(
        &self,
        path: &FilePath,
        version: Version,
        algorithm: Algorithm,
        most: u64,
    ) -> Result<Option<Digest>> {
        let known = self.known_digest(version, algorithm).await;
        if known.is_some() || version.size > most {
            return Ok(known);
        }
        match self.open_path(path).await? {
            Opened::File(file) if file.meta().version() == version => {
                self.compute_digest(&file, algorithm).await.map(Some)
            }
            _ => Err(Error::Changed),
        }
    }

    async fn known_digest(&self, version: Version, algorithm: Algorithm) -> Option<Digest> {
        let digests = self.keep.as_ref().and_then(|keep| keep.digests_for(version.size))?;
        digests.get(version, algorithm).await
    }

    /// Reads a file for its digest, unless somebody else did meanwhile.
    async fn compute_digest(&self, file: &File, algorithm: Algorithm) -> Result<Digest> {
        let version = file.meta().version();
        let digests = self.keep.as_ref().and_then(|keep| keep.digests_for(version.size));
        let turn = match digests {
            Some(digests) => Some(digests.turn(version, Sum::Digest(algorithm)).await),
            None => None,
        };
        if turn.is_some()
            && let Some(digest) = self.known_digest(version, algorithm).await
        {
            return Ok(digest);
        }
        let hasher = Hasher::new(algorithm);
        let hasher = self.read_again(file, version.size, hasher, Hasher::update).await?;
        let digest = hasher.finish();
        if let Some(digests) = digests {
            digests.note(Note::Known(version, digest));
        }
        Ok(digest)
    }

    /// The CRC-32 of the first `length` bytes of the file that `path` leads to, if it still is `version`: as it is
    /// known, or computed now.
    ///
    /// # Errors
    /// As [`Home::digest`]; [`Error::Changed`] also if it is another file by now.
    ///
    /// Cancellation: safe.
    pub async fn crc32(&self, path: &FilePath, version: Version, length: u64) -> Result<u32> {
        let digests = self.keep.as_ref().and_then(|keep| keep.digests_for(version.size));
        let mut _turn = None;
        if let Some(digests) = digests.filter(|_| length == version.size) {
            if let Some(crc) = digests.get_crc32(version).await {
                return Ok(crc);
            }
            _turn = Some(digests.turn(version, Sum::Crc32).await);
            if let Some(crc) = digests.get_crc32(version).await {
                return Ok(crc);
            }
        }
        let file = match self.open_path(path).await? {
            Opened::File(file) if file.meta().version() == version => file,
            _ => return Err(Error::Changed),
        };
        let hasher = crc32fast::Hasher::new();
        let hasher = self.read_again(&file, length, hasher, crc32fast::Hasher::update).await?;
        let crc = hasher.finalize();
        if length == version.size {
            self.note_crc32(version, crc);
        }
        Ok(crc)
    }

    /// Takes note of the CRC-32 of that version, which its reader has computed.
    pub fn note_crc32(&self, version: Version, crc: u32) {
        if let Some(digests) = self.keep.as_ref().and_then(|keep| keep.digests_for(version.size)) {
            digests.note(Note::Crc32(version, crc));
        }
    }

    /// Feeds a file's first `length` bytes.
    async fn read_again<H: Send + 'static>(
        &self,
        file: &File,
        length: u64,
        mut hasher: H,
        feed: fn(&mut H, &[u8]),
    ) -> Result<H> {
        let version = file.meta().version();
        let file = Arc::new(rustix::io::fcntl_dupfd_cloexec(file, 0)?);
        let mut at = 0;
        while at < length {
            let (fd, until) = (Arc::clone(&file), length.min(at + STRETCH));
            hasher = self
                .pool()
                .run(move || {
                    read_into(|bytes| feed(&mut hasher, bytes), &fd, at, until)?;
                    Ok::<_, Error>(hasher)
                })
                .await??;
            at = until;
        }
        let now = Meta::from_stat(&rustix::fs::fstat(&file)?).version();
        if now == version { Ok(hasher) } else { Err(Error::Changed) }
    }
}

fn read_into(mut feed: impl FnMut(&[u8]), file: &OwnedFd, mut at: u64, until: u64) -> Result<()> {
    let mut buf = vec![0; PIECE];
    while at < until {
        let most = usize::try_from(until - at).map_or(PIECE, |left| left.min(PIECE));
        let n = retry_on_intr(|| rustix::io::pread(file, &mut buf[..most], at))?;
        if n == 0 {
            return Err(Error::Shrunk);
        }
        feed(&buf[..n]);
        at += n as u64;
    }
    Ok(())
}

impl Keep {
    /// Where digests of files of this size are kept, if anywhere.
    fn digests_for(&self, size: u64) -> Option<&super::Digests> {
        self.keeping.digests.as_ref().filter(|_| size >= SMALLEST)
    }

    /// Notes the digests of a file that was just committed.
    pub(crate) fn note_digests(&self, plan: &Plan, meta: &Meta, blake3: Digest) {
        let Some(digests) = self.digests_for(meta.size) else { return };
        digests.note(Note::Known(meta.version(), blake3));
        match plan.digest {
            // It was found to be right.
            Some(sha256 @ Digest::Sha256(_)) => {
                digests.note(Note::Known(meta.version(), sha256));
            }
            _ => digests.compute_later(&self.files, &plan.path, meta.version()),
        }
    }

    /// Notes that a file is the same though its time was set.
    pub(crate) fn note_same(&self, before: &Meta, now: &Meta) {
        if before.kind == Kind::File
            && before.version() != now.version()
            && let Some(digests) = self.digests_for(now.size)
        {
            digests.note(Note::Same(before.version(), now.version()));
        }
    }

    /// How many digests are kept of versions that files of this home no longer have; they are forgotten if so told.
    pub(crate) fn stale_digests(&self, forget: bool) -> Result<u64> {
        let Some(digests) = &self.keeping.digests else { return Ok(0) };
        let (mut files, mut stale) = (Vec::new(), 0);
        tree::walk(&self.files.fd, c".", |step| {
            if let Step::Leaf { stat, .. } = step {
                let meta = Meta::from_stat(stat);
                if meta.kind == Kind::File {
                    files.push(meta.version());
                }
                if files.len() == COMPARED {
                    stale += digests.stale(std::mem::take(&mut files), forget);
                }
            }
            Ok(Next::On)
        })?;
        Ok(stale + digests.stale(files, forget))
    }
}
