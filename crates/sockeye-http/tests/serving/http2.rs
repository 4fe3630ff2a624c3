//! HTTP/2 connections that do nothing, or take nothing, are cut by their deadlines.

use std::time::{Duration, Instant};

use crate::{
    frames::{DATA, GOAWAY, HEADERS, PREFACE, SETTINGS, frames, get},
    site::{Site, tls},
};
use sockeye::{Model, Stream};
use sockeye_http::Config;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

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
    let stream = site.connect_tls(folder.path(), "h2").await;
    (site, stream)
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
    peer.write_all(PREFACE).await.unwrap();
    peer.write_all(SETTINGS).await.unwrap();
    peer.write_all(&get(1, "/large")).await.unwrap();
    // It reads all there is, which is a window's worth, and asks for no more.
    let (types, bytes) = frames(&mut peer).await;
    assert!(
        types.contains(&DATA) && types.contains(&HEADERS) && bytes < LARGE,
        "{types:?}: {bytes}"
    );
}
