//! Writing a reply: head and small body in one write, large bodies by sendfile.

use std::io;

use sockeye::{Conn, socket::StreamKind};
use sockeye_node::FileBody;
use tokio::io::AsyncWriteExt;

use super::super::Clock;
use crate::{payload::Payload, reply::Reply, wire::head::Connection};

/// Bodies up to this size are copied behind the head and written with it; above, sendfile costs less.
const SMALL: u64 = 16 * 1024;

/// Bytes copied at once where sendfile is not to be had.
const COPIED: u64 = 64 * 1024;

/// Bytes of a file that are made resident and sent at once.
const PIECE: u64 = 1024 * 1024;

/// In what form a reply is sent.
pub(super) struct Manner {
    /// Whether its content is left unsent.
    pub(super) head_only: bool,
    /// Whether the client knows chunks.
    pub(super) chunks: bool,
    /// What is said of the connection.
    pub(super) connection: Connection,
}

/// How the sending of a reply ended.
pub(super) struct Sent {
    /// Bytes of the body that were handed to the socket.
    pub(super) body: u64,
    /// Whether all of it was.
    pub(super) result: io::Result<()>,
}

/// Sends a reply, whose head is put together in `output`, which must be empty.
pub(super) async fn send(
    conn: &mut Conn,
    output: &mut Vec<u8>,
    reply: Reply,
    manner: Manner,
    clock: &Clock,
) -> Sent {
    let mut body = 0;
    let result = send_counting(conn, output, reply, manner, clock, &mut body).await;
    Sent { body, result }
}

async fn send_counting(
    conn: &mut Conn,
    output: &mut Vec<u8>,
    reply: Reply,
    manner: Manner,
    clock: &Clock,
    sent: &mut u64,
) -> io::Result<()> {
    let Manner { head_only, chunks, connection } = manner;
    let chunked = chunks && reply.head.length.is_none() && reply.head.has_content() && !head_only;
    reply.head.write(output, clock.date(), connection, chunked);
    match reply.payload {
        _ if head_only => write(conn, output).await,
        Payload::Empty => write(conn, output).await,
        Payload::Page(page) => {
            output.extend_from_slice(&page);
            write(conn, output).await?;
            *sent = page.len() as u64;
            Ok(())
        }
        Payload::File(mut body) => {
            if body.remaining() > SMALL && sends_files(conn) {
                conn.write_ahead_of_more(output).await?;
                send_file(conn, body, sent).await
            } else {
                // Whatever was read goes out together with the head, and the rest in pieces.
                while body.remaining() > 0 {
                    *sent += append(output, &mut body).await?;
                    write(conn, output).await?;
                    output.clear();
                }
                write(conn, output).await
            }
        }
        mut payload => {
            while let Some(piece) = payload.next().await? {
                frame(output, &piece, chunked);
                write(conn, output).await?;
                output.clear();
                *sent += piece.len() as u64;
            }
            if chunked {
                output.extend_from_slice(b"0\r\n\r\n");
            }
            write(conn, output).await
        }
    }
}

/// Appends up to [`COPIED`] bytes of the file.
async fn append(output: &mut Vec<u8>, body: &mut FileBody) -> io::Result<u64> {
    let length = body.remaining().min(COPIED);
    let start = output.len();
    // At most `COPIED`.
    output.resize(start + usize::try_from(length).unwrap_or(0), 0);
    let n = body.read(&mut output[start..]).await?;
    output.truncate(start + n);
    Ok(n as u64)
}

fn frame(output: &mut Vec<u8>, piece: &[u8], chunked: bool) {
    if chunked {
        output.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
    }
    output.extend_from_slice(piece);
    if chunked {
        output.extend_from_slice(b"\r\n");
    }
}

async fn write(conn: &mut Conn, output: &[u8]) -> io::Result<()> {
    if !output.is_empty() {
        conn.write_all(output).await?;
    }
    conn.flush().await
}

/// Whether the kernel can send a file by itself, with nothing over the socket.
fn sends_files(conn: &Conn) -> bool {
    !conn.stream().is_tls() && conn.stream().kind() != StreamKind::Seqpacket
}

async fn send_file(conn: &mut Conn, mut body: FileBody, sent: &mut u64) -> io::Result<()> {
    while body.remaining() > 0 {
        let piece = body.admit(PIECE).await?;
        let offset = body.range().offset;
        let n = conn.send_file(std::os::fd::AsFd::as_fd(&body), offset, piece).await?;
        body.advance(n);
        *sent += n;
        if n < piece {
            return Err(sockeye_node::Error::Shrunk.into());
        }
    }
    Ok(())
}
