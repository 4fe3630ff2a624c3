//! What is left of uploads that were cut: it makes room, is told of, and can be removed.

use sockeye_node::{Credentials, Origin, Owner, Peer, Session};
use sockeye_testkit::{node::password, processes::until, session::path};

use crate::{
    client::{FtpClient, Served, content},
    transfers::cut,
};

const MIB: usize = 1 << 20;

/// Cuts an upload, and waits until what came of it is kept; a client that is logged in.
fn left(served: &Served, name: &str, content: &[u8]) -> FtpClient {
    cut(served, &format!("STOR {name}"), content);
    let mut client = served.logged_in("alice");
    client.binary();
    let kept = [format!("213 {}", content.len())];
    until("what came is kept", || client.ask(&format!("SIZE {name}")) == kept);
    client
}

/// What alice's home holds is what a count says: bytes of files, and of uploads that were cut.
fn held(served: &Served) -> (u64, u64) {
    let report = served.node.block_on(async {
        let gate = served.node.gate();
        let account = gate.accounts().find(&"alice".parse().expect("a name")).await;
        let owner = Owner::Account(account.expect("an account").id);
        gate.homes().get(owner).expect("a home").check(false).await.expect("a count")
    });
    assert!(report.is_sound(), "{report:?}");
    (report.counted.files.bytes, report.counted.partials.bytes)
}

/// The lines of SITE QUOTA, and whether it tells of so many bytes in uploads that were cut.
#[track_caller]
fn tells(client: &mut FtpClient, bytes: usize) {
    let told = client.expect(200, "SITE QUOTA");
    assert!(
        told.contains(&format!("\n {bytes} bytes of that are in uploads that were cut.")),
        "{told}"
    );
}

#[test]
fn a_file_that_is_stored_anew_needs_no_room_for_what_was_cut_before() {
    let served = Served::new();
    served.node.set_quota("alice", 5 << 20);
    let content = content(3 * MIB);
    let mut client = left(&served, "x.iso", &content[..2 * MIB]);
    assert_eq!(client.store("STOR other.iso", &content), 226);
    tells(&mut client, 2 * MIB);
    // It is not somebody else's to take, as it was written a moment ago.
    client.expect(200, "ALLO 2000000");
    client.epsv();
    let told = client.expect(552, "STOR y.iso");
    let expected = "552 /y.iso: over quota: quota 5MiB, used 5MiB, this needs at least 2MiB; \
                    2MiB of what is used lies in uploads that were cut; DELE removes your own.";
    assert_eq!(told, expected);
    client.expect(200, "ALLO 2000000");
    assert_eq!(client.store("STOR x.iso", &content[..2 * MIB]), 226);
    tells(&mut client, 0);
    assert_eq!(held(&served), (5 << 20, 0));
    let records = served.node.records("purge");
    let [purged] = &records[..] else { panic!("{records:?}") };
    assert_eq!((&purged["user"], &purged["path"]), (&"alice".into(), &"/x.iso".into()));
    assert_eq!((&purged["bytes"], &purged["protocol"]), (&(2 * MIB).into(), &"ftp".into()));
    let detail = purged["detail"].as_str().expect("a reason");
    assert!(detail.starts_with("quota: upload 01"), "{detail}");
}

#[test]
fn what_the_quota_presses_out_of_the_trash_is_in_the_log() {
    let served = Served::new();
    served.node.set_quota("alice", 5 << 20);
    let content = content(3 * MIB);
    let mut client = served.logged_in("alice");
    client.binary();
    assert_eq!(client.store("STOR a", &content), 226);
    client.expect(250, "DELE a");
    assert_eq!(client.store("STOR b", &content), 226);
    let records = served.node.records("purge");
    let [purged] = &records[..] else { panic!("{records:?}") };
    assert_eq!((&purged["path"], &purged["bytes"]), (&"/a".into(), &(3 * MIB).into()));
    let detail = purged["detail"].as_str().expect("a reason");
    assert!(detail.starts_with("quota: trash 01"), "{detail}");
    // The old file counts until the new one is complete.
    client.expect(200, "ALLO 2000000");
    client.expect(552, "ALLO 3000000");
}

