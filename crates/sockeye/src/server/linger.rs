//! Closing without losing the last answer.
//!
//! Closing a socket with unread bytes in it sends a reset, which may overtake what was written
//! last. So the connection is half-closed, and where the peer has more under way, that is read
//! and thrown away for a moment, beside the connections that come next.

use std::{sync::Arc, time::Duration};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Conn, context::ServerContext};

/// Most bytes thrown away.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How long the peer's rest is waited for.
const LONGEST: Duration = Duration::from_secs(1);

/// What of the peer's is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// What has come and was not read, and whatever follows it.
    IfUnread,
    /// All up to its end: the peer does not know yet that it has to stop.
    UntilItsEnd,
}

/// A connection whose handler is done and whose peer is not.
#[derive(Debug)]
pub(crate) struct Lingering {
    conn: Conn,
}

impl Lingering {
    /// Says to the peer that nothing more will come; what it returns has still something to read.
    pub(super) async fn after(mut conn: Conn, rest: Rest) -> Option<Self> {
        if conn.ended() && !conn.needs_shutdown() {
            // Closing the descriptor says all there is to say.
            return None;
        }
        let half_closed = conn.shutdown().await.is_ok();
        let unread = || rustix::io::ioctl_fionread(&conn).is_ok_and(|n| n > 0);
        let more = rest == Rest::UntilItsEnd || conn.leaves_rest() || unread();
        (half_closed && !conn.ended() && more).then_some(Self { conn })
    }

    /// Goes on in a task of the current runtime, if not too many do already.
    pub(super) fn in_background(self, server: &Arc<ServerContext>) {
        let Ok(permit) = Arc::clone(&server.lingering).try_acquire_owned() else { return };
        server.registry.spawn(async move {
            self.run().await;
            drop(permit);
        });
    }

    /// Reads until the peer ends, for a moment at most.
    pub(crate) async fn run(mut self) {
        let server = self.conn.context();
        tokio::select! {
            () = server.shutdown.cut_now() => {}
            () = tokio::time::sleep(LONGEST) => {}
            () = self.discard() => {}
        }
    }

    async fn discard(&mut self) {
        let mut left = MOST_BYTES;
        let mut sink = [0; 1024];
        while left > 0 {
            // Below the counters, which tell what handlers read.
            match self.conn.stream_mut().read(&mut sink).await {
                Ok(0) | Err(_) => break,
                Ok(n) => left = left.saturating_sub(n),
            }
        }
    }
}
