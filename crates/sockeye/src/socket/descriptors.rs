//! Passing open descriptors to another process over a Unix socket (unix(7), SCM_RIGHTS).
//!
//! Descriptors arrive close-on-exec, never more than asked for, and none is left open where
//! receiving fails.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{BorrowedFd, OwnedFd},
};

use rustix::{
    cmsg_space,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, RecvMsg, ReturnFlags,
        SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    },
};
use tokio::io::{AsyncWriteExt, Interest};

use super::{Stream, StreamKind, seqpacket::whole};

/// The most descriptors that one message carries: the kernel's SCM_MAX_FD (unix(7)).
pub const MAX_DESCRIPTORS: usize = 253;

impl Stream {
    /// Sends `data` together with duplicates of `fds`.
    ///
    /// The receiver gets the descriptors with the first byte, so there must be one. Over
    /// seqpacket all is one record.
    ///
    /// # Errors
    /// `Unsupported` over TCP and under TLS; `InvalidInput` without data or for more than
    /// [`MAX_DESCRIPTORS`]; ETOOMANYREFS if too many are on their way and not yet received.
    ///
    /// # Cancel safety
    /// A part may have been sent, and how much is not known.
    pub async fn send_fds(&mut self, data: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.check_carries_descriptors()?;
        if data.is_empty() {
            return Err(invalid("descriptors travel with data: send at least one byte".into()));
        }
        check_count(fds.len())?;
        let send = |socket: BorrowedFd<'_>, _| {
            let mut space = vec![MaybeUninit::uninit(); cmsg_space!(ScmRights(fds.len()))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
                return Err(invalid("the descriptors do not fit one message".into()));
            }
            let parts = [IoSlice::new(data)];
            Ok(rustix::net::sendmsg(socket, &parts, &mut control, SendFlags::NOSIGNAL)?)
        };
        let sent = self.when_ready(Interest::WRITABLE, send).await?;
        self.write_all(&data[sent..]).await
    }

    /// Receives data into `buf`, and the descriptors that came with it, at most `max_fds`.
    /// No data means the end of the stream.
    ///
    /// One call never takes the descriptors of two messages. A plain read in its place would
    /// close them unseen.
    ///
    /// # Errors
    /// `Unsupported` over TCP and under TLS; `InvalidInput` for an empty buffer or more than
    /// [`MAX_DESCRIPTORS`]; `InvalidData` if more descriptors came than `max_fds` or than this process may
    /// open: all of them are closed, and the data is lost. Over seqpacket as well for a record
    /// longer than `buf`.
    ///
    /// # Cancel safety
    /// Loses nothing.
    pub async fn recv_fds(
        &mut self,
        buf: &mut [u8],
        max_fds: usize,
    ) -> io::Result<(usize, Vec<OwnedFd>)> {
        self.check_carries_descriptors()?;
        if buf.is_empty() {
            return Err(invalid("descriptors travel with data: give a buffer".into()));
        }
        check_count(max_fds)?;
        let mut space = vec![MaybeUninit::uninit(); cmsg_space!(ScmRights(max_fds))];
        let kind = self.kind();
        let receive = |socket: BorrowedFd<'_>, _| receive(socket, kind, buf, &mut space, max_fds);
        self.when_ready(Interest::READABLE, receive).await
    }

    fn check_carries_descriptors(&self) -> io::Result<()> {
        if self.is_tls() || self.kind() == StreamKind::Tcp {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "only plain Unix sockets carry descriptors",
            ));
        }
        Ok(())
    }
}

fn receive(
    socket: BorrowedFd<'_>,
    kind: StreamKind,
    buf: &mut [u8],
    space: &mut [MaybeUninit<u8>],
    max_fds: usize,
) -> io::Result<(usize, Vec<OwnedFd>)> {
    let room = buf.len();
    let mut control = RecvAncillaryBuffer::new(space);
    let mut flags = RecvFlags::CMSG_CLOEXEC;
    flags.set(RecvFlags::TRUNC, kind.keeps_records());
    let mut parts = [IoSliceMut::new(buf)];
    let RecvMsg { bytes, flags, .. } =
        rustix::net::recvmsg(socket, &mut parts, &mut control, flags)?;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(passed) = message {
            fds.extend(passed);
        }
    }
    // The buffer's alignment can leave room for one more than was asked for.
    if flags.contains(ReturnFlags::CTRUNC) || fds.len() > max_fds {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "the peer passed more descriptors than the {max_fds} expected, or than this \
                 process may open (`ulimit -n`): they are closed"
            ),
        ));
    }
    whole(bytes, room)?;
    Ok((bytes, fds))
}

fn check_count(count: usize) -> io::Result<()> {
    if count > MAX_DESCRIPTORS {
        return Err(invalid(format!(
            "{count} descriptors in one message: the kernel carries {MAX_DESCRIPTORS}"
        )));
    }
    Ok(())
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
