//! The log as those who append see it.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime},
};

use sockeye::worker::{Waker, Worker};
use tokio::{sync::watch, time};

use crate::{
    Error, Result, Stalled,
    batch::Batch,
    head::Head,
    operation::Operation,
    record::Record,
    settings::Settings,
    writer::{self, Writer, disk::Disk},
    written::Written,
};

/// How often the others on a thread have their turn, before a batch is asked for that somebody waits for: one turn
/// for who has to read what came, one to carry it out, and one for what comes meanwhile.
const TURNS: usize = 3;

/// An operation log that is open for appending; clones are the same log.
///
/// Appending puts a line into the open batch and returns: one thread chains, writes and syncs the
/// batches, and releases those who [wait](Self::wait). That thread is woken by who waits, by a batch that
/// is half full, and otherwise once an [interval](Settings::interval), so that a line that nobody waits
/// for costs no switch of threads.
///
/// When the last clone is dropped, what was appended is still written; [`close`](Self::close) also says
/// whether it was.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    waker: Waker,
    /// `None` once it was closed.
    worker: Mutex<Option<Worker>>,
}

/// A place in the log, to wait until it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "a change is answered once its record is written: wait for it"]
pub struct Ticket(u64);

impl Ticket {
    /// Of what is not recorded, as its kind is off: there is nothing to wait for.
    pub const DONE: Self = Self(0);

    /// The number of the line; 0 for [`DONE`](Self::DONE).
    #[must_use]
    pub const fn seq(self) -> u64 {
        self.0
    }
}

/// Whether the log can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It is being written.
    Writing,
    /// It cannot be written for now: what was appended is kept and tried again until it can.
    Stalled(Stalled),
}

impl State {
    /// Whether it is stalled.
    #[must_use]
    pub const fn is_stalled(&self) -> bool {
        matches!(self, Self::Stalled(_))
    }
}

/// What those who append and the one who writes have in common.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    open: Mutex<Open>,
    /// Told when a batch was taken, so that there is room again.
    room: Condvar,
    pub(crate) written: Written,
    pub(crate) head: watch::Sender<Option<Head>>,
    state: watch::Sender<State>,
    /// Set by the writer when it gave up: how many lines were not written.
    pub(crate) unwritten: Mutex<Option<u64>>,
}

/// The batch that is open, and what the writer has to know of it.
pub(crate) struct Open {
    pub(crate) batch: Batch,
    /// When its first line came.
    pub(crate) began: Option<Instant>,
    /// Whether the writer is to take it at once.
    pub(crate) wanted: bool,
    /// Whether it is to end with a checkpoint.
    pub(crate) wants_checkpoint: bool,
    /// Whether the writer rests for longer than the interval and has to be woken by a first line.
    pub(crate) writer_rests: bool,
    /// Whether somebody waits for room.
    pub(crate) is_awaited: bool,
    pub(crate) closed: bool,
    /// What was carried out unrecorded.
    pub(crate) gaps: [u64; Operation::COUNT],
}

impl Journal {
    /// Opens the log in a folder for appending; the folder, its key and the log are made if they are not
    /// there. What a crash tore is cut off, and that is recorded.
    ///
    /// Blocks while it looks at the last segment (a tenth of a second after a crash).
    ///
    /// # Errors
    /// If the folder cannot be written, another process writes to it, its key is gone or no key, or its
    /// last segment cannot be continued.
    pub fn open(folder: &Path, settings: Settings) -> Result<Self> {
        Self::open_on(folder, settings, writer::disk::Folder::new())
    }

    pub(crate) fn open_on(
        folder: &Path,
        settings: Settings,
        disk: impl Disk + 'static,
    ) -> Result<Self> {
        let settings = Settings {
            segment_size: settings.segment_size.max(Settings::LEAST_SEGMENT),
            segment_age: settings.segment_age.max(Settings::LEAST_AGE),
            batch: settings.batch.max(Settings::LEAST_BATCH),
            ..settings
        };
        let (writer, first) = Writer::open(folder, &settings, Box::new(disk))?;
        let shared = Arc::new(Shared {
            settings,
            room: Condvar::new(),
            written: Written::new(writer.written()),
            head: watch::Sender::new(writer.head()),
            state: watch::Sender::new(State::Writing),
            unwritten: Mutex::new(None),
            open: Mutex::new(Open {
                began: (!first.bytes.is_empty()).then(Instant::now),
                batch: first,
                wanted: false,
                wants_checkpoint: false,
                writer_rests: false,
                is_awaited: false,
                closed: false,
                gaps: [0; Operation::COUNT],
            }),
        });
        let of_writer = Arc::clone(&shared);
        let worker = Worker::start("sockeye-journal", move |stop| writer.run(&of_writer, stop))
            .map_err(Error::at(folder))?;
        let (waker, worker) = (worker.waker(), Mutex::new(Some(worker)));
        Ok(Self(Arc::new(Inner { shared, waker, worker })))
    }

