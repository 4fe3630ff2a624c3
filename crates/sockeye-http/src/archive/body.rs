//! A stretch of an archive, made while it is sent.

use bytes::Bytes;
use sockeye_node::{Error, FileBody, FilePath, Range, Resource, Session, Version};

use super::plan::{Plan, Source};
use crate::wire::zip::Entry;

/// Bytes that are made at once.
const PIECE: usize = 64 * 1024;

/// A stretch of an archive. It holds a piece of it and one open file at a time.
#[derive(Debug)]
pub(super) struct Body {
    plan: Plan,
    session: Session,
    /// The next byte.
    at: u64,
    end: u64,
    /// The entry that it belongs to, or that the next record of the directory is of.
    entry: usize,
    /// Where the next record of the directory begins.
    record: u64,
    file: Option<Reading>,
    /// What is known so far.
    crcs: Vec<Option<u32>>,
    name: Vec<u8>,
    record_bytes: Vec<u8>,
}

/// A file of which the content is sent.
#[derive(Debug)]
struct Reading {
    path: FilePath,
    version: Version,
    body: FileBody,
    /// Of what was read, from the first byte on; none if that was not the file's first.
    crc: Option<crc32fast::Hasher>,
}

/// The part of an archive that a byte belongs to.
enum Part {
    /// In front of an entry's content, or behind it.
    Frame,
    /// This byte of an entry's content, of so many.
    Content(u64, u64),
}

