//! A home whose server is killed at any moment: no torn file, nothing acknowledged lost, the count right.
//!
//! The server is this test's own program, started again to run [`victim`] alone.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use sockeye_store::{Algorithm, Home, Overwrite, Recursive};

use crate::{Kept, get, is_there, keeping, path, soon};

/// Where the victim finds its home.
const HOME: &str = "SOCKEYE_STORE_TEST_HOME";

/// Files that are written over and over.
const NAMES: usize = 6;

/// A content that says by itself whether it is whole.
fn content(seed: u64) -> Vec<u8> {
    let len = usize::try_from(seed * 7919 % 3_000_000).unwrap();
    let mut bytes = format!("{seed:020} ").into_bytes();
    let header = bytes.len();
    bytes.resize(header + len, 0);
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes[header..]);
    bytes
}

fn seed_of(bytes: &[u8]) -> u64 {
    let seed = str::from_utf8(&bytes[..20]).unwrap().parse().unwrap();
    assert!(bytes == content(seed), "a torn file");
    seed
}

/// Writes, renames and removes until it is killed, saying on its output what was acknowledged.
#[test]
#[ignore = "started and killed by another test"]
fn victim() {
    let Some(dir) = std::env::var_os(HOME) else { return };
    let home = Home::keep(Path::new(&dir), keeping()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let first = std::process::id();
    runtime.block_on(async {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..NAMES {
            let home = home.clone();
            writers.spawn(async move {
                for round in 0.. {
                    let seed = u64::from(first) * 100_000 + (round * NAMES + writer) as u64;
                    write_and_move(&home, writer, seed).await;
                }
            });
        }
        writers.join_all().await;
    });
}

/// `N` is a file that is only ever replaced; `N.d` a folder that comes and goes.
async fn write_and_move(home: &Home, writer: usize, seed: u64) {
    let name = path(&writer.to_string());
    let mut options = sockeye_store::UploadOptions::default();
    let bytes = content(seed);
    options.length = Some(bytes.len() as u64);
    options.digest = Some(Algorithm::Blake3.of(&bytes));
    let mut upload = home.upload(&name, options).await.unwrap();
    for piece in bytes.chunks(300_000) {
        upload.write(piece).await.unwrap();
    }
    upload.commit().await.unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "acknowledged {writer} {seed}").unwrap();
    out.flush().unwrap();

    let folder = path(&format!("{writer}.d"));
    let other = path(&format!("{writer}.e"));
    let _ = home.mkdir(&folder).await;
    let _ = home.copy(&name, home, &path(&format!("{writer}.d/copy")), Overwrite::Yes).await;
    let _ = home.rename(&folder, &other, Overwrite::Yes).await;
    let _ = home.copy(&other, home, &folder, Overwrite::Yes).await;
    let _ = home.remove(&other, Recursive::Yes).await;
    if seed.is_multiple_of(5) {
        home.purge(sockeye_store::Purge::All).await.unwrap();
    }
}

/// Runs a victim until it has acknowledged `after` writes; the last acknowledged seed for each name.
fn run_and_kill(dir: &Path, after: usize) -> BTreeMap<usize, u64> {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::victim", "--ignored", "--nocapture", "--test-threads=1"])
        .env(HOME, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut acknowledged = BTreeMap::new();
    let mut count = 0;
    for line in lines {
        let line = line.unwrap();
        let Some((_, said)) = line.split_once("acknowledged ") else { continue };
        let (writer, seed) = said.split_once(' ').unwrap();
        acknowledged.insert(writer.parse().unwrap(), seed.parse().unwrap());
        count += 1;
        if count == after {
            // The writers go on meanwhile, each somewhere in the middle of a write.
            victim.kill().unwrap();
        }
    }
    assert!(count >= after, "the victim ended by itself: {:?}", victim.wait());
    victim.wait().unwrap();
    acknowledged
}

async fn is_as_acknowledged(kept: &Kept, acknowledged: &BTreeMap<usize, u64>) {
    for (writer, seed) in acknowledged {
        // What came after it was begun later, and may have been committed but not told.
        let found = seed_of(&get(&kept.home, &writer.to_string()).await);
        assert!(found >= *seed, "an acknowledged write is missing: {found} for {seed}");
    }
    for writer in 0..NAMES {
        for folder in ["d", "e"] {
            let copy = format!("{writer}.{folder}/copy");
            if is_there(&kept.home, &copy).await {
                seed_of(&get(&kept.home, &copy).await);
            }
        }
    }
}

async fn resumes(kept: &Kept) -> usize {
    let partials = soon(kept.home.partials()).await.unwrap();
    for partial in &partials {
        let mut upload = soon(kept.home.resume(partial.id)).await.unwrap();
        // The beginning tells the rest.
        let data = fs::read(kept.at("partials").join(partial.id.to_string())).unwrap();
        let seed = str::from_utf8(&data[..20]).unwrap().parse().unwrap();
        let whole = content(seed);
        assert_eq!(partial.length, Some(whole.len() as u64));
        soon(upload.write(&whole[usize::try_from(partial.offset).unwrap()..])).await.unwrap();
        soon(upload.commit()).await.unwrap();
    }
    partials.len()
}

/// Kills so many servers, and says how many uploads were resumed.
fn kill_and_look(kills: u64) -> usize {
    let kept = Kept::plain();
    let Kept { dir, home } = kept;
    drop(home);
    let at = dir.path().join("home");
    let mut dir = Some(dir);
    let mut resumed = 0;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for kill in 0..kills {
        // More or fewer each time, so that it is not always at the same point.
        let after = 8 + usize::try_from(kill * 7_919 % 41).unwrap();
        let acknowledged = run_and_kill(&at, after);
        let home = Home::keep(&at, keeping()).unwrap();
        let kept = Kept { dir: dir.take().unwrap(), home };
        runtime.block_on(async {
            soon(async {
                is_as_acknowledged(&kept, &acknowledged).await;
                let before = soon(kept.home.check(false)).await.unwrap();
                assert_eq!(before.recorded, None, "it was not closed");
                assert!(!before.is_sound());
                soon(kept.home.space()).await.unwrap();
                let report = soon(kept.home.check(false)).await.unwrap();
                assert!(report.is_sound(), "{report:?}");
                resumed += resumes(&kept).await;
                let report = soon(kept.home.check(false)).await.unwrap();
                assert!(report.is_sound(), "{report:?}");
                for writer in 0..NAMES {
                    if is_there(&kept.home, &writer.to_string()).await {
                        seed_of(&get(&kept.home, &writer.to_string()).await);
                    }
                }
            })
            .await;
        });
        dir = Some(kept.dir);
    }
    resumed
}

#[test]
fn a_server_killed_a_few_times_leaves_whole_files_and_a_right_count() {
    kill_and_look(4);
}

#[test]
#[ignore = "soak: kills a server a hundred times a minute"]
fn soak_a_server_killed_a_hundred_times_leaves_whole_files_and_a_right_count() {
    let kills = crate::soak(100);
    let resumed = kill_and_look(kills);
    println!("{kills} kills, {resumed} uploads resumed");
    assert!(resumed > 0 || kills < 50, "no upload was ever cut where it can be resumed");
}
