//! Any sequence of operations leaves a home as a simple model says, and its books as a count says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sockeye_store::{
    Amount, Condition, Error, Overwrite, Purge, Quota, Recursive, Result, Start, UploadOptions,
};

use crate::{Kept, keeping, noise, path, soon};

/// What clients see: a file with its content, or a folder.
type Model = BTreeMap<String, Option<Vec<u8>>>;

#[derive(Clone, Debug)]
enum Op {
    Put(String, usize, Condition),
    Append(String, usize),
    WriteAt(String, usize, usize),
    Leave(String, usize),
    Resume(usize),
    Mkdir(String),
    Remove(String, Recursive),
    Rename(String, String, Overwrite),
    Copy(String, String, Overwrite),
    Restore(usize),
    Purge(usize),
    Quota(Option<u64>, Option<u64>),
    Reopen,
}

fn some_path() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof!["a", "b"], 1..=3).prop_map(|names| names.join("/"))
}

fn op() -> impl Strategy<Value = Op> {
    let overwrite = || prop_oneof![Just(Overwrite::No), Just(Overwrite::Yes)];
    let condition =
        prop_oneof![Just(Condition::Any), Just(Condition::Absent), Just(Condition::Present)];
    prop_oneof![
        4 => (some_path(), 0..5000_usize, condition).prop_map(|(p, n, c)| Op::Put(p, n, c)),
        1 => (some_path(), 0..300_usize).prop_map(|(p, n)| Op::Append(p, n)),
        1 => (some_path(), 0..300_usize, 0..300_usize).prop_map(|(p, at, n)| Op::WriteAt(p, at, n)),
        1 => (some_path(), 0..5000_usize).prop_map(|(p, n)| Op::Leave(p, n)),
        1 => (0..4_usize).prop_map(Op::Resume),
        4 => some_path().prop_map(Op::Mkdir),
        2 => (some_path(), prop_oneof![Just(Recursive::No), Just(Recursive::Yes)])
            .prop_map(|(p, r)| Op::Remove(p, r)),
        2 => (some_path(), some_path(), overwrite()).prop_map(|(a, b, o)| Op::Rename(a, b, o)),
        2 => (some_path(), some_path(), overwrite()).prop_map(|(a, b, o)| Op::Copy(a, b, o)),
        1 => (0..4_usize).prop_map(Op::Restore),
        1 => (0..4_usize).prop_map(Op::Purge),
        1 => (proptest::option::of(0..30_000_u64), proptest::option::of(0..30_u64))
            .prop_map(|(bytes, entries)| Op::Quota(bytes, entries)),
        1 => Just(Op::Reopen),
    ]
}

