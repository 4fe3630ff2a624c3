//! The exchange "size, acknowledgement, body".

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{FrameError, pause::read_until_pause, wire::parse_size};

/// What this side sends as its acknowledgement; any bytes will do, as nobody reads them.
pub const ACKNOWLEDGEMENT: &[u8] = b"ok";

/// The most bytes of a peer's acknowledgement that are read, and thrown away.
pub const MAX_ACKNOWLEDGEMENT: usize = 1024;

/// The first memory set aside for a body, in bytes; more only as more arrives.
const FIRST_CHUNK: usize = 64 * 1024;

/// Sends `body` as its size in decimal, waits for an acknowledgement, and sends the bytes.
///
/// For a body that is not in memory, call [`send_size`] and then write it.
///
/// # Errors
/// As [`send_size`], and whatever writing gives.
///
/// # Cancellation safety
/// Not cancel safe: part of the body may have been sent.
pub async fn send_acknowledged<S>(stream: &mut S, body: &[u8]) -> Result<(), FrameError>
where
    S: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    send_size(stream, body.len() as u64).await?;
    stream.write_all(body).await?;
    stream.flush().await?;
    Ok(())
}

/// Sends `size` in decimal ASCII and waits for an acknowledgement: the first bytes that the
/// peer sends, whatever they are, up to [`MAX_ACKNOWLEDGEMENT`].
///
/// There is no limit of time: give one from outside.
///
/// # Errors
/// [`FrameError::Unfinished`] if the peer closes instead, and whatever reading and writing give.
///
/// # Cancellation safety
/// Not cancel safe: the size may have been sent.
pub async fn send_size<S>(stream: &mut S, size: u64) -> Result<(), FrameError>
where
    S: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    let header = size.to_string();
    stream.write_all(header.as_bytes()).await?;
    stream.flush().await?;
    let mut acknowledgement = vec![0; MAX_ACKNOWLEDGEMENT];
    match stream.read(&mut acknowledgement).await? {
        0 => Err(FrameError::Unfinished { received: 0 }),
        _ => Ok(()),
    }
}

/// Receives a body of at most `max` bytes: reads its size, acknowledges it, reads the bytes.
///
/// `None` is a peer that closed instead of announcing a size. Memory is taken as bytes arrive,
/// not as announced.
///
/// # Errors
/// As [`recv_size`]; [`FrameError::Unfinished`] if the stream ends within the body.
///
/// # Cancellation safety
/// Not cancel safe: what was read is lost.
pub async fn recv_acknowledged<S>(
    stream: &mut S,
    max: usize,
) -> Result<Option<BytesMut>, FrameError>
where
    S: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    let Some(size) = recv_size(stream, max as u64).await? else { return Ok(None) };
    let Ok(size) = usize::try_from(size) else {
        return Err(FrameError::TooLarge { announced: Some(size), limit: max });
    };
    let mut body = BytesMut::with_capacity(size.min(FIRST_CHUNK));
    let mut input = stream.take(size as u64);
    while body.len() < size {
        if input.read_buf(&mut body).await? == 0 {
            return Err(FrameError::Unfinished { received: body.len() });
        }
    }
    Ok(Some(body))
}

/// Reads a size in decimal ASCII and acknowledges it; the peer's next bytes are the body.
///
/// The size has no end mark. As its sender waits for the acknowledgement, it is over at the
/// first pause: see [`read_until_pause`]. A size above `max` is not acknowledged.
///
/// # Errors
/// [`FrameError::NotASize`], [`FrameError::TooLarge`], those of [`read_until_pause`], and
/// whatever writing gives.
///
/// # Cancellation safety
/// Not cancel safe: what was read is lost.
pub async fn recv_size<S>(stream: &mut S, max: u64) -> Result<Option<u64>, FrameError>
where
    S: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    let Some(header) = read_until_pause(stream, |header| !header.is_empty()).await? else {
        return Ok(None);
    };
    let size = parse_size(&header)?;
    if size > max {
        let limit = usize::try_from(max).unwrap_or(usize::MAX);
        return Err(FrameError::TooLarge { announced: Some(size), limit });
    }
    stream.write_all(ACKNOWLEDGEMENT).await?;
    stream.flush().await?;
    Ok(Some(size))
}
