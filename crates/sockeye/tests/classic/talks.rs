//! The programs for conversations: udp_talk and talk.

use tempfile::tempdir;

use crate::{
    example::{Server, client, places, printed},
    python::peer,
};

#[tokio::test]
async fn udp_talk_prints_what_python_says_until_bye_under_every_model() {
    let folder = tempdir().unwrap();
    let servers = Server::start_all(folder.path(), "udp_talk", &[]).await;
    if !peer(folder.path(), "udp_talk", &places(&servers)).await {
        return;
    }
    for server in servers {
        let mut lines = server.ended().await;
        let report = lines.pop().unwrap();
        assert!(report.contains("4 datagrams"), "{report}");
        // Several may be printed at the same time; escape sequences never reach the terminal.
        let mut messages: Vec<_> =
            lines.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
        messages.sort_unstable();
        assert_eq!(messages, ["\\u{1b}[2J", "bye", "hello", "你好"]);
        assert!(lines[0].starts_with("127.0.0.1:"), "{lines:?}");
    }
}

#[tokio::test]
async fn bye_ends_both_client_and_server() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), "udp_talk", "udp://127.0.0.1:0", &[]).await;
    let input = b"hello\nbye\nnot sent\n";
    printed(&client(folder.path(), "udp_talk", &[&server.addr], input).await);
    let lines = server.ended().await;
    assert_eq!(lines.len(), 3, "{lines:?}");
}

#[tokio::test]
async fn talk_gives_python_a_receipt_for_each_message_under_every_model() {
    let folder = tempdir().unwrap();
    let servers = Server::start_all(folder.path(), "talk", &[]).await;
    if !peer(folder.path(), "talk", &places(&servers)).await {
        return;
    }
    for mut server in servers {
        assert!(server.line_with(": hello").await.starts_with("127.0.0.1:"));
        server.line_with(": 你好").await;
        server.line_with(": again").await;
    }
}

#[tokio::test]
async fn a_conversation_ends_with_q_and_the_next_one_begins() {
    let folder = tempdir().unwrap();
    let options = ["--model", "iterative"];
    let server = Server::start(folder.path(), "talk", "tcp://127.0.0.1:0", &options).await;
    for _ in 0..2 {
        let input = "hello\n\n世界\nq\nnot sent\n".as_bytes();
        let output = client(folder.path(), "talk", &[&server.addr], input).await;
        assert_eq!(printed(&output), "已送达\n已送达\n");
    }
    let lines = server.stop().await;
    assert_eq!(lines.iter().filter(|line| line.ends_with(": 世界")).count(), 2, "{lines:?}");
}

#[tokio::test]
async fn a_person_who_is_thinking_does_not_hold_the_server_up() {
    let folder = tempdir().unwrap();
    let mut server = Server::start(folder.path(), "talk", "tcp://127.0.0.1:0", &[]).await;
    let idle = std::net::TcpStream::connect(server.place()).unwrap();
    server.line_with("begins").await;
    let lines = server.stop().await;
    assert!(!lines.last().unwrap().contains("cut"), "{lines:?}");
    drop(idle);
}
