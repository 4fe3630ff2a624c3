//! Signals to `sockeye serve`: the first drains, the second stops.

use rustix::process::Signal;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::running::{Running, Serving, folder, get, sockeye};

#[tokio::test]
async fn the_first_signal_drains_and_says_so_and_a_report_is_last() {
    let folder = folder();
    for signal in [Signal::INT, Signal::TERM] {
        let serving = Serving::start(folder.path(), &["--listen", "127.0.0.1:0"]).await;
        assert!(get(serving.host_port(), "/hello.txt").await.ends_with("hello\n"));
        serving.running.signal(signal);
        let (status, out, err) = serving.running.end().await;
        assert_eq!((status.code(), out.as_str()), (Some(0), ""));
        let (draining, report) = err.trim_end().split_once('\n').unwrap();
        assert!(draining.contains("draining; a second signal ends"), "{draining}");
        assert!(report.starts_with("stopped after 1 connection;"), "{report}");
    }
}

#[tokio::test]
async fn a_second_signal_ends_every_connection_at_once() {
    let folder = folder();
    for model in ["tasks", "threads:4", "fork:4"] {
        let arguments = ["--listen", "127.0.0.1:0", "--model", model];
        let mut serving = Serving::start(folder.path(), &arguments).await;
        // A request that never comes to its end.
        let mut stream = TcpStream::connect(serving.host_port()).await.unwrap();
        stream.write_all(b"GET /hello.txt HTTP/1.1\r\n").await.unwrap();
        // Served beside it, so that it has been accepted before.
        assert!(get(serving.host_port(), "/hello.txt").await.ends_with("hello\n"));
        serving.running.signal(Signal::INT);
        serving.running.told("draining").await;
        // Another one, as the same again within an instant would be taken for an echo.
        serving.running.signal(Signal::TERM);
        serving.running.told("ending every connection now").await;
        let (status, _, err) = serving.running.end().await;
        assert_eq!(status.code(), Some(0));
        assert!(err.contains("cut 1: 127.0.0.1:"), "{model}: {err}");
    }
}

#[tokio::test]
async fn a_drain_ends_what_takes_longer_than_it_may() {
    let folder = folder();
    let arguments = ["--listen", "127.0.0.1:0", "--drain", "10ms"];
    let serving = Serving::start(folder.path(), &arguments).await;
    let mut stream = TcpStream::connect(serving.host_port()).await.unwrap();
    stream.write_all(b"GET /hello.txt HTTP/1.1\r\n").await.unwrap();
    assert!(get(serving.host_port(), "/hello.txt").await.ends_with("hello\n"));
    let (_, err) = serving.running.stop().await;
    assert!(err.contains("deadline_s=0") && err.contains("cut 1: 127.0.0.1:"), "{err}");
}

#[tokio::test]
async fn the_report_is_not_among_the_lines_of_standard_output() {
    let folder = folder();
    let mut command = sockeye(&["serve", "--listen", "127.0.0.1:0"]);
    let mut running = Running::start(command.arg(folder.path()));
    while !running.line().await.starts_with("Stop") {}
    let (out, err) = running.stop().await;
    assert_eq!(out, "");
    assert!(err.contains("\nstopped after 0 connections"), "{err}");
}
