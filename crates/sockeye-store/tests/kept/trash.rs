//! What is removed or replaced can be had back, for a time.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use sockeye_store::{Amount, Condition, Error, Home, Kind, Purge, Recursive};

use crate::{Kept, is_there, keeping, noise, path, soon};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn what_was_removed_or_replaced_is_restored() {
    let kept = Kept::plain();
    soon(kept.home.mkdir(&path("folder"))).await.unwrap();
    soon(kept.home.mkdir(&path("folder/sub"))).await.unwrap();
    kept.put("folder/sub/100%", b"content").await.unwrap();
    kept.put("folder/sub/100%", b"newer content").await.unwrap();
    soon(kept.home.remove(&path("folder"), Recursive::Yes)).await.unwrap();
    assert!(!is_there(&kept.home, "folder").await);

    let [file, folder] = &soon(kept.home.trash(None, 10)).await.unwrap()[..] else { panic!() };
    assert_eq!((file.path.to_string(), file.kind), ("/folder/sub/100%".to_owned(), Kind::File));
    assert_eq!((file.bytes, file.entries), (7, 1));
    assert_eq!((folder.path.to_string(), folder.kind), ("/folder".to_owned(), Kind::Folder));
    assert_eq!((folder.bytes, folder.entries), (13, 3));
    assert!(folder.deleted.elapsed().unwrap() < DAY);
    let space = soon(kept.home.space()).await.unwrap();
    assert_eq!(space.trash, Amount { bytes: 20, entries: 4 });
    assert_eq!(space.files, Amount::default());
    let page = soon(kept.home.trash(Some(file.id), 10)).await.unwrap();
    assert_eq!(page, std::slice::from_ref(folder));

    // The folder is needed first.
    assert!(matches!(soon(kept.home.restore(file.id, None)).await, Err(Error::NoParent)));
    soon(kept.home.restore(folder.id, None)).await.unwrap();
    assert_eq!(kept.get("folder/sub/100%").await, b"newer content");
    assert!(matches!(soon(kept.home.restore(file.id, None)).await, Err(Error::Exists)));
    let to = soon(kept.home.restore(file.id, Some(path("old")))).await.unwrap();
    assert_eq!(to, path("old"));
    assert_eq!(kept.get("old").await, b"content");
    assert!(matches!(soon(kept.home.restore(file.id, None)).await, Err(Error::NotFound)));
    let space = soon(kept.home.space()).await.unwrap();
    assert_eq!((space.files, space.trash), (Amount { bytes: 20, entries: 4 }, Amount::default()));
}

#[tokio::test]
async fn a_long_path_is_remembered_as_well() {
    let kept = Kept::plain();
    let mut long = String::new();
    for _ in 0..3 {
        long += &"d".repeat(200);
        soon(kept.home.mkdir(&path(&long))).await.unwrap();
        long += "/";
    }
    long += "file";
    kept.put(&long, b"content").await.unwrap();
    kept.put(&long, b"newer").await.unwrap();
    soon(kept.home.remove(&path(&long), Recursive::No)).await.unwrap();
    let entries = soon(kept.home.trash(None, 10)).await.unwrap();
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry.path == path(&long)));
    soon(kept.home.restore(entries[0].id, None)).await.unwrap();
    assert_eq!(kept.get(&long).await, b"content");
    soon(kept.home.purge(Purge::One(entries[1].id))).await.unwrap();
    assert_eq!(fs::read_dir(kept.at("trash")).unwrap().count(), 0, "notes are left");
}

#[tokio::test]
async fn the_trash_is_paged_from_its_newest_to_its_oldest() {
    let kept = Kept::plain();
    for name in ["a", "b", "c"] {
        kept.put(name, b"content").await.unwrap();
        soon(kept.home.remove(&path(name), Recursive::No)).await.unwrap();
    }
    let all = soon(kept.home.trash(None, 10)).await.unwrap();
    let newest = soon(kept.home.newest_trash(None, 2, |_| true)).await.unwrap();
    assert_eq!(newest, [all[2].clone(), all[1].clone()]);
    let rest = soon(kept.home.newest_trash(Some(newest[1].id), 2, |_| true)).await.unwrap();
    assert_eq!(rest, [all[0].clone()]);
}

#[tokio::test]
async fn what_a_home_held_is_known_while_it_is_closed_and_unchanged() {
    let kept = Kept::plain();
    let dir = kept.at("");
    kept.put("a", b"12345").await.unwrap();
    kept.put("a", b"123").await.unwrap();
    assert_eq!(Home::closed_with(&dir), None, "what it holds changes");
    let Kept { home, dir: folder } = kept;
    drop(home);
    assert_eq!(Home::closed_with(&dir), Some(Amount { bytes: 8, entries: 2 }));
    assert_eq!(Home::closed_with(&folder.path().join("nowhere")), None);
}

