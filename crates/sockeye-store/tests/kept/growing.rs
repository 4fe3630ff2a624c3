//! Uploads under way, as those see them who watch them come.

use sockeye_store::{Home, Kind, Name, UploadOptions};

use crate::{Kept, is_there, keeping, path, soon};

fn sizes(home: &Home, folder: &str) -> Vec<(String, u64)> {
    let told = home.growing_in(&path(folder));
    let text = |name: &Name| String::from_utf8(name.as_bytes().to_vec()).unwrap();
    told.iter().map(|(name, meta)| (text(name), meta.size)).collect()
}

#[tokio::test]
async fn an_upload_is_seen_to_grow_until_it_is_a_file() {
    let mut durable = keeping();
    durable.durability = sockeye_store::Durability::Sync;
    for kept in [Some(Kept::new(durable)), Kept::in_memory(keeping())].into_iter().flatten() {
        let home = &kept.home;
        soon(home.mkdir(&path("in"))).await.unwrap();
        let mut upload = soon(home.upload(&path("in/a"), UploadOptions::default())).await.unwrap();
        assert_eq!(home.growing(&path("in/a")).map(|meta| meta.size), Some(0));
        // Also what is not on the disk yet.
        for (piece, sum) in [(3, 3), (100, 103), (400_000, 400_103)] {
            soon(upload.write(&vec![b'x'; piece])).await.unwrap();
            let meta = home.growing(&path("in/a")).unwrap();
            assert_eq!((meta.kind, meta.size), (Kind::File, sum));
        }
        assert_eq!(sizes(home, "in"), [("a".to_owned(), 400_103)]);
        assert!(sizes(home, "").is_empty() && sizes(home, "in/a").is_empty());
        assert!(home.growing(&path("in")).is_none() && !is_there(home, "in/a").await);
        soon(upload.commit()).await.unwrap();
        assert!(home.growing(&path("in/a")).is_none() && is_there(home, "in/a").await);
    }
}

#[tokio::test]
async fn what_nobody_is_at_does_not_grow() {
    let kept = Kept::plain();
    let home = &kept.home;
    let mut upload = soon(home.upload(&path("a"), UploadOptions::default())).await.unwrap();
    soon(upload.write(&vec![b'x'; 2 << 20])).await.unwrap();
    let id = soon(upload.keep()).await.unwrap();
    assert!(home.growing(&path("a")).is_none());
    let mut upload = soon(home.resume(id)).await.unwrap();
    assert_eq!(sizes(home, ""), [("a".to_owned(), 2 << 20)]);
    soon(upload.rewind(1 << 20)).await.unwrap();
    assert_eq!(sizes(home, ""), [("a".to_owned(), 1 << 20)]);
    soon(upload.abort()).await.unwrap();
    assert!(sizes(home, "").is_empty());
    drop(soon(home.upload(&path("b"), UploadOptions::default())).await.unwrap());
    assert!(sizes(home, "").is_empty());
}

#[tokio::test]
async fn of_two_uploads_of_one_name_the_later_is_seen() {
    let kept = Kept::plain();
    let home = &kept.home;
    let mut first = soon(home.upload(&path("a"), UploadOptions::default())).await.unwrap();
    let mut second = soon(home.upload(&path("a"), UploadOptions::default())).await.unwrap();
    soon(first.write(b"first")).await.unwrap();
    soon(second.write(b"2")).await.unwrap();
    assert_eq!(sizes(home, ""), [("a".to_owned(), 1)]);
    assert_eq!(home.growing(&path("a")).map(|meta| meta.size), Some(1));
    soon(second.abort()).await.unwrap();
    assert_eq!(sizes(home, ""), [("a".to_owned(), 5)]);
}
