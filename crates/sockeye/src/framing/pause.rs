//! The header that ends at a pause, which the classic programs need.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::timeout,
};

use super::FrameError;

/// How long the peer must be silent for its header to be over.
pub const HEADER_PAUSE: Duration = Duration::from_millis(50);

/// The largest header that ends at a pause, in bytes.
pub const MAX_HEADER: usize = 4096;

/// Reads a header that has no length and no end mark, but after which the peer pauses.
///
/// What has arrived is the header once `is_complete` holds for it and nothing more has come for
/// [`HEADER_PAUSE`], or once the peer has closed its side. `None` is a peer that closed before
/// it sent a byte. `is_complete` is asked after every read and should be cheap; a header known
/// only by its pause says `|_| true`.
///
/// Such a header is a guess: a peer whose bytes the network holds up for longer than the pause
/// is cut in two, and one that goes on without pausing has its next bytes taken for the header.
/// Only a protocol whose sender waits for an answer, or sleeps, after the header is safe with
/// it. In new protocols use [`Delimited`](super::Delimited).
///
/// There is no limit of time before the header is complete: give one from outside, as a
/// server's read-idle deadline does.
///
/// # Errors
/// [`FrameError::TooLarge`] above [`MAX_HEADER`], [`FrameError::Unfinished`] if the stream ends
/// while `is_complete` does not hold, and whatever reading gives.
///
/// # Cancellation safety
/// Not cancel safe: what was read is lost.
pub async fn read_until_pause<S>(
    stream: &mut S,
    is_complete: impl Fn(&[u8]) -> bool,
) -> Result<Option<Vec<u8>>, FrameError>
where
    S: AsyncRead + Unpin + ?Sized,
{
    let mut header = Vec::new();
    // One byte above the limit tells a header that just fits from one that does not.
    let mut input = stream.take(MAX_HEADER as u64 + 1);
    loop {
        let complete = !header.is_empty() && is_complete(&header);
        let read = input.read_buf(&mut header);
        let read = if complete {
            match timeout(HEADER_PAUSE, read).await {
                Ok(read) => read?,
                Err(_pause) => return Ok(Some(header)),
            }
        } else {
            read.await?
        };
        match read {
            0 if header.is_empty() => return Ok(None),
            0 if complete => return Ok(Some(header)),
            0 => return Err(FrameError::Unfinished { received: header.len() }),
            _ if header.len() > MAX_HEADER => {
                return Err(FrameError::TooLarge { announced: None, limit: MAX_HEADER });
            }
            _ => {}
        }
    }
}
