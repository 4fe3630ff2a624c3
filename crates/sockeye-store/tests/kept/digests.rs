//! Digests: right whether they are known or not, and never of another version.

use std::fs;

use sockeye_store::{Algorithm, Digests, Error, Keeping, Timestamp};

use crate::{Kept, keeping, noise, path, soon};

/// A size whose digests are kept, and one whose digests are not.
const SIZES: [usize; 3] = [0, 10, 300_000];

fn keeping_digests(dir: &std::path::Path) -> Keeping {
    let mut keeping = keeping();
    keeping.digests = Some(Digests::open(&dir.join("digests.db")).unwrap());
    keeping
}

#[tokio::test]
async fn the_digest_is_that_of_the_content_whether_kept_or_not() {
    let dir = tempfile::TempDir::new().unwrap();
    for kept in [Kept::plain(), Kept::new(keeping_digests(dir.path()))] {
        for size in SIZES {
            kept.put("a", &noise(size)).await.unwrap();
            for algorithm in [Algorithm::Blake3, Algorithm::Sha256, Algorithm::Sha256] {
                let digest = soon(kept.home.digest(&path("a"), algorithm)).await.unwrap();
                assert_eq!(digest, algorithm.of(&noise(size)));
            }
            // Written beside the server: nothing that was known is believed.
            fs::write(kept.at("files/a"), noise(size + 1)).unwrap();
            let digest = soon(kept.home.digest(&path("a"), Algorithm::Blake3)).await.unwrap();
            assert_eq!(digest, Algorithm::Blake3.of(&noise(size + 1)));
        }
        soon(kept.home.mkdir(&path("folder"))).await.unwrap();
        let refused = soon(kept.home.digest(&path("folder"), Algorithm::Blake3)).await;
        assert!(matches!(refused, Err(Error::WrongKind { .. })));
        let refused = soon(kept.home.digest(&path("none"), Algorithm::Blake3)).await;
        assert!(matches!(refused, Err(Error::NotFound)));
    }
}

/// Overwrites a file's content where it lies, and sets its time back, so that its version stays.
fn falsify(kept: &Kept, name: &str, bytes: &[u8]) {
    let at = kept.at("files").join(name);
    let modified = fs::metadata(&at).unwrap().modified().unwrap();
    let file = fs::File::options().write(true).open(&at).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, bytes, 0).unwrap();
    file.set_modified(modified).unwrap();
}

#[tokio::test]
async fn what_is_known_outlives_the_server_and_a_new_time() {
    let dir = tempfile::TempDir::new().unwrap();
    let content = noise(300_000);
    let kept = Kept::new(keeping_digests(dir.path()));
    let mut options = crate::length(content.len() as u64);
    options.digest = Some(Algorithm::Sha256.of(&content));
    let mut upload = soon(kept.home.upload(&path("a"), options)).await.unwrap();
    soon(upload.write(&content)).await.unwrap();
    soon(upload.commit()).await.unwrap();
    soon(kept.home.set_times(&path("a"), Timestamp { seconds: 5, nanos: 5 })).await.unwrap();
    let Kept { dir: home_dir, home } = kept;
    drop(home);
    let home =
        sockeye_store::Home::keep(&home_dir.path().join("home"), keeping_digests(dir.path()));
    let kept = Kept { dir: home_dir, home: home.unwrap() };
    // That it is known shows in that the content is not looked at.
    falsify(&kept, "a", b"other bytes");
    for algorithm in [Algorithm::Blake3, Algorithm::Sha256] {
        let digest = soon(kept.home.digest(&path("a"), algorithm)).await.unwrap();
        assert_eq!(digest, algorithm.of(&content));
    }
}

#[tokio::test]
async fn digests_of_versions_that_are_gone_are_found_and_forgotten() {
    let dir = tempfile::TempDir::new().unwrap();
    let kept = Kept::new(keeping_digests(dir.path()));
    kept.put("a", &noise(300_000)).await.unwrap();
    kept.put("b", &noise(300_000)).await.unwrap();
    let stale = async |repair| soon(kept.home.check(repair)).await.unwrap().stale_digests;
    assert_eq!(stale(false).await, 0);
    let file = fs::File::options().write(true).open(kept.at("files/a")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    // It is in nobody's way.
    assert!(soon(kept.home.check(false)).await.unwrap().is_sound());
    assert_eq!((stale(false).await, stale(true).await, stale(false).await), (1, 1, 0));
}
