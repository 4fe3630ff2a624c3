//! An operation under way: begun when it is asked for, recorded when its outcome is known.

use std::{
    borrow::Cow,
    io,
    sync::Arc,
    time::{Instant, SystemTime},
};

use sockeye_journal::{Operation, Outcome, Record, Ticket};

use crate::{
    Error, FilePath, Result,
    lacking::lacking,
    namespace::{Reached, TreeName, absolute},
    presence::UnderWay,
    seat::Seat,
};

/// What is recorded of the contents that an operation read or wrote.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Contents {
    /// How many bytes went by.
    pub(crate) bytes: Option<u64>,
    /// Their BLAKE3 digest.
    pub(crate) digest: Option<[u8; 32]>,
    /// The number in the name that they were given, if it is another than was wanted.
    pub(crate) number: Option<u32>,
}

impl Contents {
    /// Nothing that has contents.
    pub(crate) const NONE: Self = Self { bytes: None, digest: None, number: None };

    /// So many bytes.
    pub(crate) const fn bytes(bytes: u64) -> Self {
        Self { bytes: Some(bytes), digest: None, number: None }
    }
}

/// An operation under way. One that is given up before its outcome is known is recorded as cut.
#[derive(Debug)]
pub(crate) struct Act {
    seat: Arc<Seat>,
    operation: Operation,
    /// As the log has it.
    path: Vec<u8>,
    to: Option<Vec<u8>>,
    detail: Option<String>,
    begun: Instant,
    /// What is recorded if it is given up.
    given_up: Outcome,
    /// Whether it still has to be recorded.
    open: bool,
    /// What is seen of it while it lasts.
    under_way: Option<UnderWay>,
}

impl Act {
    /// Begins an operation on `path`.
    pub(crate) fn begin(seat: &Arc<Seat>, operation: Operation, path: &Reached<'_>) -> Self {
        Self {
            seat: Arc::clone(seat),
            operation,
            path: seat.recorded_path(path),
            to: None,
            detail: None,
            begun: Instant::now(),
            given_up: Outcome::Cut,
            open: true,
            under_way: None,
        }
    }

    /// Lets administrators see it, and how far it is, for as long as it lasts.
    pub(crate) fn show(&mut self) {
        let presence = self.seat.presence();
        self.under_way = Some(presence.begin(self.operation, &self.path, SystemTime::now()));
    }

    /// So many bytes went by so far: recorded as well if nobody is left to say what came of it.
    pub(crate) fn reached(&self, bytes: u64) {
        if let Some(under_way) = &self.under_way {
            under_way.reached(bytes);
        }
    }

    /// It leads to this other path.
    pub(crate) fn leading_to(mut self, to: &Reached<'_>) -> Self {
        self.to = Some(self.seat.recorded_path(to));
        self
    }

    /// The log says this beside who and where.
    pub(crate) fn saying(mut self, detail: String) -> Self {
        self.detail = Some(detail);
        self
    }

    /// It turns out to be on this path.
    pub(crate) fn turn_to(&mut self, path: &Reached<'_>) {
        self.path = self.seat.recorded_path(path);
    }

    /// It turns out to be this instead.
    pub(crate) fn turning_into(mut self, operation: Operation) -> Self {
        self.operation = operation;
        self
    }

    /// It failed so, and may still be tried again: if it is not, this is what is recorded.
    pub(crate) fn failing_with(&mut self, error: &Error) {
        self.given_up = error.outcome();
    }

    /// Records that it was given up, or how it failed before.
    pub(crate) fn give_up(mut self, contents: Contents) {
        self.record(self.given_up, contents);
    }

