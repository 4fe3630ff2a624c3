//! Frames that begin with their length.

use bytes::{Buf, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::{
    FrameError, MAX_FRAME,
    wire::{LengthField, MAX_VARINT},
};

/// Frames that begin with the length of their body, which may hold any bytes.
///
/// The decoder believes a length only after comparing it with the limit, and never reserves
/// memory for bytes that have not arrived. After a frame above the limit, or an overlong
/// varint, the beginning of the next frame is unknown: every later call answers
/// [`FrameError::Poisoned`].
///
/// ```
/// use sockeye::framing::{LengthField, LengthPrefixed};
/// use tokio_util::{bytes::BytesMut, codec::{Decoder, Encoder}};
///
/// let mut frames = LengthPrefixed::new(LengthField::U16Be);
/// let mut sent = BytesMut::new();
/// frames.encode("hello", &mut sent)?;
/// assert_eq!(&sent[..], b"\x00\x05hello");
/// assert_eq!(frames.decode(&mut sent)?.unwrap(), "hello");
/// # Ok::<(), sockeye::framing::FrameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LengthPrefixed {
    field: LengthField,
    max_frame: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The length comes next.
    Length,
    /// A body of this many bytes comes next; its length took `field` bytes.
    Body { size: usize, field: usize },
    /// A length was refused and the stream is given up.
    Poisoned,
}

impl LengthPrefixed {
    /// Frames with a length of the form `field` in front, of at most [`MAX_FRAME`] bytes.
    #[must_use]
    pub const fn new(field: LengthField) -> Self {
        Self { field, max_frame: MAX_FRAME, state: State::Length }
    }

    /// Limits the body of a frame to `bytes`; what the length cannot express is above the
    /// limit in any case.
    #[must_use]
    pub const fn max_frame(mut self, bytes: usize) -> Self {
        self.max_frame = bytes;
        self
    }

    fn read_length(&mut self, buffer: &mut BytesMut) -> Result<bool, FrameError> {
        let Some(length) = self.field.read(buffer)? else { return Ok(false) };
        let size = usize::try_from(length.body).unwrap_or(usize::MAX);
        if size > self.max_frame {
            return Err(FrameError::TooLarge {
                announced: Some(length.body),
                limit: self.max_frame,
            });
        }
        buffer.advance(length.field);
        self.state = State::Body { size, field: length.field };
        Ok(true)
    }
}

impl Decoder for LengthPrefixed {
    type Item = BytesMut;
    type Error = FrameError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        loop {
            match self.state {
                State::Length => match self.read_length(buffer) {
                    Ok(true) => {}
                    Ok(false) => return Ok(None),
                    Err(error) => {
                        self.state = State::Poisoned;
                        return Err(error);
                    }
                },
                State::Body { size, .. } => {
                    if buffer.len() < size {
                        return Ok(None);
                    }
                    self.state = State::Length;
                    return Ok(Some(buffer.split_to(size)));
                }
                State::Poisoned => {
                    buffer.clear();
                    return Err(FrameError::Poisoned);
                }
            }
        }
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        if let Some(frame) = self.decode(buffer)? {
            return Ok(Some(frame));
        }
        let prefix = match self.state {
            State::Body { field, .. } => field,
            State::Length | State::Poisoned => 0,
        };
        let received = prefix + buffer.split().len();
        self.state = State::Length;
        if received == 0 { Ok(None) } else { Err(FrameError::Unfinished { received }) }
    }
}

impl<T: AsRef<[u8]>> Encoder<T> for LengthPrefixed {
    type Error = FrameError;

    fn encode(&mut self, body: T, out: &mut BytesMut) -> Result<(), FrameError> {
        let body = body.as_ref();
        let size = body.len() as u64;
        let mut length = [0; MAX_VARINT];
        let written = self.field.write(size, &mut length).filter(|_| body.len() <= self.max_frame);
        let Some(used) = written else {
            let field = usize::try_from(self.field.max()).unwrap_or(usize::MAX);
            return Err(FrameError::TooLarge {
                announced: Some(size),
                limit: self.max_frame.min(field),
            });
        };
        out.reserve(used + body.len());
        out.extend_from_slice(&length[..used]);
        out.extend_from_slice(body);
        Ok(())
    }
}