impl Body {
    /// The stretch `range` of the archive.
    pub(super) fn new(plan: Plan, session: Session, range: Range) -> Self {
        let directory = plan.directory();
        let is_behind = range.offset >= directory.offset;
        Self {
            at: range.offset,
            end: range.offset.saturating_add(range.length),
            entry: if is_behind { 0 } else { plan.entry_at(range.offset) },
            record: directory.offset,
            file: None,
            crcs: vec![None; plan.len()],
            name: Vec::new(),
            record_bytes: Vec::new(),
            plan,
            session,
        }
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Changed`] if a file is not what it was when the archive was laid out; what reading it fails with.
    ///
    /// Cancellation: the body is spoilt.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let mut out = Vec::with_capacity(PIECE);
        while self.at < self.end && out.len() < PIECE {
            if self.at < self.plan.directory().offset {
                self.go_on(&mut out).await?;
            } else {
                self.conclude(&mut out).await?;
            }
        }
        Ok((!out.is_empty()).then(|| out.into()))
    }

    /// Appends some of an entry.
    async fn go_on(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let begin = self.plan.offset(self.entry);
        let within = self.at - begin;
        let entry = self.plan.entry(self.entry, &mut self.name);
        let (local, length) = (entry.local_length(), entry.length());
        let part = match within.checked_sub(local) {
            Some(content) if content < entry.size => Part::Content(content, entry.size),
            _ => Part::Frame,
        };
        match part {
            Part::Content(at, size) => self.content(out, at, size).await?,
            Part::Frame if within < local => {
                let put = |entry: &Entry<'_>, out: &mut Vec<u8>| entry.local(out);
                self.append_record(out, begin, put);
            }
            Part::Frame => {
                let crc = self.crc().await?;
                let behind = begin + length - self.descriptor_length();
                self.append_record(out, behind, |entry, out| entry.descriptor(out, crc));
            }
        }
        if self.at == begin + length {
            self.entry += 1;
            // The directory begins with the first entry again.
            if self.at == self.plan.directory().offset {
                self.entry = 0;
            }
        }
        Ok(())
    }

    fn descriptor_length(&mut self) -> u64 {
        self.plan.entry(self.entry, &mut self.name).descriptor_length()
    }

    /// Appends some of what is behind all entries.
    async fn conclude(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let directory = *self.plan.directory();
        if self.at >= directory.offset + directory.length {
            let mut end = std::mem::take(&mut self.record_bytes);
            end.clear();
            directory.end(&mut end);
            self.append(out, directory.offset + directory.length, &end);
            self.record_bytes = end;
            return Ok(());
        }
        let offset = self.plan.offset(self.entry);
        let length = self.plan.entry(self.entry, &mut self.name).central_length(offset);
        if self.at < self.record + length {
            let crc = self.crc().await?;
            self.append_record(out, self.record, |entry, out| entry.central(out, crc, offset));
        }
        if self.at >= self.record + length {
            self.record += length;
            self.entry += 1;
        }
        Ok(())
    }

    /// Appends what is left of a record of the current entry that begins at `begin`.
    fn append_record(
        &mut self,
        out: &mut Vec<u8>,
        begin: u64,
        put: impl FnOnce(&Entry<'_>, &mut Vec<u8>),
    ) {
        let mut record = std::mem::take(&mut self.record_bytes);
        record.clear();
        put(&self.plan.entry(self.entry, &mut self.name), &mut record);
        self.append(out, begin, &record);
        self.record_bytes = record;
    }

    /// Appends what is wanted of `bytes`, which begin at `begin`.
    fn append(&mut self, out: &mut Vec<u8>, begin: u64, bytes: &[u8]) {
        let rest = usize::try_from(self.at - begin).ok().and_then(|from| bytes.get(from..));
        let rest = rest.unwrap_or_default();
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let taken = &rest[..rest.len().min(most)];
        out.extend_from_slice(taken);
        self.at += taken.len() as u64;
    }

    /// Appends some of an entry's content of `size` bytes, from byte `at` on.
    async fn content(&mut self, out: &mut Vec<u8>, at: u64, size: u64) -> Result<(), Error> {
        let (path, version) = match self.plan.source(self.entry) {
            Source::File(path, version) => (path, version),
            Source::Note(text) => {
                let text = text.to_vec();
                self.append(out, self.at - at, &text);
                return Ok(());
            }
            Source::Nowhere => return Ok(()),
        };
        let mut reading = match self.file.take() {
            Some(reading) => reading,
            None => {
                let length = (size - at).min(self.end - self.at);
                self.open(path, version, Range { offset: at, length }).await?
            }
        };
        let start = out.len();
        let most = usize::try_from(reading.body.remaining()).unwrap_or(PIECE);
        out.resize(start + most.min(PIECE.saturating_sub(start).max(1)), 0);
        let n = reading.body.read(&mut out[start..]).await?;
        out.truncate(start + n);
        if let Some(crc) = &mut reading.crc {
            crc.update(&out[start..]);
        }
        self.at += n as u64;
        if reading.body.remaining() > 0 {
            self.file = Some(reading);
        } else {
            self.finish(reading, size).await?;
        }
        Ok(())
    }

    async fn open(&self, path: FilePath, version: Version, range: Range) -> Result<Reading, Error> {
        let file = match self.session.open(&path).await? {
            Resource::File(file) if file.meta().version() == version => file,
            _ => return Err(Error::Changed),
        };
        let crc = (range.offset == 0).then(crc32fast::Hasher::new);
        Ok(Reading { path, version, body: file.body(range)?, crc })
    }

    /// Notes the CRC of a file of `size` bytes that was read to its end.
    async fn finish(&mut self, mut reading: Reading, size: u64) -> Result<(), Error> {
        reading.body.check_unchanged()?;
        if let Some(crc) = reading.crc.take()
            && reading.body.range().offset == size
        {
            let crc = crc.finalize();
            self.crcs[self.entry] = Some(crc);
            self.session.note_crc32(&reading.path, reading.version, crc).await?;
        }
        Ok(())
    }

    /// The CRC of the current entry, for which its file is read if it was not sent from the beginning.
    async fn crc(&mut self) -> Result<u32, Error> {
        if let Some(crc) = self.crcs[self.entry] {
            return Ok(crc);
        }
        let crc = match self.plan.source(self.entry) {
            Source::Nowhere => 0,
            Source::Note(text) => crc32fast::hash(text),
            Source::File(path, version) => {
                let size = self.plan.entry(self.entry, &mut self.name).size;
                self.session.crc32(&path, version, size).await?
            }
        };
        self.crcs[self.entry] = Some(crc);
        Ok(crc)
    }
}
