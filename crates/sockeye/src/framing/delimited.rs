//! Frames that end with a delimiter.

use std::fmt;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memmem};
use tokio_util::codec::{Decoder, Encoder};

use super::{FrameError, MAX_LINE};

/// The bytes that end a frame: at least one.
///
/// A byte or an array literal converts, an empty array being refused by the compiler; a slice
/// known only at run time goes through `TryFrom`.
///
/// ```
/// use sockeye::framing::Delimiter;
/// let newline = Delimiter::from(b'\n');
/// let crlf = Delimiter::from(b"\r\n");
/// assert!(Delimiter::try_from(&[][..]).is_err());
/// # let _ = (newline, crlf);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Delimiter(Bytes);

/// A delimiter without a byte, which would end every frame before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a delimiter needs at least one byte")]
pub struct EmptyDelimiter;

impl From<u8> for Delimiter {
    fn from(byte: u8) -> Self {
        Self(Bytes::copy_from_slice(&[byte]))
    }
}

impl<const N: usize> From<&'static [u8; N]> for Delimiter {
    fn from(bytes: &'static [u8; N]) -> Self {
        const { assert!(N > 0, "a delimiter needs at least one byte") }
        Self(Bytes::from_static(bytes))
    }
}

impl TryFrom<&[u8]> for Delimiter {
    type Error = EmptyDelimiter;

    fn try_from(bytes: &[u8]) -> Result<Self, EmptyDelimiter> {
        if bytes.is_empty() { Err(EmptyDelimiter) } else { Ok(Self(Bytes::copy_from_slice(bytes))) }
    }
}

impl Delimiter {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn find(&self, bytes: &[u8]) -> Option<usize> {
        match self.as_bytes() {
            [byte] => memchr(*byte, bytes),
            delimiter => memmem::find(bytes, delimiter),
        }
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Debug for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Frames that end with a delimiter, which is not part of the frame: lines, most of all.
///
/// A frame above the limit is an error, and by default the end of the stream: every later call
/// answers [`FrameError::Poisoned`]. With [`skip_oversized`](Self::skip_oversized) the rest of
/// that frame is thrown away as it arrives and the next one is found.
///
/// ```
/// use sockeye::framing::Delimited;
/// use tokio_util::codec::Decoder;
///
/// let mut lines = Delimited::lines();
/// let mut arrived = "one\r\ntwo\nthr".into();
/// assert_eq!(lines.decode(&mut arrived)?.unwrap(), "one");
/// assert_eq!(lines.decode(&mut arrived)?.unwrap(), "two");
/// assert_eq!(lines.decode(&mut arrived)?, None); // not a whole line yet
/// # Ok::<(), sockeye::framing::FrameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Delimited {
    delimiter: Delimiter,
    max_frame: usize,
    strip_cr: bool,
    skip_oversized: bool,
    optional_at_end: bool,
    /// How many bytes at the front of the buffer hold no beginning of a delimiter.
    searched: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Looking for the end of a frame.
    Frame,
    /// Throwing away the rest of an oversized frame.
    Skipping,
    /// A frame was oversized and the stream is given up.
    Poisoned,
}

impl Delimited {
    /// Frames that end with `delimiter`, of at most [`MAX_LINE`] bytes.
    #[must_use]
    pub fn new(delimiter: impl Into<Delimiter>) -> Self {
        Self {
            delimiter: delimiter.into(),
            max_frame: MAX_LINE,
            strip_cr: false,
            skip_oversized: false,
            optional_at_end: false,
            searched: 0,
            state: State::Frame,
        }
    }

    /// Lines as most text protocols read them: ended by LF, with a CR before it stripped. What
    /// it sends ends with a bare LF.
    #[must_use]
    pub fn lines() -> Self {
        Self::new(b'\n').strip_cr(true)
    }

    /// Limits a frame to `bytes`, without its delimiter and a stripped CR.
    #[must_use]
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.max_frame = bytes;
        self
    }

    /// Whether one CR at the end of a frame is taken off; it stays unless this is set.
    #[must_use]
    pub fn strip_cr(mut self, strip: bool) -> Self {
        self.strip_cr = strip;
        self
    }

    /// Whether an oversized frame is thrown away and the next one looked for, after one
    /// [`FrameError::TooLarge`].
    ///
    /// A `Framed` answers `None` once after any error; asked again, it goes on.
    #[must_use]
    pub fn skip_oversized(mut self, skip: bool) -> Self {
        self.skip_oversized = skip;
        self
    }

