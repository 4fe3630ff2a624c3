//! `sockeye share`: links made, listed with what became of them, and revoked.

use std::{fs, path::Path};

use super::{node::Place, running::get};

/// Each share of the list: its path, and the rest of its line.
async fn listed(place: &Place) -> Vec<(String, String)> {
    let listed = place.run(&["share", "list"]).await;
    let line = |line: &str| {
        let path = line.split_whitespace().nth(2).unwrap_or_default();
        (path.to_owned(), line.to_owned())
    };
    listed.text().lines().skip(1).map(line).collect()
}

#[tokio::test]
async fn a_list_tells_which_links_lead_nowhere_and_a_link_is_revoked_by_itself() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    place.run(&["trash", "list", "--user", "admin"]).await.done();
    let homes = Path::new(&place.data()).join("homes");
    let home = fs::read_dir(&homes).unwrap().next().unwrap().unwrap().path().join("files");
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
    let (_, link) = once.text().trim().split_once("/-/s/").unwrap();
    let answer = get(serving.host_port(), &format!("/-/s/{link}")).await;
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
