//! Bytes on an established stream: much at once, both ways, half-closed, and cut off.

use std::io;

use sockeye::{Stream, tls::is_truncation};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{client_of, greet, localhost, shake, within};

const TEN_MIB: usize = 10 << 20;

/// A TLS connection over TCP, server's end first.
async fn connection() -> (Stream, Stream) {
    let (authority, server) = localhost();
    let (accepted, connected) = shake(&server, &client_of(&authority), "localhost").await;
    (accepted.unwrap(), connected.unwrap())
}

fn pattern(seed: usize) -> Vec<u8> {
    (0..TEN_MIB).map(|index| (index * 31 + index / 251 + seed).to_le_bytes()[0]).collect()
}

/// Sends everything and half-closes while receiving everything, in two tasks of their own.
async fn exchange(stream: Stream, outgoing: Vec<u8>) -> Vec<u8> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        writer.write_all(&outgoing).await.unwrap();
        writer.shutdown().await.unwrap();
        Vec::new()
    });
    tasks.spawn(async move {
        let mut incoming = Vec::new();
        reader.read_to_end(&mut incoming).await.unwrap();
        incoming
    });
    tasks.join_all().await.concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_mebibytes_cross_both_ways_at_once() {
    let (server, client) = connection().await;
    let (from_client, from_server) =
        within(async { tokio::join!(exchange(server, pattern(1)), exchange(client, pattern(2))) })
            .await;
    assert!(from_client == pattern(2) && from_server == pattern(1));
}

#[tokio::test]
async fn an_answer_comes_though_the_request_was_not_flushed() {
    let (mut server, mut client) = connection().await;
    let request = pattern(3);
    let length = request.len();
    let server = async move {
        let mut received = vec![0; length];
        server.read_exact(&mut received).await.unwrap();
        server.write_all(b"done").await.unwrap();
        server
    };
    let client = async move {
        // The last records stay behind in the session, as the server reads more slowly.
        client.write_all(&request).await.unwrap();
        let mut answer = [0; 4];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"done");
    };
    within(async { tokio::join!(server, client) }).await;
}

#[tokio::test]
async fn recv_pushes_on_what_a_write_left_behind() {
    let (mut server, mut client) = connection().await;
    let request = pattern(4);
    let length = request.len();
    let server = async move {
        let mut received = vec![0; length];
        server.read_exact(&mut received).await.unwrap();
        server.write_all(b"done").await.unwrap();
        server
    };
    let client = async move {
        client.write_all(&request).await.unwrap();
        assert_eq!(client.recv(100).await.unwrap(), "done");
    };
    within(async { tokio::join!(server, client) }).await;
}

#[tokio::test]
async fn a_half_close_is_an_end_of_stream_after_which_the_answer_still_comes() {
    let (mut server, mut client) = connection().await;
    within(async {
        client.write_all(b"all of it").await.unwrap();
        client.shutdown().await.unwrap();
        let mut request = Vec::new();
        server.read_to_end(&mut request).await.unwrap();
        assert_eq!(request, b"all of it");
        server.write_all(b"the answer").await.unwrap();
        server.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"the answer");
    })
    .await;
}

#[tokio::test]
async fn an_end_without_close_notify_is_a_truncation() {
    let (mut server, mut client) = connection().await;
    // The client reads the tickets, as closing with something unread would be a reset.
    greet(&mut client, &mut server).await.unwrap();
    within(async {
        client.write_all(b"half of").await.unwrap();
        client.flush().await.unwrap();
        drop(client);
        let mut request = Vec::new();
        let error = server.read_to_end(&mut request).await.unwrap_err();
        assert_eq!(request, b"half of");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(is_truncation(&error), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_plain_stream_that_ends_is_no_truncation() {
    let (mut server, client) = super::tcp().await;
    drop(client);
    let mut buffer = [0; 1];
    let error = within(server.read_exact(&mut buffer)).await.unwrap_err();
    assert!(!is_truncation(&error));
}

#[tokio::test]
async fn a_part_of_a_file_is_sent_by_copying() {
    const PART: std::ops::Range<usize> = 1000..5_001_000;
    let content = pattern(5);
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, &content).unwrap();
    let (mut server, mut client) = connection().await;
    let send = async move {
        let sent = server.send_file(&file, PART.start as u64, PART.len() as u64).await.unwrap();
        let short = server.send_file(&file, TEN_MIB as u64 - 10, 1000).await.unwrap();
        let beyond = server.send_file(&file, TEN_MIB as u64 + 1, 1000).await.unwrap();
        server.shutdown().await.unwrap();
        (sent, short, beyond)
    };
    let mut received = Vec::new();
    let receive = client.read_to_end(&mut received);
    let (sent, end) = within(async { tokio::join!(send, receive) }).await;
    end.unwrap();
    assert_eq!(sent, (PART.len() as u64, 10, 0));
    assert!(received == [&content[PART], &content[TEN_MIB - 10..]].concat(), "other bytes came");
}
