//! A disk that is full: nothing half done, and room again once there is some.
//!
//! The disk is a small filesystem in memory, mounted where only a child of this test sees it.

use std::{fs, path::Path, process::Command};

use sockeye_store::{Amount, Aside, Error, GaveWay, Home, Lack, Overwrite, Recursive};

use crate::{Kept, cut::Somebody, is_there, keeping, noise, path, put, soon};

const DISK: &str = "SOCKEYE_STORE_TEST_DISK";
const MIB: usize = 1 << 20;

/// Runs the test `name` of this module again, in a namespace of its own with a disk of 8 MiB; whether that
/// can be had here.
fn on_a_small_disk(name: &str) -> bool {
    let dir = tempfile::TempDir::new().unwrap();
    let in_namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-ec", script]);
        command.env(DISK, dir.path()).env("TEST", std::env::current_exe().unwrap());
        command
    };
    let mount = format!("mount -t tmpfs -o size=8m none \"${DISK}\"");
    if !in_namespace(&mount).status().is_ok_and(|status| status.success()) {
        return false;
    }
    let run = format!("{mount}; exec \"$TEST\" --exact disk_full::{name} --ignored --nocapture");
    let output = in_namespace(&run).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{errors}");
    true
}

#[test]
fn a_full_disk_leaves_nothing_half_done() {
    if !on_a_small_disk("full_disk") {
        eprintln!("not tried: this system lets nobody mount a filesystem of their own");
    }
}

#[test]
fn an_upload_that_is_gone_on_with_loses_no_more_than_its_end_to_a_full_disk() {
    if !on_a_small_disk("full_meanwhile") {
        eprintln!("not tried: this system lets nobody mount a filesystem of their own");
    }
}

#[tokio::test]
#[ignore = "run by another test, on a small disk"]
async fn full_meanwhile() {
    let disk = std::env::var_os(DISK).unwrap();
    let dir = tempfile::TempDir::new_in(Path::new(&disk)).unwrap();
    let home = Home::keep(&dir.path().join("home"), keeping()).unwrap();
    let kept = Kept { dir, home };
    kept.put("other", &noise(4 * MIB)).await.unwrap();
    let whole = noise(6 * MIB);
    for hold in [false, true] {
        let mut upload = soon(kept.home.upload(&path("b"), Default::default())).await.unwrap();
        soon(upload.write(&whole[..MIB])).await.unwrap();
        let id = soon(upload.keep()).await.unwrap();
        let mut upload = soon(kept.home.resume(id)).await.unwrap();
        if hold {
            soon(upload.hold()).await.unwrap();
        }
        let full = loop {
            let at = usize::try_from(upload.offset()).unwrap();
            if let Err(error) = soon(upload.write(&whole[at..at + MIB / 4])).await {
                break error;
            }
        };
        assert!(matches!(full, Error::NoSpace), "{full:?}");
        if hold {
            soon(upload.forget()).await.unwrap();
            assert_eq!(upload.offset(), MIB as u64, "what counted before");
        } else {
            assert!(upload.offset() >= 2 * MIB as u64, "{}", upload.offset());
        }
        kept.put("small", &noise(MIB / 2)).await.unwrap();
        let there = upload.offset();
        drop(upload);
        soon(kept.home.remove(&path("other"), Recursive::No)).await.unwrap();
        let mut upload = soon(kept.home.resume(id)).await.unwrap();
        assert_eq!(upload.offset(), there);
        soon(upload.write(&whole[usize::try_from(there).unwrap()..])).await.unwrap();
        soon(upload.commit()).await.unwrap();
        assert!(kept.get("b").await == whole);
        assert!(soon(kept.home.check(false)).await.unwrap().is_sound());
        soon(kept.home.remove(&path("b"), Recursive::No)).await.unwrap();
        soon(kept.home.purge(sockeye_store::Purge::All)).await.unwrap();
        kept.put("other", &noise(4 * MIB)).await.unwrap();
    }
}

fn free(disk: &Path) -> u64 {
    let stat = rustix::fs::statvfs(disk).unwrap();
    stat.f_bavail * stat.f_frsize
}

#[tokio::test]
#[ignore = "run by another test, on a small disk"]
async fn full_disk() {
    let disk = std::env::var_os(DISK).unwrap();
    let disk = Path::new(&disk);
    let dir = tempfile::TempDir::new_in(disk).unwrap();
    let home = Home::keep(&dir.path().join("home"), keeping()).unwrap();
    let kept = Kept { dir, home };
    kept.put("old", &noise(3 * MIB)).await.unwrap();
    soon(kept.home.remove(&path("old"), Recursive::No)).await.unwrap();
    // The trash goes first, and the write goes on; whoever writes hears of it.
    let trash = soon(kept.home.trash(None, 10)).await.unwrap()[0].id;
    let ann = Somebody::new("ann");
    let home = kept.home.clone().changed_for(ann.clone());
    put(&home, "a", &noise(6 * MIB)).await.unwrap();
    assert_eq!(soon(kept.home.trash(None, 10)).await.unwrap(), []);
    let (what, amount) = (Aside::Trash(trash, path("old")), Amount::entry(3 * MIB as u64));
    assert_eq!(ann.heard(), [GaveWay { what, amount, lack: Lack::Disk }]);
    drop(home);
    let before = free(disk);

    let mut upload = soon(kept.home.upload(&path("b"), Default::default())).await.unwrap();
    let mut done = Ok(());
    for _ in 0..16 {
        done = done.and(soon(upload.write(&noise(MIB / 2))).await);
    }
    assert!(matches!(done, Err(Error::NoSpace | Error::GivenUp)), "{done:?}");
    assert!(soon(upload.commit()).await.is_err());
    assert!(!is_there(&kept.home, "b").await);
    let refused = soon(kept.home.copy(&path("a"), &kept.home, &path("b"), Overwrite::No)).await;
    assert!(matches!(refused, Err(Error::NoSpace)), "{refused:?}");
    let refused = kept.put("a", &noise(4 * MIB)).await;
    assert!(matches!(refused, Err(Error::NoSpace)), "{refused:?}");
    assert!(kept.get("a").await == noise(6 * MIB));
    assert_eq!(fs::read_dir(kept.at("partials")).unwrap().count(), 0);
    assert_eq!(free(disk), before, "something is left");
    assert!(soon(kept.home.check(false)).await.unwrap().is_sound());
    kept.put("small", &noise(MIB)).await.unwrap();
}
