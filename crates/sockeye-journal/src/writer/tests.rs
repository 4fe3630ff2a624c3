//! A disk that is full, slow or broken, and gets well again: no line is lost, and everybody is told.

use std::{
    fs, io,
    path::Path,
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use sockeye::pool::Pool;
use sockeye_testkit::soon;

use super::disk::{Disk, Folder, SegmentFile};
use crate::{
    Error, Event, Journal, Operation, Outcome, Own, PublicKey, Record, Result, Segment, Settings,
    Stalled, State, verify, wire::line,
};

/// No wait in these tests is longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long is waited for what does not come.
const SOON: Duration = Duration::from_millis(200);

/// What is wrong with the disk.
#[derive(Clone, Default)]
struct Ills(Arc<(Mutex<Ill>, Condvar)>);

#[derive(Default)]
struct Ill {
    /// How many bytes can still be written; everything where it is none.
    space: Option<usize>,
    /// How many syncs fail.
    syncs: usize,
    /// How many times cutting off fails.
    cuts: usize,
    /// Whether writing takes until this is over.
    hangs: bool,
}

impl Ills {
    fn set(&self, change: impl FnOnce(&mut Ill)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }
}

/// A real folder on such a disk.
struct Sick(Folder, Ills);

struct SickFile(Box<dyn SegmentFile>, Ills);

impl Disk for Sick {
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(SickFile(self.0.create(path)?, self.1.clone())))
    }

    fn open(&mut self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(SickFile(self.0.open(path)?, self.1.clone())))
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.0.sync_folder(folder)
    }
}

impl SegmentFile for SickFile {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (ill, changed) = &*self.1.0;
        let ill = ill.lock().unwrap();
        let mut ill = changed.wait_while(ill, |ill| ill.hangs).unwrap();
        let room = ill.space.unwrap_or(usize::MAX).min(bytes.len());
        self.0.write_at(&bytes[..room], offset)?;
        if let Some(space) = &mut ill.space {
            *space -= room;
        }
        if room < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut ill = self.1.0.0.lock().unwrap();
        if ill.syncs > 0 {
            ill.syncs -= 1;
            return Err(io::Error::other("the disk is ill"));
        }
        self.0.sync()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut ill = self.1.0.0.lock().unwrap();
        if ill.cuts > 0 {
            ill.cuts -= 1;
            return Err(io::Error::other("the disk is ill"));
        }
        self.0.truncate(length)
    }
}

/// A log on a disk that is well, and its ills to come; who waits gives up soon, or never.
fn open(folder: &Path, longest_wait: Duration) -> (Journal, Ills) {
    let settings = Settings {
        batch: Settings::LEAST_BATCH,
        interval: Duration::from_millis(1),
        longest_append: Duration::from_millis(20),
        longest_wait,
        ..Settings::default()
    };
    let ills = Ills::default();
    let disk = Sick(Folder::new(), ills.clone());
    (Journal::open_on(folder, settings, disk).unwrap(), ills)
}

fn record(operation: Operation) -> Record<'static> {
    Record { path: Some(b"/a"), ..Record::new(operation, Outcome::Ok, "http") }
}

async fn written(journal: &Journal, operation: Operation) -> Result<u64, Stalled> {
    let ticket = journal.append(&record(operation))?;
    journal.wait(ticket).await.map(|()| ticket.seq())
}

async fn until(journal: &Journal, is_stalled: bool) {
    let mut states = journal.states();
    let wanted = |state: &State| state.is_stalled() == is_stalled;
    soon(states.wait_for(wanted)).await.unwrap();
}

/// The names of all events, if the log is whole.
#[track_caller]
fn events(folder: &Path) -> Vec<Event> {
    let verdict = verify(folder, PublicKey::of_folder(folder).unwrap(), None).unwrap();
    assert!(verdict.is_whole(), "{verdict:?}");
    let segments = Segment::list(folder).unwrap();
    let text: String =
        segments.iter().map(|segment| fs::read_to_string(&segment.path).unwrap()).collect();
    text.lines().map(|text| line::parse(text.as_bytes()).unwrap().event().unwrap()).collect()
}

fn count(events: &[Event], operation: Operation) -> usize {
    events.iter().filter(|event| **event == Event::Operation(operation)).count()
}

#[tokio::test]
async fn a_full_disk_stalls_the_log_and_space_brings_it_back_with_every_line() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, ills) = open(folder.path(), SOON);
    soon(written(&journal, Operation::Write)).await.unwrap();
    // A line does not fit, half of it does.
    ills.set(|ill| ill.space = Some(100));
    let whole = fs::read(&Segment::list(folder.path()).unwrap()[0].path).unwrap();
    let refused = soon(written(&journal, Operation::Remove)).await.unwrap_err();
    assert!(refused.to_string().contains("no storage space"), "{refused}");
    assert!(refused.to_string().contains(".jsonl"), "{refused}");
    assert_eq!(journal.state(), State::Stalled(refused));
    // Half a line was written, and cut off again.
    let now = fs::read(&Segment::list(folder.path()).unwrap()[0].path).unwrap();
    assert_eq!(now.len(), whole.len());
    for _ in 0..3 {
        let _ = journal.append(&record(Operation::Read)).unwrap();
    }
    ills.set(|ill| ill.space = None);
    until(&journal, false).await;
    let _ = journal.append(&record(Operation::Write)).unwrap();
    journal.close().unwrap();
    let events = events(folder.path());
    assert_eq!(count(&events, Operation::Write), 2);
    assert_eq!(count(&events, Operation::Remove), 1);
    assert_eq!(count(&events, Operation::Read), 3);
}

