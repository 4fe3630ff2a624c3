//! A folder and all below it, gathered in the order of the paths: what an archive of it is made from.
//!
//! Links are not followed, and bounds are kept on the memory that this takes. Nothing is opened for reading here but
//! folders.

use std::{
    ffi::CStr,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    sync::Arc,
};

use rustix::fs::{Access, AtFlags, FileType, Stat};

use crate::{
    Error, FilePath, Home, Kind, Meta, Opened, Result,
    tree::{self, Next, Step, Visit},
};

/// A folder and all below it, as it was found.
#[derive(Debug, Default)]
pub struct Tree {
    /// The paths of all entries, one behind the other.
    paths: Vec<u8>,
    rows: Vec<Row>,
    left_out: Vec<Row>,
    memory: usize,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    start: usize,
    length: usize,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    There(Meta),
    Not(LeftOut),
}

/// Why something is not in a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeftOut {
    /// A symbolic link.
    Link,
    /// A FIFO, a socket or a device.
    Special,
    /// It may not be read.
    Denied,
    /// Its path is longer than any that can be asked for.
    TooDeep,
}

impl Tree {
    /// How many entries there are; the folder itself is none.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the folder is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The path of an entry, from the folder down, and what was found there. A folder comes before what is in it.
    #[must_use]
    pub fn entry(&self, at: usize) -> Option<(&[u8], &Meta)> {
        let row = self.rows.get(at)?;
        match &row.what {
            What::There(meta) => Some((self.path(row), meta)),
            What::Not(_) => None,
        }
    }

    /// All of them.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], &Meta)> {
        (0..self.rows.len()).filter_map(|at| self.entry(at))
    }

    /// What was left out, and why. What the home hides is not told.
    pub fn left_out(&self) -> impl Iterator<Item = (&[u8], LeftOut)> {
        self.left_out.iter().filter_map(|row| match row.what {
            What::Not(why) => Some((self.path(row), why)),
            What::There(_) => None,
        })
    }

    /// About how many bytes of memory it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.memory
    }

    fn path(&self, row: &Row) -> &[u8] {
        self.paths.get(row.start..row.start + row.length).unwrap_or_default()
    }

    fn sort(&mut self) {
        let Self { paths, rows, left_out, .. } = self;
        let path = |row: &Row| &paths[row.start..row.start + row.length];
        rows.sort_unstable_by(|a, b| path(a).cmp(path(b)));
        left_out.sort_unstable_by(|a, b| path(a).cmp(path(b)));
    }
}

/// What is to become of something below a folder that is gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It is gathered, and if it is a folder, what is in it is asked for.
    Take,
    /// It is not gathered, and if it is a folder, what is in it is asked for.
    Enter,
    /// It was not asked for, and nothing is said of it.
    Pass,
    /// It is left out, and said to be.
    Deny,
    /// It is not gathered, and nothing more is asked for: there is enough.
    End,
}

/// Which of the things below a folder are wanted, by their path from it; `true` for a folder.
pub type Wanted = Box<dyn FnMut(&[u8], bool) -> Wish + Send>;

impl Home {
    /// Gathers what lies below the folder `path`, as far as it is `wanted`, in at most about `memory` bytes. A home that is
    /// kept is walked through by a few at a time, so that its walks leave the pool's threads to others.
    ///
    /// # Errors
    /// [`Error::TooManyEntries`]; [`Error::WrongKind`] for a file; as [`Home::open_path`].
    ///
    /// Cancellation: safe.
    pub async fn gather(&self, path: &FilePath, memory: usize, wanted: Wanted) -> Result<Tree> {
        let folder = match self.open_path(path).await? {
            Opened::Folder(folder) => folder,
            Opened::File(_) => {
                return Err(Error::WrongKind { expected: "a folder, found a file" });
            }
        };
        let home = self.clone();
        let turn = match &self.keep {
            // The semaphore is never closed.
            Some(keep) => {
                Some(Arc::clone(&keep.walks).acquire_owned().await.map_err(|_| Error::Busy)?)
            }
            None => None,
        };
        self.pool()
            .run(move || {
                // It is taken as long as the walk lasts, also if nobody waits for that any more.
                let _turn = turn;
                let mut gathering = Gathering {
                    home,
                    top: folder.path.clone(),
                    at: Vec::new(),
                    memory,
                    wanted,
                    is_over: false,
                    tree: Tree::default(),
                };
                tree::lead(&folder.fd, c".", &mut gathering)?;
                let mut tree = gathering.tree;
                tree.sort();
                Ok(tree)
            })
            .await?
    }
}

