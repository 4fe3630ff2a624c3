//! The lingering close of a data connection: what a client still sends of a file that was refused in the middle.
//!
//! Closed at once, the connection would be reset, and many a client that is reset tries again without ever reading the
//! reply that says why. So this end is closed in order once the reply is told, and what comes nevertheless is read and
//! thrown away, for a bounded time and amount, and no faster than the limits on bandwidth allow: who is refused may send no
//! more than others. It is nobody's file any more: nothing of it is kept or counted.

use std::{io, time::Duration};

use sockeye::Stream;
use sockeye_node::Pace;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{Boxed, Own};

/// Bytes taken from the socket at once.
const PIECE: usize = 64 * 1024;

/// A data connection that is being left; dropped, it is closed at once.
pub(crate) struct Lingering(Own<Boxed<()>>);

impl Lingering {
    /// Leaves `stream`, for at most `limit` and so many `bytes`, at this `pace`.
    pub(super) fn new(stream: Stream, limit: Duration, bytes: u64, pace: Pace) -> Self {
        Self(Own::new(Box::pin(async move {
            if let Ok(Err(error)) = tokio::time::timeout(limit, leave(stream, bytes, pace)).await {
                tracing::debug!(%error, "a refused client has broken its data connection off");
            }
        })))
    }

    /// Waits until the client has sent all, or the limits are reached. Cancellation safe; not to be called again after.
    pub(crate) async fn over(&mut self) {
        self.0.get().as_mut().await;
    }
}

async fn leave(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    mut left: u64,
    pace: Pace,
) -> io::Result<()> {
    // Some clients wait for the end of TLS before they read the reply.
    stream.shutdown().await?;
    let mut piece = Vec::with_capacity(PIECE);
    while left > 0 {
        piece.clear();
        let n = stream.read_buf(&mut piece).await?;
        if n == 0 {
            break;
        }
        pace.carry(n as u64).await;
        left = left.saturating_sub(n as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::Arc,
        task::{Context, Waker},
    };

    use sockeye_node::Bucket;

    use super::*;

    #[tokio::test]
    async fn what_is_thrown_away_goes_through_the_limits_on_bandwidth() {
        let mut now = Context::from_waker(Waker::noop());
        // At a byte a second nothing comes after the first piece while this runs; without a limit all does.
        for (rate, pieces) in [(Some(1), 2), (None, 10)] {
            let (mut client, stream) = tokio::io::duplex(PIECE);
            let pace = Pace::through([Arc::new(Bucket::new(rate))]);
            let mut leaving = pin!(leave(stream, u64::MAX, pace));
            let mut sent = 0;
            while sent < 10 && pin!(client.write_all(&[0; PIECE])).poll(&mut now).is_ready() {
                sent += 1;
                assert!(leaving.as_mut().poll(&mut now).is_pending());
            }
            assert_eq!(sent, pieces, "{rate:?}");
        }
    }
}
