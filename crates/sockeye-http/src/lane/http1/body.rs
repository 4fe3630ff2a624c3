//! A request's body, from the connection to whoever takes it, with no copy in between.

use sockeye::Conn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    config::Limits,
    content::{Content, Cut, Waiting},
    wire::{
        chunked::{Decoder, Step},
        framing::Framing,
    },
};

/// Bytes taken from the socket at once.
const PIECE: usize = 256 * 1024;

/// Says that the content may be sent (RFC 9110 §15.2.1).
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A request's body.
pub(super) struct Body<'a> {
    conn: &'a mut Conn,
    limits: &'a Limits,
    /// What has come behind the head.
    behind: &'a [u8],
    /// How much of that was taken.
    taken: usize,
    /// What was read by the body itself.
    read: Vec<u8>,
    /// How much of that was taken.
    at: usize,
    left: Left,
    withheld: bool,
    waiting: Waiting,
}

/// What is still to come.
enum Left {
    Length(u64),
    Chunks(Decoder),
}

/// What has come, and is of the next request.
pub(super) enum Rest {
    /// What came behind the head, but for so many bytes.
    AfterTaking(usize),
    /// This.
    Other(Vec<u8>),
}

impl<'a> Body<'a> {
    /// The body behind a head, of which `behind` has come.
    pub(super) fn new(
        conn: &'a mut Conn,
        limits: &'a Limits,
        framing: Framing,
        behind: &'a [u8],
    ) -> Self {
        let left = match framing {
            Framing::None => Left::Length(0),
            Framing::Length(length) => Left::Length(length),
            Framing::Chunked => Left::Chunks(Decoder::default()),
        };
        let waiting = Waiting::new(limits);
        let (read, withheld) = (Vec::new(), false);
        Self { conn, limits, behind, taken: 0, read, at: 0, left, withheld, waiting }
    }

    /// Says whether the client waits to be told to send it: not if it has begun to.
    pub(super) fn withhold(&mut self, withheld: bool) {
        self.withheld = withheld && self.behind.is_empty();
    }

    /// What is of the next request, and whether a part of the body was left.
    pub(super) fn into_rest(self) -> (Rest, bool) {
        let unread = !self.is_at_end();
        let rest = match self.read.len() {
            0 => Rest::AfterTaking(self.taken),
            _ => Rest::Other(self.read[self.at..].to_vec()),
        };
        (rest, unread)
    }

    /// Reads, up to `most` bytes, when all that has come was taken.
    async fn fill(&mut self, most: usize) -> Result<(), Cut> {
        let Self { conn, limits, read, withheld, waiting, .. } = self;
        if std::mem::take(withheld) {
            let told = async { conn.write_all(CONTINUE).await.and(conn.flush().await) };
            told.await.map_err(|_| Cut::Broken)?;
        }
        read.clear();
        self.at = 0;
        read.reserve_exact(most.min(PIECE));
        let mut space = bytes::BufMut::limit(read, most.min(PIECE));
        let reading = conn.read_buf(&mut space);
        let n = waiting.wait(limits, reading, |n| n.as_ref().map_or(0, |n| *n)).await?;
        match n {
            Ok(0) => Err(Cut::Short),
            Ok(_) => Ok(()),
            Err(_) => Err(Cut::Broken),
        }
    }

    /// Whether everything that has come was taken.
    fn is_empty(&self) -> bool {
        self.taken == self.behind.len() && self.at == self.read.len()
    }

    /// What has come and was not taken. What the body read itself came later.
    fn come(&self) -> &[u8] {
        match self.taken < self.behind.len() {
            true => &self.behind[self.taken..],
            false => &self.read[self.at..],
        }
    }

    /// Takes what has come, and gives `content` of it.
    fn take(&mut self, used: usize, content: std::ops::Range<usize>) -> &[u8] {
        let (bytes, at) = match self.taken < self.behind.len() {
            true => (self.behind, &mut self.taken),
            false => (&self.read[..], &mut self.at),
        };
        let from = *at;
        *at += used;
        &bytes[from + content.start..from + content.end]
    }

    async fn next_of(&mut self, left: u64) -> Result<Option<&[u8]>, Cut> {
        if left == 0 {
            return Ok(None);
        }
        if self.is_empty() {
            self.fill(usize::try_from(left).unwrap_or(PIECE)).await?;
        }
        let here = self.come().len();
        let n = usize::try_from(left).map_or(here, |left| left.min(here));
        self.left = Left::Length(left - n as u64);
        Ok(Some(self.take(n, 0..n)))
    }

    async fn next_chunk(&mut self, mut decoder: Decoder) -> Result<Option<&[u8]>, Cut> {
        loop {
            let come = self.come();
            let step = decoder.next(come)?;
            let (used, content) = match step {
                Step::Content(range) => (range.end, Some(range)),
                Step::End(used) => (used, None),
                Step::More => {
                    let all = come.len();
                    self.take(all, 0..0);
                    self.fill(PIECE).await?;
                    continue;
                }
            };
            self.left = Left::Chunks(decoder);
            let bytes = self.take(used, content.clone().unwrap_or(0..0));
            return Ok(content.map(|_| bytes));
        }
    }
}

impl Content for Body<'_> {
    fn length(&self) -> Option<u64> {
        match &self.left {
            Left::Length(length) => Some(*length),
            Left::Chunks(_) => None,
        }
    }

    fn is_at_end(&self) -> bool {
        match &self.left {
            Left::Length(left) => *left == 0,
            Left::Chunks(decoder) => decoder.is_at_end(),
        }
    }

    fn is_withheld(&self) -> bool {
        self.withheld
    }

    async fn next(&mut self) -> Result<Option<&[u8]>, Cut> {
        match &self.left {
            Left::Length(left) => self.next_of(*left).await,
            Left::Chunks(decoder) if decoder.is_at_end() => Ok(None),
            Left::Chunks(decoder) => self.next_chunk(decoder.clone()).await,
        }
    }
}
