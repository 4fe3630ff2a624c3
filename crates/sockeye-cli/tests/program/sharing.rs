//! `sockeye share`: links made, listed with what became of them, and revoked.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    node::Place,
    running::{ask, get, run_with},
};

/// Each share of the list: its path, and the rest of its line.
async fn listed(place: &Place) -> Vec<(String, String)> {
    let listed = place.run(&["share", "list"]).await;
    let line = |line: &str| {
        let path = line.split_whitespace().nth(2).unwrap_or_default();
        (path.to_owned(), line.to_owned())
    };
    listed.text().lines().skip(1).map(line).collect()
}

/// The first administrator's home, which is made.
async fn home(place: &Place) -> PathBuf {
    place.run(&["trash", "list", "--user", "admin"]).await.done();
    let homes = Path::new(&place.data()).join("homes");
    fs::read_dir(&homes).unwrap().next().unwrap().unwrap().path().join("files")
}

/// What follows `/-/s/` in what `share add` printed.
fn link(printed: &str) -> &str {
    printed.trim().split_once("/-/s/").unwrap().1
}

#[tokio::test]
async fn a_list_tells_which_links_lead_nowhere_and_a_link_is_revoked_by_itself() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    let home = home(&place).await;
    for name in ["kept", "gone", "once"] {
        fs::write(home.join(name), "content").unwrap();
    }
    let add = |path: &'static str, more: &'static [&str]| {
        let words = [&["share", "add", path, "--user", "admin"], more].concat();
        let place = &place;
        async move { place.run(&words).await }
    };
    let kept = add("/kept", &["--label", "The plan", "--expires", "never"]).await;
    assert!(kept.err.contains(": download of /kept, until it is revoked"), "{}", kept.err);
    add("/gone", &[]).await.done();
    let once = add("/once", &["--downloads", "1"]).await;
    fs::remove_file(home.join("gone")).unwrap();
    let answer = get(serving.host_port(), &format!("/-/s/{}", link(once.text()))).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let states = [("/kept", "  open "), ("/gone", "  nothing there "), ("/once", "  used up ")];
    for ((path, line), (expected, state)) in listed(&place).await.iter().zip(states) {
        assert!(path == expected && line.contains(state), "{line}");
    }
    assert!(listed(&place).await[0].1.contains("  The plan  http://"));

    let revoked = place.run(&["share", "revoke", kept.text().trim()]).await;
    assert_eq!(revoked.text(), "/kept: no longer shared\n");
    let forged = format!("http://x/-/s/{}", "A".repeat(43));
    let refused = place.run(&["share", "revoke", &forged]).await;
    assert_eq!(refused.code, Some(3), "{}", refused.err);
    serving.running.stop().await;
    assert_eq!(listed(&place).await.len(), 2, "as is told where no node runs");
}

#[tokio::test]
async fn a_drop_boxs_bounds_are_told_hold_and_are_told_to_be_reached() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    fs::create_dir(home(&place).await.join("inbox")).unwrap();
    let add = ["share", "add", "/inbox", "--user", "admin", "--upload"];
    let bounds = ["--max-size", "1KiB", "--max-files", "2"];
    let added = place.run(&[&add[..], &bounds].concat()).await;
    assert!(added.err.contains(": upload of /inbox, until "), "{}", added.err);
    assert!(added.err.contains(", used 0 of 2 files, 0B of 1KiB"), "{}", added.err);
    let put = async |name: &str, length: usize| {
        let line = format!("PUT /-/s/{}/{name} HTTP/1.1\r\n", link(added.text()));
        let answer = ask(serving.host_port(), &line, &vec![b'x'; length]).await;
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(put("large", 1025).await, "507");
    assert_eq!(put("one", 1000).await, "201");
    assert_eq!(put("more", 25).await, "507");
    let line = listed(&place).await.remove(0).1;
    assert!(line.contains("  1 of 2 files, 1000B of 1KiB  open "), "{line}");
    assert_eq!(put("two", 24).await, "201");
    assert_eq!(put("three", 1).await, "507");
    let listed = place.run(&["share", "list", "--json"]).await;
    let row: Value = serde_json::from_str(listed.text()).unwrap();
    for (key, expected) in [
        ("max_bytes", json!(1024)),
        ("max_files", json!(2)),
        ("taken_bytes", json!(1024)),
        ("taken_files", json!(2)),
        ("owner", json!("admin")),
        ("kind", json!("upload")),
        ("dead", json!("full")),
    ] {
        assert_eq!(row[key], expected, "{key}: {row}");
    }
    serving.running.stop().await;
}

