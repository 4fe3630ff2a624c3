//! The programs for files: download and upload.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::symlink,
    path::Path,
};

use rustix::fs::{CWD, Mode, mkfifoat};
use tempfile::{TempDir, tempdir};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    join,
    net::TcpListener,
};

use crate::{
    example::{MODELS, Server, client, complaint, places, printed},
    python::{at_a_terminal, peer},
};

/// A folder to serve, with what must not be served beside it, and in it the ways there.
pub(crate) fn folder_beside_a_secret() -> (TempDir, std::path::PathBuf) {
    let around = tempdir().unwrap();
    let folder = around.path().join("served");
    fs::create_dir_all(folder.join("inner")).unwrap();
    fs::write(around.path().join("secret"), "secret").unwrap();
    symlink("../secret", folder.join("out")).unwrap();
    mkfifoat(CWD, folder.join("pipe"), Mode::from_raw_mode(0o600)).unwrap();
    // Digits at the beginning are what a client that is not careful adds to the size.
    fs::write(folder.join("content.bin"), content()).unwrap();
    fs::write(folder.join("空.txt"), "").unwrap();
    (around, folder)
}

fn content() -> Vec<u8> {
    b"0123456789".repeat(100_000)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn python_downloads_what_is_in_the_folder_and_nothing_else_under_every_model() {
    let (_around, folder) = folder_beside_a_secret();
    let servers = Server::start_all(&folder, "download", &[]).await;
    peer(&folder, "download", &places(&servers)).await;
}

#[tokio::test]
async fn the_client_downloads_a_file_and_replaces_none_unasked() {
    let (_around, folder) = folder_beside_a_secret();
    let server = Server::start(&folder, "download", "tcp://127.0.0.1:0", &[]).await;
    let here = tempdir().unwrap();
    for name in ["content.bin", "空.txt"] {
        let output = client(here.path(), "download", &[&server.addr, name], b"").await;
        assert!(printed(&output).starts_with(name), "{output:?}");
        assert_eq!(fs::read(here.path().join(name)).unwrap(), fs::read(folder.join(name)).unwrap());
    }
    fs::write(here.path().join("content.bin"), "mine").unwrap();
    let output = client(here.path(), "download", &[&server.addr, "content.bin"], b"").await;
    assert!(complaint(&output).contains("--force"), "{output:?}");
    assert_eq!(fs::read(here.path().join("content.bin")).unwrap(), b"mine");
    let args = [&server.addr, "content.bin", "--force"];
    printed(&client(here.path(), "download", &args, b"").await);
    assert_eq!(fs::read(here.path().join("content.bin")).unwrap(), content());

    let output = client(here.path(), "download", &[&server.addr, "../secret"], b"").await;
    assert!(complaint(&output).contains("../secret文件不存在"), "{output:?}");
    assert_eq!(names(here.path()), ["content.bin", "空.txt"]);
}

/// A server of somebody else's, which pauses nowhere and then breaks off.
#[tokio::test]
async fn a_header_that_sticks_to_the_file_is_told_from_it_and_a_part_is_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = format!("tcp://{}", listener.local_addr().unwrap());
    let serve = async |answer: &[u8]| {
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.read_exact(&mut [0; 1]).await.unwrap();
        peer.write_all(answer).await.unwrap();
    };
    let here = tempdir().unwrap();
    let args = [addr.as_str(), "a"];
    let (output, ()) =
        join!(client(here.path(), "download", &args, b""), serve(b"0<SEPARATOR>5hello"));
    printed(&output);
    assert_eq!(fs::read(here.path().join("a")).unwrap(), b"hello");
    let args = [addr.as_str(), "b"];
    let (output, ()) =
        join!(client(here.path(), "download", &args, b""), serve(b"0<SEPARATOR>100hello"));
    assert!(complaint(&output).contains("5 of 100"), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("5 bytes kept as b.part"));
    assert_eq!(names(here.path()), ["a", "b.part"]);
}

#[tokio::test]
async fn python_uploads_files_whole_or_as_a_part_under_every_model() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("content.bin"), content()).unwrap();
    let servers = Server::start_all(folder.path(), "upload", &[]).await;
    if !peer(folder.path(), "upload", &places(&servers)).await {
        return;
    }
    let mut expected = vec!["content.bin".to_owned()];
    for (index, mut server) in servers.into_iter().enumerate() {
        let (whole, part) = (format!("[接收]报告{index}.bin"), format!("[接收]broken{index}.part"));
        assert_eq!(fs::read(folder.path().join(&whole)).unwrap(), content());
        assert_eq!(fs::read(folder.path().join(&part)).unwrap(), b"0123456789");
        server.line_with(&format!("{whole}, 1000000 bytes")).await;
        server.line_with(&format!("10 bytes kept as {part}")).await;
        expected.extend([whole, part]);
    }
    expected.sort();
    assert_eq!(names(folder.path()), expected);
}

