//! The programs that answer what they get: upper, echo, udp_echo, timestamp; and sticky, which
//! prints it.

use tempfile::tempdir;

use crate::{
    example::{Server, client, complaint, places, printed},
    python::peer,
};

#[tokio::test]
async fn upper_answers_python_in_upper_case_under_every_model() {
    let folder = tempdir().unwrap();
    let servers = Server::start_all(folder.path(), "upper", &[]).await;
    peer(folder.path(), "upper", &places(&servers)).await;
    for server in servers {
        let report = server.stop().await;
        assert!(report[0].starts_with("stopped after "), "{report:?}");
    }
}

#[tokio::test]
async fn echo_answers_python_unchanged_under_every_model() {
    let folder = tempdir().unwrap();
    let servers = Server::start_all(folder.path(), "echo", &[]).await;
    peer(folder.path(), "echo", &places(&servers)).await;
}

#[tokio::test]
async fn udp_echo_answers_python_unchanged_under_every_model() {
    let folder = tempdir().unwrap();
    let servers = Server::start_all(folder.path(), "udp_echo", &[]).await;
    peer(folder.path(), "udp_echo", &places(&servers)).await;
}

#[tokio::test]
async fn timestamp_tells_python_the_time_and_its_address_under_every_model() {
    let folder = tempdir().unwrap();
    let plain = Server::start_all(folder.path(), "timestamp", &[]).await;
    let with_peer = Server::start_all(folder.path(), "timestamp", &["--peer"]).await;
    let args = [places(&plain).join(","), places(&with_peer).join(",")];
    peer(folder.path(), "timestamp", &args.each_ref().map(String::as_str)).await;
}

#[tokio::test]
async fn the_clients_print_what_comes_back() {
    let folder = tempdir().unwrap();
    for (name, addr, expected) in [
        ("upper", "tcp://127.0.0.1:0", "ONE\nTWO\n"),
        ("echo", "tcp://localhost:0", "one\ntwo\n"),
        ("echo", "unix://echo.sock", "one\ntwo\n"),
        ("udp_echo", "udp://127.0.0.1:0", "one\ntwo\n"),
    ] {
        let server = Server::start(folder.path(), name, addr, &[]).await;
        let output = client(folder.path(), name, &[&server.addr], b"one\ntwo\n").await;
        assert_eq!(printed(&output), expected, "{name}");
    }
    let server = Server::start(folder.path(), "timestamp", "tcp://127.0.0.1:0", &[]).await;
    let output = client(folder.path(), "timestamp", &[&server.addr], b"one\n").await;
    assert!(printed(&output).ends_with("] one\n"));
}

#[tokio::test]
async fn a_client_whose_server_is_not_there_says_so() {
    let folder = tempdir().unwrap();
    let output = client(folder.path(), "echo", &["unix://nobody.sock"], b"").await;
    let complaint = complaint(&output);
    assert!(complaint.contains("cannot connect to unix://nobody.sock"), "{complaint}");
    assert!(!complaint.contains("Os {"), "an error for people: {complaint}");
}

#[tokio::test]
async fn messages_stick_together_and_break_apart_until_they_are_framed() {
    let folder = tempdir().unwrap();
    let mut server = Server::start(folder.path(), "sticky", "tcp://127.0.0.1:0", &[]).await;
    printed(&client(folder.path(), "sticky", &[&server.addr], b"").await);
    // What each read gave depends on the machine, that none was one message does not.
    let mut all = String::new();
    while all.len() < "onetwo!a message of 24 bytes ..".len() {
        let line = server.line().await;
        all.push_str(line.strip_prefix("a read: ").unwrap());
    }
    assert_eq!(all, "onetwo!a message of 24 bytes ..");

    let mut server =
        Server::start(folder.path(), "sticky", "tcp://127.0.0.1:0", &["--framed"]).await;
    printed(&client(folder.path(), "sticky", &[&server.addr, "--framed"], b"").await);
    for message in ["one", "two!", "a message of 24 bytes .."] {
        assert_eq!(server.line().await, format!("a frame: {message}"));
    }
}