fn is_within(at: &str, folder: &str) -> bool {
    at == folder || at.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn parent_is_there(model: &Model, at: &str) -> bool {
    at.rsplit_once('/').is_none_or(|(parent, _)| model.get(parent) == Some(&None))
}

/// All at or below `from`, called as if it were `to`.
fn part(model: &Model, from: &str, to: &str) -> Model {
    let within = model.iter().filter(|(at, _)| is_within(at, from));
    within.map(|(at, what)| (format!("{to}{}", &at[from.len()..]), what.clone())).collect()
}

/// What the model says of a move or copy.
fn may_go(model: &Model, from: &str, to: &str, over: Overwrite) -> Option<()> {
    let apart = !is_within(from, to) && !is_within(to, from);
    let free = !model.contains_key(to) || over == Overwrite::Yes;
    (apart && model.contains_key(from) && parent_is_there(model, to) && free).then_some(())
}

struct World {
    kept: Kept,
    model: Model,
    /// What removals and replacements put aside, by where it was.
    quota: Quota,
}

impl World {
    /// Does `op` in both; the model follows only what the home says it did, and says whether it may.
    async fn step(&mut self, op: Op) {
        let home = self.kept.home.clone();
        match op {
            Op::Put(at, n, condition) => self.put(at, n, condition).await,
            Op::Append(at, n) => self.write_into(at, Start::End, n).await,
            Op::WriteAt(at, offset, n) => self.write_into(at, Start::At(offset as u64), n).await,
            Op::Leave(at, n) => {
                if let Ok(mut upload) = soon(home.upload(&path(&at), Default::default())).await
                    && soon(upload.write(&noise(n))).await.is_ok()
                {
                    soon(upload.keep()).await.unwrap();
                }
            }
            Op::Resume(which) => self.resume(which).await,
            Op::Mkdir(at) => {
                let done = soon(home.mkdir(&path(&at))).await;
                let may = parent_is_there(&self.model, &at) && !self.model.contains_key(&at);
                if self.agree(may, &done) {
                    self.model.insert(at, None);
                }
            }
            Op::Remove(at, recursive) => {
                let done = soon(home.remove(&path(&at), recursive)).await;
                let below = part(&self.model, &at, "").len();
                let may = below == 1 || below > 1 && recursive == Recursive::Yes;
                if self.agree(may, &done) {
                    self.model.retain(|other, _| !is_within(other, &at));
                }
            }
            Op::Rename(from, to, over) => {
                let done = soon(home.rename(&path(&from), &path(&to), over)).await;
                if from != to && self.agree(may_go(&self.model, &from, &to, over).is_some(), &done)
                {
                    let moved = part(&self.model, &from, &to);
                    self.model.retain(|at, _| !is_within(at, &from) && !is_within(at, &to));
                    self.model.extend(moved);
                }
            }
            Op::Copy(from, to, over) => self.copy(&from, &to, over).await,
            Op::Restore(which) => self.restore(which).await,
            Op::Purge(which) => {
                if let Some(entry) = soon(home.trash(None, 10)).await.unwrap().get(which) {
                    let gone = soon(home.purge(Purge::One(entry.id))).await.unwrap();
                    assert_eq!((gone.bytes, gone.entries), (entry.bytes, entry.entries));
                }
            }
            Op::Quota(bytes, entries) => {
                self.quota = Quota { bytes, entries };
                home.set_quota(self.quota).unwrap();
            }
            Op::Reopen => {
                drop(home);
                let mut keeping = keeping();
                keeping.quota = self.quota;
                self.kept = std::mem::replace(&mut self.kept, Kept::plain()).reopened(keeping);
            }
        }
        self.compare().await;
    }

    async fn put(&mut self, at: String, n: usize, condition: Condition) {
        let bytes = noise(n);
        let mut options = UploadOptions::default();
        (options.length, options.condition) = (Some(n as u64), condition);
        let done = write(&self.kept, &at, options, &bytes).await;
        let there = self.model.get(&at);
        let may = parent_is_there(&self.model, &at)
            && there != Some(&None)
            && match condition {
                Condition::Absent => there.is_none(),
                Condition::Present => there.is_some(),
                _ => true,
            };
        if self.agree(may, &done) {
            self.model.insert(at, Some(bytes));
        }
    }

    async fn copy(&mut self, from: &str, to: &str, over: Overwrite) {
        let home = &self.kept.home;
        let done = soon(home.copy(&path(from), home, &path(to), over)).await;
        if self.agree(may_go(&self.model, from, to, over).is_some(), &done) {
            let copied = part(&self.model, from, to);
            self.model.retain(|at, _| !is_within(at, to));
            self.model.extend(copied);
        }
    }

    /// Whether it was done, which it was exactly if it may, unless there was no room.
    fn agree<T: std::fmt::Debug>(&self, may: bool, done: &Result<T>) -> bool {
        match done {
            Ok(_) => assert!(may, "it was done: {:?}", self.model),
            Err(Error::OverQuota { .. }) => assert_ne!(self.quota, Quota::default()),
            Err(error) => assert!(!may, "{error}: {:?}", self.model),
        }
        done.is_ok()
    }

    async fn write_into(&mut self, at: String, start: Start, n: usize) {
        let bytes = noise(n);
        let mut options = UploadOptions::default();
        options.start = start;
        let done = write(&self.kept, &at, options, &bytes).await;
        let may = parent_is_there(&self.model, &at) && self.model.get(&at) != Some(&None);
        if self.agree(may, &done) {
            let file = self.model.entry(at).or_insert(None).get_or_insert_default();
            let from = match start {
                Start::At(at) => usize::try_from(at).unwrap(),
                _ => file.len(),
            };
            // Without a byte to write, there is no hole before it.
            if n > 0 {
                file.resize(file.len().max(from + n), 0);
                file[from..from + n].copy_from_slice(&bytes);
            }
        }
    }

    async fn resume(&mut self, which: usize) {
        let home = &self.kept.home;
        let Some(partial) = soon(home.partials()).await.unwrap().into_iter().nth(which) else {
            return;
        };
        let upload = soon(home.resume(partial.id)).await.unwrap();
        let bytes = noise(usize::try_from(partial.offset).unwrap());
        let at = partial.path.to_string()[1..].to_owned();
        let done = soon(upload.commit()).await;
        let may = parent_is_there(&self.model, &at) && self.model.get(&at) != Some(&None);
        if self.agree(may, &done) {
            self.model.insert(at, Some(bytes));
        }
    }

    async fn restore(&mut self, which: usize) {
        let home = &self.kept.home;
        let Some(entry) = soon(home.trash(None, 10)).await.unwrap().into_iter().nth(which) else {
            return;
        };
        let at = entry.path.to_string()[1..].to_owned();
        let may = parent_is_there(&self.model, &at) && !self.model.contains_key(&at);
        let done = soon(home.restore(entry.id, None)).await;
        if self.agree(may, &done) {
            self.look().await;
            let restored = part(&self.model, &at, "");
            assert_eq!(restored.len() as u64, entry.entries);
        }
    }

    /// Takes the home's files as the model.
    async fn look(&mut self) {
        self.model = on_disk(&self.kept);
    }

    async fn compare(&self) {
        assert_eq!(self.model, on_disk(&self.kept));
        let report = soon(self.kept.home.check(false)).await.unwrap();
        assert!(report.is_sound(), "{report:?}");
        let space = soon(self.kept.home.space()).await.unwrap();
        assert_eq!(space.reserved, Amount::default());
        let sum = |model: &Model| Amount {
            bytes: model.values().flatten().map(|bytes| bytes.len() as u64).sum(),
            entries: model.len() as u64,
        };
        assert_eq!(space.files, sum(&self.model));
    }
}

async fn write(kept: &Kept, at: &str, options: UploadOptions, bytes: &[u8]) -> Result<()> {
    let mut upload = soon(kept.home.upload(&path(at), options)).await?;
    soon(upload.write(bytes)).await?;
    soon(upload.commit()).await.map(drop)
}

fn on_disk(kept: &Kept) -> Model {
    let top = kept.at("files");
    let mut model = Model::new();
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let at = entry.unwrap().path();
            let name = at.strip_prefix(&top).unwrap().to_str().unwrap().to_owned();
            if at.is_dir() {
                model.insert(name, None);
                folders.push(at);
            } else {
                model.insert(name, Some(std::fs::read(&at).unwrap()));
            }
        }
    }
    model
}

fn run(in_memory: bool, ops: Vec<Op>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let kept = match in_memory {
            true => Kept::in_memory(keeping()).unwrap_or_else(Kept::plain),
            false => Kept::plain(),
        };
        let mut world = World { kept, model: Model::new(), quota: Quota::default() };
        for op in ops {
            world.step(op).await;
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_operations_is_as_the_model_says(
        in_memory in any::<bool>(),
        ops in proptest::collection::vec(op(), 1..60),
    ) {
        run(in_memory, ops);
    }
}