#[tokio::test]
async fn what_is_purged_is_gone_and_gives_its_room_back() {
    let kept = Kept::plain();
    for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
        kept.put(name, &noise(number + 1)).await.unwrap();
        soon(kept.home.remove(&path(name), Recursive::No)).await.unwrap();
    }
    let ids: Vec<_> = soon(kept.home.trash(None, 10)).await.unwrap().iter().map(|e| e.id).collect();
    assert_eq!(soon(kept.home.purge(Purge::One(ids[1]))).await.unwrap(), Amount::entry(2));
    assert!(matches!(soon(kept.home.purge(Purge::One(ids[1]))).await, Err(Error::NotFound)));
    let long_ago = SystemTime::now() - DAY;
    assert!(soon(kept.home.purge(Purge::Before(long_ago))).await.unwrap().is_nothing());
    let all = soon(kept.home.purge(Purge::All)).await.unwrap();
    assert_eq!(all, Amount { bytes: 4, entries: 2 });
    assert_eq!(soon(kept.home.space()).await.unwrap().bytes, 0);
    assert_eq!(fs::read_dir(kept.at("trash")).unwrap().count(), 0);
}

#[tokio::test]
async fn old_trash_and_old_partials_expire() {
    let kept = Kept::plain();
    kept.put("a", &noise(5)).await.unwrap();
    soon(kept.home.remove(&path("a"), Recursive::No)).await.unwrap();
    let mut left = soon(kept.home.upload(&path("b"), crate::length(9))).await.unwrap();
    soon(left.write(b"123")).await.unwrap();
    soon(left.keep()).await.unwrap();
    let now = SystemTime::now();
    let expired = soon(kept.home.expire(now)).await.unwrap();
    assert!(expired.trash.is_nothing() && expired.partials.is_nothing());
    let expired = soon(kept.home.expire(now + 8 * DAY)).await.unwrap();
    assert_eq!((expired.trash, expired.partials), (Amount::default(), Amount::entry(3)));
    let expired = soon(kept.home.expire(now + 31 * DAY)).await.unwrap();
    assert_eq!(expired.trash, Amount::entry(5));
    assert_eq!(soon(kept.home.space()).await.unwrap().entries, 0);
    // A clock set back makes nothing old.
    kept.put("a", &noise(5)).await.unwrap();
    soon(kept.home.remove(&path("a"), Recursive::No)).await.unwrap();
    assert!(soon(kept.home.expire(now - 100 * DAY)).await.unwrap().trash.is_nothing());
}

#[tokio::test]
async fn without_a_trash_things_are_gone_at_once() {
    let mut without = keeping();
    without.trash_for = Duration::ZERO;
    let kept = Kept::new(without);
    soon(kept.home.mkdir(&path("folder"))).await.unwrap();
    kept.put("folder/a", &noise(5)).await.unwrap();
    kept.put("folder/a", &noise(6)).await.unwrap();
    assert_eq!(kept.files().await, Amount { bytes: 6, entries: 2 });
    kept.put("b", &noise(7)).await.unwrap();
    soon(kept.home.remove(&path("b"), Recursive::No)).await.unwrap();
    soon(kept.home.remove(&path("folder"), Recursive::Yes)).await.unwrap();
    let space = soon(kept.home.space()).await.unwrap();
    assert_eq!((space.bytes, space.entries), (0, 0));
    assert_eq!(fs::read_dir(kept.at("trash")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_that_is_not_empty_is_removed_only_on_purpose() {
    let kept = Kept::plain();
    soon(kept.home.mkdir(&path("a"))).await.unwrap();
    assert!(matches!(soon(kept.home.mkdir(&path("a"))).await, Err(Error::Exists)));
    kept.put("a/b", b"").await.unwrap();
    let refused = soon(kept.home.remove(&path("a"), Recursive::No)).await;
    assert!(matches!(refused, Err(Error::NotEmpty)));
    soon(kept.home.remove(&path("a/b"), Recursive::Yes)).await.unwrap();
    soon(kept.home.remove(&path("a"), Recursive::No)).await.unwrap();
    for missing in ["a", "a/b"] {
        let refused = soon(kept.home.remove(&path(missing), Recursive::Yes)).await;
        assert!(matches!(refused, Err(Error::NotFound)), "{missing}");
    }
    let refused = soon(kept.home.remove(&path(""), Recursive::Yes)).await;
    assert!(matches!(refused, Err(Error::IntoItself)));
}

#[tokio::test]
async fn only_the_version_that_is_meant_is_removed() {
    let kept = Kept::plain();
    let known = kept.put("a", b"1").await.unwrap().meta.version();
    let newer = kept.put("a", b"2").await.unwrap().meta.version();
    let remove =
        async |condition| soon(kept.home.remove_if(&path("a"), Recursive::Yes, condition)).await;
    for unmet in [Condition::Is(known), Condition::Absent] {
        assert!(matches!(remove(unmet).await, Err(Error::Changed)), "{unmet:?}");
    }
    remove(Condition::Is(newer)).await.unwrap();
    assert!(matches!(remove(Condition::Present).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn a_file_being_uploaded_can_be_removed_meanwhile() {
    let kept = Kept::plain();
    kept.put("a", b"old").await.unwrap();
    let mut upload = soon(kept.home.upload(&path("a"), crate::length(3))).await.unwrap();
    soon(upload.write(b"new")).await.unwrap();
    soon(kept.home.remove(&path("a"), Recursive::No)).await.unwrap();
    assert!(!soon(upload.commit()).await.unwrap().replaced);
    assert_eq!(kept.get("a").await, b"new");
}