    /// Appends a record. What is a [mutation](Operation::is_mutation) is answered once its ticket was
    /// [waited](Self::wait) for.
    ///
    /// If the batch is full it blocks, at most for [`Settings::longest_append`], and not at all once the log
    /// is known to be stalled. It may be called on threads that must not block for longer.
    ///
    /// # Errors
    /// If the batch stays full or the log is closed: the record was not taken. Whoever goes on all the
    /// same, with what changes nothing, says so by [`unrecorded`](Self::unrecorded).
    pub fn append(&self, record: &Record<'_>) -> Result<Ticket, Stalled> {
        let Inner { shared, waker, .. } = &*self.0;
        if shared.settings.off.contains(record.operation.kind()) {
            return Ok(Ticket::DONE);
        }
        let mut open = shared.with_room(record.operation, waker)?;
        let seq = open.batch.push(record);
        let mut wake = false;
        if open.began.is_none() {
            open.began = Some(Instant::now());
            wake = std::mem::take(&mut open.writer_rests);
        }
        if !open.wanted && open.batch.bytes.len() >= shared.settings.batch / 2 {
            open.wanted = true;
            wake = true;
        }
        drop(open);
        if wake {
            waker.wake();
        }
        Ok(Ticket(seq))
    }

    /// Waits until a record is written, and on the disk if [`Settings::sync`] is set.
    ///
    /// # Errors
    /// If that takes longer than [`Settings::longest_wait`]. The record is not lost then: it is kept, and
    /// written as soon as that is possible.
    ///
    /// Cancellation: safe; the record is written all the same.
    pub async fn wait(&self, ticket: Ticket) -> Result<(), Stalled> {
        let Inner { shared, waker, .. } = &*self.0;
        if shared.written.last() >= ticket.0 {
            return Ok(());
        }
        if shared.want(ticket.0) {
            // Also if this is given up meanwhile: others wait for the same batch.
            let _asked = Asked(waker);
            // Who runs beside this may be about to append, too. Then one batch will do for all of them.
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        }
        let wait = shared.written.wait(ticket.0);
        match time::timeout(shared.settings.longest_wait, wait).await {
            Ok(()) => Ok(()),
            Err(_) => Err(shared.stalled_or("writing takes too long")),
        }
    }

    /// Says that something was carried out without a record, as [`append`](Self::append) failed. It is
    /// counted, and the count is recorded as soon as the log is written again.
    pub fn unrecorded(&self, operation: Operation) {
        let mut open = self.0.shared.open();
        let count = &mut open.gaps[operation as usize];
        *count = count.saturating_add(1);
    }

