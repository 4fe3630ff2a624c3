//! HTTP/2 connections that do nothing, or take nothing, are cut by their deadlines.

use std::{
    future::poll_fn,
    pin::pin,
    time::{Duration, Instant},
};

use crate::{
    frames::{DATA, GOAWAY, HEADERS, PREFACE, SETTINGS, frames, get},
    node::{Served, basic},
    site::{PATIENCE, Site, connect_tls, tls},
};
use sockeye::{Model, Stream};
use sockeye_http::Config;
use sockeye_node::{Ending, command::Commander};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_ends_with_its_session_and_another_can_begin() {
    let folder = TempDir::new().unwrap();
    let site = tokio::task::block_in_place(|| Served::secure(folder.path()));
    let gate = site.node.gate();
    for _ in 0..2 {
        let stream = connect_tls(site.server.port(), folder.path(), "h2").await;
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        let mut connection = pin!(connection);
        let authorization = basic("alice");
        let authorization = authorization.trim_end().split_once(": ").unwrap().1;
        let request =
            http::Request::head("https://localhost/").header("authorization", authorization);
        let (answer, _) = client.send_request(request.body(()).unwrap(), true).unwrap();
        let answer = async {
            tokio::select! {
                answer = answer => answer.unwrap(),
                ended = &mut connection => panic!("the connection ended: {ended:?}"),
            }
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let [present] = &gate.present(0, 2)[..] else { panic!("one session") };
        assert!(present.tls && present.account.as_deref() == Some("alice"), "{present:?}");
        let ending = gate.end_all(Ending::One(present.id), &Commander::Server);
        assert_eq!(ending.await.unwrap(), 1);
        // Cleanly or not: the client may have had something to say.
        let _ = tokio::time::timeout(PATIENCE, connection).await.expect("an end");
        drop(client);
    }
    tokio::task::block_in_place(|| drop((gate, site)));
}

/// RFC 9113 §8.1: the answer first, and then the word that no more is wanted.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_upload_refused_while_it_comes_has_its_answer_and_leaves_the_connection() {
    let folder = TempDir::new().unwrap();
    let site = tokio::task::block_in_place(|| Served::secure(folder.path()));
    let stream = connect_tls(site.server.port(), folder.path(), "h2").await;
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let asking = async {
        for (target, status) in [("/a", 201), ("/a", 412), ("/no/folder", 409), ("/b", 201)] {
            let authorization = basic("alice");
            let authorization = authorization.trim_end().split_once(": ").unwrap().1;
            let request = http::Request::put(format!("https://localhost{target}"))
                .header("authorization", authorization)
                .header("if-none-match", "*")
                .header("content-length", "2000000");
            let (answer, mut body) = client.send_request(request.body(()).unwrap(), false).unwrap();
            if status == 201 {
                let mut left = 2_000_000;
                while left > 0 {
                    body.reserve_capacity(left);
                    let room = poll_fn(|cx| body.poll_capacity(cx)).await.unwrap().unwrap();
                    body.send_data(vec![1; room].into(), room == left).unwrap();
                    left -= room;
                }
            }
            assert_eq!(answer.await.unwrap().status(), status, "{target}");
            if status != 201 {
                let reason = poll_fn(|cx| body.poll_reset(cx)).await.unwrap();
                assert_eq!(reason, h2::Reason::NO_ERROR, "{target}");
            }
        }
    };
    let talk = async {
        tokio::select! {
            () = asking => {}
            ended = connection => panic!("the connection ended: {ended:?}"),
        }
    };
    tokio::time::timeout(PATIENCE, talk).await.expect("it takes too long");
    tokio::task::block_in_place(|| drop(site));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_content_that_stops_is_answered_and_goes_nowhere() {
    let folder = TempDir::new().unwrap();
    let mut config = Config::default();
    config.limits.read_stall = LIMIT;
    let site = tokio::task::block_in_place(|| Served::secure_with(folder.path(), config));
    let stream = connect_tls(site.server.port(), folder.path(), "h2").await;
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let asking = async {
        let authorization = basic("alice");
        let authorization = authorization.trim_end().split_once(": ").unwrap().1;
        let request = http::Request::put("https://localhost/a")
            .header("authorization", authorization)
            .header("content-length", "5");
        let (answer, mut body) = client.send_request(request.body(()).unwrap(), false).unwrap();
        body.send_data("half".into(), false).unwrap();
        assert_eq!(answer.await.unwrap().status(), 408);
    };
    let talk = async {
        tokio::select! {
            () = asking => {}
            ended = connection => panic!("the connection ended: {ended:?}"),
        }
    };
    tokio::time::timeout(PATIENCE, talk).await.expect("it takes too long");
    tokio::task::block_in_place(|| {
        assert!(!site.file("alice", "a").exists());
        drop(site);
    });
}
