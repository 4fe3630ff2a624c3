//! Locks, which keep others off whatever they do, and whoever comes first.

use std::{sync::Arc, time::Duration};

use sockeye_store::{
    Claim, Error, Home, Lock, LockDepth, LockRequest, LockScope, Overwrite, Recursive, Result,
    Timestamp,
};

use crate::{Pair, path, put, soon};

fn request(scope: LockScope, depth: LockDepth) -> LockRequest {
    let timeout = Duration::from_secs(3600);
    LockRequest { scope, depth, holder: "alice".into(), owner: "".into(), timeout }
}

async fn lock(home: &Home, at: &str, scope: LockScope, depth: LockDepth) -> Result<Lock> {
    soon(home.lock(&path(at), request(scope, depth))).await
}

async fn exclusively(home: &Home, at: &str, depth: LockDepth) -> Result<Lock> {
    lock(home, at, LockScope::Exclusive, depth).await
}

/// The home for who submits the locks' tokens.
fn with(home: &Home, holder: &str, locks: &[&Lock]) -> Home {
    let tokens = locks.iter().map(|lock| lock.token).collect();
    home.clone().claiming(Some(Arc::new(Claim { holder: holder.into(), tokens })))
}

/// Everything that changes `a/file` or its name, and whether it is done.
async fn changes(home: &Home) -> Vec<(&'static str, bool)> {
    let (file, other) = (path("a/file"), path("other"));
    let done = |result: Result<()>| match result {
        Ok(()) => true,
        Err(Error::Locked { .. }) => false,
        Err(error) => panic!("{error}"),
    };
    let mut all = Vec::new();
    all.push(("put", done(put(home, "a/file", b"new").await.map(drop))));
    let at = Timestamp { seconds: 1, nanos: 0 };
    all.push(("times", done(soon(home.set_times(&file, at)).await.map(drop))));
    all.push(("mode", done(soon(home.set_mode(&file, 0o600)).await.map(drop))));
    all.push(("properties", done(soon(home.set_properties(&file, Vec::new())).await)));
    let onto = soon(home.copy(&other, home, &file, Overwrite::Yes)).await;
    all.push(("copy onto", done(onto.map(drop))));
    let onto = soon(home.copy(&path("folder"), home, &path("a"), Overwrite::Yes)).await;
    let replaced = done(onto.map(drop));
    all.push(("copy onto the folder", replaced));
    if replaced {
        put(home, "a/file", b"old").await.unwrap();
    }
    let away = done(soon(home.rename(&file, &path("away"), Overwrite::No)).await.map(drop));
    all.push(("rename", away));
    if away {
        home.rename(&path("away"), &file, Overwrite::No).await.unwrap();
    }
    let removed = done(soon(home.remove(&file, Recursive::No)).await);
    all.push(("remove", removed));
    if removed {
        put(home, "a/file", b"old").await.unwrap();
    }
    all.push(("put beside", done(put(home, "a/new", b"").await.map(drop))));
    all.push(("mkdir", done(soon(home.mkdir(&path("a/folder"))).await)));
    all.push(("remove the folder", done(soon(home.remove(&path("a"), Recursive::Yes)).await)));
    all
}

async fn filled() -> Pair {
    let homes = Pair::new();
    homes.one.mkdir(&path("a")).await.unwrap();
    homes.one.mkdir(&path("folder")).await.unwrap();
    put(&homes.one, "a/file", b"old").await.unwrap();
    put(&homes.one, "other", b"").await.unwrap();
    homes
}

