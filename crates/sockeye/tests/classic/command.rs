//! The program `command`: who may connect, what is run, and how it is stopped.

use std::{
    fs::File,
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
};

use rustix::fs::{CWD, Mode, mkfifoat};
use tempfile::tempdir;

use crate::{
    example::{MODELS, Server, client, complaint, printed, refused, within},
    python::peer,
};

#[tokio::test]
async fn python_runs_commands_and_no_http_under_every_model() {
    let folder = tempdir().unwrap();
    let mut servers = Vec::new();
    for model in MODELS {
        let addr = format!("unix://{}.sock", model.replace(':', "-"));
        servers.push(Server::start(folder.path(), "command", &addr, &["--model", model]).await);
    }
    let paths: Vec<_> = servers.iter().map(|server| server.addr.clone()).collect();
    let paths: Vec<_> = paths
        .iter()
        .map(|addr| addr.strip_prefix("unix://").unwrap().split('?').next().unwrap())
        .collect();
    peer(folder.path(), "command", &paths).await;
    assert!(!folder.path().join("broken").exists());
}

#[tokio::test]
async fn only_the_owner_may_connect_unless_told_otherwise() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), "command", "unix://c.sock", &[]).await;
    let mode = folder.path().join("c.sock").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(server);
    for addr in ["tcp://127.0.0.1:0", "unix://@command", "unix://d.sock?mode=0660"] {
        let output = refused(folder.path(), "command", &[addr]).await;
        assert!(complaint(&output).contains("--i-know"), "{addr}");
    }
    let server = Server::start(folder.path(), "command", "tcp://127.0.0.1:0", &["--i-know"]).await;
    let output =
        client(folder.path(), "command", &[&server.addr, "--", "echo", "hello"], b"").await;
    assert_eq!(printed(&output), "hello\n");
}

#[tokio::test]
async fn the_client_runs_one_command_or_each_line() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), "command", "unix://c.sock", &[]).await;
    let output = client(folder.path(), "command", &[&server.addr], b"echo one\n\necho two\n").await;
    assert_eq!(printed(&output), "one\ntwo\n");
}

#[tokio::test]
async fn a_command_is_stopped_after_its_time() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), "command", "unix://c.sock", &["--time", "1s"]).await;
    let args = [&server.addr, "--", "echo first; sleep 1000"];
    let output = client(folder.path(), "command", &args, b"").await;
    assert_eq!(printed(&output), "first\n\n[stopped: it ran for 1 s]\n");
}

#[tokio::test]
async fn a_command_that_writes_without_end_is_stopped() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), "command", "unix://c.sock", &[]).await;
    let output = client(folder.path(), "command", &[&server.addr, "--", "yes"], b"").await;
    assert!(printed(&output).ends_with("[stopped: it wrote 4194304 bytes]\n"));
}

/// The command holds a pipe open for as long as it, or anything that it started, lives.
#[tokio::test]
async fn a_command_whose_client_vanishes_is_killed_with_all_that_it_started() {
    for model in ["tasks", "fork:4", "prefork:2"] {
        let folder = tempdir().unwrap();
        let options = ["--model", model];
        let _server = Server::start(folder.path(), "command", "unix://c.sock", &options).await;
        let pipe = folder.path().join("alive");
        mkfifoat(CWD, &pipe, Mode::from_raw_mode(0o600)).unwrap();
        let mut vanishing = UnixStream::connect(folder.path().join("c.sock")).unwrap();
        vanishing.write_all(b"exec 9>alive; echo started >&9; sleep 1000 & sleep 1000").unwrap();
        let (started, wait) = tokio::sync::oneshot::channel();
        #[expect(clippy::disallowed_methods, reason = "awaited below")]
        let watching = tokio::task::spawn_blocking(move || {
            let mut alive = File::open(pipe).unwrap();
            let mut text = [0; 8];
            alive.read_exact(&mut text).unwrap();
            started.send(text).unwrap();
            // Ends when the last writer does.
            alive.read_to_end(&mut Vec::new()).unwrap();
        });
        assert_eq!(within("the start", wait).await.unwrap(), *b"started\n");
        drop(vanishing);
        within("the kill", watching).await.unwrap();
    }
}
