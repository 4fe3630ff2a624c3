//! Things given other names.

use std::{fs, os::unix::fs::symlink};

use sockeye_store::{Amount, Error, Overwrite};

use crate::{Kept, is_there, path, soon};

async fn rename(kept: &Kept, from: &str, to: &str, over: Overwrite) -> Result<bool, Error> {
    soon(kept.home.rename(&path(from), &path(to), over)).await
}

#[tokio::test]
async fn a_file_and_a_folder_are_renamed_and_nothing_is_overwritten_by_chance() {
    let kept = Kept::plain();
    soon(kept.home.mkdir(&path("folder"))).await.unwrap();
    kept.put("a", b"a").await.unwrap();
    kept.put("b", b"bb").await.unwrap();
    assert!(!rename(&kept, "a", "folder/c", Overwrite::No).await.unwrap());
    assert!(!rename(&kept, "folder", "other", Overwrite::Yes).await.unwrap());
    assert_eq!(kept.get("other/c").await, b"a");
    assert!(matches!(rename(&kept, "b", "other/c", Overwrite::No).await, Err(Error::Exists)));
    assert!(matches!(rename(&kept, "b", "other", Overwrite::No).await, Err(Error::Exists)));
    assert!(matches!(rename(&kept, "a", "b", Overwrite::Yes).await, Err(Error::NotFound)));
    assert!(matches!(rename(&kept, "b", "no/b", Overwrite::Yes).await, Err(Error::NoParent)));
    assert!(!rename(&kept, "b", "b", Overwrite::No).await.unwrap());
    assert_eq!(kept.files().await, Amount { bytes: 3, entries: 3 });
}

#[tokio::test]
async fn what_is_overwritten_goes_to_the_trash() {
    let kept = Kept::plain();
    soon(kept.home.mkdir(&path("folder"))).await.unwrap();
    for (name, bytes) in [("a", "1"), ("b", "22"), ("c", "333"), ("folder/d", "4444")] {
        kept.put(name, bytes.as_bytes()).await.unwrap();
    }
    assert!(rename(&kept, "a", "b", Overwrite::Yes).await.unwrap());
    assert_eq!(kept.get("b").await, b"1");
    // A file over a folder, and a folder over a file.
    assert!(rename(&kept, "b", "folder", Overwrite::Yes).await.unwrap());
    assert_eq!(kept.get("folder").await, b"1");
    soon(kept.home.mkdir(&path("new"))).await.unwrap();
    assert!(rename(&kept, "new", "c", Overwrite::Yes).await.unwrap());
    let trash = soon(kept.home.trash(None, 10)).await.unwrap();
    let paths: Vec<_> = trash.iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(paths, ["/b", "/folder", "/c"]);
    let space = soon(kept.home.space()).await.unwrap();
    assert_eq!(space.trash, Amount { bytes: 9, entries: 4 });
    assert_eq!(space.files, Amount { bytes: 1, entries: 2 });
}

#[tokio::test]
async fn a_folder_does_not_go_into_itself() {
    let kept = Kept::plain();
    for folder in ["a", "a/b"] {
        soon(kept.home.mkdir(&path(folder))).await.unwrap();
    }
    for (from, to) in [("a", "a/b/c"), ("a/b", "a"), ("", "x"), ("a", "")] {
        for over in [Overwrite::No, Overwrite::Yes] {
            let refused = rename(&kept, from, to, over).await;
            assert!(matches!(refused, Err(Error::IntoItself)), "{from} to {to}");
        }
    }
    symlink("a", kept.at("files/link")).unwrap();
    let refused = rename(&kept, "a", "link/b/c", Overwrite::No).await;
    assert!(matches!(refused, Err(Error::IntoItself)));
}

#[tokio::test]
async fn a_link_is_renamed_itself() {
    let kept = Kept::plain();
    kept.put("a", b"content").await.unwrap();
    symlink("a", kept.at("files/link")).unwrap();
    rename(&kept, "link", "moved", Overwrite::No).await.unwrap();
    assert_eq!(fs::read_link(kept.at("files/moved")).unwrap().to_str(), Some("a"));
    assert!(is_there(&kept.home, "a").await);
    rename(&kept, "a", "moved", Overwrite::Yes).await.unwrap();
    assert_eq!(kept.get("moved").await, b"content");
}