    /// Whether the end of the stream ends the last frame too, as it does for a text file
    /// without a final newline. Otherwise such a rest is [`FrameError::Unfinished`].
    #[must_use]
    pub fn optional_at_end(mut self, optional: bool) -> Self {
        self.optional_at_end = optional;
        self
    }

    fn too_large(&self) -> FrameError {
        FrameError::TooLarge { announced: None, limit: self.max_frame }
    }

    /// The size of `frame` once a CR that is to go has gone.
    fn stripped(&self, frame: &[u8]) -> usize {
        match frame {
            [rest @ .., b'\r'] if self.strip_cr => rest.len(),
            whole => whole.len(),
        }
    }

    /// Position of the next delimiter, without looking twice at what earlier calls searched.
    fn find(&mut self, buffer: &[u8]) -> Option<usize> {
        let from = self.searched.min(buffer.len());
        let found = self.delimiter.find(&buffer[from..]).map(|at| from + at);
        let overlap = self.delimiter.0.len() - 1;
        self.searched = if found.is_some() { 0 } else { buffer.len().saturating_sub(overlap) };
        found
    }

    /// Whether no continuation of `buffer`, which has no delimiter, can become a legal frame.
    fn outgrown(&self, buffer: &[u8]) -> bool {
        self.searched > self.max_frame.saturating_add(usize::from(self.strip_cr))
            && self.searched <= buffer.len()
    }

    fn take(&mut self, buffer: &mut BytesMut, at: usize) -> Result<BytesMut, FrameError> {
        let mut frame = buffer.split_to(at + self.delimiter.0.len());
        frame.truncate(at);
        let size = self.stripped(&frame);
        if size > self.max_frame {
            if !self.skip_oversized {
                self.state = State::Poisoned;
            }
            return Err(self.too_large());
        }
        frame.truncate(size);
        Ok(frame)
    }

    /// Drops what was searched of an oversized frame.
    fn discard(&mut self, buffer: &mut BytesMut) {
        let _ = buffer.split_to(self.searched.min(buffer.len()));
        self.searched = 0;
    }
}

impl Decoder for Delimited {
    type Item = BytesMut;
    type Error = FrameError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        loop {
            if self.state == State::Poisoned {
                buffer.clear();
                return Err(FrameError::Poisoned);
            }
            match (self.state, self.find(buffer)) {
                (State::Skipping, Some(at)) => {
                    let _ = buffer.split_to(at + self.delimiter.0.len());
                    self.state = State::Frame;
                }
                (State::Skipping, None) => {
                    self.discard(buffer);
                    return Ok(None);
                }
                (_, Some(at)) => return self.take(buffer, at).map(Some),
                (_, None) if self.outgrown(buffer) => {
                    self.discard(buffer);
                    self.state =
                        if self.skip_oversized { State::Skipping } else { State::Poisoned };
                    return Err(self.too_large());
                }
                (_, None) => return Ok(None),
            }
        }
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        if let Some(frame) = self.decode(buffer)? {
            return Ok(Some(frame));
        }
        let rest = buffer.split();
        let skipping = self.state == State::Skipping;
        self.searched = 0;
        if rest.is_empty() || skipping {
            return Ok(None);
        }
        if !self.optional_at_end {
            return Err(FrameError::Unfinished { received: rest.len() });
        }
        if rest.len() > self.max_frame {
            return Err(self.too_large());
        }
        Ok(Some(rest))
    }
}

impl<T: AsRef<[u8]>> Encoder<T> for Delimited {
    type Error = FrameError;

    fn encode(&mut self, body: T, out: &mut BytesMut) -> Result<(), FrameError> {
        let body = body.as_ref();
        if body.len() > self.max_frame {
            return Err(FrameError::TooLarge {
                announced: Some(body.len() as u64),
                limit: self.max_frame,
            });
        }
        let start = out.len();
        out.reserve(body.len() + self.delimiter.0.len());
        out.extend_from_slice(body);
        out.extend_from_slice(&self.delimiter.0);
        // Searched with the delimiter in place, as one may arise where both meet: "a-" and "--".
        let found = self.delimiter.find(&out[start..]);
        if found != Some(body.len()) || self.stripped(body) != body.len() {
            out.truncate(start);
            return Err(FrameError::ContainsDelimiter { delimiter: self.delimiter.clone() });
        }
        Ok(())
    }
}
