//! Many who change one home at once: each thing is done whole or refused, and the books stay right.

use std::{fs, sync::Arc};

use sockeye_store::{
    Amount, Error, Home, Overwrite, Purge, Quota, Recursive, Result, Start, UploadOptions,
};

use crate::{Kept, keeping, noise, path, soon};

/// A generator whose numbers are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn path(&mut self) -> String {
        let depth = 1 + self.below(3);
        let names: Vec<_> = (0..depth).map(|_| ["a", "b", "c"][self.below(3)]).collect();
        names.join("/")
    }

    fn overwrite(&mut self) -> Overwrite {
        if self.below(2) == 0 { Overwrite::No } else { Overwrite::Yes }
    }
}

async fn write(home: &Home, at: &str, start: Start, size: usize) -> Result<()> {
    let mut options = UploadOptions::default();
    options.start = start;
    let mut upload = home.upload(&path(at), options).await?;
    for piece in noise(size).chunks(3000) {
        upload.write(piece).await?;
        tokio::task::yield_now().await;
    }
    upload.commit().await.map(drop)
}

async fn something(home: &Home, other: &Home, chance: &mut Chance) -> Result<()> {
    let (at, to) = (chance.path(), chance.path());
    match chance.below(14) {
        0..=3 => write(home, &at, Start::Empty, chance.below(9000)).await,
        4 => write(home, &at, Start::End, chance.below(900)).await,
        5..=6 => home.mkdir(&path(&at)).await,
        7 => home.remove(&path(&at), Recursive::Yes).await,
        8 => home.rename(&path(&at), &path(&to), chance.overwrite()).await.map(drop),
        9 => home.copy(&path(&at), home, &path(&to), chance.overwrite()).await.map(drop),
        10 => home.rename_to(&path(&at), other, &path(&to), chance.overwrite()).await.map(drop),
        11 => match home.trash(None, 3).await?.pop() {
            Some(entry) => home.restore(entry.id, None).await.map(drop),
            None => Ok(()),
        },
        12 => match home.trash(None, 3).await?.pop() {
            Some(entry) => home.purge(Purge::One(entry.id)).await.map(drop),
            None => Ok(()),
        },
        _ => {
            let mut upload = home.upload(&path(&at), UploadOptions::default()).await?;
            upload.write(&noise(chance.below(500))).await?;
            let id = upload.keep().await?;
            home.resume(id).await?.commit().await.map(drop)
        }
    }
}

/// Whether the error is one that two who work at once can give each other.
fn is_fair(error: &Error) -> bool {
    matches!(
        error,
        Error::NotFound
            | Error::NoParent
            | Error::Exists
            | Error::Changed
            | Error::WrongKind { .. }
            | Error::NotEmpty
            | Error::IntoItself
            | Error::OverQuota { .. }
            | Error::Shrunk
            | Error::Busy
    )
}

async fn change_at_once(homes: [Kept; 2], rounds: usize) {
    let most = Quota { bytes: Some(120_000), entries: Some(60) };
    for kept in &homes {
        soon(kept.home.space()).await.unwrap();
        kept.home.set_quota(most).unwrap();
    }
    let homes = Arc::new(homes);
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let homes = Arc::clone(&homes);
        workers.spawn(async move {
            let mut chance = Chance(worker);
            let mut done = 0;
            for _ in 0..rounds {
                let here = chance.below(2);
                let (home, other) = (&homes[here].home, &homes[1 - here].home);
                match soon(something(home, other, &mut chance)).await {
                    Ok(()) => done += 1,
                    Err(error) => assert!(is_fair(&error), "{error:?}"),
                }
                let space = soon(home.space()).await.unwrap();
                assert!(space.bytes <= 120_000 && space.entries <= 60, "{space:?}");
            }
            done
        });
    }
    let done: usize = workers.join_all().await.into_iter().sum();
    assert!(done > rounds, "hardly anything was done: {done}");
    for kept in homes.iter() {
        let report = soon(kept.home.check(false)).await.unwrap();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!(soon(kept.home.space()).await.unwrap().reserved, Amount::default());
        soon(kept.home.purge(Purge::All)).await.unwrap();
        assert_eq!(fs::read_dir(kept.at("trash")).unwrap().count(), 0);
        assert!(kept.home.is_unused());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_change_homes_at_once_leave_them_sound() {
    change_at_once([Kept::plain(), Kept::plain()], 60).await;
    if let (Some(here), Some(there)) = (Kept::in_memory(keeping()), Kept::in_memory(keeping())) {
        change_at_once([here, there], 120).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "soak: many rounds a minute"]
async fn soak_many_who_change_homes_at_once_leave_them_sound() {
    let rounds = usize::try_from(crate::soak(4000)).unwrap();
    change_at_once([Kept::plain(), Kept::plain()], rounds).await;
    if let (Some(here), Some(there)) = (Kept::in_memory(keeping()), Kept::in_memory(keeping())) {
        change_at_once([here, there], rounds).await;
    }
}
