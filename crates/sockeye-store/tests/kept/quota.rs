//! The quota: exact, whoever races.

use std::sync::Arc;

use sockeye_store::{Amount, Error, Quota, UploadOptions};

use crate::{Kept, keeping, length, noise, path, soon};

fn bytes(most: u64) -> Quota {
    Quota { bytes: Some(most), entries: None }
}

fn limited(quota: Quota) -> sockeye_store::Keeping {
    let mut keeping = keeping();
    keeping.quota = quota;
    keeping
}

#[tokio::test]
async fn the_last_byte_fits_and_one_more_is_refused_before_it_is_sent() {
    let kept = Kept::new(limited(bytes(100)));
    kept.put("a", &noise(60)).await.unwrap();
    let refused = soon(kept.home.upload(&path("b"), length(41))).await;
    let Err(Error::OverQuota(short)) = refused else { panic!("it has no room") };
    assert_eq!(short.lacking(), Amount { bytes: 1, entries: 0 });
    assert_eq!((short.used.bytes, short.needed.bytes), (60, 41));
    kept.put("b", &noise(40)).await.unwrap();
    let mut unannounced =
        soon(kept.home.upload(&path("c"), UploadOptions::default())).await.unwrap();
    assert!(matches!(soon(unannounced.write(b"1")).await, Err(Error::OverQuota { .. })));
    soon(unannounced.commit()).await.unwrap();
    assert_eq!(kept.files().await, Amount { bytes: 100, entries: 3 });
    kept.home.set_quota(bytes(101)).unwrap();
    kept.put("d", b"1").await.unwrap();
}

#[tokio::test]
async fn entries_are_counted_too() {
    let kept = Kept::new(limited(Quota { bytes: None, entries: Some(2) }));
    soon(kept.home.mkdir(&path("a"))).await.unwrap();
    kept.put("a/b", b"").await.unwrap();
    assert!(matches!(soon(kept.home.mkdir(&path("c"))).await, Err(Error::OverQuota { .. })));
    assert!(matches!(kept.put("c", b"").await, Err(Error::OverQuota { .. })));
    soon(kept.home.remove(&path("a/b"), Default::default())).await.unwrap();
    kept.put("c", b"").await.unwrap();
}

#[tokio::test]
async fn the_trash_gives_way_to_what_does_not_need_the_limit_that_was_lowered() {
    // Bytes are over, and entries at their limit: a folder needs an entry alone.
    let kept = Kept::new(keeping());
    kept.put("large", &noise(50)).await.unwrap();
    kept.put("old", b"").await.unwrap();
    soon(kept.home.remove(&path("old"), Default::default())).await.unwrap();
    kept.home.set_quota(Quota { bytes: Some(10), entries: Some(2) }).unwrap();
    soon(kept.home.mkdir(&path("folder"))).await.unwrap();
    assert_eq!(soon(kept.home.space()).await.unwrap().trash, Amount::default());
    let refused = soon(kept.home.mkdir(&path("another"))).await.unwrap_err();
    let told = "over quota: quota 2 files and folders, used 2, this needs at least 1";
    assert_eq!(refused.to_string(), told);

    // Entries are over, and bytes at their limit: what goes on with an upload has its entry.
    let kept = Kept::new(keeping());
    kept.put("old", &noise(50)).await.unwrap();
    soon(kept.home.remove(&path("old"), Default::default())).await.unwrap();
    for name in ["a", "b"] {
        soon(kept.home.mkdir(&path(name))).await.unwrap();
    }
    let options = UploadOptions::default();
    let mut upload = soon(kept.home.upload(&path("film"), options)).await.unwrap();
    soon(upload.write(&noise(30))).await.unwrap();
    let id = soon(upload.keep()).await.unwrap();
    kept.home.set_quota(Quota { bytes: Some(80), entries: Some(1) }).unwrap();
    let mut upload = soon(kept.home.resume(id)).await.unwrap();
    soon(upload.write(&noise(50))).await.unwrap();
    soon(upload.commit()).await.unwrap();
    let space = soon(kept.home.space()).await.unwrap();
    assert_eq!((space.trash, space.files.bytes), (Amount::default(), 80));
}

#[tokio::test]
async fn sixty_four_writers_who_race_never_pass_it() {
    const MOST: u64 = 1_000_000;
    for kept in [Some(Kept::new(limited(bytes(MOST)))), Kept::in_memory(limited(bytes(MOST)))] {
        let Some(kept) = kept else { continue };
        let kept = Arc::new(kept);
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..64_usize {
            let kept = Arc::clone(&kept);
            writers.spawn(async move {
                let mut refused = 0;
                for round in 0..8 {
                    let size = 1000 + writer * 37 + round * 911;
                    let name = format!("{writer}-{round}");
                    // Half of them announce their length.
                    let result = if writer % 2 == 0 {
                        kept.put(&name, &noise(size)).await.map(drop)
                    } else {
                        unannounced(&kept, &name, size).await
                    };
                    assert!(kept.home.space().await.unwrap().bytes <= MOST);
                    match result {
                        Ok(()) => {}
                        Err(Error::OverQuota { .. }) => refused += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
                refused
            });
        }
        let refused: u32 = soon(writers.join_all()).await.into_iter().sum();
        assert!(refused > 0, "there was room for all");
        let space = kept.home.space().await.unwrap();
        assert_eq!(space.reserved, Amount::default());
        let on_disk: u64 = std::fs::read_dir(kept.at("files"))
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum();
        assert_eq!(space.files.bytes, on_disk);
        assert!(MOST - on_disk < 1000 + 64 * 37 + 8 * 911, "much room was left: {on_disk}");
    }
}

async fn unannounced(kept: &Kept, name: &str, size: usize) -> sockeye_store::Result<()> {
    let mut upload = soon(kept.home.upload(&path(name), UploadOptions::default())).await?;
    let bytes = noise(size);
    for piece in bytes.chunks(500) {
        soon(upload.write(piece)).await?;
    }
    soon(upload.commit()).await.map(drop)
}

#[tokio::test]
async fn the_oldest_trash_goes_before_a_write_is_refused() {
    let kept = Kept::new(limited(bytes(100)));
    for (name, size) in [("old", 30), ("new", 30), ("live", 30)] {
        kept.put(name, &noise(size)).await.unwrap();
    }
    for name in ["old", "new"] {
        soon(kept.home.remove(&path(name), Default::default())).await.unwrap();
    }
    kept.put("more", &noise(30)).await.unwrap();
    let left = soon(kept.home.trash(None, 10)).await.unwrap();
    assert_eq!(left.iter().map(|entry| entry.path.to_string()).collect::<Vec<_>>(), ["/new"]);
    // What cannot fit anyway costs nothing.
    assert!(matches!(kept.put("most", &noise(90)).await, Err(Error::OverQuota { .. })));
    assert_eq!(soon(kept.home.trash(None, 10)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_home_that_was_not_closed_is_counted_again() {
    let kept = Kept::plain();
    kept.put("a", &noise(10)).await.unwrap();
    assert!(!kept.at("usage").exists(), "it says what is no longer so");
    let kept = kept.reopened(keeping());
    assert!(kept.at("usage").exists());
    assert_eq!(kept.files().await, Amount::entry(10));
    // As after a crash: nothing is written down, and things have changed.
    std::fs::remove_file(kept.at("usage")).unwrap();
    std::fs::write(kept.at("files/b"), "12345").unwrap();
    let kept = kept.reopened(keeping());
    assert_eq!(kept.files().await, Amount { bytes: 15, entries: 2 });
}
