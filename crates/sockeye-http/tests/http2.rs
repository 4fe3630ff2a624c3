//! HTTP/2 connections that do nothing, or take nothing, are cut by their deadlines.
//!
//! Frame by frame, over a pipe in memory and a clock that is moved on when all wait (RFC 9113).

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{fs, io, time::Duration};

use sockeye::SocketName;
use sockeye_http::{Config, ConnectionContext, Http};
use sockeye_node::{Home, Session};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    time::Instant,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const GOAWAY: u8 = 7;

/// Serves `/large` over one end of a pipe; gives how the connection ended, and after how long.
async fn serve(peer: impl AsyncFnOnce(DuplexStream)) -> (io::Result<()>, Duration) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("large"), vec![0; 1 << 20]).unwrap();
    let http = Http::new(Session::guest(Home::open(folder.path()).unwrap()), Config::default());
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let name = SocketName::Inet(([127, 0, 0, 1], 1).into());
    let context = ConnectionContext::new(name.clone(), name).http2(true);
    let begun = Instant::now();
    let (result, ()) = tokio::join!(http.serve_connection(ours, context), peer(theirs));
    (result, begun.elapsed())
}

/// The types of all frames until the end.
async fn frames(stream: &mut DuplexStream) -> Vec<u8> {
    let mut types = Vec::new();
    let mut head = [0; 9];
    while stream.read_exact(&mut head).await.is_ok() {
        types.push(head[3]);
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload).await.unwrap();
    }
    types
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_preface_is_cut() {
    let (_, after) = serve(async |mut peer| {
        let _ = peer.read_to_end(&mut Vec::new()).await;
    })
    .await;
    assert!(after <= Duration::from_secs(91), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_told_goodbye_and_cut() {
    let (_, after) = serve(async |mut peer| {
        peer.write_all(PREFACE).await.unwrap();
        peer.write_all(SETTINGS).await.unwrap();
        assert!(frames(&mut peer).await.contains(&GOAWAY));
    })
    .await;
    assert!(after >= Duration::from_secs(60) && after <= Duration::from_secs(91), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_opens_no_window_is_cut() {
    let (result, after) = serve(async |mut peer| {
        // HEADERS, END_STREAM and END_HEADERS: GET http://localhost/large.
        let mut block = vec![0x82, 0x86];
        for (index, value) in [(0x44, "/large"), (0x41, "localhost")] {
            block.extend([index, u8::try_from(value.len()).unwrap()]);
            block.extend(value.as_bytes());
        }
        peer.write_all(PREFACE).await.unwrap();
        peer.write_all(SETTINGS).await.unwrap();
        let length = u8::try_from(block.len()).unwrap();
        peer.write_all(&[0, 0, length, 1, 5, 0, 0, 0, 1]).await.unwrap();
        peer.write_all(&block).await.unwrap();
        // It reads all there is, which is a window's worth, and asks for no more.
        let seen = frames(&mut peer).await;
        assert!(seen.contains(&0) && seen.contains(&1), "{seen:?}");
    })
    .await;
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(after >= Duration::from_secs(30) && after <= Duration::from_secs(31), "{after:?}");
}
