//! A node seen by its administrator: how it is, and who commanded what.

use std::path::Path;

use serde_json::Value;
use sockeye_node::data::{DataFolder, Hold};

use super::{
    node::Place,
    running::{Ended, Serving, get, run, sockeye, within},
};

fn lines(ended: Ended) -> Vec<Value> {
    let out = ended.done();
    let text = std::str::from_utf8(&out).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_running_node_tells_how_it_is() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    get(serving.host_port(), "/").await;
    let status = lines(place.run(&["status", "--json"]).await).remove(0);
    assert_eq!((&status["phase"], &status["data"]), (&"ready".into(), &place.data().into()));
    assert_eq!(status["read_only"], Value::Null);
    let listener = &status["listeners"][0];
    assert_eq!(listener["listen"], "http+tcp://127.0.0.1:0");
    assert_eq!(listener["addresses"][0], format!("tcp://{}", serving.host_port()));
    assert_eq!(listener["accepted"], 1);
    let lines_that = |are: &str| status["journal"][are].as_u64().unwrap();
    assert!(lines_that("lines") + lines_that("waiting") > 0, "{status}");
    let room = |name: &str| status["space"][name].as_u64().unwrap();
    assert!(room("free") <= room("total") && room("total") > 0);

    let status = place.run(&["status"]).await;
    let told = status.text();
    for part in [
        "State    ready\n",
        &format!("Process  {}, version ", status_pid(&place)),
        &format!("Data     {}\n", place.data()),
        &format!("Listens  http+tcp://{}, ", serving.host_port()),
        "Journal  ",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    serving.running.stop().await;
}

fn status_pid(place: &Place) -> String {
    let pid = std::fs::read_to_string(Path::new(&place.data()).join("lock")).unwrap();
    pid.trim().to_owned()
}

#[tokio::test]
async fn of_a_node_that_does_not_run_nothing_is_told() {
    let place = Place::new();
    place.serve(&[]).await.running.stop().await;
    for verb in ["status", "reload"] {
        let ended = place.run(&[verb]).await;
        assert_eq!(ended.code, Some(3), "{}", ended.err);
        assert!(ended.err.starts_with("error: no node runs on "), "{}", ended.err);
        let nowhere = run(&[verb, "--data", "/nonexistent/data"]).await;
        assert_eq!(nowhere.code, Some(3), "{}", nowhere.err);
    }
}

#[tokio::test]
async fn the_log_says_who_commanded_what_whoever_carried_it_out() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    place.run(&["user", "add", "alice", "--no-password"]).await.done();
    place.run(&["reload"]).await.done();
    place.run(&["trash", "purge", "--all", "--user", "alice"]).await.done();
    let backup = place.0.path().join("backup");
    place.run(&["backup", backup.to_str().unwrap()]).await.done();
    serving.running.stop().await;
    place.run(&["user", "lock", "alice"]).await.done();

    let uid = rustix::process::getuid().as_raw();
    let told = lines(place.run(&["log", "--protocol", "control", "--json"]).await);
    for record in &told {
        let from = record["from"].as_str().unwrap_or_default();
        let numbered = format!("uid {uid}");
        assert!(from == numbered || from.starts_with(&format!("{numbered} (")), "{record}");
    }
    let told: Vec<_> = told
        .iter()
        .map(|record| {
            let detail = record["detail"].as_str().unwrap();
            format!("{} {detail}", record["op"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            "admin account alice: added",
            "reload ",
            "purge the home of alice",
            "admin backup taken",
            "admin account alice: locked",
        ]
    );
    // What the node does by itself is not somebody's.
    let own = lines(place.run(&["log", "--protocol", "node", "--op", "admin", "--json"]).await);
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!(own[0]["detail"], "account admin: added");
    assert_eq!(own[0]["from"], Value::Null);
}

#[tokio::test]
async fn a_data_folder_may_lie_deeper_than_a_socket_can_be_named() {
    let mut place = Place::new();
    let deep = place.0.path().join("d".repeat(100)).join("e".repeat(100));
    std::fs::create_dir_all(&deep).unwrap();
    place.0 = tempfile::TempDir::new_in(deep).unwrap();
    let serving = place.serve(&[]).await;
    let status = lines(place.run(&["status", "--json"]).await).remove(0);
    assert_eq!(status["data"], place.data());
    let socket = Path::new(&place.data()).join("control.sock");
    assert!(socket.exists());
    serving.running.stop().await;
    assert!(!socket.exists(), "it goes with the node");
}

#[tokio::test]
async fn a_start_waits_for_a_verb_that_works_on_the_data_for_a_moment() {
    let place = Place::new();
    place.serve(&[]).await.running.stop().await;
    let folder = DataFolder::new(place.data());
    let hold = Hold::take(&folder).unwrap();
    let data = place.data();
    let mut command = sockeye(&["serve", "--json", "--data", &data]);
    command.args(["--listen", "http+tcp://127.0.0.1:0", "-vv"]).env("SOCKEYE_LOG", "debug");
    let mut running = super::running::Running::start(&mut command);
    running.told("waits for whoever works on the data folder").await;
    drop(hold);
    assert!(running.line().await.contains("\"ready\":true"));
    within(running.stop()).await;
}

#[tokio::test]
async fn a_listener_that_a_reload_could_not_open_is_told_until_it_is_open() {
    let place = Place::new();
    std::fs::create_dir(place.data()).unwrap();
    place.write_config("listen = \"http+tcp://127.0.0.1:0\"\n");
    let data = place.data();
    let serving = Serving::ready(&mut sockeye(&["serve", "--json", "--data", &data])).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http+tcp://{}", taken.local_addr().unwrap());
    place.write_config(&format!("listen = [\"http+tcp://127.0.0.1:0\", \"{address}\"]\n"));
    assert_eq!(place.run(&["reload"]).await.code, Some(7));
    let status = place.run(&["status"]).await;
    let told = status.text();
    assert!(told.starts_with("State    ready; a listener is not open\n"), "{told}");
    assert!(told.contains(&format!("\n         {address} is not open: ")), "{told}");
    place.write_config("listen = \"http+tcp://127.0.0.1:0\"\n");
    place.run(&["reload"]).await.done();
    let status = lines(place.run(&["status", "--json"]).await).remove(0);
    assert_eq!(status["not_open"], Value::Array(Vec::new()));
    serving.running.stop().await;
}
