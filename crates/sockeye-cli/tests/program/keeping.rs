//! `sockeye trash`, `store check`, `backup` and `restore`: with the node running, and without.

use std::{fs, path::Path};

use sockeye_testkit::certificates::Leaf;

use super::{node::Place, running::run};

/// A node's place with its administrator and no node running.
async fn place() -> Place {
    let place = Place::new();
    place.serve(&[]).await.running.stop().await;
    place
}

#[tokio::test]
async fn homes_are_checked_whoever_holds_them() {
    let place = place().await;
    let serving = place.serve(&[]).await;
    let checked = place.run(&["store", "check", "--user", "admin", "--json"]).await;
    let report: serde_json::Value = serde_json::from_slice(&checked.done()).unwrap();
    assert_eq!((&report["homes"], &report["faulty"]), (&1.into(), &0.into()));
    serving.running.stop().await;
    let checked = place.run(&["store", "check"]).await;
    assert_eq!(checked.text(), "2 homes checked: 0 files and folders, 0B\n");

    // A home that was changed behind the node's back, and a folder of nobody.
    let homes = Path::new(&place.data()).join("homes");
    let home = fs::read_dir(&homes).unwrap().next().unwrap().unwrap().path();
    fs::write(home.join("files/smuggled"), "12345").unwrap();
    fs::create_dir_all(homes.join("01JD7YV3W8Z6T1Q2R4S5K9X0AB/files")).unwrap();
    let checked = place.run(&["store", "check"]).await;
    assert_eq!(checked.code, Some(1));
    let text = checked.text();
    assert!(text.starts_with("the home of admin: files: 0 bytes recorded, 5 bytes and"), "{text}");
    assert!(text.contains("X0AB: belongs to nobody any more\n"), "{text}");
    assert!(checked.err.contains("hint: `sockeye store check --repair`"), "{}", checked.err);
    let repaired = place.run(&["store", "check", "--repair"]).await;
    assert!(String::from_utf8(repaired.done()).unwrap().contains(", mended\n"));
    let listed = place.run(&["user", "list"]).await;
    let admin = listed.text().lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(admin[..4], ["admin", "admin", "password", "to"]);
    assert!(admin.contains(&"5B"), "what a closed home says that it holds: {admin:?}");
    assert_eq!(place.run(&["store", "check"]).await.code, Some(0));
    let orphan = homes.join("01JD7YV3W8Z6T1Q2R4S5K9X0AB");
    assert!(orphan.exists(), "what is nobody's is left alone");
    let asked = place.run(&["store", "purge-orphans"]).await;
    assert_eq!((asked.code, asked.text()), (Some(2), &*format!("{}\n", orphan.display())));
    assert!(orphan.exists() && asked.err.contains("hint: --yes"), "{}", asked.err);
    let purged = place.run(&["store", "purge-orphans", "--yes"]).await;
    assert_eq!(purged.text(), format!("{}: destroyed\n", orphan.display()));
    assert!(!orphan.exists() && home.join("files/smuggled").exists(), "and nobody else's");
    let again = place.run(&["store", "purge-orphans"]).await;
    assert_eq!(again.text(), "every home belongs to somebody\n");
}

#[tokio::test]
async fn a_home_that_a_crash_left_uncounted_is_counted_and_nothing_more_is_to_be_done() {
    let place = place().await;
    // Looked into for the first time, it is made.
    place.run(&["store", "check", "--user", "admin"]).await.done();
    let homes = Path::new(&place.data()).join("homes");
    let home = fs::read_dir(&homes).unwrap().next().unwrap().unwrap().path();
    fs::write(home.join("files/a"), "12345").unwrap();
    // What a home holds stands there only when it was closed.
    fs::remove_file(home.join("usage")).unwrap();
    let checked = place.run(&["store", "check"]).await;
    assert_eq!((checked.code, &*checked.err), (Some(0), ""));
    let text = checked.text();
    assert!(text.starts_with("the home of admin: it was not closed, as after a crash"), "{text}");
    assert!(
        text.ends_with(
            "it was counted, and nothing is lost\n2 homes checked: 1 file or folder, 5B\n"
        ),
        "{text}"
    );
    assert_eq!(
        place.run(&["store", "check"]).await.text(),
        "2 homes checked: 1 file or folder, 5B\n"
    );
}

#[tokio::test]
async fn a_trash_is_named_by_its_owner_and_things_in_it_by_their_ids() {
    let place = place().await;
    let listed = place.run(&["trash", "list", "--user", "admin"]).await;
    assert_eq!(listed.text(), "nothing was deleted from the home of admin\n");
    for (words, code, message) in [
        (&["trash", "list"][..], 2, "nothing says whose home is meant"),
        (&["trash", "list", "--user", "bob"], 3, "there is no account `bob`"),
        (&["trash", "list", "--user", "b/b"], 2, "--user b/b: "),
        (&["trash", "restore", "x", "--public"], 2, "\"x\": an id has 26 letters"),
        (
            &["trash", "purge", "01JD7YV3W8Z6T1Q2R4S5K9X0AB", "--public"],
            3,
            "no such file or folder",
        ),
        (&["trash", "purge", "--older-than", "7", "--public"], 2, "--older-than: `7` has no unit"),
        (
            &["trash", "restore", "01JD7YV3W8Z6T1Q2R4S5K9X0AB", "--public"],
            3,
            "hint: `sockeye trash list` has what is there",
        ),
        (&["trash", "purge", "--public"], 2, "hint: name an id that `sockeye trash list` has"),
    ] {
        let ended = place.run(words).await;
        assert_eq!(ended.code, Some(code), "{words:?}: {}", ended.err);
        assert!(ended.err.contains(message), "{words:?}: {}", ended.err);
    }
    let purged = place.run(&["trash", "purge", "--all", "--public"]).await;
    assert_eq!(purged.text(), "destroyed 0 entries, 0B\n");
}

