//! A disk that fills up: what is written fails cleanly, the node is read-only while it cannot record, and recovers by
//! itself as soon as there is room.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use sockeye_accounts::{NewPassword, Quota, Role, Secret, Sqlite};
use sockeye_journal::PublicKey;
use sockeye_node::{
    Credentials, Error, Gate, Origin, Owner, Peer, Progress, Session, UploadOptions,
};
use sockeye_testkit::{
    node::open_gate,
    session::{self, path},
};

/// No wait in this test is longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Mounts a small filesystem of its own where nobody else sees it, and runs the rest of the test on it.
const MOUNT: &str = r#"mount -t tmpfs -o size=24m tmpfs "$1" && exec "$2" on_a_small_disk --exact --ignored --nocapture"#;

#[test]
fn a_full_disk_makes_a_node_read_only_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let private = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
        command.arg(folder.path()).arg(std::env::current_exe().unwrap());
        command.env("SOCKEYE_SMALL_DISK", folder.path());
        command
    };
    let possible = private(r#"mount -t tmpfs -o size=1m tmpfs "$1""#).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        // Past the test runner's capture, so that it is counted.
        let skipped = b"SKIPPED: this system lets nobody mount a filesystem of their own\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), skipped);
        return;
    }
    let output = private(MOUNT).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "runs on the disk that the other test mounts"]
fn on_a_small_disk() {
    let folder = PathBuf::from(std::env::var_os("SOCKEYE_SMALL_DISK").unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let gate = open(&folder).await;
        let alice = sign_up(&gate, "alice").await.unwrap();
        put(&alice, "/kept", &[b'k'; 1 << 20]).await.unwrap();

        // An upload that does not fit.
        let refused = put(&alice, "/large", &vec![b'l'; 40 << 20]).await;
        assert!(matches!(refused, Err(Error::NoSpace)), "{refused:?}");
        assert!(matches!(alice.stat(&path("/large")).await, Err(Error::NotFound)));
        put(&alice, "/after", b"fits").await.unwrap();

        // One that is meant to be gone on with loses no more than its end, and leaves room to others.
        let mut upload = alice.upload(&path("/later"), UploadOptions::default()).await.unwrap();
        upload.annotate("later").await.unwrap();
        let key = alice.upload_key(&path("/later"), upload.id()).unwrap();
        upload.pause().await.unwrap();
        let mut upload = alice.resume_upload(&key).await.unwrap();
        let full = loop {
            if let Err(error) = upload.write(&[b'l'; 64 << 10]).await {
                break error;
            }
        };
        assert!(matches!(full, Error::NoSpace), "{full:?}");
        let there = upload.offset();
        assert!(there > 4 << 20, "{there}");
        upload.pause().await.unwrap();
        put(&alice, "/beside", b"fits").await.unwrap();
        let Ok(Progress::Pending(left)) = alice.upload_progress(&key).await else { panic!("gone") };
        assert_eq!(left.offset, there);
        alice.drop_upload(&key).await.unwrap();

        // No room for anything.
        let filler = folder.join("filler");
        fill(&filler);
        let mut states = gate.journal().states();
        let stalled = async {
            while !gate.journal().state().is_stalled() {
                assert_eq!(get(&alice, "/kept").await.unwrap().len(), 1 << 20);
            }
        };
        tokio::time::timeout(PATIENCE, stalled).await.unwrap();
        let refused = put(&alice, "/more", b"x").await;
        assert!(matches!(refused, Err(Error::ReadOnly { .. })), "{refused:?}");
        assert_eq!(get(&alice, "/after").await.unwrap(), b"fits", "reading goes on");
        assert!(sign_up(&gate, "bob").await.is_err(), "there is no room for another account");

        // Room again.
        std::fs::remove_file(filler).unwrap();
        let writing = states.wait_for(|state| !state.is_stalled());
        tokio::time::timeout(PATIENCE, writing).await.unwrap().unwrap();
        put(&alice, "/more", b"x").await.unwrap();
        put(&sign_up(&gate, "carol").await.unwrap(), "/hers", b"c").await.unwrap();

        let account = alice.account().unwrap().unwrap();
        let home = gate.homes().get(Owner::Account(account.id)).unwrap();
        let report = home.check(false).await.unwrap();
        assert_eq!(report.recorded, Some(report.counted), "{report:?}");
        gate.finish().await;
        gate.journal().close().unwrap();
        gate.accounts().close().await.unwrap();
    });
    let journal = folder.join("journal");
    let verdict = sockeye_journal::verify(&journal, PublicKey::of_folder(&journal).unwrap(), None);
    assert!(verdict.unwrap().is_whole());
}

async fn open(folder: &Path) -> Arc<Gate> {
    // Little is kept in memory, so that it is soon known that nothing can be written.
    let settings = sockeye_journal::Settings {
        batch: sockeye_journal::Settings::LEAST_BATCH,
        ..Default::default()
    };
    let source = Sqlite::open(folder.join("sockeye.db")).await.unwrap();
    open_gate(folder, source, settings, |_, _| {})
}

async fn sign_up(gate: &Arc<Gate>, name: &str) -> Result<Session, Box<dyn std::error::Error>> {
    let secret = format!("{name} has this password");
    let password = NewPassword::Chosen(Secret::new(secret.clone()));
    gate.accounts().add(name.parse()?, Role::Member, Quota::NONE, password).await?;
    Ok(gate.login(&Credentials::password(name, secret), Origin::new("test", Peer::Local)).await?)
}

/// Fills what is left of the disk.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for piece in [1 << 20, 4096, 1] {
        let zeros = vec![0; piece];
        while file.write_all(&zeros).is_ok() {}
    }
}

async fn put(session: &Session, at: &str, content: &[u8]) -> Result<(), Error> {
    let mut upload = session.upload(&path(at), UploadOptions::default()).await?;
    for piece in content.chunks(64 << 10) {
        upload.write(piece).await?;
    }
    upload.commit().await.map(drop)
}

async fn get(session: &Session, at: &str) -> Result<Vec<u8>, Error> {
    session::read(session, &path(at), None).await
}
