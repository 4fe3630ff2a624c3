//! HTTP/1 and HTTP/2 answer alike.

use crate::site::{Answer, PATIENCE, Site, tls};
use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, Uri};
use sockeye::{Model, Stream};
use sockeye_http::Config;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TARGETS: [&str; 17] = [
    "/",
    "/a.txt",
    "/empty",
    "/big.bin",
    "/folder",
    "/folder/",
    "/site/",
    "/missing",
    "/a.txt/",
    "/..",
    "/%zz",
    "/%2f",
    "/%00",
    "//folder//",
    "/?sort=size&order=desc",
    "*",
    "/folder?x=y",
];

const FIELDS: [&[&str]; 15] = [
    &[],
    &["Accept: text/html", "Accept-Language: zh"],
    &["Accept: application/json"],
    &["Range: bytes=0-1"],
    &["Range: bytes=-2"],
    &["Range: bytes=0-0,200-300"],
    &["Range: bytes=999999999-"],
    &["Range: bytes=x"],
    &["If-None-Match: *"],
    &["If-None-Match: \"x\""],
    &["If-Match: \"x\""],
    &["If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT"],
    &["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"],
    &["Range: bytes=0-1", "If-Range: \"x\""],
    &["Cookie: a=b", "X-Unknown: y"],
];

/// What differs by chance, or belongs to one of the two: the time, a multipart body's boundary, how long the
/// connection and the body are.
fn settle(mut answer: Answer) -> Answer {
    let own = ["date", "connection", "transfer-encoding", "content-length"];
    answer.fields.retain(|(name, _)| !own.contains(&name.as_str()));
    for (name, value) in &mut answer.fields {
        if let (true, Some((_, boundary))) = (name == "content-type", value.split_once("boundary="))
        {
            let text = String::from_utf8_lossy(&answer.body).replace(boundary, "boundary");
            answer.body = text.into_bytes();
            *value = "multipart/byteranges".into();
        }
    }
    answer.fields.sort();
    answer
}

/// Asks over HTTP/2.
async fn ask(
    client: &mut SendRequest<Bytes>,
    method: &str,
    target: &str,
    fields: &[&str],
) -> Answer {
    let uri = Uri::builder().scheme("https").authority("localhost").path_and_query(target);
    let mut request = Request::builder().method(method).uri(uri.build().unwrap());
    for field in fields {
        let (name, value) = field.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let (response, _) = client.send_request(request.body(()).unwrap(), true).unwrap();
    let (parts, mut content) = response.await.unwrap().into_parts();
    let mut body = Vec::new();
    while let Some(piece) = content.data().await {
        let piece = piece.unwrap();
        content.flow_control().release_capacity(piece.len()).unwrap();
        body.extend_from_slice(&piece);
    }
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    let fields = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    Answer { status: parts.status.as_u16(), fields: fields.collect(), body }
}

/// Asks over HTTP/1.
async fn ask_1(mut stream: Stream, method: &str, target: &str, fields: &[&str]) -> Answer {
    let fields: String = fields.iter().map(|f| format!("{f}\r\n")).collect();
    let head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close");
    stream.write_all(format!("{head}\r\n{fields}\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    Answer::parse(&answer, method == "HEAD").0
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_over_both_protocols() {
    let folder = TempDir::new().unwrap();
    let mut config = Config::default();
    config.limits.sorted_entries = 50;
    let site = Site::start(config, Model::Tasks, Some(tls(folder.path())));
    site.write("a.txt", "hello, world");
    site.write("empty", "");
    site.write("big.bin", vec![3; 200_000]);
    site.write("site/index.html", "<p>index");
    for i in 0..60 {
        site.write(&format!("folder/{i}"), "x");
    }
    let stream = site.connect_tls(folder.path(), "h2").await;
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let asking = async {
        for target in TARGETS {
            for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "BREW"] {
                let some = if matches!(method, "GET" | "HEAD") { FIELDS.len() } else { 2 };
                for fields in &FIELDS[..some] {
                    let second = settle(ask(&mut client, method, target, fields).await);
                    let stream = site.connect_tls(folder.path(), "http/1.1").await;
                    let first = settle(ask_1(stream, method, target, fields).await);
                    assert_eq!(first, second, "{method} {target} {fields:?}");
                }
            }
        }
    };
    let talk = async {
        tokio::select! {
            () = asking => {}
            ended = connection => panic!("the connection ended: {ended:?}"),
        }
    };
    tokio::time::timeout(PATIENCE * 3, talk).await.expect("it takes too long");
}