#[tokio::test]
async fn reads_leave_room_for_the_changes_that_were_begun_and_a_gap_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, ills) = open(folder.path(), PATIENCE);
    ills.set(|ill| ill.space = Some(0));
    let _ = journal.append(&record(Operation::Read)).unwrap();
    until(&journal, true).await;
    let fill = |operation| {
        let began = Instant::now();
        let taken = (0..100_000).take_while(|_| journal.append(&record(operation)).is_ok()).count();
        assert!(began.elapsed() < PATIENCE);
        taken
    };
    let reads = fill(Operation::Read);
    assert!(reads > 100, "{reads}");
    let writes = fill(Operation::Write);
    assert!(writes > reads / 4, "{reads} {writes}");
    assert_eq!(fill(Operation::Read), 0);
    // Known to be stalled, it blocks nobody.
    let began = Instant::now();
    for _ in 0..1000 {
        assert!(journal.append(&record(Operation::Read)).is_err());
        journal.unrecorded(Operation::Read);
    }
    assert!(began.elapsed() < PATIENCE / 2);
    journal.unrecorded(Operation::List);
    ills.set(|ill| ill.space = None);
    until(&journal, false).await;
    soon(written(&journal, Operation::Write)).await.unwrap();
    journal.close().unwrap();
    let events = events(folder.path());
    assert_eq!(count(&events, Operation::Read), reads + 1);
    assert_eq!(count(&events, Operation::Write), writes + 1);
    assert!(events.contains(&Event::Own(Own::Gap)));
    let text = fs::read_to_string(&Segment::list(folder.path()).unwrap()[0].path).unwrap();
    assert!(text.contains("\"lost\":1001,\"detail\":\"read 1000, list 1\""));
}

#[tokio::test]
async fn a_slow_disk_holds_up_whoever_appends_for_a_bounded_time_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, ills) = open(folder.path(), PATIENCE);
    ills.set(|ill| ill.hangs = true);
    let _ = journal.append(&record(Operation::Read)).unwrap();
    let refused = loop {
        if let Err(stalled) = journal.append(&record(Operation::Write)) {
            break stalled;
        }
    };
    assert!(refused.to_string().contains("faster than they can be written"), "{refused}");
    assert!(journal.state().is_stalled());
    ills.set(|ill| ill.hangs = false);
    until(&journal, false).await;
    soon(written(&journal, Operation::Write)).await.unwrap();
    journal.close().unwrap();
    events(folder.path());
}

#[tokio::test]
async fn what_a_failed_sync_may_have_lost_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, ills) = open(folder.path(), PATIENCE);
    soon(written(&journal, Operation::Write)).await.unwrap();
    ills.set(|ill| (ill.syncs, ill.cuts) = (2, 1));
    soon(written(&journal, Operation::Remove)).await.unwrap();
    assert_eq!(journal.state(), State::Writing);
    journal.close().unwrap();
    let events = events(folder.path());
    assert_eq!((count(&events, Operation::Write), count(&events, Operation::Remove)), (1, 1));
}

#[tokio::test]
async fn closing_on_a_disk_that_stays_full_gives_up_and_says_how_much_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, ills) = open(folder.path(), SOON);
    soon(written(&journal, Operation::Write)).await.unwrap();
    ills.set(|ill| ill.space = Some(10));
    for _ in 0..5 {
        let _ = journal.append(&record(Operation::Read)).unwrap();
    }
    until(&journal, true).await;
    let began = Instant::now();
    match journal.close() {
        Err(Error::NotWritten { records, why }) => {
            // With what the journal adds itself.
            assert!((5..=7).contains(&records), "{records}");
            assert!(why.contains("no storage space"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    assert!(began.elapsed() < PATIENCE);
    // What was written is whole.
    assert_eq!(count(&events(folder.path()), Operation::Write), 1);
}

#[tokio::test]
async fn closing_a_log_whose_folder_is_gone_does_not_wait_for_it_to_come_back() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("log");
    // Nothing is written until it is closed.
    let never = PATIENCE * 3;
    let settings = Settings { interval: never, longest_wait: never, ..Settings::default() };
    let journal = Journal::open(&folder, settings).unwrap();
    let _ = journal.append(&record(Operation::Write)).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let closing = Pool::default();
    let closed = soon(closing.run(move || journal.close())).await.unwrap();
    assert!(matches!(closed, Err(Error::NotWritten { .. })), "{closed:?}");
}
