//! Reading a log: no running server is needed, and nothing that stands in it is trusted.

mod export;
mod follow;
pub(crate) mod lines;
mod query;
mod scan;

use std::{
    collections::VecDeque,
    fmt,
    fs::File,
    io::{self, Seek as _, SeekFrom},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

pub use export::Format;
pub use follow::Follow;
pub use query::Query;

use crate::{
    Error, Result,
    segments::Segment,
    summary::Summary,
    wire::line::{self, Entry},
};
use query::Plan;
use scan::{Each, Scan};

/// Reads the log of a folder, also while it is being written.
#[derive(Clone, Debug)]
pub struct Reader {
    folder: PathBuf,
}

/// What a reader comes upon.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// A line that is wanted: what it says, and its text without the line end.
    Entry(&'a Entry<'a>, &'a [u8]),
    /// A line that is none. What a query can pass over unread is not looked at; verify looks at all.
    Broken(Broken),
}

/// A line that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The number in its segment's name.
    pub segment: u64,
    /// Where it begins, in bytes.
    pub offset: u64,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, offset } = self;
        write!(f, "{segment:020}.jsonl: the line at byte {offset} cannot be read")
    }
}

/// What was looked through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scanned {
    /// Lines that were wanted.
    pub entries: u64,
    /// Lines that were none.
    pub broken: u64,
    /// Segments that were looked through.
    pub segments: u64,
    /// Segments that were passed over by their summaries.
    pub passed_over: u64,
    /// The end of the log, to follow it from there; some place near, if it was broken off.
    pub position: Position,
}

/// A place in a log, between two lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    segment: u64,
    offset: u64,
}

/// Most lines that [`Reader::last`] gives.
pub const MOST_LAST: usize = 10_000;

impl Reader {
    /// Opens the log of a folder.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn open(folder: &Path) -> Result<Self> {
        let reader = Self { folder: folder.to_owned() };
        if reader.segments()?.is_empty() {
            return Err(Error::NoLog(reader.folder));
        }
        Ok(reader)
    }

    /// The log that a [`Journal`](crate::Journal) of this process has open in a folder, also while its first lines are
    /// still in memory: there is nothing in it then.
    #[must_use]
    pub fn of_open(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Its segments, the oldest first.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn segments(&self) -> Result<Vec<Segment>> {
        Segment::list(&self.folder)
    }

    /// Looks for what is wanted, in the order of the log, until `each` breaks it off or the end is
    /// reached. What is written meanwhile may or may not be seen.
    ///
    /// # Errors
    /// If a segment cannot be read.
    pub fn scan(
        &self,
        query: &Query,
        mut each: impl FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<Scanned> {
        let mut scanned = Scanned::default();
        // That it was broken off, the caller knows.
        let _ = self.scan_from(&Plan::new(query), &mut scanned, true, &mut each)?;
        Ok(scanned)
    }

    /// Gives the last lines that are wanted, at most so many and at most [`MOST_LAST`], in the order of
    /// the log. It looks from the end, so that it need not read all.
    ///
    /// # Errors
    /// If a segment cannot be read.
    pub fn last(
        &self,
        query: &Query,
        count: usize,
        mut each: impl FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<Scanned> {
        let count = count.min(MOST_LAST);
        let plan = Plan::new(query);
        let mut scan = Scan::new();
        let mut all = Scanned::default();
        let mut kept: VecDeque<Kept> = VecDeque::new();
        for segment in self.segments()?.iter().rev() {
            let mut own: VecDeque<Kept> = VecDeque::new();
            let room = count - kept.len();
            let end = self.look_through(&mut scan, segment, 0, &plan, &mut all, &mut |found| {
                own.push_back(Kept::of(found));
                if own.len() > room {
                    own.pop_front();
                }
                ControlFlow::Continue(())
            })?;
            if all.position == Position::default()
                && let Some(position) = end
            {
                all.position = position;
            }
            own.into_iter().rev().for_each(|found| kept.push_front(found));
            if kept.len() >= count {
                break;
            }
        }
        (all.entries, all.broken) = (0, 0);
        for found in &kept {
            if found.give(&mut all, &mut each).is_break() {
                break;
            }
        }
        Ok(all)
    }

    /// Follows the log from a place on, as [`scan`](Self::scan) and [`last`](Self::last) give one.
    ///
    /// # Errors
    /// If the folder cannot be watched.
    pub fn follow(&self, query: &Query, from: Position) -> Result<Follow> {
        Follow::new(self.clone(), Plan::new(query), from)
    }

    /// Looks through what follows on the position, which moves along.
    fn scan_from(
        &self,
        plan: &Plan,
        scanned: &mut Scanned,
        may_skip: bool,
        each: Each<'_>,
    ) -> Result<ControlFlow<()>> {
        let mut scan = Scan::new();
        let begin = scanned.position;
        for segment in self.segments()? {
            if segment.first < begin.segment {
                continue;
            }
            let offset = if segment.first == begin.segment { begin.offset } else { 0 };
            if may_skip && offset == 0 && self.can_pass_over(&segment, plan, scanned) {
                continue;
            }
            let mut flow = ControlFlow::Continue(());
            let end =
                self.look_through(&mut scan, &segment, offset, plan, scanned, &mut |found| {
                    flow = each(found);
                    flow
                })?;
            if let Some(end) = end {
                scanned.position = end;
            }
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether a segment has nothing that is wanted, by its summary; the position is then its end.
    fn can_pass_over(&self, segment: &Segment, plan: &Plan, scanned: &mut Scanned) -> bool {
        let Ok(bytes) = segment.path.metadata().map(|meta| meta.len()) else { return false };
        let passed = Summary::of(segment, bytes).is_some_and(|summary| !plan.may_be_in(&summary));
        if passed {
            scanned.passed_over += 1;
            scanned.position = Position { segment: segment.first, offset: bytes };
        }
        passed
    }

    /// Looks through one segment; nothing if it was removed meanwhile.
    fn look_through(
        &self,
        scan: &mut Scan,
        segment: &Segment,
        offset: u64,
        plan: &Plan,
        scanned: &mut Scanned,
        each: Each<'_>,
    ) -> Result<Option<Position>> {
        let mut file = match File::open(&segment.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::at(&segment.path)(error)),
        };
        let (mut entries, mut broken) = (0, 0);
        let mut counted = |found: Found<'_>| {
            match found {
                Found::Entry(..) => entries += 1,
                Found::Broken(_) => broken += 1,
            }
            each(found)
        };
        let offset = file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| scan.segment(segment.first, offset, file, plan, &mut counted))
            .map_err(Error::at(&segment.path))?;
        scanned.segments += 1;
        scanned.entries += entries;
        scanned.broken += broken;
        Ok(Some(Position { segment: segment.first, offset }))
    }
}

/// A line that is kept until all before it are known.
enum Kept {
    Line(Box<[u8]>),
    Broken(Broken),
}

impl Kept {
    fn of(found: Found<'_>) -> Self {
        match found {
            Found::Entry(_, line) => Self::Line(line.into()),
            Found::Broken(broken) => Self::Broken(broken),
        }
    }

    fn give(&self, scanned: &mut Scanned, each: Each<'_>) -> ControlFlow<()> {
        match self {
            Self::Line(line) => {
                // It was read once, so it can be read again.
                let Some(entry) = line::parse(line) else { return ControlFlow::Continue(()) };
                scanned.entries += 1;
                each(Found::Entry(&entry, line))
            }
            Self::Broken(broken) => {
                scanned.broken += 1;
                each(Found::Broken(*broken))
            }
        }
    }
}
