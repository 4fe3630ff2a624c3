//! Following a log: what is appended is seen soon, and nothing is done while nothing is.

use std::{
    fmt,
    mem::MaybeUninit,
    ops::ControlFlow,
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
    thread,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::inotify::{self, CreateFlags, WatchFlags},
    io::Errno,
};

use super::{Found, Position, Reader, Scanned, query::Plan};
use crate::{Error, Result};

/// The shortest time between two looks, so that a busy log is not looked at for each of its batches.
const LEAST_PAUSE: Duration = Duration::from_millis(100);

/// The time between two looks at a folder that cannot be watched.
const PAUSE_UNWATCHED: Duration = Duration::from_millis(500);

/// A log that is being followed.
pub struct Follow {
    reader: Reader,
    plan: Plan,
    position: Position,
    /// None where the system has no more watches: the log is then looked at now and then.
    watch: Option<OwnedFd>,
}

impl Follow {
    pub(super) fn new(reader: Reader, plan: Plan, position: Position) -> Result<Self> {
        let watch = match watch(&reader) {
            Ok(watch) => Some(watch),
            Err(Errno::MFILE | Errno::NFILE | Errno::NOSPC | Errno::NOSYS) => None,
            Err(error) => return Err(Error::at(&reader.folder)(error.into())),
        };
        Ok(Self { reader, plan, position, watch })
    }

    /// Gives what was appended since the last pass and is wanted.
    ///
    /// # Errors
    /// If a segment cannot be read.
    pub fn pass(
        &mut self,
        mut each: impl FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let mut scanned = Scanned { position: self.position, ..Scanned::default() };
        let flow = self.reader.scan_from(&self.plan, &mut scanned, false, &mut each)?;
        self.position = scanned.position;
        Ok(flow)
    }

    /// Blocks until something may have been appended, at least 100 ms, at most for `limit`. It also
    /// ends when the other side of `output` is closed, as a pipe's is when its reader has gone; then,
    /// and only then, it gives `Break`.
    ///
    /// # Errors
    /// If the system cannot wait.
    pub fn wait(&self, limit: Duration, output: Option<BorrowedFd<'_>>) -> Result<ControlFlow<()>> {
        thread::sleep(LEAST_PAUSE.min(limit));
        let limit = limit.saturating_sub(LEAST_PAUSE);
        let limit = if self.watch.is_some() { limit } else { limit.min(PAUSE_UNWATCHED) };
        let waited = self.poll(limit, output);
        waited.map_err(|error| Error::at(&self.reader.folder)(error.into()))
    }

    fn poll(
        &self,
        limit: Duration,
        output: Option<BorrowedFd<'_>>,
    ) -> Result<ControlFlow<()>, Errno> {
        let limit = Timespec::try_from(limit).map_err(|_| Errno::INVAL)?;
        // Of the output nothing is asked but what is always told: that its other side has gone.
        let mut waited: Vec<_> =
            output.iter().map(|output| PollFd::new(output, PollFlags::empty())).collect();
        waited.extend(self.watch.iter().map(|watch| PollFd::new(watch, PollFlags::IN)));
        match poll(&mut waited, Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        let gone = PollFlags::ERR | PollFlags::HUP;
        if output.is_some() && waited[0].revents().intersects(gone) {
            return Ok(ControlFlow::Break(()));
        }
        self.watch.as_ref().map_or(Ok(()), drain)?;
        Ok(ControlFlow::Continue(()))
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").field("position", &self.position).finish_non_exhaustive()
    }
}

fn watch(reader: &Reader) -> Result<OwnedFd, Errno> {
    let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    inotify::add_watch(&watch, &reader.folder, WatchFlags::MODIFY | WatchFlags::CREATE)?;
    Ok(watch)
}

/// Takes what happened; what it was is seen by looking.
fn drain(watch: &OwnedFd) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); 4096];
    loop {
        match rustix::io::read(watch.as_fd(), &mut space) {
            Ok((events, _)) if !events.is_empty() => {}
            Ok(_) | Err(Errno::WOULDBLOCK) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}
