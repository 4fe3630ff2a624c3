//! Web clients of others against `sockeye serve`: what they get, and that nothing they ask for fails.

use std::{collections::BTreeMap, fs, path::Path};

use sockeye_testkit::peer;
use tempfile::{TempDir, tempdir};
use tokio::process::Command;

use super::running::{Serving, feed, quieten};

const ANY_PORT: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// A small tree with what clients stumble over: names that have to be escaped, an empty file, one larger
/// than any buffer.
fn tree() -> TempDir {
    let tree = tempdir().unwrap();
    let large: Vec<u8> = (0..700_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    let files: [(&str, &[u8]); 6] = [
        ("hello.txt", b"hello\n"),
        ("empty", b""),
        ("large.bin", &large),
        ("sub/a name & more.txt", b"spaces\n"),
        ("sub/deeper/größe.txt", "größe\n".as_bytes()),
        ("sub/deeper/100%.txt", b"percent\n"),
    ];
    for (name, content) in files {
        let path = tree.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    tree
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

#[tokio::test]
async fn wget_mirrors_a_tree_byte_for_byte() {
    let Some(wget) = peer::require("wget") else { return };
    let (tree, copy) = (tree(), tempdir().unwrap());
    for model in ["tasks", "iterative"] {
        let arguments = [&ANY_PORT[..], &["--model", model]].concat();
        let serving = Serving::start(tree.path(), &arguments).await;
        let into = copy.path().join(model);
        let mut command = Command::new(&wget);
        // Its own listings are not files of the tree.
        quieten(&mut command)
            .args(["--no-config", "--no-verbose", "--no-proxy", "--tries=1", "--timeout=20"])
            .args(["--recursive", "--no-parent", "--no-host-directories", "--execute=robots=off"])
            .args(["--restrict-file-names=nocontrol", "--reject=index.html*"])
            .args(["--directory-prefix", into.to_str().unwrap(), &serving.url("")])
            .env("LC_ALL", "C.UTF-8");
        feed(command, b"").await.done();
        let (sent, came) = (files(tree.path()), files(&into));
        assert!(came.keys().eq(sent.keys()), "{model}: {:?}", came.keys());
        assert!(came == sent, "{model}: other bytes came");
        serving.running.stop().await;
    }
}

/// The number behind `name:` in what ab prints; 0 where it has no such line.
fn figure(report: &str, name: &str) -> u32 {
    let line = report.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.map_or(0, |rest| rest.split_whitespace().next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn ab_has_no_failed_request_with_and_without_keep_alive() {
    let Some(ab) = peer::require("ab") else { return };
    let tree = tree();
    for model in ["tasks", "pool:4", "iterative"] {
        let arguments = [&ANY_PORT[..], &["--model", model]].concat();
        let serving = Serving::start(tree.path(), &arguments).await;
        for keep_alive in [false, true] {
            let mut command = Command::new(&ab);
            quieten(&mut command).args(["-q", "-n", "200", "-c", "8", "-s", "20"]);
            let command_line = if keep_alive { command.arg("-k") } else { &mut command };
            command_line.arg(serving.url("hello.txt"));
            let report = String::from_utf8(feed(command, b"").await.done()).unwrap();
            let seen = ["Complete requests", "Failed requests", "Non-2xx responses"];
            let seen = seen.map(|name| figure(&report, name));
            assert_eq!(seen, [200, 0, 0], "{model}: {report}");
            // With room for all eight, nobody is asked to leave.
            let kept = figure(&report, "Keep-Alive requests");
            match (keep_alive, model) {
                (false, _) => assert_eq!(kept, 0, "{model}: {report}"),
                (true, "tasks") => assert_eq!(kept, 200, "{report}"),
                (true, _) => {}
            }
        }
        serving.running.stop().await;
    }
}
