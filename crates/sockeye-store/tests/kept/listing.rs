//! Listings of a home on a disk and in memory, piece by piece.

use std::fs;

use sockeye_store::{Home, Opened};
use sockeye_testkit::soon;

use super::{Kept, keeping, path};

/// The lengths of the pieces of a folder's listing, and the names in them, in their order.
async fn pieces(home: &Home, folder: &str) -> (Vec<usize>, Vec<String>) {
    let Opened::Folder(folder) = soon(home.open_path(&path(folder))).await.unwrap() else {
        panic!("no folder")
    };
    let (mut listing, mut lengths, mut names) = (folder.list(), Vec::new(), Vec::new());
    while let Some(piece) = soon(listing.next()).await.unwrap() {
        lengths.push(piece.len());
        names.extend(piece.iter().map(|entry| entry.name.to_string()));
    }
    assert!(soon(listing.next()).await.unwrap().is_none(), "the end stays the end");
    names.sort();
    (lengths, names)
}

#[tokio::test]
async fn a_small_folder_is_one_piece_and_a_large_one_comes_in_bounded_ones() {
    for kept in [Some(Kept::plain()), Kept::in_memory(keeping())].into_iter().flatten() {
        fs::create_dir(kept.at("files/folder")).unwrap();
        let mut expected = Vec::new();
        for count in [0, 1, 255, 256, 5000] {
            for number in expected.len()..count {
                let name = format!("{number:04}");
                fs::write(kept.at(&format!("files/folder/{name}")), b"").unwrap();
                expected.push(name);
            }
            let (lengths, names) = pieces(&kept.home, "folder").await;
            assert_eq!(names, expected);
            assert!(lengths.iter().all(|length| (1..2000).contains(length)), "{lengths:?}");
            assert!(count > 256 || lengths.len() <= 1, "{count}: {lengths:?}");
        }
    }
}