    /// Who does it.
    pub(crate) fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }

    /// It turns out to be nothing that is recorded.
    pub(crate) fn forget(mut self) {
        self.open = false;
    }

    /// Records what came of it.
    pub(crate) fn end(mut self, outcome: Outcome, contents: Contents) {
        self.record(outcome, contents);
    }

    /// Carries out a change in a task of its own, so that it is done and recorded also if nobody waits for it any
    /// more.
    pub(crate) async fn carry_out<T: Send + 'static>(
        self,
        work: impl Future<Output = Result<T>> + Send + 'static,
        tally: fn(&T) -> Contents,
    ) -> Result<T> {
        let seat = Arc::clone(&self.seat);
        let task = seat.gate().carry_out(async move { self.settle(work.await, tally).await });
        task.await.unwrap_or_else(|panicked| Err(Error::Io(io::Error::other(panicked))))
    }

    /// The error as the session is told of it: the store knows a lock's place in its tree alone, and how much room an
    /// account has is nobody's business who came by a link of its.
    pub(crate) fn outward(&self, error: Error) -> Error {
        let root = match error {
            Error::Locked { root } => root,
            Error::OverQuota(_) if self.seat.visit().is_some() => return Error::BoxFull,
            other => return other,
        };
        let beside = |at: &[u8]| {
            let at = FilePath::parse(at.get(1..)?).ok()?;
            let root = TreeName::of(&at)?.0.within(&root)?.into_path();
            (root.covers(&at) || at.covers(&root)).then_some(root)
        };
        let led = self.to.as_deref().and_then(beside);
        let root = led.or_else(|| beside(&self.path)).unwrap_or(root);
        Error::Locked { root }
    }

    /// Records the outcome of a change; what succeeded is told as done only once its record is kept.
    async fn settle<T>(mut self, result: Result<T>, tally: fn(&T) -> Contents) -> Result<T> {
        let (outcome, contents) = match &result {
            Ok(done) => (Outcome::Ok, tally(done)),
            Err(error) => (error.outcome(), Contents::NONE),
        };
        let ticket = self.record(outcome, contents);
        if let (Ok(_), Some(ticket)) = (&result, ticket) {
            // What was done is done, and its record is kept in memory and written as soon as can be. The node
            // takes no further change until then.
            if let Err(stalled) = self.seat.gate().journal().wait(ticket).await {
                tracing::warn!("a change waits to be recorded: {stalled}");
            }
        }
        result.map_err(|error| self.outward(error))
    }

    fn record(&mut self, outcome: Outcome, contents: Contents) -> Option<Ticket> {
        self.open = false;
        let took = self.begun.elapsed();
        self.under_way = None;
        self.seat.presence().touch(self.begun + took);
        let numbered = contents.number.and_then(|number| self.numbered(number));
        let lacking = (outcome == Outcome::Denied)
            .then(|| lacking(&self.seat, self.operation, &self.path, self.to.as_deref()))
            .flatten();
        let said = self.detail.as_deref().or_else(|| self.seat.detail());
        let detail = match (said, lacking) {
            (said, None) => said.map(Cow::Borrowed),
            (None, Some(lacking)) => Some(lacking.to_string().into()),
            (Some(said), Some(lacking)) => Some(format!("{said}; {lacking}").into()),
        };
        let record = Record {
            account: self.seat.recorded_name(),
            path: Some(&self.path),
            to: self.to.as_deref().or(numbered.as_deref()),
            detail: detail.as_deref(),
            bytes: contents.bytes,
            digest: contents.digest.as_ref(),
            took: Some(took),
            ..self.seat.origin().record(self.operation, outcome)
        };
        self.seat.gate().record(&record)
    }

    /// The name that a file was given beside the one that was wanted.
    fn numbered(&self, number: u32) -> Option<Vec<u8>> {
        let wanted = FilePath::parse(self.path.get(1..)?).ok()?;
        Some(absolute(&wanted.numbered(number)))
    }
}

impl Drop for Act {
    fn drop(&mut self) {
        if self.open {
            let bytes = self.under_way.as_ref().map(UnderWay::bytes).filter(|bytes| *bytes > 0);
            self.record(self.given_up, Contents { bytes, ..Contents::NONE });
        }
    }
}