#[tokio::test]
async fn a_backup_of_a_running_node_is_put_back_where_none_is() {
    let place = place().await;
    let serving = place.serve(&["--listen", "http+tls+tcp://127.0.0.1:0"]).await;
    let backup = place.0.path().join("backup");
    let backup = backup.to_str().unwrap();
    let made = place.run(&["backup", backup, "--json"]).await;
    let made: serde_json::Value = serde_json::from_slice(&made.done()).unwrap();
    assert!(made["files"].as_u64().unwrap() >= 6, "{made}");
    assert!(!Path::new(&place.data()).join("snapshots").read_dir().unwrap().any(|_| true));
    let again = place.run(&["backup", backup]).await;
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("is there already"), "{}", again.err);
    let refused = place.run(&["restore", backup]).await;
    assert!(refused.err.contains("is in use by process"), "{}", refused.err);
    serving.running.stop().await;
    let refused = place.run(&["restore", backup]).await;
    assert!(refused.err.contains("has accounts already"), "{}", refused.err);

    let elsewhere = Place::new();
    assert!(elsewhere.run(&["restore", backup]).await.text().ends_with(" put back\n"));
    let (one, other) = (place.data(), elsewhere.data());
    for file in ["tls/key.pem", "journal/journal.key", "sockeye.toml"] {
        let read = |data: &str| fs::read(Path::new(data).join(file)).unwrap();
        assert_eq!(read(&one), read(&other), "{file}");
    }
    let verified = elsewhere.run(&["log", "verify"]).await;
    assert_eq!(verified.code, Some(0), "{}", verified.err);
    // The accounts are the same: nobody is made anew.
    let serving = elsewhere.serve(&[]).await;
    assert_eq!(serving.ready["initial_password"], serde_json::Value::Null);
    serving.running.stop().await;
}

#[tokio::test]
async fn a_certificate_that_lies_elsewhere_is_not_in_a_backup_and_that_is_said() {
    let place = place().await;
    let keys = tempfile::tempdir().unwrap();
    let (cert, key) = Leaf::self_signed(&["localhost"]).write(keys.path(), "own");
    place.write_config(&format!("[tls]\ncert = {cert:?}\nkey = {key:?}\n"));
    let backup = |name: &str| place.0.path().join(name).to_str().unwrap().to_owned();
    let made = place.run(&["backup", &backup("one")]).await;
    for file in [&cert, &key] {
        let told = format!("{} is not in the backup", file.display());
        assert!(made.err.contains(&told), "{}", made.err);
    }
    let made = place.run(&["backup", &backup("two"), "--json"]).await;
    let made: serde_json::Value = serde_json::from_slice(&made.done()).unwrap();
    assert_eq!(made["left_out"], serde_json::json!([cert, key]));
    let (elsewhere, from) = (Place::new(), backup("one"));
    for (words, what) in [(&["--check"][..], "checked"), (&[], "restored")] {
        let words = [&["restore", &from, "--json"], words].concat();
        let done: serde_json::Value =
            serde_json::from_slice(&elsewhere.run(&words).await.done()).unwrap();
        assert_eq!(done["files"], made["files"], "{done}");
        assert!(done[what].is_string(), "{done}");
    }
    // As on another machine.
    std::fs::remove_file(&cert).unwrap();
    let started = elsewhere.run(&["serve", "--listen", "http+tls+tcp://127.0.0.1:0"]).await;
    assert_eq!(started.code, Some(3), "{}", started.err);
    assert!(started.err.starts_with("error: tls.cert ("), "{}", started.err);
    assert!(started.err.contains("sockeye.toml:2): cannot read "), "{}", started.err);
    assert!(!started.err.contains("os error"), "{}", started.err);
    assert!(started.err.contains("\nhint: set tls.cert and tls.key"), "{}", started.err);
}

#[tokio::test]
async fn a_backup_that_was_changed_is_found_and_not_put_back() {
    let place = place().await;
    let backup = place.0.path().join("backup");
    place.run(&["backup", backup.to_str().unwrap()]).await.done();
    let backup = backup.to_str().unwrap();
    let checked = run(&["restore", backup, "--check"]).await;
    assert!(checked.text().contains(": right; "), "{checked:?}");
    let config = Path::new(backup).join("sockeye.toml");
    fs::write(&config, fs::read_to_string(&config).unwrap() + "public = true\n").unwrap();
    let elsewhere = Place::new();
    let refused = elsewhere.run(&["restore", backup]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("was changed since the backup was made"), "{}", refused.err);
    assert!(!Path::new(&elsewhere.data()).exists(), "nothing half put back");

    let manifest = Path::new(backup).join("manifest.json");
    let led_out = fs::read_to_string(&manifest).unwrap().replace("\"sockeye.toml\"", "\"../x\"");
    fs::write(&manifest, led_out).unwrap();
    let refused = elsewhere.run(&["restore", backup]).await;
    assert!(refused.err.contains("../x leads out of it"), "{}", refused.err);
    fs::remove_file(&manifest).unwrap();
    let refused = elsewhere.run(&["restore", backup]).await;
    assert!(refused.err.contains("it has no manifest.json"), "{}", refused.err);
}