#[test]
fn a_file_that_comes_whole_leaves_nothing_of_what_was_cut_before() {
    for line in ["STOR file", "APPE file"] {
        let served = Served::new();
        let content = content(2 * MIB);
        let mut client = left(&served, "file", &content[..MIB]);
        if line.starts_with("APPE") {
            // As of somebody who did not see that there is a piece: the file came by another way.
            client.store("STOR another", b"another");
            client.expect(350, "RNFR another");
            client.expect(250, "RNTO file");
            tells(&mut client, 0);
        }
        assert_eq!(client.store(line, &content), 226);
        tells(&mut client, 0);
        let appended = if line.starts_with("APPE") { "another".len() } else { 0 };
        assert_eq!(held(&served), ((2 * MIB + appended) as u64, 0));
    }
}

#[test]
fn what_was_cut_is_removed_by_its_name() {
    let served = Served::new();
    let content = content(MIB);
    let mut client = left(&served, "file", &content);
    let told = client.expect(250, "DELE file");
    assert_eq!(told, "250 /file is removed; it was an upload that had been cut.");
    client.expect(550, "SIZE file");
    client.expect(550, "DELE file");
    assert_eq!(held(&served), (0, 0));

    // A file, and an upload in its place that was cut.
    assert_eq!(client.store("STOR file", b"old"), 226);
    cut(&served, "STOR file", &content);
    let told = format!("\n {MIB} bytes of that are in uploads that were cut.");
    until("what came is kept", || client.expect(200, "SITE QUOTA").contains(&told));
    client.expect(250, "DELE file");
    assert_eq!(held(&served), (0, 0));
    client.expect(550, "SIZE file");
    let writes = served.node.records("write");
    let given_up = writes.iter().filter(|it| {
        it["outcome"] == "cut"
            && it["detail"].as_str().is_some_and(|it| it.starts_with("upload 01"))
    });
    assert_eq!(given_up.count(), 2, "{writes:?}");
}

#[test]
fn a_file_that_is_removed_leaves_an_upload_in_pieces_to_its_sender() {
    let served = Served::new();
    let browser: Session = served.node.block_on(async {
        let credentials = Credentials::password("alice", password("alice"));
        let origin = Origin::new("http", Peer::Local);
        served.node.gate().login(&credentials, origin).await.expect("a login")
    });
    let mut client = served.logged_in("alice");
    client.binary();
    assert_eq!(client.store("STOR film", b"old"), 226);
    let content = content(2 * MIB);
    let kept = served.node.block_on(async {
        let mut upload = browser.upload(&path("film"), Default::default()).await?;
        upload.annotate("a note").await?;
        upload.write(&content[..MIB]).await?;
        upload.keep().await
    });
    let id = kept.expect("a piece");
    // As a mirror does that replaces it.
    client.expect(250, "DELE film");
    assert_eq!(client.store("STOR film", b"new"), 226);
    client.expect(250, "DELE film");
    let whole = served.node.block_on(async {
        let mut upload = browser.resume(&path("film"), id).await?;
        upload.write(&content[MIB..]).await?;
        upload.commit().await
    });
    assert_eq!(whole.expect("a file").meta.size, 2 * MIB as u64);
    assert_eq!(held(&served), (2 * MIB as u64, 0));
}

#[test]
fn what_another_account_left_is_its_own() {
    let served = Served::new();
    served.node.share("team");
    for name in ["alice", "bob"] {
        served.node.grant(name, "/shared/team", "read,list,write,delete");
    }
    let content = content(MIB);
    let mut alice = left(&served, "/shared/team/file", &content);
    let mut bob = served.logged_in("bob");
    bob.binary();
    bob.expect(550, "DELE /shared/team/file");
    assert_eq!(bob.store("STOR /shared/team/file", b"bob's"), 226);
    bob.expect(250, "DELE /shared/team/file");
    assert_eq!(alice.ask("SIZE /shared/team/file"), [format!("213 {MIB}")]);
    assert_eq!(alice.store("APPE /shared/team/file", b"the end"), 226);
    assert_eq!(alice.ask("SIZE /shared/team/file"), [format!("213 {}", MIB + 7)]);
}
