//! A datagram socket registered with a tokio runtime.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use tokio::io::{Interest, unix::AsyncFd};

use super::{Arrival, DatagramPeer, DatagramSocket};
use crate::{
    socket::{
        SocketName,
        batch::{RecvBatch, SendBatch, SendReport},
    },
    sys::registration::watch,
};

/// How often a full Unix peer is tried again: the kernel does not tell an unconnected sender
/// when its peer has read.
const UNIX_PEER_FULL_PAUSE: Duration = Duration::from_millis(2);

/// What ends the wait for a datagram: one that came, or an error of an earlier send.
const RECEIVE: Interest = Interest::READABLE.add(Interest::ERROR);

/// A datagram socket registered with the current runtime.
///
/// Every method takes `&self`, so that one task may receive while others send. All futures
/// are cancellation safe: a datagram is received or sent whole in the poll that completes the future, or
/// not at all; only a [`send_batch`](Self::send_batch) that is dropped half-way has sent some of its datagrams.
#[derive(Debug)]
pub struct Datagram {
    socket: AsyncFd<DatagramSocket>,
}

impl Datagram {
    /// Registers `socket` with the current runtime.
    ///
    /// # Errors
    /// If the runtime cannot watch the descriptor.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub fn new(socket: DatagramSocket) -> io::Result<Self> {
        Ok(Self { socket: watch(socket, RECEIVE | Interest::WRITABLE)? })
    }

    /// The socket itself.
    #[must_use]
    pub fn socket(&self) -> &DatagramSocket {
        self.socket.get_ref()
    }

    /// The name that the socket is bound to.
    #[must_use]
    pub fn local_name(&self) -> &SocketName {
        self.socket().local_name()
    }

    /// The name that the socket is connected to.
    ///
    /// # Errors
    /// `NotConnected` if it is not connected.
    pub fn peer_name(&self) -> io::Result<SocketName> {
        self.socket().peer_name()
    }

    /// Waits until a datagram, or an error of an earlier send, may be received. Cancellation safe.
    ///
    /// # Errors
    /// If the runtime is shutting down.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.ready(RECEIVE).await?.retain_ready();
        Ok(())
    }

    /// Waits until something may be sent. Cancellation safe.
    ///
    /// # Errors
    /// If the runtime is shutting down.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await?.retain_ready();
        Ok(())
    }

    /// Receives one datagram; a longer one than `buffer` is marked as truncated. Cancellation safe.
    ///
    /// # Errors
    /// Those of [`DatagramSocket::try_recv_from`] except `WouldBlock`.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<Arrival> {
        self.socket.async_io(RECEIVE, |socket| socket.try_recv_from(buffer)).await
    }

    /// As [`recv_from`](Self::recv_from), leaving the datagram in the queue. Cancellation safe.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    pub async fn peek_from(&self, buffer: &mut [u8]) -> io::Result<Arrival> {
        self.socket.async_io(RECEIVE, |socket| socket.try_peek_from(buffer)).await
    }

    /// Receives one datagram and answers how many bytes of `buffer` it filled. Cancellation safe.
    ///
    /// # Errors
    /// `InvalidData` if it was longer than `buffer` (it is lost); else as [`recv_from`](Self::recv_from).
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len();
        let arrival = self.recv_from(buffer).await?;
        if arrival.truncated {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "a datagram of {} bytes does not fit a buffer of {room}: use a larger one \
                     (65,535 bytes take any)",
                    arrival.datagram_len
                ),
            ));
        }
        Ok(arrival.len)
    }

    /// Refills `batch` with at least one datagram. Cancellation safe.
    ///
    /// # Errors
    /// Those of [`DatagramSocket::try_recv_batch`] except `WouldBlock`.
    pub async fn recv_batch(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        self.socket.async_io(RECEIVE, |socket| socket.try_recv_batch(batch)).await
    }

    /// Sends one datagram to `peer`, from the address that the peer had asked. Cancellation safe.
    ///
    /// Waits while there is no room. A Unix peer that does not read makes it wait for as
    /// long: put a time limit around it.
    ///
    /// # Errors
    /// Those of [`DatagramSocket::try_send_to`] except `WouldBlock`.
    pub async fn send_to(&self, payload: &[u8], peer: &DatagramPeer) -> io::Result<usize> {
        if self.socket().announces_room() {
            let send = |socket: &DatagramSocket| socket.try_send_to(payload, peer);
            return self.socket.async_io(Interest::WRITABLE, send).await;
        }
        loop {
            match self.socket().try_send_to(payload, peer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    tokio::time::sleep(UNIX_PEER_FULL_PAUSE).await;
                }
                done => return done,
            }
        }
    }

    /// Sends one datagram to the peer that the socket is connected to. Cancellation safe.
    ///
    /// # Errors
    /// Those of [`DatagramSocket::try_send`] except `WouldBlock`.
    pub async fn send(&self, payload: &[u8]) -> io::Result<usize> {
        self.socket.async_io(Interest::WRITABLE, |socket| socket.try_send(payload)).await
    }

    /// Sends every datagram of `batch`; one that is refused does not stop the rest.
    ///
    /// Waits for room in the socket's own buffer, never for a Unix peer: its datagram is
    /// reported as failed with `WouldBlock`. If the future is dropped, some of the datagrams
    /// have gone and which is not told.
    ///
    /// # Errors
    /// If the runtime is shutting down, or the socket itself is unusable; what single
    /// datagrams met is in the report.
    pub async fn send_batch(&self, batch: &SendBatch) -> io::Result<SendReport> {
        let mut report = SendReport::default();
        let waits = self.socket().announces_room();
        let mut next = 0;
        while next < batch.len() {
            let outcome = if waits {
                let send = |socket: &DatagramSocket| socket.try_send_batch(batch, next);
                self.socket.async_io(Interest::WRITABLE, send).await
            } else {
                self.socket().try_send_batch(batch, next)
            };
            match outcome {
                Ok(count) => {
                    report.sent += count;
                    next += count;
                }
                Err(error) if is_fatal(&error) => return Err(error),
                Err(error) => {
                    report.failed.push((next, error));
                    next += 1;
                }
            }
        }
        Ok(report)
    }
}

/// Whether an error of a send is about the descriptor and not about one datagram.
fn is_fatal(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), None | Some(libc::EBADF | libc::ENOTSOCK))
}

impl AsFd for Datagram {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}
