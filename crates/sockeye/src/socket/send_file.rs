//! Sending a part of a file: by the kernel where it can, by a bounded buffer where it cannot.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
};

use rustix::{io::Errno, net::SendFlags};
use tokio::io::{AsyncWriteExt, Interest};

use super::{Stream, StreamKind};

/// The most that one sendfile(2) is asked for, so that one fast reader does not keep the thread
/// from everyone else.
const KERNEL_PIECE: u64 = 1 << 20;

/// The buffer of the copying fallback in bytes.
const COPY_PIECE: usize = 64 << 10;

impl Stream {
    /// Writes some of `data`, of which more is to follow at once, as a head is followed by a file: over TCP the kernel then
    /// waits with a packet that is not full for up to 200 ms (send(2), MSG_MORE), so that both leave together
    /// and the peer is woken once. Elsewhere an ordinary write.
    ///
    /// # Errors
    /// As a write.
    ///
    /// # Cancel safety
    /// Loses nothing.
    pub async fn write_ahead_of_more(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.is_tls() || self.kind() != StreamKind::Tcp {
            return self.write(data).await;
        }
        let flags = SendFlags::MORE | SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let send = |socket: BorrowedFd<'_>, _| Ok(rustix::net::send(socket, data, flags)?);
        self.when_ready(Interest::WRITABLE, send).await
    }

    /// Sends `count` bytes of `file` from `offset` on, and returns how many were sent: fewer
    /// only if the file ends before. The file's own position does not move.
    ///
    /// Over TCP and Unix streams the bytes never enter this process (sendfile(2)); under TLS,
    /// over seqpacket (records of at most 64 KiB) and from files that the kernel cannot send
    /// from, they pass through a buffer of 64 KiB. Bytes that are not in the page cache
    /// are read from the disk on this thread.
    ///
    /// # Errors
    /// As a read of the file or a write to the stream; a part may have been sent.
    ///
    /// # Cancel safety
    /// A part may have been sent, and how much is not known.
    pub async fn send_file(&mut self, file: impl AsFd, offset: u64, count: u64) -> io::Result<u64> {
        let file = file.as_fd();
        if self.is_tls() || self.kind() == StreamKind::Seqpacket {
            return self.copy_file(file, offset, count).await;
        }
        let mut sent = 0;
        while sent < count {
            let piece = (count - sent).min(KERNEL_PIECE);
            match self.send_piece(file, offset + sent, piece).await {
                Ok(0) => break,
                Ok(length) => sent += length,
                // The file's filesystem cannot do it (sendfile(2), EINVAL).
                Err(error) if sent == 0 && cannot_send_from(&error) => {
                    return self.copy_file(file, offset, count).await;
                }
                Err(error) => return Err(error),
            }
            tokio::task::coop::consume_budget().await;
        }
        Ok(sent)
    }

    /// Sends as much of `count` bytes of `file` from `offset` on as the stream takes at once, and
    /// returns how many: 0 only at the end of the file. For whoever must see progress, as a
    /// deadline for a peer that takes nothing does; otherwise as [`Stream::send_file`].
    ///
    /// # Errors
    /// As [`Stream::send_file`].
    ///
    /// # Cancel safety
    /// As [`Stream::send_file`].
    pub async fn send_file_part(
        &mut self,
        file: impl AsFd,
        offset: u64,
        count: u64,
    ) -> io::Result<u64> {
        let file = file.as_fd();
        let copied = count.min(COPY_PIECE as u64);
        if self.is_tls() || self.kind() == StreamKind::Seqpacket {
            return self.copy_file(file, offset, copied).await;
        }
        match self.send_piece(file, offset, count.min(KERNEL_PIECE)).await {
            Err(error) if cannot_send_from(&error) => self.copy_file(file, offset, copied).await,
            sent => sent,
        }
    }

    async fn send_piece(&self, file: BorrowedFd<'_>, from: u64, count: u64) -> io::Result<u64> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let send = |socket: BorrowedFd<'_>, _| {
            let mut position = from;
            Ok(rustix::fs::sendfile(socket, file, Some(&mut position), count)? as u64)
        };
        self.when_ready(Interest::WRITABLE, send).await
    }

    async fn copy_file(
        &mut self,
        file: BorrowedFd<'_>,
        offset: u64,
        count: u64,
    ) -> io::Result<u64> {
        let whole = usize::try_from(count).unwrap_or(usize::MAX);
        let mut buf = Vec::with_capacity(COPY_PIECE.min(whole));
        let mut sent = 0;
        while sent < count {
            buf.clear();
            // No more than was asked for is in the buffer's capacity, but for the last piece of many.
            let room = usize::try_from(count - sent).unwrap_or(usize::MAX);
            match rustix::io::pread(file, rustix::buffer::spare_capacity(&mut buf), offset + sent) {
                Err(Errno::INTR) => continue,
                read => read?,
            };
            buf.truncate(room);
            if buf.is_empty() {
                break;
            }
            self.write_all(&buf).await?;
            sent += buf.len() as u64;
        }
        self.flush().await?;
        Ok(sent)
    }
}

fn cannot_send_from(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS))
}
