//! An open regular file.

use std::{
    io::IoSliceMut,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    fs::Advice,
    io::{Errno, ReadWriteFlags},
};

use crate::{Error, Meta, Pool, Result};

/// How a read finds out whether it would wait for a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Residence {
    /// Ask the kernel with `RWF_NOWAIT`.
    Cache,
    /// The filesystem lives in memory (tmpfs): a read never waits.
    Memory,
    /// Neither is known: every read goes to the pool.
    Unknown,
}

/// A regular file, open for reading, with what was known of it when it was opened.
#[derive(Debug)]
pub struct File {
    fd: OwnedFd,
    meta: Meta,
    residence: Residence,
    pool: Pool,
}

impl File {
    pub(crate) fn new(fd: OwnedFd, meta: Meta, residence: Residence, pool: Pool) -> Self {
        Self { fd, meta, residence, pool }
    }

    /// The file's size, age and identity when it was opened.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Fails if the file was written to since it was opened.
    ///
    /// # Errors
    /// [`Error::Changed`]; [`Error::Io`].
    pub fn check_unchanged(&self) -> Result<()> {
        let now = Meta::from_stat(&rustix::fs::fstat(&self.fd)?);
        if now.version() == self.meta.version() { Ok(()) } else { Err(Error::Changed) }
    }

    /// Fills `buf` from the file, starting at `offset`.
    ///
    /// Inline if the bytes are in memory, otherwise by the pool.
    ///
    /// # Errors
    /// [`Error::Shrunk`] if the file ends before `buf` is full; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe; what `buf` holds is then unspecified.
    pub async fn read_exact_at(&self, mut buf: &mut [u8], mut offset: u64) -> Result<()> {
        while !buf.is_empty() {
            let n = match self.read_now(buf, offset)? {
                Some(n) => n,
                None => self.read_by_pool(buf, offset).await?,
            };
            if n == 0 {
                return Err(Error::Shrunk);
            }
            buf = &mut buf[n..];
            offset += n as u64;
        }
        Ok(())
    }

    /// Makes it likely that `len` bytes from `offset` can be read without waiting, before a call such
    /// as sendfile that cannot say beforehand whether it would wait.
    ///
    /// # Errors
    /// [`Error::Busy`]; [`Error::Io`]. The end of the file is none.
    ///
    /// Cancellation: safe.
    pub async fn make_resident(&self, offset: u64, len: u64) -> Result<()> {
        if self.residence == Residence::Memory || len == 0 {
            return Ok(());
        }
        let last = offset + len - 1;
        let ready = |at| self.read_now(&mut [0; 1], at).map(|n| n.is_some());
        if ready(offset)? && ready(last)? {
            return Ok(());
        }
        let fd = self.fd.try_clone()?;
        self.pool
            .run(move || {
                let len = std::num::NonZeroU64::new(len);
                rustix::fs::fadvise(&fd, offset, len, Advice::WillNeed)?;
                // Waiting for both ends stands for waiting for all: the reads between were queued
                // together with them.
                for at in [offset, last] {
                    rustix::io::retry_on_intr(|| rustix::io::pread(&fd, &mut [0; 1], at))?;
                }
                Ok(())
            })
            .await?
    }

    /// Reads what is in memory; `None` if that would wait for a disk.
    fn read_now(&self, buf: &mut [u8], offset: u64) -> Result<Option<usize>> {
        let flags = match self.residence {
            Residence::Cache => ReadWriteFlags::NOWAIT,
            Residence::Memory => ReadWriteFlags::empty(),
            Residence::Unknown => return Ok(None),
        };
        let read = rustix::io::retry_on_intr(|| {
            if flags.is_empty() {
                rustix::io::pread(&self.fd, &mut *buf, offset)
            } else {
                rustix::io::preadv2(&self.fd, &mut [IoSliceMut::new(buf)], offset, flags)
            }
        });
        match read {
            Ok(n) => Ok(Some(n)),
            Err(Errno::AGAIN | Errno::OPNOTSUPP) => Ok(None),
            Err(errno) => Err(Error::Io(errno.into())),
        }
    }

    async fn read_by_pool(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        // A copy of the descriptor, so that the work can outlive a caller that gives up.
        let fd = self.fd.try_clone()?;
        let mut bytes = vec![0; buf.len()];
        let (n, bytes) = self
            .pool
            .run(move || {
                let n = rustix::io::retry_on_intr(|| rustix::io::pread(&fd, &mut *bytes, offset))
                    .map_err(std::io::Error::from)?;
                Ok::<_, Error>((n, bytes))
            })
            .await??;
        buf[..n].copy_from_slice(&bytes[..n]);
        Ok(n)
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
