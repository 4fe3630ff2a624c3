//! `sockeye config set` and `unset`, and what is said to whoever comes from another server.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
};

use super::{node::Place, running::run};

/// A place with the configuration that a new node gets.
async fn place() -> Place {
    let place = Place::new();
    place.serve(&[]).await.running.stop().await;
    place.write_config(run(&["config", "default"]).await.text());
    place
}

fn file(place: &Place) -> String {
    fs::read_to_string(format!("{}/sockeye.toml", place.data())).unwrap()
}

#[tokio::test]
async fn keys_are_set_where_they_stand_and_taken_out_again() {
    let place = place().await;
    let before = file(&place);
    let listen = "ftp+tcp://127.0.0.1:0?tls=required http+tcp://127.0.0.1:0";
    let words = ["config", "set", "ftp.passive-ports", "50000-50100", "listen", listen];
    let set = place.run(&words).await;
    let lines: Vec<_> = set.text().lines().collect();
    assert!(lines[0].contains("sockeye.toml:"), "{set:?}");
    assert!(
        lines[0].ends_with("ftp.passive-ports = \"50000-50100\", in place of \"none\""),
        "{set:?}"
    );
    assert!(set.err.contains("`sockeye reload` has the node"), "{set:?}");
    let shown = place.run(&["config", "show", "--changed"]).await;
    assert!(shown.text().contains("\nftp.passive-ports = \"50000-50100\"  # "), "{shown:?}");
    assert!(
        file(&place).contains("\n#passive-ports = \"none\"\npassive-ports = \"50000-50100\"\n")
    );
    let unset = place.run(&["config", "unset", "ftp.passive-ports", "listen"]).await;
    assert!(
        unset.text().starts_with("ftp.passive-ports = \"none\" again, the default, "),
        "{unset:?}"
    );
    assert_eq!(file(&place), before);
    let restart = place.run(&["config", "set", "model=percore:2"]).await;
    assert!(restart.err.contains("from the next start on"), "{restart:?}");
}

#[tokio::test]
async fn what_could_not_be_served_is_not_written() {
    let place = place().await;
    let before = file(&place);
    for (words, code, message) in [
        (&["drian", "5s"][..], 2, "drian: there is no such key; did you mean drain?"),
        (&["drain", "5"], 2, "drain: `5` has no unit: write 5s or 5ms"),
        (&["drain"], 2, "hint: write `sockeye config set drain VALUE`"),
        (&["drain", "9s", "ftp.idle", "soon"], 2, "`soon` is not a duration"),
        (&["listen", "sftp+tcp://[::]:22"], 2, "SSH, and SFTP in it, is not spoken here yet"),
        (&["listen", "ftps+tcp://[::]:990"], 2, "write ftp+tls+tcp://[::]:990"),
        (&["tls.cert", "own.pem"], 2, "hint: set both at once: `sockeye config set tls.cert"),
        (&["tls.cert", "own.pem", "tls.key", "own.pem"], 3, "own.pem"),
        (
            &["pasv_min_port", "5000"],
            2,
            "what vsftpd calls so is had otherwise: write ftp.passive-ports",
        ),
        (
            &["MaxClientsPerIP", "3"],
            2,
            "what pure-ftpd calls so is had otherwise: write limits.per-address",
        ),
    ] {
        let refused = place.run(&[&["config", "set"], words].concat()).await;
        assert_eq!(refused.code, Some(code), "{words:?}: {}", refused.err);
        assert!(refused.err.contains(message), "{words:?}: {}", refused.err);
        assert_eq!(file(&place), before, "{words:?}");
    }
    let nowhere = run(&["config", "set", "drain", "5s", "--data", "/nowhere/at/all"]).await;
    assert_eq!(nowhere.code, Some(3), "{nowhere:?}");
}

#[tokio::test]
async fn one_of_two_mistakes_can_be_mended_alone() {
    let place = place().await;
    place.write_config("drain = 5\nmodel = \"frok\"\n");
    let mended = place.run(&["config", "set", "drain", "5s"]).await;
    assert!(mended.err.contains("what was wrong before is still wrong"), "{mended:?}");
    assert_eq!(mended.code, Some(0), "{mended:?}");
    assert_eq!(file(&place), "drain = \"5s\"\nmodel = \"frok\"\n");
    assert_eq!(place.run(&["config", "set", "drain", "5"]).await.code, Some(2));
}

#[tokio::test]
async fn the_file_keeps_its_mode_and_its_place_behind_a_link() {
    let place = place().await;
    let (link, real) = (format!("{}/sockeye.toml", place.data()), place.0.path().join("etc.toml"));
    fs::rename(&link, &real).unwrap();
    symlink(&real, &link).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    place.run(&["config", "set", "public", "true"]).await.done();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("\npublic = true\n"));
    assert_eq!(fs::metadata(&real).unwrap().mode() & 0o7777, 0o640);
}

#[tokio::test]
async fn keys_that_several_set_at_once_are_all_set() {
    let place = place().await;
    let keys = ["drain", "http.idle", "http.stall", "http.head-time", "ftp.idle", "trash.keep"];
    let words = keys.map(|key| ["config", "set", key, "77s"]);
    let set = words.each_ref().map(|words| place.run(words));
    let [a, b, c, d, e, f] = set;
    let all = tokio::join!(a, b, c, d, e, f);
    for ended in [all.0, all.1, all.2, all.3, all.4, all.5] {
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    assert_eq!(file(&place).matches("\"77s\"").count(), keys.len());
}

#[tokio::test]
async fn a_node_that_runs_takes_a_key_up_at_once_if_it_is_told() {
    let place = Place::new();
    fs::create_dir(place.data()).unwrap();
    place.write_config("listen = \"http+tcp://127.0.0.1:0\"\n");
    let data = place.data();
    let mut command = super::running::sockeye(&["serve", "--json", "--data", &data]);
    let serving = super::running::Serving::ready(&mut command).await;
    let set = place.run(&["config", "set", "public", "true", "--reload"]).await;
    assert!(set.text().ends_with("public = true, in place of false\npublic = true\n"), "{set:?}");
    // What the file says already may be news to the node.
    place.write_config("public = false\nlisten = \"http+tcp://127.0.0.1:0\"\n");
    let again = place.run(&["config", "set", "public", "false", "--reload"]).await;
    assert!(again.text().contains("public = false, as it was\npublic = false\n"), "{again:?}");
    serving.running.stop().await;
    let set = place.run(&["config", "set", "public", "false", "--reload"]).await;
    assert_eq!(set.code, Some(3), "{set:?}");
    assert!(file(&place).contains("public = false"));
}

#[tokio::test]
async fn a_folder_without_accounts_says_why_it_has_no_ftp() {
    let folder = super::running::folder();
    let path = folder.path().to_str().unwrap();
    let refused = run(&["serve", path, "--listen", "ftp+tcp://127.0.0.1:0"]).await;
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("a folder without accounts is served by http alone"),
        "{refused:?}"
    );
    assert!(
        refused.err.contains("hint: `sockeye serve` without DIR speaks ftp as well"),
        "{refused:?}"
    );
    let port = run(&["serve", "--port", "21"]).await;
    assert!(port.err.contains("write --listen ftp+tcp://127.0.0.1:21"), "{port:?}");
}
