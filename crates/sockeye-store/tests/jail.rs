//! Nothing outside a home can be reached, and nothing in it can make the server wait.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rustix::fs::{CWD, Mode, RenameFlags};
use sockeye_store::{Error, FilePath, Home, Kind, Opened};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// A home in `dir/home`, with a secret beside it.
fn home() -> (TempDir, Home) {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("home")).unwrap();
    fs::write(dir.path().join("secret"), "secret").unwrap();
    let home = Home::open(&dir.path().join("home")).unwrap();
    (dir, home)
}

async fn open(home: &Home, path: &str) -> Result<Opened, Error> {
    let path = FilePath::parse(path.as_bytes()).unwrap();
    tokio::time::timeout(PATIENCE, home.open_path(&path)).await.unwrap()
}

async fn content(home: &Home, path: &str) -> String {
    let Opened::File(file) = open(home, path).await.unwrap() else { panic!("{path} is no file") };
    let mut buf = vec![0; usize::try_from(file.meta().size).unwrap()];
    file.read_exact_at(&mut buf, 0).await.unwrap();
    String::from_utf8(buf).unwrap()
}

#[tokio::test]
async fn a_link_within_the_home_works_and_one_out_of_it_is_not_found() {
    let (dir, home) = home();
    let at = |name: &str| dir.path().join("home").join(name);
    fs::create_dir(at("sub")).unwrap();
    fs::write(at("sub/file"), "inside").unwrap();
    symlink("sub/file", at("inside")).unwrap();
    symlink("../sub/file", at("sub/up_and_down")).unwrap();
    symlink("../secret", at("relative")).unwrap();
    symlink("..", at("parent")).unwrap();
    symlink(dir.path().join("secret"), at("absolute")).unwrap();
    symlink(at("sub/file"), at("absolute_inside")).unwrap();
    symlink(at(""), at("absolute_home")).unwrap();
    symlink(at("absolute"), at("absolute_to_outside")).unwrap();
    symlink("../home/sub/file", at("out_and_back")).unwrap();
    symlink("/proc/self/root", at("magic")).unwrap();
    symlink("loop", at("loop")).unwrap();

    assert_eq!(content(&home, "inside").await, "inside");
    assert_eq!(content(&home, "sub/up_and_down").await, "inside");
    // What they lead to counts, not the way.
    for path in ["absolute_inside", "absolute_home/sub/file", "out_and_back"] {
        assert_eq!(content(&home, path).await, "inside", "{path}");
    }
    assert!(matches!(open(&home, "absolute_home").await, Ok(Opened::Folder(_))));
    for path in [
        "absolute_to_outside",
        "absolute_home/absolute",
        "relative",
        "absolute",
        "parent/secret",
        "parent",
        "magic",
        "loop",
        "missing",
    ] {
        assert!(matches!(open(&home, path).await, Err(Error::NotFound)), "{path}");
    }
    assert!(matches!(open(&home, "sub/file/x").await, Err(Error::NotFound)));
}

#[tokio::test]
async fn hidden_files_are_found_only_where_they_are_wanted() {
    let (dir, home) = home();
    let at = |name: &str| dir.path().join("home").join(name);
    for folder in [".git", "sub/.ssh", "sub/.well-known", ".well-known/.private"] {
        fs::create_dir_all(at(folder)).unwrap();
        fs::write(at(folder).join("file"), "hidden").unwrap();
    }
    fs::write(at(".env"), "hidden").unwrap();
    fs::write(at(".well-known/file"), "public").unwrap();
    fs::write(at("a.b"), "public").unwrap();
    symlink(".env", at("link")).unwrap();

    for path in [".well-known/file", "a.b"] {
        assert_eq!(content(&home, path).await, "public", "{path}");
    }
    assert_eq!(content(&home, "link").await, "hidden", "the name that is asked for counts");
    let shown = home.clone().with_hidden();
    for path in
        [".env", ".git/file", "sub/.ssh/file", "sub/.well-known/file", ".well-known/.private/file"]
    {
        assert!(matches!(open(&home, path).await, Err(Error::NotFound)), "{path}");
        let parsed = FilePath::parse(path.as_bytes()).unwrap();
        assert!(matches!(home.stat(&parsed).await, Err(Error::NotFound)), "{path}");
        assert_eq!(content(&shown, path).await, "hidden", "{path}");
    }
    assert!(matches!(open(&home, ".git").await, Err(Error::NotFound)));
}

