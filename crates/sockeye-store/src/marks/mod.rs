//! What is kept about paths beside the files: dead properties, and locks.
//!
//! One file for all homes of a server, `marks.db`, used by one thread. It is no cache: what was set stays until it is
//! removed. Marks follow what they are of: a rename, a copy, a removal to the trash and back, also between homes. A
//! rename is written down before it is made and carried out here after it, so that a crash in between loses nothing. A
//! file that is written anew keeps its properties. How many a home has is known without a look at the disk, so that
//! one without any pays nothing.

mod database;
mod lock;
mod moves;
mod of_home;
mod property;
mod spot;

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, mpsc},
};

use database::Database;
pub(crate) use lock::Touch;
pub use lock::{
    BadToken, Claim, Lock, LockDepth, LockRequest, LockScope, LockToken, MAX_LOCK_OWNER,
    MAX_LOCK_TIMEOUT, MAX_LOCKS,
};
pub(crate) use of_home::Marked;
pub use property::{
    MAX_HOME_PROPERTIES, MAX_HOME_PROPERTY_BYTES, MAX_PROPERTIES, MAX_PROPERTY, MAX_PROPERTY_BYTES,
    MAX_PROPERTY_NAME, Property, PropertyChange, PropertyName,
};
use sockeye::worker::{Stop, Waker, Worker};
pub(crate) use spot::Spot;

use crate::{
    Error, Result,
    keep::locked,
    sqlite::{self, Job},
};

/// The marks of all homes, in a file of its own; clones share it.
///
/// Dropping the last clone waits for what was asked of it.
#[derive(Clone, Debug)]
pub struct Marks {
    thread: Arc<Thread>,
    /// Whose marks are meant.
    home: Arc<str>,
}

#[derive(Debug)]
struct Thread {
    jobs: Mutex<mpsc::Sender<Job<Database>>>,
    waker: Waker,
    _worker: Worker,
}

impl Marks {
    /// Opens the file at `path`, or makes it. Blocks, shortly.
    ///
    /// # Errors
    /// If it cannot be opened, is another program's or a newer one's, or the system gives no thread.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job<Database>>();
        let serve = move |mut database: Database, stop: &Stop| loop {
            let is_last = stop.is_told();
            queue.try_iter().for_each(|job| job(&mut database));
            if is_last {
                return;
            }
            stop.rest(None);
        };
        let what = "properties and locks";
        let worker = sqlite::start("sockeye-marks", what, path, Database::open, serve)?;
        let thread = Thread { jobs: Mutex::new(jobs), waker: worker.waker(), _worker: worker };
        Ok(Self { thread: Arc::new(thread), home: "".into() })
    }

    /// The marks of the home of this name, which is to stay the same.
    #[must_use]
    pub fn of(&self, home: &str) -> Self {
        Self { thread: Arc::clone(&self.thread), home: home.into() }
    }

    /// Writes a copy of everything to the new file `to`. Blocks.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn backup(&self, to: &Path) -> io::Result<()> {
        let text = to.to_str().map(str::to_owned).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "the path of a backup is UTF-8")
        })?;
        self.ask(move |database| database.backup(&text)).map_err(|error| match error {
            Error::Io(error) => error,
            other => io::Error::other(other),
        })
    }

    /// Has something done with the file, and waits for it.
    fn ask<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Database) -> sqlx::Result<T> + Send + 'static,
    {
        let (answer, answered) = mpsc::channel();
        let job: Job<Database> = Box::new(move |database| drop(answer.send(work(database))));
        let gone = |_| Error::Io(io::Error::other("the thread of properties and locks has ended"));
        locked(&self.thread.jobs).send(job).map_err(|_| gone(mpsc::RecvError))?;
        self.thread.waker.wake();
        answered.recv().map_err(gone)?.map_err(|error| match &error {
            // SQLITE_FULL.
            sqlx::Error::Database(told) if told.code().as_deref() == Some("13") => Error::NoSpace,
            _ => Error::Io(io::Error::other(error)),
        })
    }
}