#[tokio::test]
async fn a_link_with_a_password_needs_it_and_a_revoked_one_opens_nothing() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    fs::write(home(&place).await.join("plan"), "the plan").unwrap();
    let data = place.data();
    let words = ["share", "add", "/plan", "--user", "admin", "--password-stdin", "--json"];
    let words = [&words[..], &["--data", &data]].concat();
    let weak = run_with(&words, b"short\n").await;
    assert_eq!(weak.code, Some(2), "{}", weak.err);
    let added = run_with(&words, b"open sesame\n").await;
    let row: Value = serde_json::from_str(added.text()).unwrap();
    assert_eq!((&row["has_password"], &row["dead"]), (&json!(true), &Value::Null));
    let at = format!("/-/s/{}", link(row["url"].as_str().unwrap()));
    assert!(get(serving.host_port(), &at).await.starts_with("HTTP/1.1 401 "));
    let line = format!("GET {at} HTTP/1.1\r\nAuthorization: Basic Om9wZW4gc2VzYW1l\r\n");
    let opened = ask(serving.host_port(), &line, b"").await;
    assert!(opened.ends_with("the plan"), "{opened}");

    let id = row["id"].as_str().unwrap();
    assert_eq!(place.run(&["share", "revoke", id]).await.text(), "/plan: no longer shared\n");
    let closed = ask(serving.host_port(), &line, b"").await;
    assert!(closed.starts_with("HTTP/1.1 410 "), "{closed}");
    let again = place.run(&["share", "revoke", id]).await;
    assert_eq!(again.code, Some(3), "{}", again.err);
    assert_eq!(place.run(&["share", "list"]).await.text(), "nothing is shared\n");
    serving.running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_shared_so_is_refused_with_what_is_wrong() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    let home = home(&place).await;
    fs::write(home.join("file"), "content").unwrap();
    fs::create_dir(home.join("inbox")).unwrap();
    place.run(&["user", "add", "guest", "--role", "guest", "--no-password"]).await.done();
    let of_admin = ["--user", "admin"];
    for (path, more, code, told) in [
        ("/none", &of_admin[..], 3, "there is no /none"),
        ("/file", &["--user", "nobody"], 3, "nobody"),
        ("/file", &["--user", "guest"], 3, "there is no /file"),
        ("/file", &["--user", "admin", "--upload"], 2, "is no folder"),
        ("/file", &["--user", "admin", "--downloads", "0"], 2, "0 is not in 1.."),
        ("/inbox", &["--user", "admin", "--downloads", "1", "--upload"], 2, "cannot be used with"),
        ("/inbox", &["--user", "admin", "--max-files", "1"], 2, "--upload"),
        ("/inbox", &["--user", "admin", "--max-size", "1GiB"], 2, "--upload"),
        ("/inbox", &["--user", "admin", "--upload", "--max-files", "0"], 2, "0 is not in 1.."),
        ("/inbox", &["--user", "admin", "--upload", "--max-size", "0"], 2, "takes nothing"),
        ("/inbox", &["--user", "admin", "--upload", "--max-size", "1X"], 2, "is not a size"),
        ("/file", &["--user", "admin", "--expires", "0s"], 2, "ended already"),
        ("/file", &["--user", "admin", "--expires", "7"], 2, "write 7h or 7d"),
        ("/file", &["--user", "admin", "--label", "two\nlines"], 2, "label"),
        ("/file", &[], 2, "--user"),
        ("/", &of_admin, 2, "shared"),
    ] {
        let refused = place.run(&[&["share", "add", path], more].concat()).await;
        assert_eq!(refused.code, Some(code), "{path} {more:?}: {}", refused.err);
        assert!(refused.err.contains(told), "{path} {more:?}: {}", refused.err);
        assert!(refused.out.is_empty());
    }
    let refused = place.run(&["share", "revoke", "no-id"]).await;
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert_eq!(place.run(&["share", "list"]).await.text(), "nothing is shared\n");
    serving.running.stop().await;
}
