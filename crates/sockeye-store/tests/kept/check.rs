//! What a crash or a hand beside the server leaves is found and mended.

use std::fs;

use sockeye_store::{Amount, Home};

use crate::{Kept, is_there, keeping, noise, path, soon};

#[tokio::test]
async fn what_was_changed_beside_the_server_is_found_and_counted() {
    let kept = Kept::plain();
    kept.put("a", &noise(10)).await.unwrap();
    fs::write(kept.at("files/b"), "12345").unwrap();
    let report = soon(kept.home.check(false)).await.unwrap();
    assert!(!report.is_sound());
    assert_eq!(report.recorded.unwrap().files, Amount::entry(10));
    assert_eq!(report.counted.files, Amount { bytes: 15, entries: 2 });
    assert_eq!(kept.files().await, Amount::entry(10), "looking changes nothing");
    assert!(soon(kept.home.check(true)).await.unwrap().repaired);
    assert_eq!(kept.files().await, Amount { bytes: 15, entries: 2 });
    assert!(soon(kept.home.check(false)).await.unwrap().is_sound());
    let kept = kept.reopened(keeping());
    assert!(soon(kept.home.check(false)).await.unwrap().is_sound(), "it was written down");
}

/// A home as a crash would leave it at the worst moments.
async fn crashed() -> Kept {
    let kept = Kept::plain();
    kept.put("replaced", b"old").await.unwrap();
    kept.put("removed", b"gone").await.unwrap();
    soon(kept.home.remove(&path("removed"), Default::default())).await.unwrap();
    let mut left = soon(kept.home.upload(&path("left"), crate::length(9))).await.unwrap();
    soon(left.write(b"123")).await.unwrap();
    soon(left.keep()).await.unwrap();
    let Kept { dir, home } = kept;
    drop(home);
    let at = |path: &str| dir.path().join("home").join(path);
    fs::remove_file(at("usage")).unwrap();
    // Between linking the old file and renaming the new one over it.
    let grave = "01JD7YV3W8Z6T1Q2R4S5K9X0AB~replaced";
    fs::hard_link(at("files/replaced"), at("trash").join(grave)).unwrap();
    fs::write(at("trash/01JD7YV3W8Z6T1Q2R4S5K9X0AC.path"), "of nothing").unwrap();
    // Before its plan was written; a plan torn; a plan alone; a tree half copied.
    fs::write(at("partials/01JD7YV3W8Z6T1Q2R4S5K9X0AD"), "data").unwrap();
    fs::write(at("partials/01JD7YV3W8Z6T1Q2R4S5K9X0AE"), "data").unwrap();
    fs::write(at("partials/01JD7YV3W8Z6T1Q2R4S5K9X0AE.plan"), "sockeye part").unwrap();
    fs::write(at("partials/01JD7YV3W8Z6T1Q2R4S5K9X0AF.plan"), "").unwrap();
    fs::create_dir_all(at("partials/01JD7YV3W8Z6T1Q2R4S5K9X0AG/sub")).unwrap();
    let home = Home::keep(&dir.path().join("home"), keeping()).unwrap();
    Kept { dir, home }
}

#[tokio::test]
async fn what_a_crash_left_is_told_before_it_is_mended() {
    let kept = crashed().await;
    for _ in 0..2 {
        let report = soon(kept.home.check(false)).await.unwrap();
        assert!(!report.is_sound());
        assert_eq!(report.recorded, None);
        assert_eq!((report.orphaned_partials, report.leftovers), (5, 2));
    }
    soon(kept.home.check(true)).await.unwrap();
    let report = soon(kept.home.check(false)).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
}

#[tokio::test]
async fn the_first_change_mends_what_a_crash_left() {
    let kept = crashed().await;
    kept.put("new", b"12").await.unwrap();
    assert_eq!(kept.get("replaced").await, b"old");
    assert!(!is_there(&kept.home, "removed").await);
    let space = soon(kept.home.space()).await.unwrap();
    assert_eq!(space.files, Amount { bytes: 5, entries: 2 });
    assert_eq!((space.trash, space.partials), (Amount::entry(4), Amount::entry(3)));
    assert!(soon(kept.home.check(false)).await.unwrap().is_sound());
    assert_eq!(soon(kept.home.partials()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_upload_under_way_disturbs_no_check() {
    let kept = Kept::plain();
    let mut upload = soon(kept.home.upload(&path("a"), Default::default())).await.unwrap();
    soon(upload.write(&noise(3 << 20))).await.unwrap();
    assert!(soon(kept.home.check(true)).await.unwrap().is_sound());
    soon(upload.commit()).await.unwrap();
    assert_eq!(kept.get("a").await.len(), 3 << 20);
    assert!(soon(kept.home.check(false)).await.unwrap().is_sound());
}