struct Gathering {
    home: Home,
    /// The folder's own path.
    top: FilePath,
    /// The path from there of the folder that was entered last.
    at: Vec<u8>,
    memory: usize,
    wanted: Wanted,
    /// Nothing more is asked for.
    is_over: bool,
    tree: Tree,
}

fn join(path: &mut Vec<u8>, below: &[u8]) {
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(below);
}

/// What is to be done about a name.
enum Choice {
    Take,
    Enter,
    Hide,
    LeaveOut(LeftOut),
}

impl Gathering {
    fn choose(&mut self, folder: &OwnedFd, name: &CStr, is_folder: bool) -> Choice {
        let name = name.to_bytes();
        let mut below = self.at.clone();
        join(&mut below, name);
        let mut whole = self.top.as_bytes().to_vec();
        join(&mut whole, &below);
        let Ok(path) = FilePath::parse(&whole) else { return Choice::LeaveOut(LeftOut::TooDeep) };
        if name.starts_with(b".") && self.home.hides(&path) {
            return Choice::Hide;
        }
        match (self.wanted)(&below, is_folder) {
            Wish::Pass => Choice::Hide,
            Wish::End => {
                self.is_over = true;
                Choice::Hide
            }
            Wish::Take if self.is_readable(folder, name, is_folder) => Choice::Take,
            Wish::Enter if is_folder && self.is_readable(folder, name, true) => Choice::Enter,
            Wish::Enter => Choice::Hide,
            Wish::Take | Wish::Deny => Choice::LeaveOut(LeftOut::Denied),
        }
    }

    /// Whether the system lets it be read: what was put into a kept home surely can.
    fn is_readable(&self, folder: &OwnedFd, name: &[u8], is_folder: bool) -> bool {
        if self.home.keep.is_some() {
            return true;
        }
        let access = if is_folder { Access::READ_OK | Access::EXEC_OK } else { Access::READ_OK };
        let name = std::ffi::OsStr::from_bytes(name);
        rustix::fs::accessat(folder, name, access, AtFlags::EACCESS).is_ok()
    }

    fn add(&mut self, name: &[u8], what: What) -> Result<()> {
        let Self { tree, at, .. } = self;
        let start = tree.paths.len();
        tree.paths.extend_from_slice(at);
        if !at.is_empty() {
            tree.paths.push(b'/');
        }
        tree.paths.extend_from_slice(name);
        let length = tree.paths.len() - start;
        tree.memory += size_of::<Row>() + length;
        if tree.memory > self.memory {
            return Err(Error::TooManyEntries { taken: tree.rows.len() as u64 });
        }
        let row = Row { start, length, what };
        match what {
            What::There(_) => tree.rows.push(row),
            What::Not(_) => tree.left_out.push(row),
        }
        Ok(())
    }
}

impl Visit for Gathering {
    fn step(&mut self, step: Step<'_>) -> Result<Next> {
        match step {
            Step::Enter { path } => {
                self.at.clear();
                self.at.extend_from_slice(path);
            }
            Step::Leaf { folder, name, stat } => {
                let meta = Meta::from_stat(stat);
                let is_link = FileType::from_raw_mode(stat.st_mode).is_symlink();
                let what = match self.choose(folder, name, false) {
                    Choice::Hide | Choice::Enter => return Ok(Next::On),
                    Choice::LeaveOut(why) => What::Not(why),
                    Choice::Take if is_link => What::Not(LeftOut::Link),
                    Choice::Take if meta.kind == Kind::Special => What::Not(LeftOut::Special),
                    Choice::Take => What::There(meta),
                };
                self.add(name.to_bytes(), what)?;
            }
            Step::Leave { .. } => {}
        }
        Ok(Next::On)
    }

