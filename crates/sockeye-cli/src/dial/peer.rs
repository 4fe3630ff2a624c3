//! The other side, as two ends: one to write to, one to read from.

use std::io;

use sockeye::{
    Stream,
    socket::{Datagram, DatagramKind, SocketName, raw::Ipv4Packet},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};

/// Where to write.
#[derive(Debug)]
pub(super) enum ToPeer<'a> {
    Stream(WriteHalf<Stream>),
    Datagrams(&'a Datagram),
}

/// Where to read.
#[derive(Debug)]
pub(super) enum FromPeer<'a> {
    Stream(ReadHalf<Stream>),
    Datagrams(&'a Datagram),
}

impl ToPeer<'_> {
    /// Sends all of it, as one packet where there are packets.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stream(stream) => {
                stream.write_all(bytes).await?;
                // TLS may have kept the end of it.
                stream.flush().await
            }
            Self::Datagrams(socket) => socket.send(bytes).await.map(drop),
        }
    }

    /// Says that no more comes, where that can be said; the other side can still answer.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Stream(stream) => match stream.shutdown().await {
                // It has gone already; what it said before is still to be read.
                Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
                other => other,
            },
            Self::Datagrams(_) => Ok(()),
        }
    }
}

impl FromPeer<'_> {
    /// Receives what comes next into `buffer`; `None` at the end, which datagrams do not have.
    pub(super) async fn recv(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self {
            Self::Stream(stream) => {
                stream.read(buffer).await.map(|received| Some(received).filter(|n| *n > 0))
            }
            Self::Datagrams(socket) => {
                let length = socket.recv(buffer).await?;
                Ok(Some(without_header(socket, buffer, length)))
            }
        }
    }
}

/// Moves what a packet carries to the front, where the system hands packets over with their header:
/// raw IPv4. How many bytes that is.
fn without_header(socket: &Datagram, buffer: &mut [u8], length: usize) -> usize {
    let raw = matches!(socket.socket().kind(), DatagramKind::Ip { .. });
    let SocketName::Inet(local) = socket.local_name() else { return length };
    if !raw || !local.is_ipv4() {
        return length;
    }
    let Ok(packet) = Ipv4Packet::parse(&buffer[..length]) else { return length };
    let (header, payload) = (packet.header().len(), packet.payload().len());
    buffer.copy_within(header..header + payload, 0);
    payload
}
