//! Files written: whole or not at all, checked, resumed.

use std::{fs, os::unix::fs::symlink};

use sockeye_store::{Algorithm, Condition, Error, Opened, Start, Timestamp, UploadOptions};

use crate::{Kept, get, is_there, keeping, length, noise, path, soon};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_file_is_there_once_it_is_committed_and_not_before() {
    let mut durable = keeping();
    durable.durability = sockeye_store::Durability::Sync;
    let (durable, in_memory) = (Kept::new(durable), Kept::in_memory(keeping()));
    for kept in [Some(Kept::plain()), Some(durable), in_memory].into_iter().flatten() {
        let bytes = noise(3 * MIB + 7);
        let mut upload =
            soon(kept.home.upload(&path("a"), length(bytes.len() as u64))).await.unwrap();
        for piece in bytes.chunks(100_000) {
            soon(upload.write(piece)).await.unwrap();
        }
        assert_eq!(upload.offset(), bytes.len() as u64);
        assert!(!is_there(&kept.home, "a").await);
        let committed = soon(upload.commit()).await.unwrap();
        assert_eq!(committed.digest, Algorithm::Blake3.of(&bytes));
        assert!(!committed.replaced);
        assert_eq!(soon(kept.home.stat(&path("a"))).await.unwrap(), committed.meta);
        assert!(kept.get("a").await == bytes);
        assert_eq!(fs::read_dir(kept.at("partials")).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_reader_keeps_the_old_file_while_it_is_replaced() {
    let kept = Kept::plain();
    kept.put("a", b"the old one").await.unwrap();
    let Ok(Opened::File(old)) = soon(kept.home.open_path(&path("a"))).await else { panic!() };
    assert!(kept.put("a", b"a new one").await.unwrap().replaced);
    let mut bytes = [0; 11];
    soon(old.read_exact_at(&mut bytes, 0)).await.unwrap();
    assert_eq!(&bytes, b"the old one");
    assert_eq!(kept.get("a").await, b"a new one");
}

#[tokio::test]
async fn of_two_who_write_one_file_the_last_to_commit_wins_whole() {
    let kept = Kept::plain();
    let mut first = soon(kept.home.upload(&path("a"), UploadOptions::default())).await.unwrap();
    let mut second = soon(kept.home.upload(&path("a"), UploadOptions::default())).await.unwrap();
    for _ in 0..3 {
        soon(first.write(b"first ")).await.unwrap();
        soon(second.write(b"second ")).await.unwrap();
    }
    soon(second.commit()).await.unwrap();
    soon(first.commit()).await.unwrap();
    assert_eq!(kept.get("a").await, b"first first first ");
}

#[tokio::test]
async fn what_is_not_as_announced_is_not_committed() {
    let kept = Kept::plain();
    let mut upload = soon(kept.home.upload(&path("a"), length(3))).await.unwrap();
    let long = soon(upload.write(b"1234")).await;
    assert!(matches!(long, Err(Error::WrongLength { announced: 3, received: 4 })));
    soon(upload.write(b"12")).await.unwrap();
    let short = soon(upload.commit()).await;
    assert!(matches!(short, Err(Error::WrongLength { announced: 3, received: 2 })));

    for algorithm in [Algorithm::Blake3, Algorithm::Sha256] {
        for (sent, fits) in [(b"what was sent", false), (b"what is meant", true)] {
            let mut options = UploadOptions::default();
            options.digest = Some(algorithm.of(b"what is meant"));
            let mut upload = soon(kept.home.upload(&path("b"), options)).await.unwrap();
            soon(upload.write(sent)).await.unwrap();
            match soon(upload.commit()).await {
                Ok(_) => assert!(fits),
                Err(Error::WrongDigest { computed }) => {
                    assert!(!fits);
                    assert_eq!(computed, algorithm.of(sent));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(!is_there(&kept.home, "a").await);
    assert_eq!(fs::read_dir(kept.at("partials")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_condition_is_checked_when_it_counts() {
    let kept = Kept::plain();
    let with = |condition| {
        let mut options = UploadOptions::default();
        options.condition = condition;
        options
    };
    let begin = async |condition| soon(kept.home.upload(&path("a"), with(condition))).await;
    assert!(matches!(begin(Condition::Present).await, Err(Error::Changed)));
    // Both begin while nothing is there, and one comes too late.
    let late = begin(Condition::Absent).await.unwrap();
    let first = soon(begin(Condition::Absent).await.unwrap().commit()).await.unwrap();
    assert!(matches!(soon(late.commit()).await, Err(Error::Exists)));
    assert!(matches!(begin(Condition::Absent).await, Err(Error::Exists)));

    let version = first.meta.version();
    let late = begin(Condition::Is(version)).await.unwrap();
    let second = soon(begin(Condition::Is(version)).await.unwrap().commit()).await.unwrap();
    assert!(matches!(soon(late.commit()).await, Err(Error::Changed)));
    assert!(matches!(begin(Condition::Is(version)).await, Err(Error::Changed)));
    assert_ne!(second.meta.version(), version);
    soon(begin(Condition::Present).await.unwrap().commit()).await.unwrap();
    assert_eq!(fs::read_dir(kept.at("partials")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_upload_that_was_left_is_resumed_also_after_a_restart() {
    let bytes = noise(2 * MIB + 5);
    let mut options = length(bytes.len() as u64);
    options.digest = Some(Algorithm::Sha256.of(&bytes));
    let kept = Kept::plain();
    let mut upload = soon(kept.home.upload(&path("a"), options)).await.unwrap();
    soon(upload.write(&bytes[..MIB + MIB / 2])).await.unwrap();
    let id = upload.id();
    drop(upload);
    let kept = kept.reopened(keeping());
    let partial = soon(kept.home.partial_for(&path("a"))).await.unwrap().unwrap();
    assert_eq!((partial.id, partial.length), (id, Some(bytes.len() as u64)));
    let from = usize::try_from(partial.offset).unwrap();
    assert!((MIB..=MIB + MIB / 2).contains(&from));
    let space = soon(kept.home.space()).await.unwrap();
    assert_eq!((space.partials.bytes, space.partials.entries), (partial.offset, 1));

    let mut upload = soon(kept.home.resume(id)).await.unwrap();
    assert_eq!(upload.offset(), partial.offset);
    assert!(matches!(soon(kept.home.resume(id)).await, Err(Error::InUse)));
    assert!(matches!(soon(kept.home.drop_partial(id)).await, Err(Error::InUse)));
    soon(upload.write(&bytes[from..])).await.unwrap();
    let committed = soon(upload.commit()).await.unwrap();
    assert_eq!(committed.digest, Algorithm::Blake3.of(&bytes));
    assert!(kept.get("a").await == bytes);
    assert!(matches!(soon(kept.home.resume(id)).await, Err(Error::NotFound)));
    let space = soon(kept.home.space()).await.unwrap();
    assert_eq!((space.bytes, space.entries), (bytes.len() as u64, 1));
}

#[tokio::test]
async fn a_small_upload_is_kept_only_if_that_is_asked_for() {
    let kept = Kept::plain();
    let mut left = soon(kept.home.upload(&path("a"), length(9))).await.unwrap();
    soon(left.write(b"1234")).await.unwrap();
    drop(left);
    assert_eq!(soon(kept.home.partials()).await.unwrap(), []);
    let mut asked = soon(kept.home.upload(&path("a"), length(9))).await.unwrap();
    soon(asked.write(b"1234")).await.unwrap();
    let id = soon(asked.keep()).await.unwrap();
    let mut resumed = soon(kept.home.resume(id)).await.unwrap();
    assert_eq!(resumed.offset(), 4);
    soon(resumed.rewind(2)).await.unwrap();
    soon(resumed.write(b"3456789")).await.unwrap();
    let committed = soon(resumed.commit()).await.unwrap();
    assert_eq!(committed.digest, Algorithm::Blake3.of(b"123456789"));
    let dropped = soon(kept.home.upload(&path("b"), length(9))).await.unwrap();
    let id = soon(dropped.keep()).await.unwrap();
    soon(kept.home.drop_partial(id)).await.unwrap();
    assert!(matches!(soon(kept.home.drop_partial(id)).await, Err(Error::NotFound)));
    assert_eq!(fs::read_dir(kept.at("partials")).unwrap().count(), 0);
}

#[tokio::test]
async fn of_what_is_found_by_its_path_the_newest_is_kept() {
    let kept = Kept::plain();
    let left = async |at: &str, note: Option<&str>| {
        let mut upload = soon(kept.home.upload(&path(at), length(9))).await.unwrap();
        soon(upload.write(b"1234")).await.unwrap();
        if let Some(note) = note {
            soon(upload.annotate(note)).await.unwrap();
        }
        soon(upload.keep()).await.unwrap()
    };
    let (noted, elsewhere) = (left("a", Some("found by its id")).await, left("b", None).await);
    let first = left("a", None).await;
    let under_way = soon(kept.home.resume(first)).await.unwrap();
    let second = left("a", None).await;
    soon(under_way.keep()).await.unwrap();
    let ids = async || {
        let found = soon(kept.home.partials()).await.unwrap();
        found.iter().map(|partial| partial.id).collect::<Vec<_>>()
    };
    assert_eq!(ids().await, [noted, elsewhere, first, second], "what is under way stays");
    let third = left("a", None).await;
    assert_eq!(ids().await, [noted, elsewhere, third]);
    assert!(soon(kept.home.check(false)).await.unwrap().is_sound());
}

#[tokio::test]
async fn only_so_many_uploads_are_kept_and_none_that_began_with_a_copy_or_is_fleeting() {
    let mut few = keeping();
    few.partials = 1;
    let kept = Kept::new(few);
    let begin = async || soon(kept.home.upload(&path("a"), length(9))).await.unwrap();
    soon(begin().await.keep()).await.unwrap();
    let refused = soon(begin().await.keep()).await;
    assert!(matches!(refused, Err(Error::OverQuota { .. })));
    let mut large = soon(kept.home.upload(&path("b"), UploadOptions::default())).await.unwrap();
    soon(large.write(&noise(2 * MIB))).await.unwrap();
    drop(large);
    assert_eq!(soon(kept.home.partials()).await.unwrap().len(), 1);
    let mut options = UploadOptions::default();
    options.fleeting = true;
    let mut fleeting = soon(kept.home.upload(&path("b"), options)).await.unwrap();
    soon(fleeting.write(&noise(2 * MIB))).await.unwrap();
    assert!(matches!(soon(fleeting.keep()).await, Err(Error::WrongKind { .. })));
    let mut options = UploadOptions::default();
    options.start = Start::End;
    let copied = soon(kept.home.upload(&path("a"), options)).await.unwrap();
    assert!(matches!(soon(copied.keep()).await, Err(Error::WrongKind { .. })));
    assert!(soon(kept.home.check(false)).await.unwrap().is_sound());
}

#[tokio::test]
async fn a_file_is_appended_to_and_written_into() {
    for kept in [Some(Kept::plain()), Kept::in_memory(keeping())].into_iter().flatten() {
        let start = |start| {
            let mut options = UploadOptions::default();
            options.start = start;
            options
        };
        for (from, bytes, whole) in [
            (Start::End, "one", "one"),
            (Start::End, " two", "one two"),
            (Start::At(0), "ONE", "ONE two"),
            (Start::At(4), "two three", "ONE two three"),
            (Start::At(15), "!", "ONE two three\0\0!"),
        ] {
            let mut upload = soon(kept.home.upload(&path("a"), start(from))).await.unwrap();
            soon(upload.write(bytes.as_bytes())).await.unwrap();
            let committed = soon(upload.commit()).await.unwrap();
            assert_eq!(kept.get("a").await, whole.as_bytes());
            assert_eq!(committed.digest, Algorithm::Blake3.of(whole.as_bytes()), "{whole}");
        }
        // Of two who append, the second is told.
        let mut first = soon(kept.home.upload(&path("a"), start(Start::End))).await.unwrap();
        let mut second = soon(kept.home.upload(&path("a"), start(Start::End))).await.unwrap();
        soon(first.write(b"1")).await.unwrap();
        soon(second.write(b"2")).await.unwrap();
        soon(first.commit()).await.unwrap();
        assert!(matches!(soon(second.commit()).await, Err(Error::Changed)));
        assert_eq!(fs::read_dir(kept.at("partials")).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_time_and_a_mode_are_set_and_only_permission_bits() {
    use std::os::unix::fs::PermissionsExt;
    let kept = Kept::plain();
    let mut options = length(0);
    let then = Timestamp { seconds: 1_000_000_000, nanos: 5 };
    (options.modified, options.mode) = (Some(then), Some(0o7741));
    let upload = soon(kept.home.upload(&path("a"), options)).await.unwrap();
    assert_eq!(soon(upload.commit()).await.unwrap().meta.modified, then);
    let mode = || fs::metadata(kept.at("files/a")).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(), 0o741);
    assert_eq!(soon(kept.home.stat(&path("a"))).await.unwrap().mode, 0o741);
    let set = soon(kept.home.set_mode(&path("a"), 0o4000)).await.unwrap();
    assert_eq!((mode(), set.mode), (0o600, 0o600));
    let earlier = Timestamp { seconds: -5, nanos: 7 };
    assert_eq!(soon(kept.home.set_times(&path("a"), earlier)).await.unwrap().modified, earlier);
    assert_eq!(soon(kept.home.stat(&path("a"))).await.unwrap().modified, earlier);
}

#[tokio::test]
async fn names_that_cannot_be_used_are_refused_and_what_is_there_stays_readable() {
    let mut reserving = keeping();
    reserving.reserved = &["shared", "-"];
    let kept = Kept::new(reserving);
    for name in ["shared", "shared/a", "-", "-/x"] {
        let refused = kept.put(name, b"").await;
        assert!(matches!(refused, Err(Error::BadName { .. })), "{name}");
    }
    let bad = sockeye_store::FilePath::parse(b"a\xff").unwrap();
    let refused = soon(kept.home.upload(&bad, length(0))).await;
    assert!(matches!(refused, Err(Error::BadName { .. })));
    use std::os::unix::ffi::OsStrExt;
    let on_disk = kept.at("files").join(std::ffi::OsStr::from_bytes(b"a\xff"));
    fs::write(on_disk, "here").unwrap();
    assert!(matches!(soon(kept.home.open_path(&bad)).await, Ok(Opened::File(_))));
    // It can be removed, and comes back as it was.
    soon(kept.home.remove(&bad, Default::default())).await.unwrap();
    let id = soon(kept.home.trash(None, 1)).await.unwrap()[0].id;
    let elsewhere = soon(kept.home.restore(id, Some(bad.clone()))).await;
    assert!(matches!(elsewhere, Err(Error::BadName { .. })));
    assert_eq!(soon(kept.home.restore(id, None)).await.unwrap(), bad);
    assert!(matches!(soon(kept.home.open_path(&bad)).await, Ok(Opened::File(_))));
    for name in ["a b", "ü", "a\nb", "shared2", "sub-/-"] {
        if let Some((folder, _)) = name.split_once('/') {
            soon(kept.home.mkdir(&path(folder))).await.unwrap();
        }
        kept.put(name, b"1").await.unwrap();
    }
    assert!(matches!(kept.put("no/such/folder", b"").await, Err(Error::NoParent)));
    assert!(matches!(kept.put("a b/c", b"").await, Err(Error::NoParent)));
    assert!(matches!(kept.put("sub-", b"").await, Err(Error::WrongKind { .. })));
    assert!(matches!(kept.put("", b"").await, Err(Error::IntoItself)));
}

#[tokio::test]
async fn a_link_is_replaced_and_what_it_leads_to_stays() {
    let kept = Kept::plain();
    fs::write(kept.dir.path().join("outside"), "outside").unwrap();
    kept.put("inside", b"inside").await.unwrap();
    for target in ["inside", "../../outside", "nowhere"] {
        symlink(target, kept.at("files/link")).unwrap();
        kept.put("link", b"a file").await.unwrap();
        assert_eq!(kept.get("link").await, b"a file");
        soon(kept.home.remove(&path("link"), Default::default())).await.unwrap();
    }
    assert_eq!(kept.get("inside").await, b"inside");
    assert_eq!(fs::read(kept.dir.path().join("outside")).unwrap(), b"outside");
    // A folder outside is none.
    symlink("../..", kept.at("files/up")).unwrap();
    assert!(matches!(kept.put("up/new", b"").await, Err(Error::NoParent)));
    assert!(!kept.dir.path().join("new").exists());
}

#[tokio::test]
async fn a_home_that_is_only_read_is_not_changed() {
    let dir = tempfile::TempDir::new().unwrap();
    fs::write(dir.path().join("a"), "here").unwrap();
    let home = sockeye_store::Home::open(dir.path()).unwrap();
    let refused = soon(home.upload(&path("b"), length(0))).await;
    assert!(matches!(refused, Err(Error::ReadOnly)));
    let refused = soon(home.remove(&path("a"), Default::default())).await;
    assert!(matches!(refused, Err(Error::ReadOnly)));
    assert_eq!(get(&home, "a").await, b"here");
}

#[tokio::test]
async fn a_home_is_unused_once_nothing_of_it_is_left() {
    let kept = Kept::plain();
    kept.put("a", b"1").await.unwrap();
    assert!(kept.home.is_unused());
    let upload = soon(kept.home.upload(&path("a"), length(0))).await.unwrap();
    assert!(!kept.home.is_unused());
    soon(upload.commit()).await.unwrap();
    assert!(kept.home.is_unused());
    let clone = kept.home.clone();
    assert!(!kept.home.is_unused());
    drop(clone);
    assert!(kept.home.is_unused());
}

#[tokio::test]
async fn a_home_is_open_once() {
    let kept = Kept::plain();
    let again = sockeye_store::Home::keep(&kept.dir.path().join("home"), keeping()).unwrap_err();
    assert!(again.to_string().contains("open already"), "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_that_replace_nothing_take_names_beside_each_other() {
    const MANY: u32 = 20;
    let kept = Kept::plain();
    kept.put("plan.txt", b"there before").await.unwrap();
    soon(kept.home.mkdir(&path("plan (3).txt"))).await.unwrap();
    let mut uploads = tokio::task::JoinSet::new();
    for n in 0..MANY {
        let (home, mut options) = (kept.home.clone(), UploadOptions::default());
        options.condition = Condition::Beside;
        uploads.spawn(async move {
            let mut upload = home.upload(&path("plan.txt"), options).await.unwrap();
            upload.write(n.to_string().as_bytes()).await.unwrap();
            (n, upload.commit().await.unwrap())
        });
    }
    let mut numbers = Vec::new();
    for (n, done) in soon(uploads.join_all()).await {
        assert!(!done.replaced);
        numbers.push(done.number);
        let at = path("plan.txt").numbered(done.number);
        assert_eq!(
            kept.get(str::from_utf8(at.as_bytes()).unwrap()).await,
            n.to_string().as_bytes()
        );
    }
    numbers.sort_unstable();
    let expected: Vec<_> = (2..MANY + 3).filter(|n| *n != 3).collect();
    assert_eq!(numbers, expected, "each its own, and none that was taken");
    assert_eq!(kept.get("plan.txt").await, b"there before");
}
