//! Appending: what was waited for is in the file, and what was closed is continued.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{fs, path::Path, time::Duration};

use sockeye_journal::{
    Error, Event, Journal, Kind, Operation, Outcome, Own, Record, Segment, Settings, State, Ticket,
    wire::line,
};
use sockeye_testkit::soon;

/// No wait in these tests is longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Nothing is written before somebody waits for it.
fn unhurried() -> Settings {
    Settings { interval: PATIENCE * 10, sync: false, ..Settings::default() }
}

fn read<'a>(account: &'a str, path: &'a str) -> Record<'a> {
    Record {
        account: Some(account),
        path: Some(path.as_bytes()),
        ..Record::new(Operation::Read, Outcome::Ok, "http")
    }
}

/// Every line of a log: its number, its event, its path.
fn lines(folder: &Path) -> Vec<(u64, Event, Option<String>)> {
    let segments = Segment::list(folder).unwrap();
    let texts = segments.iter().map(|segment| fs::read_to_string(&segment.path).unwrap());
    texts
        .collect::<String>()
        .lines()
        .map(|text| {
            let entry = line::parse(text.as_bytes()).unwrap();
            (entry.seq, entry.event().unwrap(), entry.path.map(|path| path.into_owned()))
        })
        .collect()
}

fn events(folder: &Path) -> Vec<Event> {
    lines(folder).into_iter().map(|(_, event, _)| event).collect()
}

const SEGMENT: Event = Event::Own(Own::Segment);
const CHECKPOINT: Event = Event::Own(Own::Checkpoint);
const READ: Event = Event::Operation(Operation::Read);

#[tokio::test]
async fn what_was_waited_for_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), unhurried()).unwrap();
    let first = journal.append(&read("alice", "/a")).unwrap();
    let second = journal.append(&read("bob", "/b")).unwrap();
    assert_eq!((first.seq(), second.seq()), (2, 3));
    soon(journal.wait(second)).await.unwrap();
    soon(journal.wait(first)).await.unwrap();
    let written = lines(folder.path());
    let expected =
        [(1, SEGMENT, None), (2, READ, Some("/a".to_owned())), (3, READ, Some("/b".to_owned()))];
    assert_eq!(written, expected);
    assert_eq!((journal.written(), journal.state()), (3, State::Writing));
}

#[tokio::test]
async fn what_nobody_waits_for_is_written_and_signed_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { interval: Duration::from_millis(5), ..unhurried() };
    let journal = Journal::open(folder.path(), settings).unwrap();
    let ticket = journal.append(&read("alice", "/a")).unwrap();
    soon(async {
        while journal.head().is_none_or(|head| head.seq <= ticket.seq()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(events(folder.path()).last(), Some(&CHECKPOINT));
}

#[tokio::test]
async fn a_checkpoint_is_the_head_of_all_that_was_appended() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), unhurried()).unwrap();
    let _ = journal.append(&read("alice", "/a")).unwrap();
    let head = soon(journal.checkpoint()).await.unwrap();
    assert_eq!(head.seq, 3);
    assert_eq!(sockeye_journal::Head::of_folder(folder.path()).unwrap(), head);
    assert_eq!(events(folder.path()), [SEGMENT, READ, CHECKPOINT]);
    assert_eq!(soon(journal.checkpoint()).await.unwrap().seq, 4);
}

#[tokio::test]
async fn a_log_that_was_closed_is_continued_where_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let journal = Journal::open(folder.path(), unhurried()).unwrap();
        let _ = journal.append(&read("alice", &format!("/{round}"))).unwrap();
        journal.close().unwrap();
        journal.close().unwrap();
        let error = journal.append(&read("alice", "/late")).unwrap_err();
        assert!(error.to_string().contains("closed"), "{error}");
    }
    let written = lines(folder.path());
    let numbers: Vec<_> = written.iter().map(|(seq, ..)| *seq).collect();
    assert_eq!(numbers, (1..=7).collect::<Vec<_>>());
    let rounds = [READ, CHECKPOINT].repeat(3);
    assert_eq!(events(folder.path())[1..], rounds);
    assert_eq!(Segment::list(folder.path()).unwrap().len(), 1);
}

#[tokio::test]
async fn a_log_that_is_dropped_is_written_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), unhurried()).unwrap();
    let clone = journal.clone();
    drop(journal);
    let _ = clone.append(&read("alice", "/a")).unwrap();
    drop(clone);
    assert_eq!(events(folder.path()), [SEGMENT, READ, CHECKPOINT]);
}

#[tokio::test]
async fn nobody_else_can_write_to_a_log_that_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), unhurried()).unwrap();
    let refused = Journal::open(folder.path(), unhurried());
    assert!(matches!(refused, Err(Error::Locked(_))), "{refused:?}");
    drop(journal);
    Journal::open(folder.path(), unhurried()).unwrap();
}

#[tokio::test]
async fn kinds_that_are_off_are_not_recorded_and_done_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        Settings { off: [Kind::Read, Kind::Change].into_iter().collect(), ..unhurried() };
    let journal = Journal::open(folder.path(), settings).unwrap();
    let ticket = journal.append(&read("alice", "/a")).unwrap();
    assert_eq!(ticket, Ticket::DONE);
    soon(journal.wait(ticket)).await.unwrap();
    // A change cannot be left out.
    let ticket = journal.append(&Record::new(Operation::Write, Outcome::Ok, "ftp")).unwrap();
    soon(journal.wait(ticket)).await.unwrap();
    assert_eq!(events(folder.path()), [SEGMENT, Event::Operation(Operation::Write)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_many_at_once_all_come_and_in_the_order_of_their_tickets() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { batch: Settings::LEAST_BATCH, ..unhurried() };
    let journal = Journal::open(folder.path(), settings).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let journal = journal.clone();
        tasks.spawn(async move {
            let mut tickets = Vec::new();
            for n in 0..500 {
                let path = format!("/{task}/{n}");
                tickets.push((journal.append(&read("alice", &path)).unwrap().seq(), path));
                if n % 50 == 0 {
                    let ticket = journal.append(&read("bob", "/")).unwrap();
                    journal.wait(ticket).await.unwrap();
                }
            }
            tickets
        });
    }
    let mut expected: Vec<_> = soon(tasks.join_all()).await.into_iter().flatten().collect();
    journal.close().unwrap();
    expected.sort_unstable();
    let written: Vec<_> = lines(folder.path())
        .into_iter()
        .filter_map(|(seq, _, path)| Some((seq, path.filter(|path| path != "/")?)))
        .collect();
    assert_eq!(written, expected);
}
