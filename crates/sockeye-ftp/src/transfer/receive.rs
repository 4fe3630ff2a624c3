//! A file from the client: from the socket to the upload, and in its place once the client has closed the connection.

use sockeye::{Stream, tls::is_truncation};
use sockeye_node::{FilePath, Upload};
use tokio::io::AsyncReadExt as _;

use super::{End, Failure, Flow, Lingering, send::close};
use crate::wire::{ascii::Decoder, parameter::Type, path::absolute, reply::Reply};

/// Bytes taken from the socket at first; as much again as long as more comes at once.
const FIRST: usize = 16 * 1024;

/// Most bytes taken at once.
const PIECE: usize = 256 * 1024;

/// What came of an upload that was cut is kept from this size on, to be resumed over any protocol.
pub(super) const WORTH_KEEPING: u64 = 1024 * 1024;

/// A file that is to come.
pub(crate) struct Receive {
    pub(crate) upload: Upload,
    pub(crate) representation: Type,
    /// Whether the end of TLS has to be told by TLS itself.
    pub(crate) close_notify: bool,
}

impl Receive {
    pub(super) async fn run(
        self,
        mut stream: Stream,
        path: &FilePath,
        flow: &Flow,
    ) -> Result<End, Failure> {
        let Self { mut upload, representation, close_notify } = self;
        let pace = upload.pace();
        match receive(&mut stream, &mut upload, representation, close_notify, flow).await {
            Ok(()) => {
                // The client's TLS waits to hear the end of ours; if it does not, all has come nevertheless.
                let _ = close(stream, flow).await;
                let done = upload.commit().await?;
                let text = format!(" is stored, {} bytes.", done.meta.size);
                Ok(Reply::new(226, [&absolute(path)[..], text.as_bytes()].concat()).into())
            }
            Err(failure) => {
                let refused = matches!(failure, Failure::Session(_));
                // What became of it is in the log; the reply tells why it came to that.
                let _ = match !refused && upload.offset() >= WORTH_KEEPING {
                    true => upload.keep().await.map(drop),
                    false => upload.abort().await,
                };
                let leave = || Lingering::new(stream, flow.linger, flow.linger_bytes, pace);
                Ok(End { reply: failure.reply(path), rest: refused.then(leave) })
            }
        }
    }
}

async fn receive(
    stream: &mut Stream,
    upload: &mut Upload,
    representation: Type,
    close_notify: bool,
    flow: &Flow,
) -> Result<(), Failure> {
    let mut piece = Vec::with_capacity(FIRST);
    let (mut decoder, mut text) = (Decoder::default(), Vec::new());
    loop {
        piece.clear();
        let mut ended_itself = stream.is_tls();
        let n = match flow.call(stream.read_buf(&mut piece)).await {
            Err(Failure::Broken(error)) if is_truncation(&error) => {
                if close_notify {
                    return Err(Failure::Truncated);
                }
                ended_itself = false;
                0
            }
            received => received?,
        };
        flow.moved(n as u64);
        let bytes = match representation {
            Type::Image => &piece[..],
            Type::Ascii => {
                text.clear();
                match n {
                    0 => decoder.finish(&mut text),
                    _ => decoder.decode(&piece, &mut text),
                }
                &text[..]
            }
        };
        // Not given up half-way: how much was written would not be known.
        upload.write(bytes).await?;
        if n == 0 {
            // TLS says itself that all was sent, if it says anything.
            if !ended_itself {
                flow.confirm().await?;
            }
            return Ok(());
        }
        if n == piece.capacity() && n < PIECE {
            piece.clear();
            piece.reserve_exact((2 * n).min(PIECE));
        }
    }
}
