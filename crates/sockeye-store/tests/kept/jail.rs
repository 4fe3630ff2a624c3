//! Nothing outside a home can be written, moved or removed, whoever swaps links for folders meanwhile.

use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::fs::{CWD, RenameFlags};
use sockeye_store::{Error, Overwrite, Recursive, Result};

use crate::{Kept, path, soon};

/// What may come of an operation on a path that is sometimes inside and sometimes leads out.
fn is_fair<T>(done: Result<T>) -> bool {
    match done {
        Ok(_) => true,
        Err(
            Error::NotFound
            | Error::NoParent
            | Error::Exists
            | Error::NotEmpty
            | Error::IntoItself
            | Error::WrongKind { .. }
            | Error::Changed
            | Error::Busy,
        ) => false,
        Err(error) => panic!("{error}"),
    }
}

/// One of everything that changes something, at a path that is being swapped.
async fn change_everything(kept: &Kept, round: usize) -> usize {
    let home = &kept.home;
    let done = [
        is_fair(kept.put("swapped/new", b"new").await),
        is_fair(soon(home.mkdir(&path("swapped/folder"))).await),
        is_fair(soon(home.set_mode(&path("swapped/precious"), 0o640)).await),
        is_fair(
            soon(home.rename(&path("swapped/new"), &path("swapped/moved"), Overwrite::Yes)).await,
        ),
        is_fair(soon(home.copy(&path("tree"), home, &path("swapped/tree"), Overwrite::Yes)).await),
        is_fair(soon(home.remove(&path("swapped/precious"), Recursive::No)).await),
        is_fair(soon(home.remove(&path("swapped/tree"), Recursive::Yes)).await),
        is_fair(soon(home.remove(&path("swapped/folder"), Recursive::No)).await),
        is_fair(kept.put("swapped/precious", b"inside").await),
    ];
    if round.is_multiple_of(100) {
        soon(home.purge(sockeye_store::Purge::All)).await.unwrap();
    }
    done.into_iter().filter(|done| *done).count()
}

fn swap_and_change(rounds: usize) {
    let kept = Kept::plain();
    let outside = kept.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    for name in ["precious", "new", "moved"] {
        fs::write(outside.join(name), "outside").unwrap();
    }
    fs::create_dir_all(kept.at("files/tree/sub")).unwrap();
    fs::create_dir(kept.at("files/swapped")).unwrap();
    symlink("../../outside", kept.at("files/other")).unwrap();
    let stop = AtomicBool::new(false);
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            let (one, other) = (kept.at("files/swapped"), kept.at("files/other"));
            while !stop.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).unwrap();
            }
        });
        let changes = scope.spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(async {
                let mut done = 0;
                for round in 0..rounds {
                    done += change_everything(&kept, round).await;
                }
                done
            })
        });
        let done = changes.join();
        stop.store(true, Ordering::Relaxed);
        done.unwrap()
    });
    assert!(done > rounds / 10, "hardly anything was done: {done}");
    let mut names: Vec<_> =
        fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["moved", "new", "precious"]);
    for name in names {
        assert_eq!(fs::read(outside.join(&name)).unwrap(), b"outside", "{name:?}");
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(outside.join(&name)).unwrap().permissions().mode() & 0o777, 0o644);
    }
}

#[test]
fn a_link_swapped_for_a_folder_leads_no_change_out() {
    swap_and_change(1_000 / 9);
}

#[test]
#[ignore = "soak: ten thousand rounds a minute"]
fn soak_a_link_swapped_ten_thousand_times_leads_no_change_out() {
    swap_and_change(usize::try_from(crate::soak(10_000)).unwrap());
}

#[tokio::test]
async fn a_link_is_removed_itself_and_what_it_leads_to_stays() {
    let kept = Kept::plain();
    let outside = kept.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "outside").unwrap();
    symlink("../../outside", kept.at("files/link")).unwrap();
    for out in ["link/precious", "link/new"] {
        let refused = soon(kept.home.remove(&path(out), Recursive::Yes)).await;
        assert!(matches!(refused, Err(Error::NotFound)), "{out}");
        assert!(matches!(kept.put(out, b"").await, Err(Error::NoParent)), "{out}");
    }
    kept.put("a", b"").await.unwrap();
    let refused = soon(kept.home.rename(&path("a"), &path("link/a"), Overwrite::Yes)).await;
    assert!(matches!(refused, Err(Error::NoParent)));
    // A tree with a link in it goes as a tree with a link in it.
    soon(kept.home.mkdir(&path("tree"))).await.unwrap();
    soon(kept.home.rename(&path("link"), &path("tree/link"), Overwrite::No)).await.unwrap();
    soon(kept.home.remove(&path("tree"), Recursive::Yes)).await.unwrap();
    soon(kept.home.purge(sockeye_store::Purge::All)).await.unwrap();
    assert_eq!(fs::read(outside.join("precious")).unwrap(), b"outside");
}

#[tokio::test]
async fn what_is_neither_file_nor_folder_is_refused_at_once() {
    let kept = Kept::plain();
    let at = |name: &str| kept.at("files").join(name);
    rustix::fs::mknodat(CWD, at("fifo"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
        .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    for name in ["fifo", "socket"] {
        let opened = soon(kept.home.open_path(&path(name))).await;
        assert!(matches!(opened, Err(Error::Special)), "{name}: {opened:?}");
    }
}
