//! What is left of uploads that were cut: whose it is, what ends it, and what it gives way to.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use sockeye_store::{
    Amount, Aside, Error, GaveWay, Home, Keeping, Lack, Noted, Overwrite, PARTIAL_RESTS, PartialId,
    Principal, Progress, Purge, Recursive, Start, UploadOptions,
};

use crate::{Kept, keeping, length, noise, path, put, soon};

/// Somebody who uploads, and hears what gave way.
#[derive(Debug)]
pub(crate) struct Somebody {
    name: &'static str,
    heard: Mutex<Vec<GaveWay>>,
}

impl Somebody {
    pub(crate) fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self { name, heard: Mutex::default() })
    }

    pub(crate) fn heard(&self) -> Vec<GaveWay> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

impl Principal for Somebody {
    fn name(&self) -> Option<&str> {
        Some(self.name)
    }

    fn gave_way(&self, what: &GaveWay) {
        self.heard.lock().unwrap().push(what.clone());
    }
}

fn as_somebody(home: &Home, name: &'static str) -> Home {
    home.clone().changed_for(Somebody::new(name))
}

fn kinds() -> impl Iterator<Item = Kept> {
    [Some(Kept::plain()), Kept::in_memory(keeping())].into_iter().flatten()
}

/// Sends so much of a file and is cut.
async fn cut(home: &Home, at: &str, bytes: usize) -> PartialId {
    let mut upload = soon(home.upload(&path(at), UploadOptions::default())).await.unwrap();
    soon(upload.write(&noise(bytes))).await.unwrap();
    soon(upload.keep()).await.unwrap()
}

