//! What a read answers: an open file, or a stretch of one, ready to be sent.

use std::os::fd::{AsFd, BorrowedFd};

use sockeye_journal::Outcome;
use sockeye_store::{File, Meta};

use crate::{
    Error, Result,
    act::{Act, Contents},
    share::Thing,
};

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
pub struct OpenFile {
    file: File,
    reading: Reading,
}

/// A stretch of an open file, whose descriptor sendfile can take. It holds exactly [`FileBody::remaining`] bytes, however the file changes:
/// growth is not seen, and a file that becomes shorter is [`Error::Shrunk`].
#[derive(Debug)]
pub struct FileBody {
    file: File,
    range: Range,
    reading: Reading,
    /// What is to be sent is still to be counted, if somebody came by a share's link.
    uncounted: bool,
}

/// A file being read: recorded when it is over, with what was sent; not at all if nobody began to.
#[derive(Debug)]
struct Reading {
    /// None in a session that nobody records.
    act: Option<Act>,
    sent: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unread,
    Begun,
    Complete,
}

impl OpenFile {
    pub(crate) fn new(file: File, act: Option<Act>) -> Self {
        Self { file, reading: Reading { act, sent: 0, state: State::Unread } }
    }

    /// The file's size, age and identity when it was opened.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        self.file.meta()
    }

    /// The stretch `range` of it, cut off at the end of the file.
    ///
    /// # Errors
    /// [`Error::BadRange`] if it begins after the end.
    pub fn body(mut self, range: Range) -> Result<FileBody> {
        let size = self.meta().size;
        let rest = Range::from_offset(range.offset, size)
            .ok_or(Error::BadRange { start: range.offset, size })?;
        let range = Range { offset: range.offset, length: range.length.min(rest.length) };
        if range.length == 0 {
            self.reading.state = State::Complete;
        } else if let Some(act) = &mut self.reading.act {
            act.show();
        }
        Ok(FileBody { file: self.file, range, reading: self.reading, uncounted: true })
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
        self.uncounted = true;
        Ok(())
    }

    /// Counts what is to be sent as a download, if somebody came by a share's link. It is done before the first byte
    /// in any case; who has to know whether there will be one asks here.
    ///
    /// # Errors
    /// [`Error::Exhausted`] if there were as many downloads as there may be; [`Error::Io`].
    ///
    /// Cancellation: it may or may not be counted.
    pub async fn begin(&mut self) -> Result<()> {
        if let (true, Some(act)) = (self.uncounted, &self.reading.act) {
            let meta = self.file.meta();
            let what = Thing::File(meta.version());
            let counted = act.seat().count_download(what, meta.size, self.range).await;
            self.reading.checked_here(counted)?;
        }
        self.uncounted = false;
        Ok(())
    }

    /// Fails if the file was written to since it was opened.
    ///
    /// # Errors
    /// [`Error::Changed`]; [`Error::Io`].
    pub fn check_unchanged(&mut self) -> Result<()> {
        let unchanged = self.file.check_unchanged();
        self.reading.checked(unchanged)
    }

    /// Waits until some of the next `wanted` bytes may be sent, as limits on bandwidth have it, and makes it
    /// likely that they can be without waiting for a disk; how many that is. At least one, unless nothing remains.
    ///
    /// # Errors
    /// [`Error::Ended`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn admit(&mut self, wanted: u64) -> Result<u64> {
        let admitted = self.pass(wanted).await?;
        let resident = self.file.make_resident(self.range.offset, admitted).await;
        self.reading.checked(resident)?;
        Ok(admitted)
    }

    /// Fills the beginning of `buf` with the next bytes and says how many; 0 at the end. Limits on bandwidth hold
    /// here as well.
    ///
    /// # Errors
    /// [`Error::Ended`]; [`Error::Shrunk`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe; nothing counts as read.
    pub async fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let admitted = self.pass(buf.len() as u64).await?;
        // No more than the buffer has.
        let n = usize::try_from(admitted).unwrap_or(buf.len());
        let read = self.file.read_exact_at(&mut buf[..n], self.range.offset).await;
        self.reading.checked(read)?;
        self.advance(n as u64);
        Ok(n)
    }

    /// Counts `n` bytes as sent by other means, such as sendfile from the descriptor.
    pub fn advance(&mut self, n: u64) {
        let n = n.min(self.range.length);
        self.range.offset += n;
        self.range.length -= n;
        self.reading.sent += n;
        if let Some(act) = &self.reading.act {
            act.reached(self.reading.sent);
        }
        self.reading.state = if self.range.length == 0 { State::Complete } else { State::Begun };
    }

    async fn pass(&mut self, wanted: u64) -> Result<u64> {
        if self.uncounted {
            self.begin().await?;
        }
        let wanted = wanted.min(self.range.length);
        if self.reading.state == State::Unread {
            self.reading.state = State::Begun;
        }
        let Some(act) = &self.reading.act else { return Ok(wanted) };
        let seat = act.seat();
        let admitted = seat.pace().pass(wanted).await;
        if seat.is_ended() { Err(Error::Ended) } else { Ok(admitted) }
    }
}

impl Reading {
    /// What came of reading, noted where it failed.
    fn checked<T>(&mut self, read: Result<T, sockeye_store::Error>) -> Result<T> {
        self.checked_here(read.map_err(Error::from))
    }

    fn checked_here<T>(&mut self, done: Result<T>) -> Result<T> {
        if let (Err(error), Some(act)) = (&done, &mut self.act) {
            act.failing_with(error);
            self.state = State::Begun;
        }
        done
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(act) = self.act.take() {
            let contents = Contents::bytes(self.sent);
            match self.state {
                State::Unread => act.forget(),
                State::Begun => act.give_up(contents),
                State::Complete => act.end(Outcome::Ok, contents),
            }
        }
    }
}

/// The file's descriptor, open for reading; its own position is not used.
impl AsFd for FileBody {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
