//! The JSON API of a node that runs: what its document says holds, and whoever follows the log is told all of it and
//! keeps no server from its end.

use std::fs;

use sockeye_testkit::peer;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    process::Command,
};

use super::{
    accounts::base64,
    node::Place,
    running::{Ended, Serving, within},
};

/// How long schemathesis may take, in seconds.
const LIMIT: &str = "180";

/// What is left out of its run: the first changes the password that it goes by.
const LEFT_OUT: [&str; 1] = ["post_password"];

/// What it has to know beside the document.
const SETTINGS: &str = r#"
[checks]
# What is well-formed and still cannot be (a password too weak, a name that is reserved) is refused with 422.
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429", "507"]
# Whoever guesses waits: after some wrong passwords the answer is 429.
ignored_auth.enabled = false

# Following the log has no end.
[[operations]]
include-operation-id = "get_admin_log"
parameters = { "query.follow" = "false" }

# Nobody takes from themselves what the rest is asked with.
[[operations]]
include-operation-id = "patch_admin_accounts_name"
parameters = { "path.name" = "somebody" }

[[operations]]
include-operation-id = "delete_admin_accounts_name"
parameters = { "path.name" = "somebody" }
"#;

/// The first administrator's password.
fn password(place: &Place) -> String {
    fs::read_to_string(format!("{}/initial-password", place.data())).unwrap().trim().to_owned()
}

#[tokio::test]
async fn the_api_does_what_its_document_says() {
    let (Some(tool), Some(timeout)) =
        (peer::require_tool("schemathesis"), peer::require("timeout"))
    else {
        return;
    };
    let place = Place::new();
    let serving = place.serve(&[]).await;
    place.run(&["user", "add", "somebody", "--no-password"]).await.done();
    let folder = TempDir::new().unwrap();
    let settings = folder.path().join("schemathesis.toml");
    fs::write(&settings, SETTINGS).unwrap();
    let mut command = Command::new(timeout);
    command.args(["--kill-after=5", LIMIT]).arg(tool).arg("--config-file").arg(settings);
    command.args(["run", &serving.url("/-/api/v1/openapi.json"), "--no-color"]);
    command.args(["--auth", &format!("admin:{}", password(&place))]);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--seed", "1"]);
    command.args(["--generation-database", "none", "--no-shrink"]);
    for operation in LEFT_OUT {
        command.args(["--exclude-operation-id", operation]);
    }
    command.current_dir(folder.path()).kill_on_drop(true);
    // It has a limit of its own.
    let ended: Ended = command.output().await.unwrap().into();
    assert_eq!(ended.code, Some(0), "{}{}", ended.text(), ended.err);
    serving.running.stop().await;
}

/// Asks as the first administrator, over a connection of its own.
async fn ask(serving: &Serving, password: &str, request: &str, more: &str) -> BufReader<TcpStream> {
    let basic = base64(format!("admin:{password}").as_bytes());
    let head = format!("Host: localhost\r\nAuthorization: Basic {basic}\r\n{more}");
    let mut stream = BufReader::new(within(TcpStream::connect(serving.host_port())).await.unwrap());
    stream.write_all(format!("{request} HTTP/1.1\r\n{head}\r\n").as_bytes()).await.unwrap();
    stream
}

/// The next line, if there is one.
async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = within(stream.read_line(&mut line)).await.unwrap();
    (read > 0).then(|| line.trim_end().to_owned())
}

/// Follows which folders are made, from behind the record of this number.
async fn follow(serving: &Serving, password: &str, from: Option<u64>) -> BufReader<TcpStream> {
    let from = from.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
    let request = "GET /-/api/v1/admin/log?follow=true&operation=mkdir";
    let mut stream = ask(serving, password, request, &from).await;
    assert_eq!(line(&mut stream).await.as_deref(), Some("HTTP/1.1 200 OK"));
    stream
}

/// The number of the next event, and the path that it tells of.
async fn event(stream: &mut BufReader<TcpStream>) -> (u64, String) {
    let mut id = None;
    loop {
        let line = line(stream).await.expect("an event");
        if let Some(number) = line.strip_prefix("id: ") {
            id = Some(number.parse().unwrap());
        }
        if let Some(record) = line.strip_prefix("data: ") {
            let record: serde_json::Value = serde_json::from_str(record).unwrap();
            let id = id.expect("a number before the record");
            assert_eq!(record["seq"], id);
            return (id, record["path"].as_str().unwrap().to_owned());
        }
    }
}

#[tokio::test]
async fn whoever_follows_the_log_misses_nothing_and_keeps_no_server_from_its_end() {
    let place = Place::new();
    // A drain that would take longer than this test may.
    let serving = place.serve(&["--drain", "1h"]).await;
    let password = password(&place);
    let make = async |path: &str| {
        let mut made = ask(&serving, &password, &format!("MKCOL {path}"), "").await;
        assert_eq!(line(&mut made).await.as_deref(), Some("HTTP/1.1 201 Created"));
    };
    let mut first = follow(&serving, &password, None).await;
    make("/a").await;
    let (told, path) = event(&mut first).await;
    assert_eq!(path, "/a");
    drop(first);
    make("/b").await;
    let mut again = follow(&serving, &password, Some(told)).await;
    assert_eq!(event(&mut again).await.1, "/b", "what came meanwhile, and nothing twice");
    make("/c").await;
    assert_eq!(event(&mut again).await.1, "/c");
    serving.running.stop().await;
    while line(&mut again).await.is_some() {}
}
