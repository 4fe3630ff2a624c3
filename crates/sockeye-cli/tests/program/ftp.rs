//! A node that listens for FTP beside HTTP.

mod across;
pub(super) mod client;
mod crowd;
mod cut;
mod killed;
mod peers;
mod sessions;
mod settings;
mod site;

use std::fs;

use sockeye_testkit::peer;
use tokio::process::Command;

use super::{
    first_minute::{PASSWORD, with_password},
    node::Place,
    running::{Ended, feed, quieten},
};

#[tokio::test]
async fn a_file_goes_in_over_ftp_and_out_over_http_and_the_log_has_both() {
    let Some(program) = peer::require("curl") else { return };
    let curl = async |arguments: &[&str]| -> Ended {
        let mut command = Command::new(&program);
        let user = format!("alice:{PASSWORD}");
        quieten(&mut command).args(["-sSk", "--max-time", "20", "-u", &user]).args(arguments);
        feed(command, b"").await
    };
    let place = Place::new();
    let ftp = "ftp+tcp://127.0.0.1:0?tls=required";
    let serving = place.serve(&["--listen", "http+tcp://127.0.0.1:0", "--listen", ftp]).await;
    with_password(&place, &["user", "add", "alice", "--quota", "1MiB"]).await.done();
    let file = place.0.path().join("plan.txt");
    fs::write(&file, "the plan\n").unwrap();
    let upload = file.to_str().unwrap();
    let at = serving.ready["listeners"][1]["url"].as_str().unwrap();
    assert!(at.starts_with("ftp://127.0.0.1:"), "{at}");
    let url = format!("{at}plan.txt");
    // Nothing goes in plain text where TLS is required.
    assert_ne!(curl(&["-T", upload, &url]).await.code, Some(0));
    let stored = curl(&["--ssl-reqd", "-T", upload, &url]).await;
    assert_eq!(stored.code, Some(0), "{}", stored.err);
    assert_eq!(curl(&[&serving.url("plan.txt")]).await.text(), "the plan\n");
    assert_eq!(curl(&["--ssl-reqd", &url]).await.text(), "the plan\n");
    serving.running.stop().await;
    let log = String::from_utf8(place.run(&["log", "--json"]).await.done()).unwrap();
    let has = |operation: &str, protocol: &str| {
        log.lines().any(|line| {
            line.contains(&format!("\"op\":\"{operation}\""))
                && line.contains(&format!("\"{protocol}\""))
        })
    };
    for (operation, protocol) in [("write", "ftp"), ("read", "http"), ("read", "ftp")] {
        assert!(has(operation, protocol), "{operation} over {protocol}: {log}");
    }
}

#[tokio::test]
async fn a_listener_that_others_can_read_is_warned_of() {
    let place = Place::new();
    // On all addresses, and yet on loopback alone.
    let all = "tcp://0.0.0.0:0?interface=lo";
    for (listen, warning) in [
        (format!("ftp+{all}"), Some("lets clients in without TLS and is reachable")),
        (format!("ftp+{all}&tls=off"), Some("is cleartext and reachable")),
        (format!("ftp+{all}&tls=required"), None),
        (format!("ftp+tls+{all}"), None),
        ("ftp+tcp://127.0.0.1:0".to_owned(), None),
    ] {
        let serving = place.serve(&["--listen", &listen]).await;
        let (_, err) = serving.running.stop().await;
        let warned = err.lines().find(|line| line.contains("from other machines"));
        match warning {
            Some(warning) => assert!(warned.is_some_and(|it| it.contains(warning)), "{err}"),
            None => assert_eq!(warned, None, "{listen}"),
        }
        // And it is said before.
        place.write_config(&format!("listen = \"{listen}\"\n"));
        let checked = place.run(&["config", "check"]).await;
        assert_eq!(checked.code, Some(0), "{}", checked.err);
        let odd = checked.text().contains("right, but for 1 warning");
        assert_eq!(odd, warning.is_some(), "{}", checked.text());
        assert!(warning.is_none_or(|it| checked.err.contains(it)), "{}", checked.err);
    }
    place.write_config("listen = \"ftp+tls+tcp://127.0.0.1:0?tls=required\"\n");
    let checked = place.run(&["config", "check"]).await;
    assert_eq!(checked.code, Some(2));
    assert!(checked.err.contains("leave out one of them"), "{}", checked.err);
}

#[tokio::test]
async fn ftp_is_there_without_being_asked_for() {
    let place = Place::new();
    place.serve(&[]).await.running.stop().await;
    let shown = place.run(&["config", "show"]).await;
    let listen = shown.text().lines().find(|line| line.starts_with("listen = ")).unwrap();
    assert!(
        listen.contains("\"ftp+tcp://127.0.0.1:2121\"") && listen.contains("default"),
        "{listen}"
    );
}
