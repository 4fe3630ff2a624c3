//! The client of the programs that answer whatever comes: standard input there, what comes back
//! to standard output, both at the same time.

use sockeye::Stream;
use tokio::io::{AsyncWriteExt, copy, split, stdin, stdout};

use crate::cli;

/// Pipes until the server has closed its side.
pub(crate) async fn through(stream: Stream) -> cli::Exit {
    let (mut from, mut to) = split(stream);
    let send = async {
        copy(&mut stdin(), &mut to).await?;
        // The server sees the end of the input, and can still answer.
        to.shutdown().await
    };
    let receive = async { copy(&mut from, &mut stdout()).await };
    tokio::select! {
        received = receive => received.map(drop)?,
        Err(error) = send => return Err(error.into()),
    }
    Ok(())
}