#[tokio::test]
async fn special_files_are_refused_at_once() {
    let (dir, home) = home();
    let at = |name: &str| dir.path().join("home").join(name);
    rustix::fs::mknodat(CWD, at("fifo"), rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    for path in ["fifo", "socket"] {
        assert!(matches!(open(&home, path).await, Err(Error::Special)), "{path}");
        let path = FilePath::parse(path.as_bytes()).unwrap();
        assert_eq!(home.stat(&path).await.unwrap().kind, Kind::Special);
    }
}

/// Opening a FIFO would let its writer go on.
#[tokio::test]
async fn a_fifo_is_not_opened() {
    let (dir, home) = home();
    let fifo = dir.path().join("home/fifo");
    rustix::fs::mknodat(CWD, &fifo, rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
    let watch = rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::NONBLOCK).unwrap();
    rustix::fs::inotify::add_watch(&watch, &fifo, rustix::fs::inotify::WatchFlags::OPEN).unwrap();
    assert!(matches!(open(&home, "fifo").await, Err(Error::Special)));
    let mut events = [std::mem::MaybeUninit::uninit(); 256];
    let seen = rustix::fs::inotify::Reader::new(&watch, &mut events).next().map(drop);
    assert_eq!(seen, Err(rustix::io::Errno::AGAIN), "it was opened");
}

#[tokio::test]
async fn a_file_that_shrinks_says_so() {
    let (dir, home) = home();
    let path = dir.path().join("home/file");
    fs::write(&path, "0123456789").unwrap();
    let Opened::File(file) = open(&home, "file").await.unwrap() else { panic!() };
    fs::write(&path, "0123").unwrap();
    let short = file.read_exact_at(&mut [0; 10], 0).await;
    assert!(matches!(short, Err(Error::Shrunk)));
}

#[tokio::test]
async fn what_is_not_in_memory_is_read_as_well() {
    let (dir, home) = home();
    let content: Vec<u8> = (0..3_000_000u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    let path = dir.path().join("home/file");
    fs::write(&path, &content).unwrap();
    // Written to the disk, and then dropped from memory: where the filesystem can do that.
    let file = fs::File::open(&path).unwrap();
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    let Opened::File(file) = open(&home, "file").await.unwrap() else { panic!() };
    file.make_resident(1_000_000, 100_000).await.unwrap();
    let mut buf = vec![0; content.len() - 7];
    tokio::time::timeout(PATIENCE, file.read_exact_at(&mut buf, 7)).await.unwrap().unwrap();
    assert!(buf == content[7..]);
}

#[tokio::test]
async fn a_home_in_memory_is_read_as_well() {
    let Ok(dir) = TempDir::new_in("/dev/shm") else {
        return sockeye_testkit::peer::skip("there is no /dev/shm");
    };
    fs::write(dir.path().join("file"), "in memory").unwrap();
    let home = Home::open(dir.path()).unwrap();
    assert_eq!(content(&home, "file").await, "in memory");
    assert_eq!(content(&home, "file").await, "in memory");
}

#[test]
fn what_is_no_folder_is_no_home() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Home::open(file.path()).unwrap_err();
    assert!(error.to_string().contains(&file.path().display().to_string()));
    let place = tempfile::tempdir().unwrap();
    let nowhere = place.path().join("nowhere");
    let error = Home::open(&nowhere).unwrap_err();
    assert_eq!(error.to_string(), format!("there is no folder {}", nowhere.display()));
}

/// A folder and a link to the parent change places as fast as they can.
#[tokio::test]
async fn a_link_swapped_for_a_folder_never_leads_out() {
    let (dir, home) = home();
    let at = |name: &str| dir.path().join("home").join(name);
    fs::create_dir(at("a")).unwrap();
    fs::write(at("a/secret"), "public").unwrap();
    symlink("..", at("b")).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(CWD, at("a"), CWD, at("b"), RenameFlags::EXCHANGE)
                    .unwrap();
            }
        });
        let handle = tokio::runtime::Handle::current();
        let swaps = scope.spawn(move || {
            handle.block_on(async {
                let mut reached = 0;
                for _ in 0..10_000 {
                    match open(&home, "a/secret").await {
                        Ok(Opened::File(file)) => {
                            assert_eq!(file.meta().size, 6);
                            let mut buf = [0; 6];
                            file.read_exact_at(&mut buf, 0).await.unwrap();
                            assert_eq!(&buf, b"public");
                            reached += 1;
                        }
                        Ok(Opened::Folder(_)) => panic!("a file became a folder"),
                        Err(Error::NotFound | Error::Busy) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
                reached
            })
        });
        let reached = swaps.join();
        stop.store(true, Ordering::Relaxed);
        assert!(reached.unwrap() > 0, "the folder was never seen");
    });
}
