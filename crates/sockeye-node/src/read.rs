//! What a read answers: an open file, or a stretch of one, ready to be sent.

use std::os::fd::{AsFd, BorrowedFd};

use sockeye_store::{File, Meta};

use crate::{Error, Result};

/// A stretch of a file: `length` bytes from `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first byte, counted from 0.
    pub offset: u64,
    /// How many bytes; may be 0.
    pub length: u64,
}

impl Range {
    /// From `offset` to the end of a file of `size` bytes; none if it begins after the end.
    #[must_use]
    pub fn from_offset(offset: u64, size: u64) -> Option<Self> {
        Some(Self { offset, length: size.checked_sub(offset)? })
    }
}

/// A file opened by a session, of which parts can be sent.
#[derive(Debug)]
pub struct OpenFile(File);

/// What is sent to a client.
#[derive(Debug)]
#[non_exhaustive]
pub enum Body {
    /// A stretch of a file, whose descriptor sendfile can take.
    File(FileBody),
}

/// A stretch of an open file. It holds exactly [`FileBody::remaining`] bytes, however the file changes:
/// growth is not seen, and a file that becomes shorter is [`Error::Shrunk`].
#[derive(Debug)]
pub struct FileBody {
    file: File,
    range: Range,
}

impl OpenFile {
    pub(crate) fn new(file: File) -> Self {
        Self(file)
    }

    /// The file's size, age and identity when it was opened.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        self.0.meta()
    }

    /// The stretch `range` of it, cut off at the end of the file.
    ///
    /// # Errors
    /// [`Error::BadRange`] if it begins after the end.
    pub fn body(self, range: Range) -> Result<FileBody> {
        let size = self.meta().size;
        let rest = Range::from_offset(range.offset, size)
            .ok_or(Error::BadRange { start: range.offset, size })?;
        let length = range.length.min(rest.length);
        Ok(FileBody { file: self.0, range: Range { offset: range.offset, length } })
    }
}

impl FileBody {
    /// The size, age and identity of the whole file when it was opened.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        self.file.meta()
    }

    /// What is still to be sent.
    #[must_use]
    pub fn range(&self) -> Range {
        self.range
    }

    /// Bytes still to be sent.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.range.length
    }

    /// Takes another stretch of the same file as what is to be sent.
    ///
    /// # Errors
    /// [`Error::BadRange`] if it goes beyond the end of the file.
    pub fn seek(&mut self, range: Range) -> Result<()> {
        let size = self.meta().size;
        if range.offset.checked_add(range.length).is_none_or(|end| end > size) {
            return Err(Error::BadRange { start: range.offset, size });
        }
        self.range = range;
        Ok(())
    }

    /// Fills the beginning of `buf` with the next bytes and says how many; 0 at the end.
    ///
    /// # Errors
    /// [`Error::Shrunk`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe; nothing counts as read.
    pub async fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let n = usize::try_from(self.range.length).map_or(buf.len(), |left| left.min(buf.len()));
        self.file.read_exact_at(&mut buf[..n], self.range.offset).await?;
        self.advance(n as u64);
        Ok(n)
    }

    /// Makes it likely that the next `length` bytes can be sent from the descriptor without waiting.
    ///
    /// # Errors
    /// [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn make_resident(&self, length: u64) -> Result<()> {
        let length = length.min(self.range.length);
        Ok(self.file.make_resident(self.range.offset, length).await?)
    }

    /// Counts `n` bytes as sent by other means, such as sendfile from the descriptor.
    pub fn advance(&mut self, n: u64) {
        let n = n.min(self.range.length);
        self.range.offset += n;
        self.range.length -= n;
    }
}

/// The file's descriptor, open for reading; its own position is not used.
impl AsFd for FileBody {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
