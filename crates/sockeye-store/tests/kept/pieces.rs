//! Uploads that come in pieces: left and taken up again, with what is remembered meanwhile.

use std::os::unix::fs::FileExt;

use sockeye_store::{Algorithm, Error, Progress, UploadOptions};

use crate::{Kept, keeping, length, noise, path, soon};

const MIB: usize = 1 << 20;

fn kinds() -> impl Iterator<Item = Kept> {
    [Some(Kept::plain()), Kept::in_memory(keeping())].into_iter().flatten()
}

#[tokio::test]
async fn pieces_are_taken_up_where_they_ended_without_being_read_again() {
    for kept in kinds() {
        let bytes = noise(2 * MIB + 5);
        let upload = soon(kept.home.upload(&path("a"), length(bytes.len() as u64))).await.unwrap();
        let id = soon(upload.keep()).await.unwrap();
        let mut at = 0;
        for piece in bytes.chunks(300_000) {
            let Progress::Partial(partial) = soon(kept.home.progress(id)).await.unwrap() else {
                panic!("committed")
            };
            assert_eq!((partial.offset, partial.length), (at as u64, Some(bytes.len() as u64)));
            assert!(!partial.in_use && partial.expires > partial.modified);
            let mut upload = soon(kept.home.resume(id)).await.unwrap();
            assert_eq!(upload.offset(), at as u64);
            soon(upload.write(piece)).await.unwrap();
            at += piece.len();
            assert_eq!(soon(upload.keep()).await.unwrap(), id);
        }
        // What is on the disk is not looked at again: a change there is not noticed.
        let data = std::fs::File::options().write(true).open(kept.at(&format!("partials/{id}")));
        data.unwrap().write_all_at(b"?", 0).unwrap();
        let committed = soon(soon(kept.home.resume(id)).await.unwrap().commit()).await.unwrap();
        assert_eq!(committed.digest, Algorithm::Blake3.of(&bytes));
        let progress = soon(kept.home.progress(id)).await.unwrap();
        assert_eq!(progress, Progress::Committed(bytes.len() as u64));
        let kept = kept.reopened(keeping());
        assert!(matches!(soon(kept.home.progress(id)).await, Err(Error::NotFound)));
    }
}

#[tokio::test]
async fn what_was_left_is_read_again_after_a_restart() {
    let bytes = noise(MIB);
    let kept = Kept::plain();
    let mut upload = soon(kept.home.upload(&path("a"), UploadOptions::default())).await.unwrap();
    soon(upload.annotate("filename YQ==,x")).await.unwrap();
    soon(upload.write(&bytes[..700_000])).await.unwrap();
    let id = soon(upload.keep()).await.unwrap();
    let kept = kept.reopened(keeping());
    let Ok(Progress::Partial(partial)) = soon(kept.home.progress(id)).await else { panic!() };
    assert_eq!((partial.offset, partial.length), (700_000, None));
    assert_eq!(partial.note.as_deref(), Some("filename YQ==,x"));
    let mut upload = soon(kept.home.resume(id)).await.unwrap();
    soon(upload.write(&bytes[700_000..])).await.unwrap();
    let committed = soon(upload.commit()).await.unwrap();
    assert_eq!(committed.digest, Algorithm::Blake3.of(&bytes));
}

#[tokio::test]
async fn what_is_held_counts_only_once_it_is_said_to() {
    for kept in kinds() {
        let mut upload =
            soon(kept.home.upload(&path("a"), UploadOptions::default())).await.unwrap();
        soon(upload.write(b"sure ")).await.unwrap();
        let id = soon(upload.keep()).await.unwrap();
        let mut upload = soon(kept.home.resume(id)).await.unwrap();
        soon(upload.hold()).await.unwrap();
        soon(upload.write(&noise(MIB))).await.unwrap();
        let Ok(Progress::Partial(partial)) = soon(kept.home.progress(id)).await else { panic!() };
        assert_eq!((partial.offset, partial.in_use), (5, true));
        soon(upload.forget()).await.unwrap();
        soon(upload.hold()).await.unwrap();
        soon(upload.write(b"and ")).await.unwrap();
        soon(upload.count()).await.unwrap();
        soon(upload.hold()).await.unwrap();
        soon(upload.write(&noise(MIB))).await.unwrap();
        // As if cut: neither said to count nor taken back.
        drop(upload);
        let before = kept.home.space().await.unwrap().partials.bytes;
        let kept = kept.reopened(keeping());
        assert_eq!(kept.home.space().await.unwrap().partials.bytes, before);
        let mut upload = soon(kept.home.resume(id)).await.unwrap();
        assert_eq!(upload.offset(), 9);
        soon(upload.write(b"whole")).await.unwrap();
        // Once taken up, nothing is forgotten any more.
        let id = soon(upload.keep()).await.unwrap();
        let kept = kept.reopened(keeping());
        assert_eq!(kept.home.space().await.unwrap().partials.bytes, 14);
        let committed = soon(soon(kept.home.resume(id)).await.unwrap().commit()).await.unwrap();
        assert_eq!(committed.digest, Algorithm::Blake3.of(b"sure and whole"));
        assert_eq!(kept.home.space().await.unwrap().partials.bytes, 0);
    }
}

#[tokio::test]
async fn a_length_is_announced_later_and_once() {
    let mut small = keeping();
    small.quota.bytes = Some(100);
    let kept = Kept::new(small.clone());
    let mut upload = soon(kept.home.upload(&path("a"), UploadOptions::default())).await.unwrap();
    soon(upload.write(b"12345")).await.unwrap();
    assert!(matches!(soon(upload.announce(4)).await, Err(Error::WrongLength { .. })));
    assert!(matches!(soon(upload.announce(101)).await, Err(Error::OverQuota { .. })));
    assert_eq!(upload.length(), None);
    soon(upload.announce(10)).await.unwrap();
    soon(upload.announce(10)).await.unwrap();
    assert!(matches!(soon(upload.announce(11)).await, Err(Error::WrongLength { .. })));
    let id = soon(upload.keep()).await.unwrap();
    let kept = kept.reopened(small);
    let mut upload = soon(kept.home.resume(id)).await.unwrap();
    assert_eq!(upload.length(), Some(10));
    assert!(matches!(soon(upload.write(b"678901")).await, Err(Error::WrongLength { .. })));
    soon(upload.write(b"67890")).await.unwrap();
    soon(upload.commit()).await.unwrap();
    assert_eq!(kept.get("a").await, b"1234567890");
}

#[tokio::test]
async fn a_note_is_one_short_line() {
    let kept = Kept::plain();
    let mut upload = soon(kept.home.upload(&path("a"), UploadOptions::default())).await.unwrap();
    soon(upload.annotate(&"x".repeat(4096))).await.unwrap();
    for note in ["a\nb", "a\rb", &"x".repeat(4097)] {
        assert!(matches!(soon(upload.annotate(note)).await, Err(Error::BadName { .. })));
    }
}
