//! A home's digests: noted where they come up, and computed where they are asked for.

use std::{os::fd::OwnedFd, sync::Arc};

use rustix::io::retry_on_intr;

use super::{Note, SMALLEST};
use crate::{
    Algorithm, Digest, Error, FilePath, Home, Kind, Meta, Opened, Result, Version,
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
        let digests = self.keep.as_ref().and_then(|keep| keep.digests_for(version.size));
        if let Some(digests) = digests
            && let Some(digest) = digests.get(version, algorithm).await
        {
            return Ok(digest);
        }
        let fd = Arc::new(rustix::io::fcntl_dupfd_cloexec(&file, 0)?);
        let digest = self.compute(fd, version, algorithm).await?;
        if let Some(digests) = digests {
            digests.note(Note::Known(version, digest));
        }
        Ok(digest)
    }

    async fn compute(
        &self,
        file: Arc<OwnedFd>,
        version: Version,
        algorithm: Algorithm,
    ) -> Result<Digest> {
        let mut hasher = Hasher::new(algorithm);
        let mut at = 0;
        loop {
            let (fd, until) = (Arc::clone(&file), version.size.min(at + STRETCH));
            hasher = self
                .pool()
                .run(move || {
                    read_into(&mut hasher, &fd, at, until)?;
                    Ok::<_, Error>(hasher)
                })
                .await??;
            at = until;
            if at == version.size {
                let now = Meta::from_stat(&rustix::fs::fstat(&file)?).version();
                return if now == version { Ok(hasher.finish()) } else { Err(Error::Changed) };
            }
        }
    }
}

fn read_into(hasher: &mut Hasher, file: &OwnedFd, mut at: u64, until: u64) -> Result<()> {
    let mut buf = vec![0; PIECE];
    while at < until {
        let most = usize::try_from(until - at).map_or(PIECE, |left| left.min(PIECE));
        let n = retry_on_intr(|| rustix::io::pread(file, &mut buf[..most], at))?;
        if n == 0 {
            return Err(Error::Shrunk);
        }
        hasher.update(&buf[..n]);
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
