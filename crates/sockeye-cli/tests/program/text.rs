//! `sockeye dial --encoding` and `--crlf`.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::running::{Ended, run_with, within};

/// Dials a server that reads to the end and then sends `answer` byte by byte; what it read.
async fn exchange(options: &[&str], input: &[u8], answer: &[u8]) -> (Ended, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        for byte in answer {
            stream.write_all(&[*byte]).await.unwrap();
        }
        received
    };
    let arguments = [&["dial", &addr], options].concat();
    within(async { tokio::join!(run_with(&arguments, input), serve) }).await
}

#[tokio::test]
async fn gbk_goes_out_and_comes_in_although_characters_are_split() {
    let answer = [0xcb, 0xcd, 0xb4, 0xef, b'\n'];
    let (ended, sent) = exchange(&["--encoding", "gbk"], "你好\n".as_bytes(), &answer).await;
    assert_eq!(sent, [0xc4, 0xe3, 0xba, 0xc3, b'\n']);
    assert_eq!((ended.text(), ended.err.as_str()), ("送达\n", ""));
}

#[tokio::test]
async fn utf_16_goes_out_as_utf_16() {
    let (ended, sent) = exchange(&["--encoding", "utf-16le"], "é\n".as_bytes(), b"!\0\n\0").await;
    assert_eq!(sent, [0xe9, 0, b'\n', 0]);
    assert_eq!(ended.text(), "!\n");
}

#[tokio::test]
async fn what_cannot_be_said_is_marked_and_told_once() {
    let (ended, sent) = exchange(&["--encoding", "gbk"], "🐟🐟\n".as_bytes(), b"ok \xff\n").await;
    assert_eq!(sent, b"??\n");
    assert_eq!(ended.text(), "ok \u{fffd}\n");
    assert_eq!(ended.err.matches("WARN").count(), 2, "{}", ended.err);
}

#[tokio::test]
async fn line_ends_become_cr_lf_on_their_way_out_alone() {
    let (ended, sent) = exchange(&["--crlf"], b"a\nb\r\n", b"x\r\ny\n").await;
    assert_eq!(sent, b"a\r\nb\r\n");
    assert_eq!(ended.done(), b"x\r\ny\n");
}
