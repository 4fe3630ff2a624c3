//! What must be there after a kill: everything that was answered, and what was under way either done or not.

use std::{collections::BTreeMap, fmt};

/// What the worker said and what the disk has to show for it.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// The stamp of each file, by the task that it belongs to and its name.
    files: BTreeMap<(u64, String), u64>,
    /// What each task was doing when it was killed.
    pending: BTreeMap<u64, Operation>,
    /// How many operations were answered, by their name in the journal.
    pub(crate) answered: BTreeMap<&'static str, usize>,
    /// How many uploads were resumed.
    pub(crate) resumed: usize,
    checked: usize,
}

/// One operation of a task.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Write(String, u64),
    Rename(String, String),
    Remove(String),
}

impl Operation {
    /// As the journal calls it.
    fn name(&self) -> &'static str {
        match self {
            Self::Write(..) => "write",
            Self::Rename(..) => "rename",
            Self::Remove(_) => "remove",
        }
    }

    /// The line by which the worker tells that it begins.
    pub(crate) fn line(&self, task: u64) -> String {
        match self {
            Self::Write(name, stamp) => format!("> {task} write {name} {stamp}"),
            Self::Rename(from, to) => format!("> {task} rename {from} {to}"),
            Self::Remove(name) => format!("> {task} remove {name}"),
        }
    }

    fn parse(words: &[&str]) -> Option<Self> {
        Some(match *words {
            ["write", name, stamp] => Self::Write(name.to_owned(), stamp.parse().ok()?),
            ["rename", from, to] => Self::Rename(from.to_owned(), to.to_owned()),
            ["remove", name] => Self::Remove(name.to_owned()),
            _ => return None,
        })
    }

    /// What it does to the files of its task.
    fn apply(&self, files: &mut BTreeMap<String, u64>) {
        match self {
            Self::Write(name, stamp) => drop(files.insert(name.clone(), *stamp)),
            Self::Rename(from, to) => {
                if let Some(stamp) = files.remove(from) {
                    files.insert(to.clone(), stamp);
                }
            }
            Self::Remove(name) => drop(files.remove(name)),
        }
    }
}

impl Model {
    /// Takes up what the worker told: `> TASK OPERATION` before each, `< TASK` after its answer. A line cut short
    /// by the kill says nothing.
    pub(crate) fn take_up(&mut self, lines: &[String]) {
        self.pending.clear();
        for line in lines {
            let words: Vec<_> = line.split(' ').collect();
            match *words {
                [">", task, ref rest @ ..] => {
                    let Some(operation) = Operation::parse(rest) else { continue };
                    self.pending.insert(task.parse().unwrap(), operation);
                }
                ["<", task] => {
                    let Ok(task) = task.parse() else { continue };
                    let Some(done) = self.pending.remove(&task) else { continue };
                    *self.answered.entry(done.name()).or_default() += 1;
                    let mut files = self.of(task);
                    done.apply(&mut files);
                    self.set(task, files);
                }
                _ => {}
            }
        }
    }

    /// Compares what a task's folder has with what it must have, and goes on from what it has.
    pub(crate) fn check(&mut self, task: u64, found: BTreeMap<String, u64>) {
        let before = self.of(task);
        let mut after = before.clone();
        if let Some(pending) = self.pending.get(&task) {
            pending.apply(&mut after);
        }
        assert!(
            found == before || found == after,
            "task {task}, killed at {:?}: found {found:?}, where it has to be {before:?} or {after:?}",
            self.pending.get(&task)
        );
        self.checked += found.len();
        self.set(task, found);
    }

    /// The files of a task.
    pub(crate) fn of(&self, task: u64) -> BTreeMap<String, u64> {
        let own = self.files.iter().filter(|((of, _), _)| *of == task);
        own.map(|((_, name), stamp)| (name.clone(), *stamp)).collect()
    }

    fn set(&mut self, task: u64, files: BTreeMap<String, u64>) {
        self.files.retain(|(of, _), _| *of != task);
        self.files.extend(files.into_iter().map(|(name, stamp)| ((task, name), stamp)));
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in &self.answered {
            write!(f, "{count} {name}s answered, ")?;
        }
        write!(f, "{} files read whole, {} uploads resumed", self.checked, self.resumed)
    }
}

/// Numbers that look random and are the same for the same seed.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % bound
    }
}