/// Lets an upload that was cut be as old as this.
fn age(kept: &Kept, id: PartialId, age: Duration) {
    let file = std::fs::File::open(kept.at(&format!("partials/{id}"))).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

async fn left(home: &Home) -> Vec<PartialId> {
    soon(home.partials()).await.unwrap().into_iter().map(|partial| partial.id).collect()
}

/// What the uploads that were cut take; it is what a count says.
async fn taken(kept: &Kept) -> u64 {
    let report = soon(kept.home.check(false)).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    let space = soon(kept.home.space()).await.unwrap();
    assert_eq!((space.partials, space.reserved), (report.counted.partials, Amount::default()));
    space.partials.bytes
}

fn limited(bytes: u64) -> Keeping {
    let mut keeping = keeping();
    keeping.quota.bytes = Some(bytes);
    keeping
}

#[tokio::test]
async fn a_file_that_comes_whole_ends_the_older_pieces_of_it_whichever_way_it_comes() {
    let elsewhere = Kept::plain();
    for (kept, restarted) in kinds().map(|kept| (kept, false)).chain([(Kept::plain(), true)]) {
        let mut kept = kept;
        put(&elsewhere.home, "from", b"1").await.unwrap();
        kept.put("from", b"1").await.unwrap();
        for way in
            ["upload", "appended", "copied", "copied from elsewhere", "renamed", "moved here"]
        {
            cut(&kept.home, "file", 3000).await;
            let other = cut(&kept.home, "other", 10).await;
            if restarted {
                kept = kept.reopened(keeping());
            }
            let (home, to, over) = (&kept.home, path("file"), Overwrite::Yes);
            match way {
                "upload" => drop(put(home, "file", b"whole").await.unwrap()),
                "appended" => {
                    let mut options = UploadOptions::default();
                    options.start = Start::End;
                    let upload = soon(home.upload(&to, options)).await.unwrap();
                    soon(upload.commit()).await.unwrap();
                }
                "copied" => drop(soon(home.copy(&path("from"), home, &to, over)).await.unwrap()),
                "copied from elsewhere" => {
                    soon(elsewhere.home.copy(&path("from"), home, &to, over)).await.unwrap();
                }
                "renamed" => {
                    put(home, "another", b"2").await.unwrap();
                    assert!(soon(home.rename(&path("another"), &to, over)).await.unwrap());
                }
                _ => {
                    put(&elsewhere.home, "another", b"2").await.unwrap();
                    let from = path("another");
                    let moved = elsewhere.home.rename_to(&from, home, &to, over);
                    assert!(soon(moved).await.unwrap());
                }
            }
            assert_eq!(left(home).await, [other], "{way}");
            assert_eq!(taken(&kept).await, 10, "{way}");
            soon(kept.home.drop_partial(other)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_file_that_comes_whole_leaves_what_somebody_is_at_or_has_an_address_or_is_of_another() {
    for kept in kinds() {
        let (ann, bob) = (as_somebody(&kept.home, "ann"), as_somebody(&kept.home, "bob"));
        let mut written = soon(ann.upload(&path("file"), UploadOptions::default())).await.unwrap();
        soon(written.write(&noise(2 << 20))).await.unwrap();
        let mut addressed = soon(ann.upload(&path("file"), length(9))).await.unwrap();
        soon(addressed.annotate("filename ZmlsZQ==")).await.unwrap();
        soon(addressed.write(b"12345")).await.unwrap();
        let addressed = soon(addressed.keep()).await.unwrap();
        let (of_bob, of_ann) = (cut(&bob, "file", 7).await, cut(&ann, "file", 11).await);
        let mut later = soon(ann.upload(&path("file"), UploadOptions::default())).await.unwrap();
        put(&ann, "file", b"whole").await.unwrap();
        let there = left(&ann).await;
        assert!(there.contains(&written.id()) && there.contains(&addressed), "{there:?}");
        assert!(there.contains(&of_bob) && !there.contains(&of_ann), "{there:?}");
        // All of them can be gone on with.
        soon(later.write(b"later")).await.unwrap();
        let later = soon(later.keep()).await.unwrap();
        soon(written.write(b"end")).await.unwrap();
        soon(written.commit()).await.unwrap();
        assert!(left(&ann).await.contains(&later), "what was begun after is newer than this");
        let mut upload = soon(ann.resume(addressed)).await.unwrap();
        soon(upload.write(b"6789")).await.unwrap();
        soon(upload.commit()).await.unwrap();
        assert_eq!(kept.get("file").await, b"123456789");
        put(&bob, "file", b"whole").await.unwrap();
        assert_eq!(left(&ann).await, [later]);
        put(&ann, "file", b"whole").await.unwrap();
        assert_eq!(taken(&kept).await, 0);
    }
}

#[tokio::test]
async fn whoever_begins_anew_gets_the_room_of_what_was_cut_before() {
    for announced in [true, false] {
        let kept = Kept::new(limited(1000));
        let piece = cut(&kept.home, "file", 800).await;
        let options = || if announced { length(900) } else { UploadOptions::default() };
        let refused = soon(async {
            let mut upload = kept.home.upload(&path("another"), options()).await?;
            upload.write(&noise(900)).await
        });
        let Err(Error::OverQuota(short)) = refused.await else { panic!("there is no room") };
        assert_eq!((short.used.bytes, short.cut.bytes), (800, 800));
        assert!(short.to_string().contains("800B of what is used lies in uploads that were cut"));
        assert_eq!(left(&kept.home).await, [piece], "nothing goes where it would not help");

        let mut upload = soon(kept.home.upload(&path("file"), options())).await.unwrap();
        soon(upload.write(&noise(900))).await.unwrap();
        assert!(matches!(soon(kept.home.resume(piece)).await, Err(Error::NotFound)));
        soon(upload.commit()).await.unwrap();
        assert_eq!(taken(&kept).await, 0);
        assert_eq!(soon(kept.home.space()).await.unwrap().bytes, 900);
    }
}

#[tokio::test]
async fn who_goes_on_with_an_upload_finds_it_also_where_room_is_short() {
    let kept = Kept::new(limited(1000));
    let piece = cut(&kept.home, "file", 600).await;
    age(&kept, piece, PARTIAL_RESTS * 2);
    let mut upload = soon(kept.home.resume(piece)).await.unwrap();
    // Somebody is at it: it gives way to nobody, however old it was.
    assert!(matches!(kept.put("file", &noise(500)).await, Err(Error::OverQuota { .. })));
    soon(upload.write(&noise(400))).await.unwrap();
    soon(upload.commit()).await.unwrap();
    assert_eq!(kept.files().await, Amount::entry(1000));
}

#[tokio::test]
async fn the_trash_gives_way_before_uploads_do_and_of_these_what_rested_longest() {
    let kept = Kept::new(limited(1000));
    let ann = Somebody::new("ann");
    let home = kept.home.clone().changed_for(ann.clone());
    put(&home, "gone", &noise(100)).await.unwrap();
    soon(home.remove(&path("gone"), Recursive::No)).await.unwrap();
    let trash = soon(home.trash(None, 1)).await.unwrap()[0].id;
    let (young, old, oldest) =
        (cut(&home, "a", 200).await, cut(&home, "b", 200).await, cut(&home, "c", 200).await);
    age(&kept, old, PARTIAL_RESTS + Duration::from_secs(60));
    age(&kept, oldest, PARTIAL_RESTS * 2);
    for (size, gone) in [
        (300, vec![]),
        (50, vec![(Aside::Trash(trash, path("gone")), 100)]),
        (100, vec![(Aside::Upload(oldest, path("c")), 200)]),
        (290, vec![(Aside::Upload(old, path("b")), 200)]),
    ] {
        soon(home.check_room(Some(&path("new")), size)).await.unwrap();
        put(&home, &size.to_string(), &noise(usize::try_from(size).unwrap())).await.unwrap();
        let told =
            |(what, bytes)| GaveWay { what, amount: Amount::entry(bytes), lack: Lack::Quota };
        assert_eq!(ann.heard(), gone.into_iter().map(told).collect::<Vec<_>>(), "{size}");
    }
    // What was written a moment ago stays, but for its own file.
    soon(home.check_room(None, 100)).await.unwrap();
    let refused = soon(home.check_room(Some(&path("new")), 100)).await;
    assert!(matches!(refused, Err(Error::OverQuota { .. })), "{refused:?}");
    assert!(matches!(put(&home, "new", &noise(100)).await, Err(Error::OverQuota { .. })));
    assert!(matches!(soon(home.mkdir(&path("folder"))).await, Ok(())));
    assert_eq!((left(&home).await, ann.heard()), (vec![young], vec![]));
    soon(home.check_room(Some(&path("a")), 100)).await.unwrap();
    put(&home, "a", &noise(100)).await.unwrap();
    assert_eq!(ann.heard().len(), 1);
    assert_eq!(taken(&kept).await, 0);
}

#[tokio::test]
async fn a_copy_and_a_move_make_room_as_an_upload_does() {
    let elsewhere = Kept::plain();
    soon(elsewhere.home.mkdir(&path("folder"))).await.unwrap();
    put(&elsewhere.home, "folder/file", &noise(600)).await.unwrap();
    for moved in [false, true] {
        let kept = Kept::new(limited(1000));
        let piece = cut(&kept.home, "x", 500).await;
        let (from, to) = (path("folder"), path("here"));
        let taken_in = async || {
            if moved {
                elsewhere.home.rename_to(&from, &kept.home, &to, Overwrite::No).await.map(drop)
            } else {
                elsewhere.home.copy(&from, &kept.home, &to, Overwrite::No).await.map(drop)
            }
        };
        assert!(matches!(soon(taken_in()).await, Err(Error::OverQuota { .. })));
        age(&kept, piece, PARTIAL_RESTS * 2);
        soon(taken_in()).await.unwrap();
        assert_eq!(taken(&kept).await, 0);
    }
}

#[tokio::test]
async fn of_much_that_gives_way_the_sum_is_told() {
    let kept = Kept::new(limited(1000));
    let ann = Somebody::new("ann");
    let home = kept.home.clone().changed_for(ann.clone());
    for number in 0..250 {
        let name = number.to_string();
        put(&home, &name, b"1234").await.unwrap();
        soon(home.remove(&path(&name), Recursive::No)).await.unwrap();
    }
    put(&home, "large", &noise(1000)).await.unwrap();
    let heard = ann.heard();
    assert_eq!(heard.len(), 101);
    assert!(heard[..100].iter().all(|one| matches!(one.what, Aside::Trash(..))));
    let amount = Amount { bytes: 600, entries: 150 };
    assert_eq!(heard[100], GaveWay { what: Aside::More(150), amount, lack: Lack::Quota });
}

#[tokio::test]
async fn uploads_of_one_path_are_dropped_together() {
    for kept in kinds() {
        let (ann, bob) = (as_somebody(&kept.home, "ann"), as_somebody(&kept.home, "bob"));
        let (of_ann, of_bob) = (cut(&ann, "file", 5).await, cut(&bob, "file", 7).await);
        let mut upload = soon(ann.upload(&path("file"), length(3))).await.unwrap();
        soon(upload.annotate("note")).await.unwrap();
        let addressed = soon(upload.keep()).await.unwrap();
        let beside = cut(&ann, "beside", 1).await;
        let busy = soon(ann.resume(beside)).await.unwrap();
        let dropped = async |at: &str, noted| {
            let dropped = soon(ann.drop_partials_for(&path(at), noted)).await.unwrap();
            dropped.into_iter().map(|partial| partial.id).collect::<Vec<_>>()
        };
        assert_eq!(dropped("file", Noted::Stay).await, [of_ann]);
        assert_eq!(left(&ann).await, [of_bob, addressed, beside]);
        assert_eq!(dropped("file", Noted::Go).await, [addressed]);
        assert_eq!(dropped("beside", Noted::Go).await, []);
        drop(busy);
        assert_eq!(left(&ann).await, [of_bob, beside]);
        let sender = |id| soon(kept.home.progress(id));
        let Ok(Progress::Partial(partial)) = sender(of_bob).await else { panic!() };
        assert_eq!((partial.sender.as_deref(), partial.bytes), (Some("bob"), 7));
        let before = SystemTime::now() + Duration::from_secs(60);
        let gone = soon(kept.home.drop_partials_before(before)).await.unwrap();
        assert_eq!(gone, Amount { bytes: 8, entries: 2 });
        assert_eq!(taken(&kept).await, 0);
        soon(kept.home.purge(Purge::All)).await.unwrap();
    }
}
