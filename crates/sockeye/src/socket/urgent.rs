//! Urgent data of TCP (MSG_OOB, tcp(7)) among the other bytes, as Telnet and FTP have it.
//!
//! With SO_OOBINLINE a read ends in front of the urgent byte, though more is there. The runtime takes a read
//! that leaves room for one that took all there was, and would wait for the peer to send more; so a stream with
//! urgent data reads here, where only the system's word ends a wait.

use std::{
    io,
    task::{Context, Poll, ready},
};

use rustix::net::{RecvFlags, sockopt};
use tokio::{
    io::{Interest, ReadBuf},
    net::TcpStream,
};

use super::{Stream, readiness::is_temporary, stream::Transport};

impl Stream {
    /// Has urgent data stand among the other bytes, where it was sent, instead of beside them (SO_OOBINLINE), or
    /// no longer so.
    ///
    /// That is how Telnet's and FTP's interrupts are read: what a client sends as urgent is the last byte of its
    /// command (RFC 854 “Synch”, RFC 959 §4.1.3). Without it the system takes that byte out of the stream, and nothing
    /// here gives it. To be set before the first read. Nothing over Unix sockets; TLS started later reads on
    /// as before.
    ///
    /// # Errors
    /// `Unsupported` once the stream speaks TLS; what the system refuses.
    pub fn set_urgent_inline(&mut self, on: bool) -> io::Result<()> {
        match &self.transport {
            Transport::Tcp(stream) => {
                sockopt::set_socket_oobinline(stream, on)?;
                self.inline = on;
                Ok(())
            }
            Transport::Unix(_) | Transport::Seqpacket(_) => Ok(()),
            #[cfg(feature = "tls")]
            Transport::Tls(_) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "TLS has no urgent data: ask for it before the handshake",
            )),
        }
    }
}

/// A read that waits only where the system says that nothing is there.
pub(super) fn poll_read_to_mark(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    loop {
        ready!(stream.poll_read_ready(cx))?;
        let room = buf.initialize_unfilled();
        let receive = || Ok(rustix::net::recv(stream, room, RecvFlags::DONTWAIT)?.1);
        match stream.try_io(Interest::READABLE, receive) {
            Ok(received) => {
                buf.advance(received);
                return Poll::Ready(Ok(()));
            }
            Err(error) if is_temporary(&error) => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}
