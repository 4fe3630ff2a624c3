//! A file to the client: by sendfile(2), or through memory as text and under TLS.

use std::os::fd::AsFd as _;

use sockeye::Stream;
use sockeye_node::FileBody;
use tokio::io::AsyncWriteExt as _;

use super::{Failure, Flow};
use crate::wire::{ascii::Encoder, parameter::Type, reply::Reply};

/// Files up to this size are read and written; above, sendfile costs less.
const SMALL: u64 = 16 * 1024;

/// Bytes copied at once where sendfile is not to be had.
const COPIED: u64 = 128 * 1024;

/// Bytes of a file that are made resident and sent at once.
const PIECE: u64 = 1024 * 1024;

/// A file that is to be sent.
pub(crate) struct Send {
    pub(crate) body: FileBody,
    pub(crate) representation: Type,
}

impl Send {
    pub(super) async fn run(mut self, mut stream: Stream, flow: &Flow) -> Result<Reply, Failure> {
        let by_kernel = self.representation == Type::Image && !stream.is_tls();
        if by_kernel && self.body.remaining() > SMALL {
            self.by_kernel(&mut stream, flow).await?;
        } else {
            self.through_memory(&mut stream, flow).await?;
        }
        close(stream, flow).await?;
        Ok(Reply::new(226, format!("Sent, {} bytes.", flow.total())))
    }

    async fn by_kernel(&mut self, stream: &mut Stream, flow: &Flow) -> Result<(), Failure> {
        let body = &mut self.body;
        while body.remaining() > 0 {
            let admitted = flow.ask(body.admit(PIECE)).await?;
            let mut left = admitted;
            while left > 0 {
                let offset = body.range().offset;
                let sent = flow.call(stream.send_file_part(body.as_fd(), offset, left)).await?;
                if sent == 0 {
                    return Err(sockeye_node::Error::Shrunk.into());
                }
                body.advance(sent);
                flow.moved(sent);
                left = left.saturating_sub(sent);
                tokio::task::coop::consume_budget().await;
            }
        }
        Ok(())
    }

    async fn through_memory(&mut self, stream: &mut Stream, flow: &Flow) -> Result<(), Failure> {
        // At most `COPIED`.
        let space = usize::try_from(self.body.remaining().min(COPIED)).unwrap_or(0);
        let (mut piece, mut text) = (vec![0; space], Vec::new());
        let mut encoder = Encoder::default();
        while self.body.remaining() > 0 {
            let n = flow.ask(self.body.read(&mut piece)).await?;
            let bytes = match self.representation {
                Type::Image => &piece[..n],
                Type::Ascii => {
                    text.clear();
                    encoder.encode(&piece[..n], &mut text);
                    &text[..]
                }
            };
            write(stream, bytes, flow).await?;
        }
        Ok(())
    }
}

/// Writes all of it; each part of it may take as long as a connection may stand still.
pub(super) async fn write(
    stream: &mut Stream,
    mut bytes: &[u8],
    flow: &Flow,
) -> Result<(), Failure> {
    while !bytes.is_empty() {
        let n = flow.call(stream.write(bytes)).await?;
        if n == 0 {
            return Err(Failure::Broken(std::io::ErrorKind::WriteZero.into()));
        }
        flow.moved(n as u64);
        bytes = &bytes[n..];
    }
    Ok(())
}

/// Ends the stream: TLS says so itself, and a plain connection by being closed.
pub(super) async fn close(mut stream: Stream, flow: &Flow) -> Result<(), Failure> {
    if stream.is_tls() {
        flow.call(stream.shutdown()).await?;
    }
    Ok(())
}