    /// Whether the log can be written.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.shared.state.borrow().clone()
    }

    /// To be told when that changes.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<State> {
        self.0.shared.state.subscribe()
    }

    /// Signs what was appended so far, and gives the head of it.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    ///
    /// Cancellation: safe; the checkpoint is written all the same.
    pub async fn checkpoint(&self) -> Result<Head, Stalled> {
        let Inner { shared, waker, .. } = &*self.0;
        let mut heads = shared.head.subscribe();
        let seq = shared.want_checkpoint()?;
        waker.wake();
        let wait = heads.wait_for(|head| head.is_some_and(|head| head.seq >= seq));
        match time::timeout(shared.settings.longest_wait, wait).await {
            Ok(Ok(head)) => head.ok_or_else(|| shared.stalled_or("there is no checkpoint")),
            Ok(Err(_)) | Err(_) => Err(shared.stalled_or("writing takes too long")),
        }
    }

    /// The head of the last checkpoint; none before the first one.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        *self.0.shared.head.borrow()
    }

    /// How many lines are written, that is the number of the last one.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.0.shared.written.last()
    }

    /// How many lines were appended and are not written yet.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        let next = self.0.shared.open().batch.next;
        next.saturating_sub(1).saturating_sub(self.written())
    }

    /// Writes what was appended, signs it, and ends. Appending fails from then on; closing again does
    /// nothing.
    ///
    /// Blocks, if the log is stalled for at most [`Settings::longest_wait`].
    ///
    /// # Errors
    /// If lines could not be written; they are lost.
    pub fn close(&self) -> Result<()> {
        let worker = self.0.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = worker.is_none_or(Worker::join);
        let shared = &self.0.shared;
        let unwritten = *shared.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        match unwritten {
            Some(records) => {
                let why = shared.stalled_or("the disk did not answer").why;
                Err(Error::NotWritten { records, why })
            }
            None if !ended => {
                let why = "the thread that writes has panicked".into();
                let records = shared.open().batch.next - 1 - shared.written.last();
                Err(Error::NotWritten { records, why })
            }
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("written", &self.written())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// A batch that was asked for: dropped, it has the writer take it.
struct Asked<'a>(&'a Waker);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.wake();
    }
}

impl Shared {
    pub(crate) fn open(&self) -> MutexGuard<'_, Open> {
        // A panic while a line is put in leaves whole lines, or a torn one that is seen as broken.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The open batch, once there is room in it for what is to be appended.
    fn with_room(
        &self,
        operation: Operation,
        waker: &Waker,
    ) -> Result<MutexGuard<'_, Open>, Stalled> {
        let bound = self.settings.batch;
        // So that what was begun before the log stalled can still be recorded.
        let most = if operation.is_mutation() { bound } else { bound / 4 * 3 };
        let is_full = |open: &mut Open| {
            let is_full = open.batch.bytes.len() >= most && !open.closed;
            open.is_awaited |= is_full;
            is_full
        };
        let mut open = self.open();
        if is_full(&mut open) {
            if let State::Stalled(stalled) = &*self.state.borrow() {
                return Err(stalled.clone());
            }
            open.wanted = true;
            waker.wake();
            let limit = self.settings.longest_append;
            let waited = self.room.wait_timeout_while(open, limit, is_full);
            let (guard, result) = waited.unwrap_or_else(PoisonError::into_inner);
            open = guard;
            if result.timed_out() {
                drop(open);
                let why = "records come faster than they can be written";
                self.stall(why.into());
                return Err(self.stalled_or(why));
            }
        }
        if open.closed { Err(self.stalled_or("it is closed")) } else { Ok(open) }
    }

    /// Has the writer take the batch with this line; whether it has to be woken for that.
    fn want(&self, seq: u64) -> bool {
        let mut open = self.open();
        let is_open = seq >= open.batch.first && !open.wanted;
        open.wanted |= is_open;
        is_open
    }

    /// Has the writer add a checkpoint, and gives the number that it will have at least.
    fn want_checkpoint(&self) -> Result<u64, Stalled> {
        let mut open = self.open();
        if open.closed {
            return Err(self.stalled_or("it is closed"));
        }
        open.wants_checkpoint = true;
        Ok(open.batch.next)
    }

    /// Notes that the log cannot be written; whether that is news.
    pub(crate) fn stall(&self, why: Arc<str>) -> bool {
        self.state.send_if_modified(|state| {
            let since = match state {
                State::Stalled(stalled) if stalled.why == why => return false,
                State::Stalled(stalled) => stalled.since,
                State::Writing => SystemTime::now(),
            };
            *state = State::Stalled(Stalled { since, why });
            true
        })
    }

    /// Notes that the log was written; whether it was stalled before.
    pub(crate) fn recovered(&self) -> bool {
        self.state.send_if_modified(|state| {
            let was_stalled = state.is_stalled();
            if was_stalled {
                *state = State::Writing;
            }
            was_stalled
        })
    }

    /// Why the log is stalled, or what else stands in the way.
    fn stalled_or(&self, why: &str) -> Stalled {
        match &*self.state.borrow() {
            State::Stalled(stalled) => stalled.clone(),
            State::Writing => Stalled { since: SystemTime::now(), why: why.into() },
        }
    }

    /// Lets those in who wait for room.
    pub(crate) fn tell_of_room(&self) {
        self.room.notify_all();
    }
}
