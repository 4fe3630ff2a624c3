//! Headers at the beginning of a stream.

use std::{future::Future, io};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    Header, HeaderError, MAX_V2,
    wire::{self, Parsed},
};
use crate::socket::{RecvFlags, Stream};

/// How much is looked at in one go: more than a header without a certificate has.
const CHUNK: usize = 512;

/// A stream that can show what will be read next without taking it.
pub trait Peek: AsyncRead + Unpin {
    /// Waits for bytes and copies them to `buf`; a read gets them again. 0 is the end.
    ///
    /// # Errors
    /// As reading.
    fn peek(&mut self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;
}

impl Peek for Stream {
    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv_with(buf, RecvFlags::PEEK).await
    }
}

impl Peek for TcpStream {
    async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Self::peek(self, buf).await
    }
}

/// Reads the header at the beginning of a connection, version 1 or 2, and not a byte more.
///
/// It looks before it takes: a header that arrives whole, as they do, costs two system calls,
/// and what the application sent right after it stays in the socket, for TLS or `sendfile` as
/// much as for reading. Version 2 may have [`MAX_V2`] bytes after its fixed ones.
///
/// Over seqpacket the header is a record of its own, of at most 512 bytes. Under TLS nothing can
/// be looked at: read the header first, and the handshake after it.
///
/// There is no limit of time: give one from outside, as a server's handshake deadline does.
///
/// # Errors
/// Those of the stream, and [`HeaderError`] as the source of the [`io::Error`]: `InvalidData`
/// for a header that is missing, malformed or overlong, `UnexpectedEof` if the peer closed.
///
/// # Cancellation safety
/// Not cancel safe: what was read of the header is lost.
pub async fn read_header<S: Peek>(stream: &mut S) -> io::Result<Header> {
    read_header_limited(stream, MAX_V2).await
}

/// Reads a header as [`read_header`] does, with at most `max_v2` bytes after the fixed ones of
/// version 2.
///
/// # Errors
/// As [`read_header`].
///
/// # Cancellation safety
/// Not cancel safe: what was read of the header is lost.
pub async fn read_header_limited<S: Peek>(stream: &mut S, max_v2: usize) -> io::Result<Header> {
    let mut header = Vec::new();
    // On the heap: the future is part of every connection's, with a header or without.
    let mut chunk = vec![0; CHUNK];
    loop {
        let taken = header.len();
        let peeked = stream.peek(&mut chunk).await?;
        if peeked == 0 {
            return Err(HeaderError::Unfinished { received: taken }.into());
        }
        header.extend_from_slice(&chunk[..peeked]);
        let parsed = wire::parse(&header, max_v2)?;
        // What has been seen of an unfinished header all belongs to it and is taken, so that the
        // next look waits for news.
        let end = match parsed {
            Parsed::Incomplete => header.len(),
            Parsed::Done { consumed, .. } => consumed,
        };
        stream.read_exact(&mut chunk[..end - taken]).await?;
        if let Parsed::Done { header, .. } = parsed {
            return Ok(header);
        }
    }
}

/// Writes `header` in its version, in one piece: the first thing on a connection.
///
/// # Errors
/// Those of the stream; `InvalidInput` with [`HeaderError::TooLarge`] as its source for values
/// that the format has no room for.
///
/// # Cancellation safety
/// Not cancel safe: part of the header may have been sent.
pub async fn write_header<S>(stream: &mut S, header: &Header) -> io::Result<()>
where
    S: AsyncWrite + Unpin + ?Sized,
{
    stream.write_all(&wire::format(header)?).await?;
    stream.flush().await
}