#[tokio::test]
async fn a_header_that_comes_in_pieces_is_put_together() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), "upload", "tcp://127.0.0.1:0", &[]).await;
    let mut peer = TcpStream::connect(server.place()).unwrap();
    peer.set_nodelay(true).unwrap();
    for byte in b"a<SEPARATOR>5" {
        peer.write_all(&[*byte]).unwrap();
    }
    let mut ready = [0; 2];
    peer.set_read_timeout(Some(crate::example::LIMIT)).unwrap();
    peer.read_exact(&mut ready).unwrap();
    assert_eq!(ready, *b"ok");
    peer.write_all(b"hello and more").unwrap();
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    peer.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(fs::read(folder.path().join("[接收]a")).unwrap(), b"hello");
}

#[tokio::test]
async fn the_client_uploads_a_file_and_hears_of_a_refusal() {
    let folder = tempdir().unwrap();
    let here = tempdir().unwrap();
    fs::write(here.path().join("big"), content()).unwrap();
    fs::write(here.path().join("small"), "small").unwrap();
    for model in MODELS {
        let options = ["--largest", "1KiB", "--model", model];
        let server = Server::start(folder.path(), "upload", "tcp://127.0.0.1:0", &options).await;
        let output = client(here.path(), "upload", &[&server.addr, "small"], b"").await;
        assert_eq!(printed(&output), "small: 5 bytes\n");
        let output = client(here.path(), "upload", &[&server.addr, "big"], b"").await;
        assert!(complaint(&output).contains("does not take this file"), "{output:?}");
    }
    assert_eq!(names(folder.path()), ["[接收]small"]);
}

#[tokio::test]
async fn at_a_terminal_both_clients_show_how_far_they_are_how_fast_and_for_how_long() {
    let (here, served, stored) = (tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap());
    fs::write(here.path().join("sent"), content()).unwrap();
    fs::write(served.path().join("fetched"), content()).unwrap();
    for (name, folder, file) in [("upload", &stored, "sent"), ("download", &served, "fetched")] {
        let server = Server::start(folder.path(), name, "tcp://127.0.0.1:0", &[]).await;
        let Some(shown) = at_a_terminal(here.path(), name, &[&server.addr, file]).await else {
            return;
        };
        // The last that is drawn, whatever was drawn before on a slow machine.
        let (_, bar) = shown.rsplit_once(&format!("{file} [")).expect("a bar");
        let (drawn, rest) = bar.split_once("] ").unwrap();
        assert_eq!(drawn, "█".repeat(25), "{shown:?}");
        let rate = rest.strip_prefix("976.56 KiB/976.56 KiB, ").unwrap();
        assert!(rate.split_once("iB/s, 0s left").is_some(), "{shown:?}");
        // And elsewhere nothing.
        fs::remove_file(here.path().join("fetched")).unwrap_or_default();
        let output = client(here.path(), name, &[&server.addr, file], b"").await;
        assert_eq!(
            (printed(&output), &*output.stderr),
            (&*format!("{file}: 1000000 bytes\n"), &b""[..])
        );
    }
}

#[tokio::test]
async fn names_that_name_no_file_are_refused() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), "upload", "tcp://127.0.0.1:0", &[]).await;
    for name in ["", "..", "a/..", "a\\..", "a/", "a\0b"] {
        let mut peer = TcpStream::connect(server.place()).unwrap();
        peer.set_read_timeout(Some(crate::example::LIMIT)).unwrap();
        write!(peer, "{name}<SEPARATOR>5").unwrap();
        let mut answer = Vec::new();
        peer.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, b"", "{name:?}");
    }
    assert!(names(folder.path()).is_empty());
}

#[tokio::test]
async fn an_upload_that_the_servers_end_cuts_is_kept_as_a_part() {
    for model in MODELS {
        let folder = tempdir().unwrap();
        let server = Server::start_logged(folder.path(), "upload", &["--model", model]).await;
        let mut peer = TcpStream::connect(server.place()).unwrap();
        peer.set_read_timeout(Some(crate::example::LIMIT)).unwrap();
        peer.write_all(b"a<SEPARATOR>5").unwrap();
        peer.read_exact(&mut [0; 2]).unwrap();
        let lines = server.stop_at_once().await;
        assert!(lines[0].contains("kept as [接收]a.part"), "{model}: {lines:?}");
        assert!(lines[1].starts_with("stopped after 1 connection"), "{model}: {lines:?}");
        assert_eq!(names(folder.path()), ["[接收]a.part"], "{model}");
    }
}