fn allowed(all: &[(&'static str, bool)]) -> Vec<&'static str> {
    all.iter().filter(|it| it.1).map(|it| it.0).collect()
}

#[tokio::test]
async fn a_lock_keeps_off_every_change_of_what_it_covers_and_nothing_else() {
    for (at, depth, free) in [
        ("a/file", LockDepth::Zero, &["put beside", "mkdir"][..]),
        ("a", LockDepth::Zero, &["put", "times", "mode", "properties", "copy onto"]),
        ("a", LockDepth::Infinity, &[]),
        ("", LockDepth::Infinity, &[]),
    ] {
        let homes = filled().await;
        let lock = exclusively(&homes.one, at, depth).await.unwrap();
        assert_eq!(allowed(&changes(&homes.one).await), free, "{at} {depth:?}");
        let homes = filled().await;
        drop(lock);
        let lock = exclusively(&homes.one, at, depth).await.unwrap();
        let stranger = with(&homes.one, "bob", &[&lock]);
        assert_eq!(allowed(&changes(&stranger).await), free, "{at} {depth:?}");
        let all = changes(&with(&homes.one, "alice", &[&lock])).await;
        assert!(all.iter().all(|it| it.1), "{at} {depth:?}: {all:?}");
    }
}

#[tokio::test]
async fn shared_locks_are_beside_each_other_and_exclusive_ones_alone() {
    use LockDepth::{Infinity, Zero};
    use LockScope::{Exclusive, Shared};
    let homes = filled().await;
    let one = &homes.one;
    let first = lock(one, "a/file", Shared, Zero).await.unwrap();
    let second = lock(one, "a/file", Shared, Zero).await.unwrap();
    assert_ne!(first.token, second.token);
    for (at, scope, depth) in [("a/file", Exclusive, Zero), ("a", Exclusive, Infinity)] {
        assert!(matches!(lock(one, at, scope, depth).await, Err(Error::Locked { .. })), "{at}");
    }
    lock(one, "a", Exclusive, Zero).await.unwrap();
    assert_eq!(one.locks_at(&path("a/file")).len(), 2);
    // One of those on it is enough.
    put(&with(one, "alice", &[&second]), "a/file", b"").await.unwrap();
    assert!(matches!(put(one, "a/file", b"").await, Err(Error::Locked { .. })));
    for ended in [&first, &second] {
        soon(one.unlock(&path("a/file"), "alice", ended.token)).await.unwrap();
    }
    assert!(matches!(
        soon(one.unlock(&path("a/file"), "alice", first.token)).await,
        Err(Error::NoSuchLock)
    ));
    exclusively(one, "a/file", Zero).await.unwrap();
}

#[tokio::test]
async fn a_lock_is_its_holders_and_outlives_the_server() {
    let homes = filled().await;
    let lock = exclusively(&homes.one, "a", LockDepth::Infinity).await.unwrap();
    let homes = homes.reopened();
    let one = &homes.one;
    assert_eq!(one.locks_at(&path("a/file/deep")).len(), 1);
    assert!(one.locks_at(&path("ab")).is_empty());
    assert!(matches!(put(one, "a/file", b"").await, Err(Error::Locked { .. })));
    let refused = soon(one.unlock(&path("a"), "bob", lock.token)).await;
    assert!(matches!(refused, Err(Error::Denied)), "{refused:?}");
    let refused = soon(with(one, "bob", &[&lock]).refresh(&path("a/file"), None)).await;
    assert!(matches!(refused, Err(Error::Denied)), "{refused:?}");
    let day = Duration::from_secs(1_000_000);
    let longer = soon(with(one, "alice", &[&lock]).refresh(&path("a/file"), Some(day))).await;
    assert_eq!(longer.unwrap().timeout, sockeye_store::MAX_LOCK_TIMEOUT);
    // Anywhere that it covers.
    soon(one.unlock(&path("a/file"), "alice", lock.token)).await.unwrap();
    assert!(!one.has_locks());
}

#[tokio::test]
async fn a_lock_ends_with_its_time_its_name_or_its_file() {
    let homes = filled().await;
    let (one, file) = (&homes.one, path("a/file"));
    let mut short = request(LockScope::Exclusive, LockDepth::Zero);
    short.timeout = Duration::ZERO;
    soon(one.lock(&file, short)).await.unwrap();
    put(one, "a/file", b"").await.unwrap();
    assert!(one.has_locks());
    soon(one.expire(std::time::SystemTime::now())).await.unwrap();
    assert!(!one.has_locks());
    let lock = exclusively(one, "a/file", LockDepth::Zero).await.unwrap();
    let claimed = with(one, "alice", &[&lock]);
    claimed.rename(&file, &path("b"), Overwrite::No).await.unwrap();
    assert!(one.locks_at(&file).is_empty() && one.locks_at(&path("b")).is_empty());
    let lock = exclusively(one, "b", LockDepth::Zero).await.unwrap();
    // What takes its place is locked as it was.
    let claimed = with(one, "alice", &[&lock]);
    claimed.rename(&path("other"), &path("b"), Overwrite::Yes).await.unwrap();
    assert_eq!(one.locks_at(&path("b")).len(), 1);
    claimed.remove(&path("b"), Recursive::No).await.unwrap();
    assert!(!one.has_locks());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_lock_the_same_one_succeeds_and_nobody_writes_past_it() {
    const TASKS: usize = 24;
    let homes = filled().await;
    for round in 0..4 {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..TASKS {
            let home = homes.one.clone();
            tasks.spawn(async move {
                // Some on the file, some on its folder.
                let at = if n % 3 == 0 { "a" } else { "a/file" };
                let lock = exclusively(&home, at, LockDepth::Infinity).await;
                match lock {
                    Ok(lock) => {
                        let holder = with(&home, "alice", &[&lock]);
                        put(&holder, "a/file", &[7; 100]).await.unwrap();
                        Some(lock)
                    }
                    Err(Error::Locked { .. }) => {
                        let refused = put(&home, "a/file", &[8; 100]).await;
                        assert!(matches!(refused, Err(Error::Locked { .. })), "{refused:?}");
                        None
                    }
                    Err(error) => panic!("{error}"),
                }
            });
        }
        let all = soon(tasks.join_all()).await;
        let held: Vec<_> = all.into_iter().flatten().collect();
        assert_eq!(held.len(), 1, "round {round}");
        assert_eq!(crate::get(&homes.one, "a/file").await, [7; 100]);
        soon(homes.one.unlock(&held[0].path, "alice", held[0].token)).await.unwrap();
    }
}

#[tokio::test]
async fn an_upload_that_was_begun_before_a_lock_does_not_pass_it() {
    let homes = filled().await;
    let mut upload = homes.one.upload(&path("a/file"), crate::length(3)).await.unwrap();
    upload.write(b"new").await.unwrap();
    let lock = exclusively(&homes.one, "a/file", LockDepth::Zero).await.unwrap();
    assert!(matches!(soon(upload.commit()).await, Err(Error::Locked { .. })));
    assert_eq!(crate::get(&homes.one, "a/file").await, b"old");
    put(&with(&homes.one, "alice", &[&lock]), "a/file", b"new").await.unwrap();
}
