//! Things copied, and moved from one home to another.

use std::{fs, os::unix::fs::symlink};

use sockeye_store::{Amount, Error, Overwrite, Quota, Timestamp};

use crate::{Kept, is_there, keeping, noise, path, soon};

/// A folder with a file, a folder with a file in it, a link and a FIFO.
async fn tree(kept: &Kept) {
    soon(kept.home.mkdir(&path("tree"))).await.unwrap();
    soon(kept.home.mkdir(&path("tree/sub"))).await.unwrap();
    kept.put("tree/a", &noise(700_000)).await.unwrap();
    kept.put("tree/sub/b", b"bb").await.unwrap();
    symlink("sub/b", kept.at("files/tree/link")).unwrap();
    // What was made beside the home is counted when it is checked.
    soon(kept.home.check(true)).await.unwrap();
}

const TREE: Amount = Amount { bytes: 700_002, entries: 5 };

async fn is_sound(kept: &Kept) {
    let report = soon(kept.home.check(false)).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
}

#[tokio::test]
async fn a_file_is_copied_with_its_time_and_mode() {
    use std::os::unix::fs::PermissionsExt;
    let kept = Kept::plain();
    kept.put("a", &noise(300_000)).await.unwrap();
    let then = Timestamp { seconds: 1_000_000_000, nanos: 1 };
    soon(kept.home.set_times(&path("a"), then)).await.unwrap();
    soon(kept.home.set_mode(&path("a"), 0o640)).await.unwrap();
    let copy =
        async |from, to, over| soon(kept.home.copy(&path(from), &kept.home, &path(to), over)).await;
    let copied = copy("a", "b", Overwrite::No).await.unwrap();
    assert_eq!(copied.amount, Amount::entry(300_000));
    assert!(kept.get("b").await == noise(300_000));
    let meta = fs::metadata(kept.at("files/b")).unwrap();
    assert_eq!(meta.permissions().mode() & 0o7777, 0o640);
    assert_eq!(soon(kept.home.stat(&path("b"))).await.unwrap().modified, then);
    assert!(matches!(copy("a", "b", Overwrite::No).await, Err(Error::Exists)));
    assert!(copy("a", "b", Overwrite::Yes).await.unwrap().replaced);
    assert!(matches!(copy("no", "b", Overwrite::Yes).await, Err(Error::NotFound)));
    assert!(matches!(copy("a", "no/b", Overwrite::Yes).await, Err(Error::NoParent)));
    assert_eq!(kept.files().await, Amount { bytes: 600_000, entries: 2 });
    is_sound(&kept).await;
}

#[tokio::test]
async fn a_folder_is_copied_with_all_in_it_and_its_links_as_links() {
    let kept = Kept::plain();
    tree(&kept).await;
    rustix::fs::mknodat(
        rustix::fs::CWD,
        kept.at("files/tree/fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    soon(kept.home.check(true)).await.unwrap();
    let copy =
        async |from, to, over| soon(kept.home.copy(&path(from), &kept.home, &path(to), over)).await;
    assert_eq!(copy("tree", "copy", Overwrite::No).await.unwrap().amount, TREE);
    assert!(kept.get("copy/a").await == noise(700_000));
    assert_eq!(kept.get("copy/link").await, b"bb");
    assert_eq!(fs::read_link(kept.at("files/copy/link")).unwrap().to_str(), Some("sub/b"));
    assert!(!is_there(&kept.home, "copy/fifo").await);
    assert!(matches!(copy("tree", "copy", Overwrite::No).await, Err(Error::Exists)));
    assert!(matches!(copy("tree", "tree/sub/x", Overwrite::No).await, Err(Error::IntoItself)));
    // A folder over a folder, a folder over a file, a file over a folder.
    assert!(copy("tree/sub", "copy", Overwrite::Yes).await.unwrap().replaced);
    assert!(!is_there(&kept.home, "copy/a").await);
    assert!(copy("tree/sub", "copy/b", Overwrite::Yes).await.unwrap().replaced);
    assert!(copy("tree/a", "copy", Overwrite::Yes).await.unwrap().replaced);
    assert!(matches!(copy("tree/a", "tree/sub", Overwrite::No).await, Err(Error::Exists)));
    assert_eq!(fs::read_dir(kept.at("partials")).unwrap().count(), 0);
    is_sound(&kept).await;
}

#[tokio::test]
async fn a_copy_that_does_not_fit_leaves_nothing() {
    let kept = Kept::plain();
    tree(&kept).await;
    let used = soon(kept.home.space()).await.unwrap();
    kept.home.set_quota(Quota { bytes: Some(used.bytes + 700_001), entries: None }).unwrap();
    let refused =
        soon(kept.home.copy(&path("tree"), &kept.home, &path("copy"), Overwrite::No)).await;
    assert!(matches!(refused, Err(Error::OverQuota { .. })));
    assert!(!is_there(&kept.home, "copy").await);
    assert_eq!(fs::read_dir(kept.at("partials")).unwrap().count(), 0);
    assert_eq!(soon(kept.home.space()).await.unwrap().bytes, used.bytes);
    is_sound(&kept).await;
}

#[tokio::test]
async fn between_homes_what_is_moved_is_counted_where_it_is() {
    let on_disk = (Kept::plain(), Kept::plain());
    let apart = Kept::in_memory(keeping()).map(|there| (Kept::plain(), there));
    for (here, there) in [Some(on_disk), apart].into_iter().flatten() {
        tree(&here).await;
        soon(there.home.mkdir(&path("x"))).await.unwrap();
        there.home.set_quota(Quota { bytes: Some(700_001), entries: None }).unwrap();
        let rename = async |over| {
            soon(here.home.rename_to(&path("tree"), &there.home, &path("x"), over)).await
        };
        assert!(matches!(rename(Overwrite::Yes).await, Err(Error::OverQuota { .. })));
        there.home.set_quota(Quota::default()).unwrap();
        assert!(matches!(rename(Overwrite::No).await, Err(Error::Exists)));
        assert!(rename(Overwrite::Yes).await.unwrap());
        assert!(!is_there(&here.home, "tree").await);
        assert!(there.get("x/a").await == noise(700_000));
        assert_eq!(there.get("x/link").await, b"bb");
        assert_eq!(there.files().await, TREE);
        assert_eq!(here.files().await, Amount::default());
        is_sound(&here).await;
        is_sound(&there).await;
    }
}

#[tokio::test]
async fn homes_that_move_things_to_each_other_do_not_wait_for_each_other() {
    let (here, there) = (Kept::plain(), Kept::plain());
    here.put("a", b"1").await.unwrap();
    there.put("b", b"22").await.unwrap();
    let back_and_forth = async |from: &Kept, to: &Kept, name: &str| {
        for _ in 0..50 {
            let path = path(name);
            soon(from.home.rename_to(&path, &to.home, &path, Overwrite::Yes)).await.unwrap();
            soon(to.home.rename_to(&path, &from.home, &path, Overwrite::Yes)).await.unwrap();
        }
    };
    tokio::join!(back_and_forth(&here, &there, "a"), back_and_forth(&there, &here, "b"));
    assert_eq!(here.files().await, Amount::entry(1));
    assert_eq!(there.files().await, Amount::entry(2));
}
