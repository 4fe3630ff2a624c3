//! A home that is kept: written, changed, counted and mended.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod check;
mod copy;
mod crash;
mod cut;
mod digests;
mod disk_full;
mod growing;
mod jail;
mod listing;
mod locks;
mod marks;
mod model;
mod pieces;
mod quota;
mod rename;
mod together;
mod trash;
mod upload;

use marks::Pair;
use std::path::PathBuf;

use sockeye_store::{
    Amount, Committed, Error, FilePath, Home, Keeping, Opened, PathBuilder, Result, UploadOptions,
};
use sockeye_testkit::soon;
use tempfile::TempDir;

/// A home in a folder of its own.
struct Kept {
    dir: TempDir,
    home: Home,
}

impl Kept {
    fn new(keeping: Keeping) -> Self {
        let dir = TempDir::new().unwrap();
        let home = Home::keep(&dir.path().join("home"), keeping).unwrap();
        Self { dir, home }
    }

    fn plain() -> Self {
        Self::new(keeping())
    }

    /// In memory, where calls are made inline; `None` where there is no such filesystem.
    fn in_memory(keeping: Keeping) -> Option<Self> {
        let dir = TempDir::new_in("/dev/shm").ok()?;
        let home = Home::keep(&dir.path().join("home"), keeping).unwrap();
        Some(Self { dir, home })
    }

    /// Closes the home and opens it again.
    fn reopened(self, keeping: Keeping) -> Self {
        let Self { dir, home } = self;
        drop(home);
        let home = Home::keep(&dir.path().join("home"), keeping).unwrap();
        Self { dir, home }
    }

    /// Where on the disk something in the home's own folder is.
    fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join("home").join(path)
    }

    async fn put(&self, to: &str, bytes: &[u8]) -> Result<Committed> {
        put(&self.home, to, bytes).await
    }

    async fn get(&self, from: &str) -> Vec<u8> {
        get(&self.home, from).await
    }

    async fn files(&self) -> Amount {
        soon(self.home.space()).await.unwrap().files
    }
}

/// What the tests have: nothing is synced, as no machine fails here.
fn keeping() -> Keeping {
    let mut keeping = Keeping::default();
    keeping.durability = sockeye_store::Durability::Rename;
    keeping
}

/// Once, or for the soak SOAK_SECONDS seconds' worth of something that is done so often in a minute.
fn soak(a_minute: u64) -> u64 {
    let seconds = std::env::var("SOAK_SECONDS").map_or(60, |text| text.parse().unwrap());
    (a_minute * seconds / 60).max(1)
}

fn path(text: &str) -> FilePath {
    let mut path = PathBuilder::default();
    text.split('/')
        .filter(|name| !name.is_empty())
        .for_each(|name| path.push(name.as_bytes()).unwrap());
    path.finish()
}

fn length(length: u64) -> UploadOptions {
    let mut options = UploadOptions::default();
    options.length = Some(length);
    options
}

async fn put(home: &Home, to: &str, bytes: &[u8]) -> Result<Committed> {
    soon(async {
        let mut upload = home.upload(&path(to), length(bytes.len() as u64)).await?;
        upload.write(bytes).await?;
        upload.commit().await
    })
    .await
}

async fn get(home: &Home, from: &str) -> Vec<u8> {
    let Ok(Opened::File(file)) = soon(home.open_path(&path(from))).await else {
        panic!("{from} is no file")
    };
    let mut bytes = vec![0; usize::try_from(file.meta().size).unwrap()];
    soon(file.read_exact_at(&mut bytes, 0)).await.unwrap();
    bytes
}

async fn is_there(home: &Home, at: &str) -> bool {
    match soon(home.stat(&path(at))).await {
        Ok(_) => true,
        Err(Error::NotFound) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Bytes that are alike nowhere.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| byte()).collect()
}
