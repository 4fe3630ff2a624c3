//! A large file in pieces, by curl as the README has it, with the server killed in between.

use std::{fs, process::Stdio};

use rustix::process::Signal;
use sockeye_testkit::peer;
use tokio::process::Command;

use super::{
    node::Place,
    running::{Serving, feed, quieten, sockeye, within},
};

const PASSWORD: &str = "correct horse battery";

const README: &str = include_str!("../../../../README.md");

/// The README's lines, for this server and with the password in them: what makes the upload, and what goes on with it.
fn lines(server: &str) -> (String, String) {
    let from = README.find("server=http://127.0.0.1:8080 tus=").unwrap();
    let text = &README[from..];
    let text = text[..text.find("```").unwrap()]
        .replace("http://127.0.0.1:8080", server.trim_end_matches('/'))
        .replace("-u alice", &format!("-u 'alice:{PASSWORD}'"));
    let (first, rest) = text.split_once("\nat=$(").unwrap();
    let (server, _) = first.split_once('\n').unwrap();
    (format!("{first}\necho \"$url\""), format!("{server}\nurl=$server$1\nat=$({rest}"))
}

async fn shell(place: &Place, script: &str, argument: &str) -> String {
    let mut command = Command::new("sh");
    quieten(&mut command).args(["-eu", "-c", script, "sh", argument]).current_dir(place.0.path());
    let ended = feed(command, b"").await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    ended.text().trim().to_owned()
}

/// How far the upload at `path` is.
async fn offset(place: &Place, serving: &Serving, path: &str) -> u64 {
    let (_, go_on) = lines(&serving.url(""));
    let look = go_on[..go_on.find("\ntail").unwrap()].to_owned() + "\necho $at";
    shell(place, &look, path).await.parse().unwrap()
}

#[tokio::test]
async fn curl_goes_on_where_it_was_when_the_server_was_killed() {
    if peer::require("curl").is_none() {
        return;
    }
    let place = Place::new();
    let serving = place.serve(&[]).await;
    let data = place.data();
    let words = ["user", "add", "alice", "--password-stdin", "--data", &data];
    feed(sockeye(&words), format!("{PASSWORD}\n").as_bytes()).await.done();
    let bytes: Vec<u8> =
        (0..6_000_000_u32).map(|at| at.to_be_bytes()[2] ^ at.to_be_bytes()[3]).collect();
    fs::write(place.0.path().join("big.iso"), &bytes).unwrap();

    let (make, go_on) = lines(&serving.url(""));
    let url = shell(&place, &make, "").await;
    let path = &url[url.find("/-/tus/").unwrap()..];
    assert_eq!(offset(&place, &serving, path).await, 0);
    // So slowly that it is not done when the server is killed.
    let slowly = go_on.replace("-X PATCH", "--limit-rate 1M -X PATCH");
    let mut curl = Command::new("sh");
    let curl = quieten(&mut curl).args(["-c", &slowly, "sh", path]).current_dir(place.0.path());
    let mut curl = curl.stdin(Stdio::null()).spawn().unwrap();
    within(async { while offset(&place, &serving, path).await == 0 {} }).await;
    serving.running.signal(Signal::KILL);
    serving.running.end().await;
    within(curl.wait()).await.unwrap();

    let serving = place.serve(&[]).await;
    let kept = offset(&place, &serving, path).await;
    assert!((1..6_000_000).contains(&kept), "{kept}");
    let (_, go_on) = lines(&serving.url(""));
    shell(&place, &go_on, path).await;
    let get = format!("curl -s -u 'alice:{PASSWORD}' -o got {}", serving.url("big.iso"));
    shell(&place, &get, "").await;
    assert!(fs::read(place.0.path().join("got")).unwrap() == bytes);
    serving.running.stop().await;
    assert_eq!(place.run(&["store", "check"]).await.code, Some(0));
    assert_eq!(place.run(&["log", "verify"]).await.code, Some(0));
}
