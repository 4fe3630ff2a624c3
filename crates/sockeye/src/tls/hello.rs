//! The first flight of a handshake: reading the client's hello, and telling who speaks no TLS.
//!
//! Nothing here has a deadline; what a peer can make us keep is bounded by the TLS library's
//! longest handshake message.

use std::{
    future::poll_fn,
    io::{self, Read},
    pin::Pin,
    task::{Context, Poll},
};

use rustls::server::{Accepted, AcceptedAlert, Acceptor};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::TlsError;

/// How many of the peer's first bytes are looked at: the longest method, a space and a slash.
const FIRST_BYTES: usize = 24;

/// The content type of a TLS record that carries handshake messages (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

/// A fatal decode_error alert (RFC 8446 §6.2) in a record of its own.
const DECODE_ERROR: [u8; 7] = [21, 3, 3, 0, 2, 2, 50];

/// The answer to plain HTTP: the peer would not understand an alert.
const USE_HTTPS: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 57\r\n\
    Connection: close\r\n\
    \r\n\
    This port speaks HTTPS: use https:// in place of http://\n";

/// Reads the client's hello; a peer that sends something else is answered and refused.
pub(super) async fn read<IO>(io: &mut IO) -> Result<Accepted, TlsError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let mut acceptor = Acceptor::default();
    let mut first = FirstBytes::default();
    loop {
        let read = poll_fn(|cx| unblock(acceptor.read_tls(&mut Tee { io, cx, first: &mut first })));
        if read.await.map_err(TlsError::Io)? == 0 {
            return Err(if first.is_foreign() {
                refuse_foreign(io, first).await
            } else {
                TlsError::Closed
            });
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => return Ok(accepted),
            Ok(None) => {}
            Err(_) if first.is_foreign() => return Err(refuse_foreign(io, first).await),
            Err((error, alert)) => {
                send_alert(io, alert).await;
                return Err(TlsError::from_rustls(error, "the client"));
            }
        }
    }
}

/// Answers a peer that does not speak TLS in a way that it may understand.
async fn refuse_foreign<IO>(io: &mut IO, mut first: FirstBytes) -> TlsError
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    while first.http() == Http::Perhaps {
        match io.read(&mut first.bytes[first.len..]).await {
            Ok(0) | Err(_) => break,
            Ok(read) => first.len += read,
        }
    }
    let (answer, error) = match first.http() {
        Http::Yes => (USE_HTTPS, TlsError::PlainHttp),
        _ => (&DECODE_ERROR[..], TlsError::NotTls(first.seen().to_vec())),
    };
    // The peer is refused either way; whether it hears why is its own affair.
    let _ = io.write_all(answer).await;
    let _ = io.flush().await;
    error
}

/// Sends the alert that the TLS library made of an error, or where it made none our own.
async fn send_alert<IO: AsyncWrite + Unpin>(io: &mut IO, mut alert: AcceptedAlert) {
    let mut bytes = Vec::new();
    if alert.write_all(&mut bytes).is_err() || bytes.is_empty() {
        bytes = DECODE_ERROR.to_vec();
    }
    if io.write_all(&bytes).await.is_ok() {
        let _ = io.flush().await;
    }
}

/// The peer's first bytes.
#[derive(Default)]
struct FirstBytes {
    bytes: [u8; FIRST_BYTES],
    len: usize,
}

/// Whether the first bytes are those of an HTTP request.
#[derive(Debug, PartialEq, Eq)]
enum Http {
    Yes,
    No,
    /// More bytes are needed.
    Perhaps,
}

impl FirstBytes {
    fn seen(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, bytes: &[u8]) {
        let fitting = bytes.len().min(FIRST_BYTES - self.len);
        self.bytes[self.len..self.len + fitting].copy_from_slice(&bytes[..fitting]);
        self.len += fitting;
    }

    /// Whether these cannot be the first bytes of a TLS connection.
    fn is_foreign(&self) -> bool {
        self.seen().first().is_some_and(|byte| *byte != HANDSHAKE)
    }

    /// Looks for a request line (RFC 9112 §3): a method, a space, and a target, which begins with
    /// a slash or is `*`, a whole URL, or after CONNECT anything.
    fn http(&self) -> Http {
        let seen = self.seen();
        let method =
            seen.iter().take_while(|byte| byte.is_ascii_uppercase() || **byte == b'-').count();
        let target = match &seen[method..] {
            [] if self.len < FIRST_BYTES => return Http::Perhaps,
            [b' ', target @ ..] if method > 0 => target,
            _ => return Http::No,
        };
        let absolute: &[u8] = b"http";
        let fitting = target.len().min(absolute.len());
        match target {
            [b'/' | b'*', ..] => Http::Yes,
            _ if seen.starts_with(b"CONNECT ") || target.starts_with(absolute) => Http::Yes,
            _ if target == &absolute[..fitting] && self.len < FIRST_BYTES => Http::Perhaps,
            _ => Http::No,
        }
    }
}

/// Reads from an asynchronous stream for the TLS library, keeping a copy of the first bytes.
struct Tee<'a, 'cx, IO> {
    io: &'a mut IO,
    cx: &'a mut Context<'cx>,
    first: &'a mut FirstBytes,
}

impl<IO: AsyncRead + Unpin> Read for Tee<'_, '_, IO> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(&mut *self.io).poll_read(self.cx, &mut buffer) {
            Poll::Ready(Ok(())) => {
                self.first.push(buffer.filled());
                Ok(buffer.filled().len())
            }
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

/// From the blocking world's way of saying "not yet" to the asynchronous one.
fn unblock(result: io::Result<usize>) -> Poll<io::Result<usize>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        done => Poll::Ready(done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(text: &str) -> Http {
        let mut first = FirstBytes::default();
        first.push(text.as_bytes());
        first.http()
    }

    #[test]
    fn a_request_line_is_known_by_its_first_bytes() {
        for line in ["GET / HTTP/1.1", "PROPFIND /a", "OPTIONS *", "GET http://a/", "CONNECT a:1"] {
            assert_eq!(http(line), Http::Yes, "{line}");
        }
        for line in ["", "G", "VERSION-CONTROL", "GET ", "GET ht"] {
            assert_eq!(http(line), Http::Perhaps, "{line}");
        }
        for line in ["EHLO mail", " /", "get /", "SSH-2.0-x", "NICK\r\n", &"A".repeat(30)] {
            assert_eq!(http(line), Http::No, "{line}");
        }
    }

    #[test]
    fn the_answer_to_http_states_its_length() {
        let text = str::from_utf8(USE_HTTPS).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
    }
}
