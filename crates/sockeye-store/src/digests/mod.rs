//! Digests that were computed once and are kept, by the version of the file.
//!
//! A cache, for all homes of a server: it may be deleted, and what does not fit in time is left out. Nothing in
//! it is believed of a file that is no longer the same. Files so small that reading them costs no more than
//! looking them up are not in it.

mod database;
mod flights;
mod later;
mod of_home;

use std::{
    collections::VecDeque,
    fmt, io,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use database::Database;
use flights::{Flights, Sum};
use sockeye::worker::{Stop, Waker, Worker};
use tokio::sync::{OwnedMutexGuard, oneshot};

use crate::{
    Algorithm, Digest, FilePath, Version,
    home::Root,
    keep::locked,
    sqlite::{self, Job},
};

/// Files below this size are not kept here.
pub(crate) const SMALLEST: u64 = 64 * 1024;

/// Notes that wait to be written; the oldest gives way to one more.
const MOST_NOTES: usize = 4096;

/// Notes that are written without waiting for more.
const BATCH: usize = 512;

/// How long a note waits for others to be written with.
const GATHERED_FOR: Duration = Duration::from_millis(500);

/// Questions that wait; one more is answered at once, as if nothing were known.
const MOST_QUESTIONS: usize = 1024;

/// A cache of digests in a file of its own; clones share it.
///
/// It is written by a thread of its own, and SHA-256 of new files is computed by another, of the lowest priority.
/// Dropping the last clone writes what is left and waits for both.
#[derive(Clone, Debug)]
pub struct Digests(Arc<Threads>);

#[derive(Debug)]
struct Threads {
    desk: Arc<Desk>,
    waker: Waker,
    later: later::Later,
    flights: Flights,
    /// Dropped last: the other one still hands in notes.
    _writer: Worker,
}

/// Where notes and questions wait for the thread.
#[derive(Default)]
struct Desk(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    notes: VecDeque<Note>,
    questions: VecDeque<Question>,
    /// When the oldest note came.
    since: Option<Instant>,
    /// Nobody comes to the desk any more.
    is_closed: bool,
}

/// Something to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// This is the digest of that version.
    Known(Version, Digest),
    /// This is the CRC-32 of that version.
    Crc32(Version, u32),
    /// The content of the first version is that of the second: only its time was set.
    Same(Version, Version),
}

/// Something to be looked up.
type Question = Job<Database>;

impl Digests {
    /// Opens the cache at `path`, or makes it anew if it is not there or cannot be used. Blocks, shortly.
    ///
    /// # Errors
    /// If it cannot be made there, or the system gives no thread.
    pub fn open(path: &Path) -> io::Result<Self> {
        let desk = Arc::<Desk>::default();
        let at_desk = Arc::clone(&desk);
        let serve = move |database: Database, stop: &Stop| serve(&at_desk, database, stop);
        let writer = sqlite::start("sockeye-digests", "digests", path, Database::open, serve)?;
        let waker = writer.waker();
        let later = later::Later::start(Arc::clone(&desk), waker.clone())?;
        let flights = Flights::default();
        Ok(Self(Arc::new(Threads { desk, waker, later, flights, _writer: writer })))
    }

    /// The digest of that version, if it is known.
    pub(crate) async fn get(&self, version: Version, algorithm: Algorithm) -> Option<Digest> {
        self.ask(move |database| database.get(&version, algorithm)).await.ok().flatten()
    }

    /// The CRC-32 of that version, if it is known.
    pub(crate) async fn get_crc32(&self, version: Version) -> Option<u32> {
        self.ask(move |database| database.get_crc32(&version)).await.ok().flatten()
    }

    /// How many of these files are said to have another version than they have; forgotten if so told. Blocks.
    pub(crate) fn stale(&self, files: Vec<Version>, forget: bool) -> u64 {
        let answer = self.ask(move |database| database.stale(&files, forget));
        answer.blocking_recv().unwrap_or(0)
    }

    /// Waits until nobody else reads that version for the same; it may be known by then.
    async fn turn(&self, version: Version, sum: Sum) -> OwnedMutexGuard<()> {
        self.0.flights.enter(version, sum).await
    }

    /// Takes a note, to be written soon.
    pub(crate) fn note(&self, note: Note) {
        self.0.desk.note(note, &self.0.waker);
    }

    /// Has the SHA-256 of a new file computed when there is nothing better to do.
    pub(crate) fn compute_later(&self, home: &Arc<Root>, path: &FilePath, version: Version) {
        self.0.later.add(home, path, version);
    }

    /// Has something looked up; no answer comes if that fails, or too many wait.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Database) -> sqlx::Result<T> + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (answer, answered) = oneshot::channel();
        let mut waiting = locked(&self.0.desk.0);
        if !waiting.is_closed && waiting.questions.len() < MOST_QUESTIONS {
            waiting.questions.push_back(Box::new(move |database| match question(database) {
                // Whoever no longer waits for it has dropped the other end.
                Ok(found) => drop(answer.send(found)),
                Err(error) => tracing::warn!(%error, "a digest was not looked up"),
            }));
            drop(waiting);
            self.0.waker.wake();
        }
        answered
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk(…)")
    }
}

impl Desk {
    fn note(&self, note: Note, waker: &Waker) {
        let mut waiting = locked(&self.0);
        if waiting.notes.len() >= MOST_NOTES {
            waiting.notes.pop_front();
        }
        waiting.notes.push_back(note);
        let is_first = waiting.since.is_none();
        waiting.since.get_or_insert_with(Instant::now);
        if is_first || waiting.notes.len() == BATCH {
            drop(waiting);
            waker.wake();
        }
    }

    /// What there is to do now, or how long to rest.
    fn next(&self, is_last: bool) -> Result<(Vec<Note>, Vec<Question>), Option<Duration>> {
        let mut waiting = locked(&self.0);
        let age = waiting.since.map(|since| since.elapsed());
        let is_due = is_last
            || !waiting.questions.is_empty()
            || waiting.notes.len() >= BATCH
            || age.is_some_and(|age| age >= GATHERED_FOR);
        if !is_due || (waiting.notes.is_empty() && waiting.questions.is_empty()) {
            return Err(age.map(|age| GATHERED_FOR.saturating_sub(age)));
        }
        waiting.since = None;
        Ok((waiting.notes.drain(..).collect(), waiting.questions.drain(..).collect()))
    }
}

/// Closes the desk when the thread ends, however it ends: nobody waits for an answer that will not come.
struct Open<'a>(&'a Desk);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let mut waiting = locked(&self.0.0);
        waiting.is_closed = true;
        waiting.questions.clear();
    }
}

/// The life of the thread: notes before questions, so that an answer knows what was noted before.
fn serve(desk: &Desk, mut database: Database, stop: &Stop) {
    let _open = Open(desk);
    loop {
        let is_last = stop.is_told();
        match desk.next(is_last) {
            Ok((notes, questions)) => {
                if let Err(error) = database.write(&notes) {
                    tracing::warn!(%error, lost = notes.len(), "digests were not kept");
                }
                questions.into_iter().for_each(|question| question(&mut database));
            }
            Err(_) if is_last => return,
            Err(rest) => stop.rest(rest),
        }
    }
}
