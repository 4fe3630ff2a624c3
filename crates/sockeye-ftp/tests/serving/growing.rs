//! Files that are still coming, for clients that watch them (`ftp.growing`).

use std::{io::Write as _, net::TcpStream};

use sockeye_node::{Origin, Peer};
use sockeye_testkit::{node::password, session};

use crate::{
    client::{FtpClient, Served, content},
    transfers::wait_for,
};

fn growing() -> Served {
    Served::with(|config| config.growing = true)
}

/// Begins to store this file, of which so much has come.
fn begun(served: &Served, name: &str, content: &[u8]) -> (FtpClient, TcpStream) {
    let mut client = served.logged_in("alice");
    client.binary();
    let mut data = client.passive();
    client.expect(150, &format!("STOR {name}"));
    data.write_all(content).expect("a server that reads");
    wait_for(&mut client, content.len());
    (client, data)
}

fn names(client: &mut FtpClient, line: &str) -> Vec<String> {
    let text = client.fetch_text(line);
    let name = |line: &str| line.rsplit(' ').next().unwrap_or_default().to_owned();
    text.split_terminator("\r\n").map(name).collect()
}

#[test]
fn a_file_is_watched_while_it_comes() {
    let served = growing();
    let mut watcher = served.logged_in("alice");
    watcher.binary();
    watcher.expect(257, "MKD folder");
    watcher.store("STOR folder/other.txt", b"there");
    let (mut client, mut data) = begun(&served, "folder/film.txt", b"12345");
    for line in ["NLST folder", "LIST folder", "MLSD folder", "LIST folder/f*", "LIST -R folder"] {
        let told = names(&mut watcher, line);
        let count = told.iter().filter(|name| name.ends_with("film.txt")).count();
        assert_eq!(count, 1, "{line}: {told:?}");
    }
    assert_eq!(watcher.ask("SIZE folder/film.txt"), ["213 5"]);
    data.write_all(b"678").unwrap();
    wait_for(&mut client, 8);
    assert_eq!(watcher.ask("SIZE folder/film.txt"), ["213 8"]);
    assert!(watcher.fetch_text("LIST folder/film.txt").contains(" 8 "));
    assert!(watcher.ask("STAT folder").join("\n").contains("film.txt"));
    watcher.expect(213, "MDTM folder/film.txt");
    watcher.expect(200, "OPTS MLST type;perm;size;unique;");
    let facts = watcher.ask("MLST folder/film.txt");
    assert_eq!(facts[1], " type=file;perm=;size=8; /folder/film.txt");
    // To be seen is all: it would pass for the whole.
    for line in ["DELE folder/film.txt", "RNFR folder/film.txt", "HASH folder/film.txt"] {
        let told = watcher.expect(450, line);
        assert!(told.contains("/folder/film.txt is still coming, 8 bytes so far"), "{told}");
    }
    watcher.epsv();
    watcher.expect(450, "RETR folder/film.txt");
    // On the disk there is no such name.
    assert!(!served.node.home("alice").join("folder/film.txt").exists());
    drop(data);
    client.expect_code(226, "STOR");
    assert_eq!(watcher.fetch("RETR folder/film.txt"), b"12345678");
    assert_eq!(names(&mut watcher, "NLST folder").len(), 2);
}

#[test]
fn what_was_there_is_seen_until_it_gives_way() {
    let served = growing();
    let mut watcher = served.logged_in("alice");
    watcher.binary();
    watcher.store("STOR file", b"old");
    let (mut client, data) = begun(&served, "file", b"new and longer");
    assert_eq!(watcher.ask("SIZE file"), ["213 3"]);
    assert_eq!(watcher.fetch("RETR file"), b"old");
    assert_eq!(names(&mut watcher, "NLST"), ["file"]);
    drop(data);
    client.expect_code(226, "STOR");
    assert_eq!(watcher.ask("SIZE file"), ["213 14"]);
}

#[test]
fn what_is_broken_off_is_seen_no_more() {
    let served = growing();
    let mut watcher = served.logged_in("alice");
    let (mut client, _data) = begun(&served, "file", b"some");
    assert_eq!(names(&mut watcher, "NLST"), ["file"]);
    client.expect(426, "ABOR");
    client.expect_code(226, "ABOR");
    assert!(names(&mut watcher, "NLST").is_empty());
    watcher.expect(550, "MLST file");
}

#[test]
fn nothing_is_seen_of_it_where_that_was_not_asked_for() {
    let served = Served::new();
    let mut watcher = served.logged_in("alice");
    watcher.binary();
    let (_client, _data) = begun(&served, "file", b"some");
    assert!(names(&mut watcher, "NLST").is_empty() && names(&mut watcher, "MLSD").is_empty());
    for line in ["SIZE file", "MLST file", "MDTM file", "DELE file"] {
        watcher.expect(550, line);
    }
}

#[test]
fn others_see_it_where_they_may_see_the_folder() {
    let served = growing();
    served.node.share("team");
    served.node.grant("alice", "/shared/team", "read,write,list");
    served.node.grant("bob", "/shared/team", "read,list");
    let (_own, _data) = begun(&served, "mine", b"12");
    let (_client, _more) = begun(&served, "/shared/team/plan", b"12345");
    let mut bob = served.logged_in("bob");
    bob.binary();
    assert_eq!(names(&mut bob, "NLST /shared/team"), ["/shared/team/plan"]);
    assert_eq!(bob.ask("SIZE /shared/team/plan"), ["213 5"]);
    assert!(!names(&mut bob, "NLST").contains(&"mine".to_owned()));
    bob.expect(550, "SIZE mine");
    // Who may do nothing there learns nothing.
    served.node.grant("bob", "/shared/team", "none");
    bob.expect(550, "SIZE /shared/team/plan");
}

#[test]
fn what_comes_over_another_protocol_is_seen_too() {
    let served = growing();
    let gate = served.node.gate();
    let content = content(300_000);
    let upload = served.node.block_on(async {
        let credentials = sockeye_node::Credentials::password("alice", password("alice"));
        let session = gate.login(&credentials, Origin::new("http", Peer::Local)).await.unwrap();
        let mut upload = session.upload(&session::path("film"), Default::default()).await.unwrap();
        upload.write(&content).await.unwrap();
        upload
    });
    let mut watcher = served.logged_in("alice");
    watcher.binary();
    assert_eq!(watcher.ask("SIZE film"), ["213 300000"]);
    watcher.expect(200, "TYPE A");
    watcher.expect(450, "SIZE film");
    served.node.block_on(upload.commit()).unwrap();
    watcher.binary();
    assert_eq!(watcher.ask("SIZE film"), ["213 300000"]);
}
