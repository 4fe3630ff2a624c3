//! Closing without losing the last answer.

use std::{io, time::Duration};

use sockeye::Conn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes that are thrown away at most.
const MOST: usize = 256 * 1024;

/// Says that nothing more will come, and throws away what the peer still sends, for a bounded time.
///
/// Closing a socket with unread input resets the connection, and a reset can overtake the answer.
pub(super) async fn linger(conn: &mut Conn, time: Duration) -> io::Result<()> {
    conn.shutdown().await?;
    let thrown_away = async {
        let mut buf = vec![0; 4096];
        let mut total = 0;
        while total < MOST {
            match conn.read(&mut buf).await {
                Ok(0) | Err(_) => break,
                Ok(n) => total += n,
            }
        }
    };
    // Whether the peer closed or the time ran out, the connection ends now.
    let _ = tokio::time::timeout(time, thrown_away).await;
    Ok(())
}
