//! A large file in pieces, by curl as the README has it, with the server killed in between.

use std::{fs, process::Stdio};

use rustix::process::Signal;
use sockeye_testkit::peer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
};

use super::{
    accounts::base64,
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

async fn add_alice(place: &Place) {
    let words = ["user", "add", "alice", "--password-stdin", "--data", &place.data()];
    feed(sockeye(&words), format!("{PASSWORD}\n").as_bytes()).await.done();
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
    add_alice(&place).await;
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

/// A request of alice's about uploads, of which these bytes are sent.
async fn begin(at: &str, request: &str, fields: &str, content: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let basic = base64(format!("alice:{PASSWORD}").as_bytes());
    let head = format!(
        "{request} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {basic}\r\nTus-Resumable: 1.0.0\r\n\
         Connection: close\r\n{fields}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Whoever turns it down may have closed by now.
    let _ = stream.write_all(content).await;
    stream
}

async fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn a_client_that_fell_silent_gives_way_to_one_at_another_listener() {
    let place = Place::new();
    let serving = place
        .serve(&["--listen", "http+tcp://127.0.0.1:0", "--listen", "http+tcp://[::1]:0"])
        .await;
    add_alice(&place).await;
    let [first, second] = [0, 1].map(|at| {
        let url = serving.ready["listeners"][at]["url"].as_str().unwrap();
        url.trim_start_matches("http://").trim_end_matches('/').to_owned()
    });
    let name = format!("Upload-Length: 10\r\nUpload-Metadata: filename {}\r\n", base64(b"ten"));
    let made = answer(begin(&first, "POST /-/tus/", &name, b"").await).await;
    assert!(made.starts_with("HTTP/1.1 201 "), "{made}");
    let upload = made.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
    let upload = upload.split_once("/-/").map(|(_, path)| format!("/-/{path}")).unwrap();
    let piece = |offset: usize| {
        let more = "Content-Type: application/offset+octet-stream\r\n";
        format!("{more}Upload-Offset: {offset}\r\nContent-Length: {}\r\n", 10 - offset)
    };
    let request = format!("PATCH {upload}");
    // Its connection stays, but only half of what was announced comes.
    let silent = begin(&first, &request, &piece(0), b"01234").await;
    let is_there = async || {
        let uploads = answer(begin(&second, "GET /-/api/v1/uploads", "", b"").await).await;
        uploads.contains("\"in_use\":true")
    };
    within(async { while !is_there().await {} }).await;
    let done = within(async {
        loop {
            let done = answer(begin(&second, &request, &piece(5), b"56789").await).await;
            if !["HTTP/1.1 409 ", "HTTP/1.1 423 "].iter().any(|busy| done.starts_with(busy)) {
                return done;
            }
        }
    });
    let done = done.await;
    assert!(done.starts_with("HTTP/1.1 204 "), "{done}");
    assert!(answer(silent).await.starts_with("HTTP/1.1 408 "));
    serving.running.stop().await;
}
