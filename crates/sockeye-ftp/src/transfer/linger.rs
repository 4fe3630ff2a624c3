//! The lingering close of a data connection: what a client still sends of a file that was refused in the middle.
//!
//! Closed at once, the connection would be reset, and many a client that is reset tries again without ever reading the
//! reply that says why. So this end is closed in order once the reply is told, and what comes nevertheless is read and
//! thrown away, for a bounded time and amount. It is nobody's file any more: nothing of it is kept, counted or paced.

use std::{io, time::Duration};

use sockeye::Stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Boxed, Own};

/// Bytes taken from the socket at once.
const PIECE: usize = 64 * 1024;

/// A data connection that is being left; dropped, it is closed at once.
pub(crate) struct Lingering(Own<Boxed<()>>);

impl Lingering {
    /// Leaves `stream`, for at most `limit` and so many `bytes`.
    pub(super) fn new(stream: Stream, limit: Duration, bytes: u64) -> Self {
        Self(Own::new(Box::pin(async move {
            if let Ok(Err(error)) = tokio::time::timeout(limit, leave(stream, bytes)).await {
                tracing::debug!(%error, "a refused client has broken its data connection off");
            }
        })))
    }

    /// Waits until the client has sent all, or the limits are reached. Cancellation safe; not to be called again after.
    pub(crate) async fn over(&mut self) {
        self.0.get().as_mut().await;
    }
}

async fn leave(mut stream: Stream, mut left: u64) -> io::Result<()> {
    // Some clients wait for the end of TLS before they read the reply.
    stream.shutdown().await?;
    let mut piece = Vec::with_capacity(PIECE);
    while left > 0 {
        piece.clear();
        let n = stream.read_buf(&mut piece).await?;
        if n == 0 {
            break;
        }
        left = left.saturating_sub(n as u64);
    }
    Ok(())
}
