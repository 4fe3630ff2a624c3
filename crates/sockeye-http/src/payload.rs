//! What follows a reply's head.

use std::{collections::VecDeque, io};

use bytes::Bytes;
use sockeye_node::{Entry, Error, FileBody, Listing, Range};

use crate::{page::ListingPage, wire::parts::Parts};

/// Bytes read from a file at once where sendfile is not to be had.
const PIECE: usize = 64 * 1024;

/// A reply's content.
#[derive(Debug)]
pub(crate) enum Payload {
    /// Nothing.
    Empty,
    /// A page.
    Page(Bytes),
    /// A stretch of a file.
    File(FileBody),
    /// Several stretches of a file, with their framing.
    Parts(Box<PartsBody>),
    /// A listing too large to be held in memory.
    Listing(Box<ListingBody>),
}

impl Payload {
    /// The next bytes; `None` at the end.
    ///
    /// Cancellation: the payload is spoilt.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        match self {
            Self::Empty => Ok(None),
            Self::Page(page) => {
                let page = std::mem::take(page);
                Ok((!page.is_empty()).then_some(page))
            }
            Self::File(body) => read_piece(body).await,
            Self::Parts(parts) => parts.next().await,
            Self::Listing(listing) => Ok(listing.next().await),
        }
    }
}

async fn read_piece(body: &mut FileBody) -> io::Result<Option<Bytes>> {
    let length = usize::try_from(body.remaining()).map_or(PIECE, |left| left.min(PIECE));
    if length == 0 {
        return Ok(None);
    }
    let mut piece = vec![0; length];
    let n = body.read(&mut piece).await?;
    piece.truncate(n);
    Ok(Some(piece.into()))
}

/// A multipart/byteranges body.
#[derive(Debug)]
pub(crate) struct PartsBody {
    file: FileBody,
    heads: VecDeque<(Vec<u8>, Range)>,
    end: Vec<u8>,
}

impl PartsBody {
    /// `file` must begin with nothing to send.
    pub(crate) fn new(file: FileBody, parts: Parts) -> Self {
        Self { file, heads: parts.heads.into(), end: parts.end }
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if let Some(piece) = read_piece(&mut self.file).await? {
            return Ok(Some(piece));
        }
        if let Some((head, range)) = self.heads.pop_front() {
            self.file.seek(range)?;
            return Ok(Some(head.into()));
        }
        let end = std::mem::take(&mut self.end);
        Ok((!end.is_empty()).then(|| end.into()))
    }
}

/// A listing that is read while it is sent.
#[derive(Debug)]
pub(crate) struct ListingBody {
    page: ListingPage,
    first: Vec<Entry>,
    /// `None` once it has come to its end.
    rest: Option<Listing>,
    begun: bool,
}

impl ListingBody {
    /// `first` are the entries already read.
    pub(crate) fn new(page: ListingPage, first: Vec<Entry>, rest: Listing) -> Self {
        Self { page, first, rest: Some(rest), begun: false }
    }

    async fn next(&mut self) -> Option<Bytes> {
        let mut out = String::new();
        if !self.begun {
            self.begun = true;
            self.page.begin(&mut out);
            return Some(out.into());
        }
        if !self.first.is_empty() {
            // About as many as one piece of the rest, so that no piece is large.
            let some = self.first.split_off(self.first.len().saturating_sub(1024));
            for entry in &some {
                self.page.entry(&mut out, entry);
            }
            return Some(out.into());
        }
        match self.rest.as_mut()?.next().await {
            Ok(Some(entries)) => {
                for entry in &entries {
                    self.page.entry(&mut out, entry);
                }
            }
            end => {
                self.rest = None;
                let complete = end.is_ok();
                if let Err(error) = end {
                    log(&error);
                }
                self.page.end(&mut out, complete);
            }
        }
        Some(out.into())
    }
}

fn log(error: &Error) {
    tracing::warn!(%error, "a listing was cut short");
}
