//! Frames that all have the same size.

use std::num::NonZeroUsize;

use bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

use super::FrameError;

/// Frames that all have the same size: records.
///
/// The size is its own limit, so that no frame can be oversized.
///
/// ```
/// use std::num::NonZeroUsize;
/// use sockeye::framing::Fixed;
/// use tokio_util::codec::Decoder;
///
/// let mut records = Fixed::of::<4>();
/// let mut arrived = "abcdef".into();
/// assert_eq!(records.decode(&mut arrived)?.unwrap(), "abcd");
/// assert_eq!(records.decode(&mut arrived)?, None);
///
/// let configured = NonZeroUsize::new(512).ok_or("a record needs a byte")?;
/// let records = Fixed::new(configured);
/// # let _ = records;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fixed {
    size: NonZeroUsize,
}

impl Fixed {
    /// Frames of `size` bytes.
    #[must_use]
    pub const fn new(size: NonZeroUsize) -> Self {
        Self { size }
    }

    /// Frames of `N` bytes; 0 does not compile.
    #[must_use]
    pub const fn of<const N: usize>() -> Self {
        const {
            match NonZeroUsize::new(N) {
                Some(size) => Self { size },
                None => panic!("a record needs at least one byte"),
            }
        }
    }

    /// The size of every frame in bytes.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size.get()
    }
}

impl Decoder for Fixed {
    type Item = BytesMut;
    type Error = FrameError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        Ok((buffer.len() >= self.size()).then(|| buffer.split_to(self.size())))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        match self.decode(buffer)? {
            Some(frame) => Ok(Some(frame)),
            None if buffer.is_empty() => Ok(None),
            None => Err(FrameError::Unfinished { received: buffer.split().len() }),
        }
    }
}

impl<T: AsRef<[u8]>> Encoder<T> for Fixed {
    type Error = FrameError;

    fn encode(&mut self, body: T, out: &mut BytesMut) -> Result<(), FrameError> {
        let body = body.as_ref();
        if body.len() != self.size() {
            return Err(FrameError::WrongSize { expected: self.size(), actual: body.len() });
        }
        out.extend_from_slice(body);
        Ok(())
    }
}
