//! Waiting for the peer's next input, or for the end of the server's patience with idle peers.
//!
//! A protocol's loop asks here for its next request; what belongs to a request that has begun is
//! read with the plain methods, which the drain does not touch.

use std::io;

use bytes::Bytes;

use super::Conn;

impl Conn {
    /// As [`recv`](Self::recv), and ends the wait when the server drains: what is there is
    /// received, but nothing more is waited for. `None` then, and at the end of the stream.
    ///
    /// Cancellation safe.
    ///
    /// ```
    /// # use std::io;
    /// # use sockeye::Conn;
    /// # use tokio::io::AsyncWriteExt;
    /// # async fn handle(conn: &mut Conn) -> io::Result<()> {
    /// while let Some(chunk) = conn.recv_or_drain(4096).await? {
    ///     conn.write_all(&chunk).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub async fn recv_or_drain(&mut self, max: usize) -> io::Result<Option<Bytes>> {
        let drain = self.drain_signal();
        tokio::select! {
            biased;
            received = self.recv(max) => Ok(Some(received?).filter(|bytes| !bytes.is_empty())),
            () = drain.wait() => Ok(None),
        }
    }

    /// As [`read_line`](Self::read_line), and ends the wait for a next line when the server
    /// drains; `None` then, and at the end of the stream. A line that has begun is waited for.
    ///
    /// Cancellation safe.
    ///
    /// ```
    /// # use std::io;
    /// # use sockeye::Conn;
    /// # use tokio::io::AsyncWriteExt;
    /// # async fn handle(conn: &mut Conn) -> io::Result<()> {
    /// while let Some(command) = conn.read_line_or_drain().await? {
    ///     conn.write_all(b"500 what?\r\n").await?;
    /// }
    /// conn.write_all(b"421 bye\r\n").await
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`read_line`](Self::read_line).
    pub async fn read_line_or_drain(&mut self) -> io::Result<Option<Bytes>> {
        let drain = self.drain_signal();
        tokio::select! {
            biased;
            line = self.read_line() => return line,
            () = drain.wait() => {}
        }
        if self.ahead.is_empty() { Ok(None) } else { self.read_line().await }
    }
}