    /// Written down before it is entered, so that what waits to be is bounded as well; who only enters folders has to
    /// bound how many.
    fn enters(&mut self, folder: &OwnedFd, name: &CStr, stat: &Stat) -> Result<bool> {
        let (what, enters) = match self.choose(folder, name, true) {
            Choice::Hide => return Ok(false),
            Choice::Enter => return Ok(true),
            Choice::Take => (What::There(Meta::from_stat(stat)), true),
            Choice::LeaveOut(why) => (What::Not(why), false),
        };
        self.add(name.to_bytes(), what)?;
        Ok(enters)
    }

    fn is_over(&self) -> bool {
        self.is_over
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering::Relaxed},
            mpsc,
        },
        time::Duration,
    };

    use super::*;

    async fn gather(home: &Home, path: &str, memory: usize) -> Result<Tree> {
        let path = FilePath::parse(path.as_bytes()).unwrap();
        home.gather(
            &path,
            memory,
            Box::new(|path, _| match path {
                b"passed" => Wish::Pass,
                path if path.ends_with(b"secret") => Wish::Deny,
                _ => Wish::Take,
            }),
        )
        .await
    }

    fn shown<'a, T>(entries: impl Iterator<Item = (&'a [u8], T)>) -> Vec<(String, T)> {
        entries.map(|(path, it)| (String::from_utf8_lossy(path).into_owned(), it)).collect()
    }

    #[tokio::test]
    async fn a_tree_is_gathered_in_order_and_says_what_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("top/b/secret/below")).unwrap();
        fs::create_dir_all(at("top/a")).unwrap();
        fs::create_dir_all(at("top/.hidden")).unwrap();
        for name in ["top/b/two", "top/a/one", "top/b-", "top/passed", "top/.env", "beside"] {
            fs::write(at(name), name).unwrap();
        }
        std::os::unix::fs::symlink("../beside", at("top/link")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("top/pipe"), rustix::fs::Mode::RWXU).unwrap();
        let home = Home::open(dir.path()).unwrap();
        let tree = gather(&home, "top", 1 << 20).await.unwrap();
        let sizes: Vec<_> =
            shown(tree.entries()).into_iter().map(|(path, meta)| (path, meta.size)).collect();
        let expected = [("a", 0), ("a/one", 9), ("b", 0), ("b-", 6), ("b/two", 9)];
        assert_eq!(sizes, expected.map(|(path, size)| (path.to_owned(), size)));
        let left_out =
            [("b/secret", LeftOut::Denied), ("link", LeftOut::Link), ("pipe", LeftOut::Special)];
        assert_eq!(shown(tree.left_out()), left_out.map(|(path, why)| (path.to_owned(), why)));
        let all = gather(&home.clone().with_hidden(), "", 1 << 20).await.unwrap();
        assert!(shown(all.entries()).iter().any(|(path, _)| path == "top/.env"));
        assert!(matches!(gather(&home, "beside", 1 << 20).await, Err(Error::WrongKind { .. })));
        assert!(matches!(gather(&home, "none", 1 << 20).await, Err(Error::NotFound)));
    }

    #[tokio::test]
    async fn folders_that_are_only_entered_are_not_gathered_and_what_is_in_them_is() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        fs::write(dir.path().join("a/b/wanted"), "x").unwrap();
        fs::write(dir.path().join("a/other"), "x").unwrap();
        let home = Home::open(dir.path()).unwrap();
        let wanted = |path: &[u8], _| match path.ends_with(b"wanted") {
            true => Wish::Take,
            false => Wish::Enter,
        };
        let tree = home.gather(&FilePath::root(), 1 << 20, Box::new(wanted)).await.unwrap();
        let found: Vec<_> = shown(tree.entries()).into_iter().map(|(path, _)| path).collect();
        assert_eq!(found, ["a/b/wanted"]);
        assert_eq!(tree.left_out().count(), 0);
    }

    #[tokio::test]
    async fn nothing_is_asked_for_any_more_once_there_is_enough() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["a", "b", "c"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
            for number in 0..9 {
                fs::write(dir.path().join(format!("{folder}/{number}")), "x").unwrap();
            }
        }
        let home = Home::open(dir.path()).unwrap();
        // At the first name, in the first folder below, in the last one.
        for enough in [1, 5, 29] {
            let asked = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&asked);
            let wanted = move |_: &[u8], is_folder| match count.fetch_add(1, Relaxed) + 1 {
                number if number >= enough => Wish::End,
                _ if is_folder => Wish::Enter,
                _ => Wish::Take,
            };
            let tree = home.gather(&FilePath::root(), 1 << 20, Box::new(wanted)).await.unwrap();
            assert_eq!(asked.load(Relaxed), enough);
            assert_eq!(tree.len(), enough.saturating_sub(4), "three folders, and the last name");
        }
    }

    #[tokio::test]
    async fn walks_through_one_home_leave_threads_to_another() {
        let dir = tempfile::tempdir().unwrap();
        let pool = crate::Pool::new(crate::PoolLimits { running: 3, waiting: 100 });
        let keeping = crate::Keeping { pool, ..crate::Keeping::default() };
        let keep = |name: &str| Home::keep(&dir.path().join(name), keeping.clone()).unwrap();
        let (walked, other) = (keep("walked"), keep("other"));
        walked.mkdir(&path("folder")).await.unwrap();
        // Each says that it is at the first name, and stays there until it may go on.
        let (at_it, mut begun) = tokio::sync::mpsc::unbounded_channel();
        let (go_on, stays) = mpsc::channel::<()>();
        let stays = Arc::new(Mutex::new(stays));
        let mut walks = tokio::task::JoinSet::new();
        for _ in 0..9 {
            let (home, at_it, stays) = (walked.clone(), at_it.clone(), Arc::clone(&stays));
            let wanted = move |_: &[u8], _| {
                at_it.send(()).unwrap();
                let _ = stays.lock().unwrap().recv();
                Wish::Take
            };
            walks.spawn(async move {
                home.gather(&FilePath::root(), 1 << 20, Box::new(wanted)).await.unwrap().len()
            });
        }
        let all = async {
            for _ in 0..crate::keep::WALKS {
                begun.recv().await.unwrap();
            }
            other.mkdir(&path("made")).await.unwrap();
            drop(go_on);
            walks.join_all().await
        };
        let all = tokio::time::timeout(Duration::from_secs(60), all).await.expect("an end");
        assert_eq!(all, [1; 9]);
    }

    fn path(text: &str) -> FilePath {
        FilePath::parse(text.as_bytes()).unwrap()
    }

    #[tokio::test]
    async fn a_tree_takes_no_more_memory_than_it_may() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..100 {
            fs::create_dir(dir.path().join(format!("folder {number}"))).unwrap();
        }
        let home = Home::open(dir.path()).unwrap();
        let tree = gather(&home, "", 1 << 20).await.unwrap();
        assert_eq!(tree.len(), 100);
        assert!(gather(&home, "", tree.memory()).await.is_ok());
        let short = gather(&home, "", tree.memory() - 1).await;
        assert!(matches!(short, Err(Error::TooManyEntries { taken: 99 })));
    }

    #[tokio::test]
    async fn what_lies_deeper_than_any_path_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let mut at = OwnedFd::from(fs::File::open(dir.path()).unwrap());
        let name = "d".repeat(200);
        for _ in 0..30 {
            rustix::fs::mkdirat(&at, &*name, rustix::fs::Mode::RWXU).unwrap();
            let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
            at = rustix::fs::openat(&at, &*name, flags, rustix::fs::Mode::empty()).unwrap();
        }
        let home = Home::open(dir.path()).unwrap();
        let tree = gather(&home, "", 1 << 20).await.unwrap();
        assert_eq!(tree.len(), 20);
        assert_eq!(tree.left_out().map(|(_, why)| why).collect::<Vec<_>>(), [LeftOut::TooDeep]);
    }
}
