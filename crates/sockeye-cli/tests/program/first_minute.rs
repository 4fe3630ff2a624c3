//! The first minute of a new user: from a first start to a file put, got, deleted and brought back.

use std::{fs, path::Path};

use sockeye_testkit::peer;
use tokio::process::Command;

use super::{
    node::Place,
    running::{Ended, feed, quieten, sockeye, within},
};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A verb on the place's data, with a password typed into it.
pub(crate) async fn with_password(place: &Place, words: &[&str]) -> Ended {
    let data = place.data();
    let words = [words, &["--password-stdin", "--data", &data]].concat();
    feed(sockeye(&words), format!("{PASSWORD}\n").as_bytes()).await
}

/// What curl prints of a request by alice: the status, and the body behind it.
async fn curl(arguments: &[&str]) -> Option<String> {
    let user = format!("alice:{PASSWORD}");
    let mut command = Command::new(peer::require("curl")?);
    quieten(&mut command).args(["-sS", "--max-time", "20", "-w", "\n%{http_code}", "-u", &user]);
    let ended = feed(
        {
            command.args(arguments);
            command
        },
        b"",
    )
    .await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    Some(ended.text().to_owned())
}

#[tokio::test]
async fn a_new_user_puts_a_file_and_gets_it_back_whatever_becomes_of_it() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    let initial = Path::new(&place.data()).join("initial-password");
    assert!(initial.exists());
    with_password(&place, &["user", "passwd", "admin"]).await.done();
    assert!(!initial.exists(), "it is no longer right");
    with_password(&place, &["user", "add", "alice", "--quota", "1MiB"]).await.done();

    let file = place.0.path().join("plan.txt");
    fs::write(&file, "the plan\n").unwrap();
    let (upload, url) = (file.to_str().unwrap(), serving.url("plan.txt"));
    let Some(put) = curl(&["-T", upload, &url]).await else { return };
    assert!(put.ends_with("\n201"), "{put}");
    assert_eq!(curl(&[&url]).await.unwrap(), "the plan\n\n200");
    assert!(curl(&["-u", "alice:wrong", &url]).await.unwrap().ends_with("\n401"));

    assert!(curl(&["-X", "DELETE", &url]).await.unwrap().ends_with("204"));
    assert!(curl(&[&url]).await.unwrap().ends_with("\n404"));
    let listed = place.run(&["trash", "list", "--user", "alice", "--json"]).await;
    let removed: serde_json::Value = serde_json::from_slice(&listed.done()).unwrap();
    assert_eq!((&removed["path"], &removed["bytes"]), (&"/plan.txt".into(), &9.into()));
    // To the second, as every time in JSON but the log's.
    let deleted = removed["deleted"].as_str().unwrap();
    assert!(deleted.len() == 20 && deleted.ends_with('Z'), "{deleted}");
    let id = removed["id"].as_str().unwrap();
    let restored = place.run(&["trash", "restore", id, "--user", "alice"]).await;
    assert_eq!(restored.text(), "restored to /plan.txt\n");
    assert_eq!(curl(&[&url]).await.unwrap(), "the plan\n\n200");

    // What is over the quota is refused before it lands.
    fs::write(&file, vec![0; 2 << 20]).unwrap();
    assert!(curl(&["-T", upload, &serving.url("big")]).await.unwrap().ends_with("\n507"));

    // A change holds for whoever is logged in, at once.
    place.run(&["user", "lock", "alice"]).await.done();
    within(async { while !curl(&[&url]).await.unwrap().ends_with("\n401") {} }).await;
    serving.running.stop().await;

    let log = place.run(&["log", "--user", "alice", "--json"]).await.done();
    let log = String::from_utf8(log).unwrap();
    for operation in ["login", "write", "read", "remove", "refuse"] {
        assert!(log.contains(&format!("\"op\":\"{operation}\"")), "{operation}: {log}");
    }
    assert_eq!(place.run(&["log", "verify"]).await.code, Some(0));
    assert_eq!(place.run(&["store", "check"]).await.code, Some(0));
}
