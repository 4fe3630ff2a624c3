//! HTTP/2 connections that do nothing, or take nothing, are cut by their deadlines: frame by frame
//! (RFC 9113).

use std::time::{Duration, Instant};

use crate::site::{PATIENCE, Site, tls};
use sockeye::{
    Model, Stream,
    client::Connect,
    tls::{Roots, TlsClient},
};
use sockeye_http::Config;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const GOAWAY: u8 = 7;

/// Long enough to be told from nothing, short enough to be waited for.
const LIMIT: Duration = Duration::from_millis(300);

/// The size of `/large`, which is more than a window.
const LARGE: usize = 1 << 20;

/// A connection to a site whose deadlines are [`LIMIT`].
async fn connect() -> (Site, Stream) {
    let folder = TempDir::new().unwrap();
    let mut config = Config::default();
    (config.limits.idle, config.limits.write_stall) = (LIMIT, LIMIT);
    let site = Site::start(config, Model::Tasks, Some(tls(folder.path())));
    site.write("large", vec![0; LARGE]);
    let roots = Roots::from_pem_file(folder.path().join("ca.pem"));
    let tls = TlsClient::builder().roots(roots).alpn(["h2"]).build().unwrap();
    let addr = format!("tls+tcp://localhost:{}", site.addr.port());
    let stream = Connect::new(addr).unwrap().tls(tls).connect().await.unwrap();
    (site, stream)
}

/// All frames until the end, which must come: their types, and the bytes of what they carry.
async fn frames(stream: &mut Stream) -> (Vec<u8>, usize) {
    let reading = async {
        let (mut types, mut bytes) = (Vec::new(), 0);
        let mut head = [0; 9];
        while stream.read_exact(&mut head).await.is_ok() {
            types.push(head[3]);
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            stream.read_exact(&mut payload).await.unwrap();
            bytes += payload.len();
        }
        (types, bytes)
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("it is cut")
}

#[tokio::test]
async fn a_connection_without_a_preface_is_cut() {
    let (_site, mut peer) = connect().await;
    frames(&mut peer).await;
}

#[tokio::test]
async fn an_idle_connection_is_told_goodbye_and_cut() {
    let (_site, mut peer) = connect().await;
    let begun = Instant::now();
    peer.write_all(PREFACE).await.unwrap();
    peer.write_all(SETTINGS).await.unwrap();
    let (types, _) = frames(&mut peer).await;
    assert!(types.contains(&GOAWAY) && begun.elapsed() >= LIMIT, "{types:?}");
}

#[tokio::test]
async fn a_peer_that_opens_no_window_is_cut() {
    let (_site, mut peer) = connect().await;
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
    let (types, bytes) = frames(&mut peer).await;
    assert!(types.contains(&0) && types.contains(&1) && bytes < LARGE, "{types:?}: {bytes}");
}
