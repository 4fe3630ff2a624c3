//! What follows a reply's head.

use std::{collections::VecDeque, fmt, io, pin::Pin};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use sockeye_node::{Entry, Error, FileBody, Listing, Range};

use crate::{
    page::ListingPage,
    wire::{accept::Form, parts::Parts},
};

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
    /// Pieces that are made while they are sent.
    Stream(StreamBody),
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
            Self::Listing(listing) => listing.next().await,
            Self::Stream(pieces) => pieces.next().await,
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

/// Pieces that are made while they are sent. The next is asked for when the one before was taken by the socket, so
/// that no more than one of them is held.
///
/// An error of the stream, and a content that is not as long as it was said to be, break the connection (over HTTP/2, the
/// request's stream) off, so that nobody takes a part for the whole.
pub(crate) struct StreamBody {
    pieces: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
    /// Bytes that are still to come, if that is known.
    left: Option<u64>,
}

impl StreamBody {
    /// `length` must be the one that the reply's head says, if it says one.
    pub(crate) fn new(
        length: Option<u64>,
        pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Self {
        Self { pieces: Box::pin(pieces), left: length }
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let piece = loop {
            match self.pieces.next().await.transpose()? {
                // An empty chunk would be the last (RFC 9112 §7.1).
                Some(piece) if piece.is_empty() => {}
                piece => break piece,
            }
        };
        if let Some(left) = self.left {
            let length = piece.as_ref().map_or(0, Bytes::len) as u64;
            let rest = left.checked_sub(length).filter(|rest| piece.is_some() || *rest == 0);
            self.left = Some(rest.ok_or_else(|| {
                io::Error::other("a content is not as long as it was said to be")
            })?);
        }
        Ok(piece)
    }
}

impl fmt::Debug for StreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamBody").field("left", &self.left).finish_non_exhaustive()
    }
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

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let mut out = String::new();
        if !self.begun {
            self.begun = true;
            self.page.begin(&mut out);
            // An empty chunk would be the last (RFC 9112 §7.1).
            if !out.is_empty() {
                return Ok(Some(out.into()));
            }
        }
        if !self.first.is_empty() {
            // About as many as one piece of the rest, so that no piece is large.
            let some = self.first.split_off(self.first.len().saturating_sub(1024));
            for entry in &some {
                self.page.entry(&mut out, entry);
            }
            return Ok(Some(out.into()));
        }
        let Some(rest) = self.rest.as_mut() else { return Ok(None) };
        let end = loop {
            match rest.next().await {
                // Of a piece, none may be to be shown.
                Ok(Some(entries)) if entries.is_empty() => {}
                Ok(Some(entries)) => {
                    entries.iter().for_each(|entry| self.page.entry(&mut out, entry));
                    return Ok(Some(out.into()));
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.rest = None;
        let complete = end.is_ok();
        if let Err(error) = end {
            log(&error);
            if self.page.form == Form::Text {
                // A line that says so would be a name: who reads names sees the connection break off.
                return Err(error.into());
            }
        }
        self.page.end(&mut out, complete);
        Ok((!out.is_empty()).then(|| out.into()))
    }
}

fn log(error: &Error) {
    tracing::warn!(%error, "a listing was cut short");
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn all(length: Option<u64>, pieces: &'static [&'static str]) -> io::Result<Vec<Bytes>> {
        let pieces = stream::iter(pieces).map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
        let mut payload = Payload::Stream(StreamBody::new(length, pieces));
        let mut taken = Vec::new();
        while let Some(piece) = payload.next().await? {
            taken.push(piece);
        }
        Ok(taken)
    }

    #[tokio::test]
    async fn a_stream_is_as_long_as_was_said_or_fails() {
        assert_eq!(all(Some(3), &["ab", "", "c"]).await.unwrap(), ["ab", "c"]);
        assert_eq!(all(None, &["", "ab"]).await.unwrap(), ["ab"]);
        assert!(all(Some(0), &[]).await.unwrap().is_empty());
        assert!(all(Some(4), &["ab", "c"]).await.is_err());
        assert!(all(Some(2), &["ab", "c"]).await.is_err());
        assert!(all(Some(1), &[]).await.is_err());
    }
}
