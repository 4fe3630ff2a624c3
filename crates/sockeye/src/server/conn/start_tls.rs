//! TLS on a connection that was plain so far: what STARTTLS, AUTH TLS and their like end in.
//!
//! What the peer sent before the handshake is nobody's: it may have been put there by somebody between
//! (plaintext command injection, RFC 3207 §6), and is thrown away. A connection whose handshake was begun
//! and not finished is of no more use: nothing more is received on it or sent.

use std::{io, net::Shutdown, time::Duration};

use super::{
    super::failure::{HandshakeError, handshake_too_slow},
    Conn,
};
use crate::{Stream, tls::TlsServer};

impl Conn {
    /// Goes on in TLS: does the server's side of the handshake, and gives the number of bytes that had been
    /// read ahead, in plain text, and were thrown away.
    ///
    /// To be called once the plain answer that the client waits for (`234 Go on`, `220 Ready`) is written and
    /// flushed. From then on all that the connection reads and writes is encrypted, and
    /// [`stream`](Self::stream) tells what was [agreed on](Stream::tls): version, ALPN, whether a session was
    /// resumed. Deadlines and counters go on; the handshake itself has
    /// [`Limits::handshake`](crate::Limits::handshake), and its bytes are not counted.
    ///
    /// A client that sends anything behind its request for TLS, and be it the beginning of the handshake,
    /// loses that. An honest one waits for the answer: a number other than 0 is worth a line in the log.
    ///
    /// # Errors
    /// `InvalidInput` if the connection speaks TLS already or keeps records (seqpacket), or what the system
    /// refuses a second descriptor with, which is needed for as long as the handshake takes: the connection is then
    /// what it was.
    ///
    /// Else the connection is over: what [`TlsServer::accept`] fails with, which the peer was told if that was
    /// possible, or `TimedOut`. Whoever returns the error from the handler ends it as a failed
    /// [handshake](crate::Failure::Handshake).
    ///
    /// Cancellation: a handshake that is given up ends the connection.
    pub async fn start_tls(&mut self, tls: &TlsServer) -> io::Result<usize> {
        self.check_plain()?;
        // The same socket once more: were the stream itself given away, a handshake that is given up would
        // leave a connection without one.
        let transport = self.stream.duplicate()?;
        let discarded = self.ahead.len();
        self.ahead.clear();
        self.watched.line.progress();
        let limit = self.server.limits.handshake;
        let half_way = HalfWay { conn: self, state: State::Begun };
        half_way.finish(tls, transport, limit).await?;
        Ok(discarded)
    }

    fn check_plain(&self) -> io::Result<()> {
        self.check_whole()?;
        if self.stream.is_tls() {
            let message = "the connection speaks TLS already";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        crate::tls::check_transport(&self.stream).map_err(Into::into)
    }
}

/// A connection between plain text and TLS; dropped there, it is over.
struct HalfWay<'a> {
    conn: &'a mut Conn,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Begun,
    /// The peer was told why it is refused, and is to read that.
    Refused,
    Done,
}

impl HalfWay<'_> {
    async fn finish(mut self, tls: &TlsServer, plain: Stream, limit: Duration) -> io::Result<()> {
        let accepted = tokio::time::timeout(limit, tls.accept_or_refuse(plain)).await;
        let error = match accepted {
            Ok(Ok(secured)) => {
                self.conn.stream = secured;
                self.conn.watched.read.progress();
                self.state = State::Done;
                return Ok(());
            }
            Ok(Err((error, told))) => {
                if told.is_some() {
                    self.state = State::Refused;
                }
                error.into()
            }
            Err(_) => handshake_too_slow(limit),
        };
        Err(HandshakeError::within(error))
    }
}

impl Drop for HalfWay<'_> {
    fn drop(&mut self) {
        let how = match self.state {
            State::Done => return,
            State::Refused => {
                self.conn.leave_rest();
                Shutdown::Write
            }
            State::Begun => Shutdown::Both,
        };
        self.conn.torn = true;
        // The peer may be gone, which is as well.
        let _ = self.conn.stream.shutdown_now(how);
    }
}
