//! Listings: what stands in them, in which order, in how much memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt as _, symlink},
    },
};

use rustix::fs::{CWD, Mode};
use sockeye_store::{Entry, FilePath, Home, Kind, Listing, Opened, Order};
use tempfile::TempDir;

async fn list(home: &Home) -> Listing {
    match home.open_path(&FilePath::root()).await.unwrap() {
        Opened::Folder(folder) => folder.list(),
        Opened::File(_) => panic!("the home is a file"),
    }
}

async fn all(home: &Home) -> Vec<Entry> {
    let (mut listing, mut entries) = (list(home).await, Vec::new());
    while let Some(piece) = listing.next().await.unwrap() {
        entries.extend(piece);
    }
    Order::default().sort(&mut entries);
    entries
}

#[tokio::test]
async fn what_can_be_fetched_is_listed_and_nothing_else() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("file"), "12345").unwrap();
    fs::create_dir(at("folder")).unwrap();
    symlink("file", at("inside")).unwrap();
    symlink("/etc/passwd", at("outside")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    rustix::fs::mknodat(CWD, at("fifo"), rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
    fs::write(dir.path().join(OsStr::from_bytes(b"latin\xe9")), "").unwrap();

    fs::set_permissions(at("file"), fs::Permissions::from_mode(0o4751)).unwrap();

    let home = Home::open(dir.path()).unwrap();
    let entries = all(&home).await;
    let seen: Vec<_> = entries.iter().map(|e| (e.name.to_string(), e.kind, e.size)).collect();
    let expected = [
        ("folder", Kind::Folder, 0),
        ("file", Kind::File, 5),
        ("inside", Kind::File, 5),
        ("latin\\xE9", Kind::File, 0),
    ];
    assert_eq!(seen, expected.map(|(n, k, s)| (n.to_owned(), k, s)));
    // The link has the mode of what it leads to.
    assert_eq!((entries[1].mode, entries[2].mode), (0o751, 0o751));
}

#[tokio::test]
async fn hidden_files_are_listed_only_where_they_are_wanted() {
    let dir = TempDir::new().unwrap();
    for folder in [".git", ".well-known"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    for file in [".env", "file"] {
        fs::write(dir.path().join(file), "").unwrap();
    }
    let home = Home::open(dir.path()).unwrap();
    let names = |entries: Vec<Entry>| -> Vec<_> {
        entries.iter().map(|entry| entry.name.to_string()).collect()
    };
    assert_eq!(names(all(&home).await), [".well-known", "file"]);
    assert_eq!(names(all(&home.with_hidden()).await), [".git", ".well-known", ".env", "file"]);
}

#[tokio::test]
async fn an_empty_folder_has_an_empty_listing() {
    let dir = TempDir::new().unwrap();
    assert!(all(&Home::open(dir.path()).unwrap()).await.is_empty());
}
