//! A server that has a place for one connection, or two: whoever does nothing with a place loses it to
//! the next, long before its deadline.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use crate::{
    frames::{self, DATA, GOAWAY, PREFACE, SETTINGS, frames, until},
    site::{Answer, PATIENCE, Site, tls},
};
use sockeye::Model;
use sockeye_http::Config;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ONE_PLACE: [Model; 2] = [Model::Iterative, Model::ThreadPool(1)];

const GET: &str = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Without a crowd, nobody would lose a place within the tests' patience.
fn patient() -> Config {
    let mut config = Config::default();
    let limits = &mut config.limits;
    (limits.idle, limits.head_time, limits.write_stall) =
        (PATIENCE * 3, PATIENCE * 3, PATIENCE * 3);
    let soon = Duration::from_millis(100);
    (limits.crowded_idle, limits.crowded_head) = (soon, soon);
    config
}

fn site(model: Model) -> Site {
    let site = Site::start(patient(), model, None);
    site.write("a", "content");
    site
}

/// A site over TLS, and the folder with its authority.
fn secure(config: Config, model: Model) -> (Site, TempDir) {
    let folder = TempDir::new().unwrap();
    let site = Site::start(config, model, Some(tls(folder.path())));
    site.write("a", "content");
    (site, folder)
}

/// Gets `/a` over TLS and HTTP/1.
async fn get(site: &Site, folder: &Path) -> Answer {
    let asking = async {
        let mut stream = site.connect_tls(folder, "http/1.1").await;
        stream.write_all(GET.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        Answer::parse(&answer, false).0
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("it has its turn")
}

/// What the server sends until it closes.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

fn status(bytes: &[u8]) -> u16 {
    Answer::parse(bytes, false).0.status
}

#[tokio::test]
async fn an_idle_http_2_peer_is_told_goodbye_and_leaves_its_place_to_the_next() {
    for model in ONE_PLACE {
        let (site, folder) = secure(patient(), model);
        let mut idle = site.connect_tls(folder.path(), "h2").await;
        idle.write_all(PREFACE).await.unwrap();
        assert_eq!(get(&site, folder.path()).await.text(), "content", "{model}");
        let (types, _) = frames(&mut idle).await;
        assert!(types.contains(&GOAWAY), "{model}: {types:?}");
    }
}

#[tokio::test]
async fn a_peer_that_agreed_on_http_2_and_says_nothing_leaves_its_place_to_the_next() {
    for model in ONE_PLACE {
        let (site, folder) = secure(patient(), model);
        let mut silent = site.connect_tls(folder.path(), "h2").await;
        assert_eq!(get(&site, folder.path()).await.text(), "content", "{model}");
        frames(&mut silent).await;
    }
}

/// As HTTP/1 has `Connection: close`.
#[tokio::test]
async fn an_http_2_answer_at_capacity_says_goodbye() {
    for model in ONE_PLACE {
        let mut config = patient();
        // Not for being idle.
        config.limits.crowded_idle = PATIENCE * 3;
        let (site, folder) = secure(config, model);
        let mut peer = site.connect_tls(folder.path(), "h2").await;
        for part in [PREFACE, SETTINGS, &frames::get(1, "/a")] {
            peer.write_all(part).await.unwrap();
        }
        until(&mut peer, &[GOAWAY, DATA]).await;
    }
}

#[test]
fn a_head_begun_and_not_ended_holds_no_place_for_long() {
    for model in ONE_PLACE {
        let site = site(model);
        let mut slow = site.connect();
        slow.write_all(&GET.as_bytes()[..20]).unwrap();
        assert_eq!(site.get("/a").status, 200, "{model}");
        assert_eq!(status(&rest(&mut slow)), 408, "{model}");
    }
}

#[test]
fn a_body_announced_and_not_sent_holds_no_place_for_long() {
    for model in ONE_PLACE {
        let site = site(model);
        let mut slow = site.connect();
        let request = GET.replace("\r\n\r\n", "\r\nContent-Length: 9\r\n\r\n");
        slow.write_all(request.as_bytes()).unwrap();
        assert_eq!(site.get("/a").status, 200, "{model}");
        let answer = Answer::parse(&rest(&mut slow), false).0;
        assert_eq!((answer.status, answer.field("connection")), (200, Some("close")), "{model}");
    }
}

/// Idle in the lane of requests that have a body, since before the server was full.
#[test]
fn a_connection_that_was_idle_before_the_crowd_came_leaves_its_place() {
    let site = site(Model::ThreadPool(2));
    fs::File::create(site.folder().join("large")).unwrap().set_len(1 << 30).unwrap();
    let mut idle = site.connect();
    idle.write_all(GET.replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n").as_bytes()).unwrap();
    let mut buf = [0; 4096];
    let n = idle.read(&mut buf).unwrap();
    assert_eq!(Answer::parse(&buf[..n], false).0.field("connection"), None);
    // Takes the other place, and is too slow to leave it.
    let mut busy = site.connect();
    busy.write_all(GET.replace("/a", "/large").as_bytes()).unwrap();
    busy.read_exact(&mut buf).unwrap();
    assert_eq!(site.get("/a").status, 200);
    assert!(rest(&mut idle).is_empty());
}
