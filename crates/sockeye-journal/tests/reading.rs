//! Reading: what a query finds, while nobody or somebody writes, and whatever stands in the files.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    fs,
    io::Write as _,
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use proptest::prelude::*;
use sockeye_journal::{
    Error, Event, Format, Found, Journal, Operation, Outcome, Own, Peer, PublicKey, Query, Reader,
    Record, Segment, Settings, verify,
    wire::{line, path},
};

/// No wait in these tests is longer.
const PATIENCE: Duration = Duration::from_secs(20);

fn quick() -> Settings {
    Settings { sync: false, interval: Duration::from_millis(5), ..Settings::default() }
}

/// The paths of what a query finds, and how many broken lines it came upon.
fn find(folder: &Path, query: &Query) -> (Vec<String>, usize) {
    let (mut paths, mut broken) = (Vec::new(), 0);
    let scanned = Reader::open(folder)
        .unwrap()
        .scan(query, |found| {
            match found {
                Found::Entry(entry, text) => {
                    assert_eq!(line::parse(text).as_ref(), Some(entry));
                    paths.push(entry.path.as_deref().unwrap_or_default().to_owned());
                }
                Found::Broken(_) => broken += 1,
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!((scanned.entries, scanned.broken), (paths.len() as u64, broken as u64));
    (paths, broken)
}

fn paths(folder: &Path, query: &Query) -> Vec<String> {
    let (paths, broken) = find(folder, query);
    assert_eq!(broken, 0);
    paths
}

const START: SystemTime = SystemTime::UNIX_EPOCH;

fn second(n: u64) -> SystemTime {
    START + Duration::from_secs(1_000_000_000 + n)
}

/// A log of one line for each second from 0 to 9.
fn ten_lines(folder: &Path, settings: Settings) {
    let journal = Journal::open(folder, settings).unwrap();
    for n in 0..10 {
        let (account, protocol) = if n % 2 == 0 { ("alice", "http") } else { ("bob", "ftp") };
        let operation = if n < 5 { Operation::Read } else { Operation::Rename };
        let outcome = if n == 7 { Outcome::Denied } else { Outcome::Ok };
        let (path, to) = (format!("/old/{n}"), format!("/new/{n}"));
        let record = Record {
            at: second(n),
            account: Some(account),
            path: Some(path.as_bytes()),
            to: (n >= 5).then_some(to.as_bytes()),
            ..Record::new(operation, outcome, protocol)
        };
        let _ = journal.append(&record).unwrap();
    }
    journal.close().unwrap();
}

fn numbers(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(|n| format!("/old/{n}")).collect()
}

#[test]
fn each_part_of_a_query_narrows_what_is_found() {
    let folder = tempfile::tempdir().unwrap();
    ten_lines(folder.path(), quick());
    let found = |query: Query| paths(folder.path(), &query);
    let all = Query::default;
    assert_eq!(found(all()), numbers(0..10));
    assert_eq!(found(Query { account: Some("bob".into()), ..all() }), numbers([1, 3, 5, 7, 9]));
    assert_eq!(found(Query { account: Some("bo".into()), ..all() }), numbers([]));
    assert_eq!(found(Query { protocol: Some("http".into()), ..all() }), numbers([0, 2, 4, 6, 8]));
    assert_eq!(found(Query { outcome: Some(Outcome::Denied), ..all() }), numbers([7]));
    assert_eq!(found(Query { outcome: Some(Outcome::Ok), ..all() }).len(), 9);
    let events = vec![Event::Operation(Operation::Read)];
    assert_eq!(found(Query { events, ..all() }), numbers(0..5));
    let (since, until) = (Some(second(3)), Some(second(6)));
    assert_eq!(found(Query { since, until, ..all() }), numbers([3, 4, 5]));
    assert_eq!(found(Query { path: Some(b"/old/3".to_vec()), ..all() }), numbers([3]));
    assert_eq!(found(Query { path: Some(b"/old/".to_vec()), ..all() }), numbers(0..10));
    assert_eq!(found(Query { path: Some(b"/ol".to_vec()), ..all() }), numbers([]));
    assert_eq!(found(Query { path: Some(b"/new".to_vec()), ..all() }), numbers(5..10));
    let narrow = Query {
        account: Some("bob".into()),
        path: Some(b"/new".to_vec()),
        since: Some(second(6)),
        outcome: Some(Outcome::Ok),
        ..all()
    };
    assert_eq!(found(narrow), numbers([9]));
    let own = vec![Event::Own(Own::Checkpoint), Event::Own(Own::Segment)];
    assert_eq!(found(Query { events: own, ..all() }).len(), 2);
}

#[test]
fn segments_that_cannot_have_it_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let small = Settings { segment_size: Settings::LEAST_SEGMENT, ..quick() };
    for n in 0..20 {
        let journal = Journal::open(folder.path(), small.clone()).unwrap();
        let (account, path) = (format!("user{n}"), "/x".repeat(1000));
        for _ in 0..2 {
            let _ = journal
                .append(&Record {
                    at: second(n),
                    account: Some(&account),
                    path: Some(path.as_bytes()),
                    ..Record::new(Operation::Write, Outcome::Ok, "http")
                })
                .unwrap();
        }
        journal.close().unwrap();
    }
    let reader = Reader::open(folder.path()).unwrap();
    let segments = reader.segments().unwrap().len() as u64;
    assert!(segments >= 20, "{segments}");
    let go_on = |_: Found<'_>| ControlFlow::Continue(());
    for query in [
        Query { account: Some("user7".into()), ..Query::default() },
        // The journal's own lines are of today.
        Query { since: Some(second(0)), until: Some(second(1)), ..Query::default() },
    ] {
        let scanned = reader.scan(&query, go_on).unwrap();
        assert_eq!(scanned.entries, 2, "{query:?}");
        assert_eq!(scanned.segments + scanned.passed_over, segments, "{query:?}");
        assert!(scanned.segments <= 3, "{scanned:?}");
    }
    let nobody = Query { outcome: Some(Outcome::Busy), ..Query::default() };
    assert_eq!(reader.scan(&nobody, go_on).unwrap().segments, 0);
}

#[test]
fn the_last_lines_come_in_their_order_from_as_few_segments_as_hold_them() {
    let folder = tempfile::tempdir().unwrap();
    let small = Settings { segment_size: Settings::LEAST_SEGMENT, ..quick() };
    for _ in 0..5 {
        ten_lines(folder.path(), small.clone());
    }
    let reader = Reader::open(folder.path()).unwrap();
    let last = |query: &Query, count| {
        let mut paths = Vec::new();
        let scanned = reader
            .last(query, count, |found| {
                if let Found::Entry(entry, _) = found {
                    paths.push(entry.path.as_deref().unwrap().to_owned());
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(scanned.entries, paths.len() as u64);
        (paths, scanned.segments)
    };
    let all = Query::default();
    assert_eq!(last(&all, 12).0, numbers([8, 9].into_iter().chain(0..10)));
    assert_eq!(last(&all, 1000).0.len(), 50);
    assert!(last(&all, 3).1 <= 2);
    let bob = Query { account: Some("bob".into()), ..all };
    assert_eq!(last(&bob, 2).0, numbers([7, 9]));
    assert_eq!(last(&bob, 0).0, numbers([]));
}

#[test]
fn a_log_is_followed_across_segments() {
    let folder = tempfile::tempdir().unwrap();
    ten_lines(folder.path(), quick());
    let reader = Reader::open(folder.path()).unwrap();
    let bob = Query { account: Some("bob".into()), ..Query::default() };
    let end = reader.last(&bob, 0, |_| ControlFlow::Continue(())).unwrap().position;
    let mut follow = reader.follow(&bob, end).unwrap();
    let small = Settings { segment_size: Settings::LEAST_SEGMENT, ..quick() };
    let deadline = Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    for round in 1..=4 {
        ten_lines(folder.path(), small.clone());
        while seen.len() < 5 * round {
            assert!(Instant::now() < deadline, "{seen:?}");
            let waited = follow.wait(Duration::from_secs(5), None).unwrap();
            assert_eq!(waited, ControlFlow::Continue(()));
            let flow = follow.pass(|found| {
                if let Found::Entry(entry, _) = found {
                    seen.push(entry.path.as_deref().unwrap().to_owned());
                }
                ControlFlow::Continue(())
            });
            assert_eq!(flow.unwrap(), ControlFlow::Continue(()));
        }
    }
    assert_eq!(seen, numbers([1, 3, 5, 7, 9].repeat(4)));
    assert!(reader.segments().unwrap().len() > 1);
}

#[test]
fn whoever_follows_is_told_that_nobody_reads_what_it_prints() {
    let folder = tempfile::tempdir().unwrap();
    ten_lines(folder.path(), quick());
    let reader = Reader::open(folder.path()).unwrap();
    let follow = reader.follow(&Query::default(), Default::default()).unwrap();
    let (read_end, write_end) = std::io::pipe().unwrap();
    let output = std::os::fd::AsFd::as_fd(&write_end);
    let waited = follow.wait(Duration::from_millis(150), Some(output)).unwrap();
    assert_eq!(waited, ControlFlow::Continue(()));
    drop(read_end);
    let began = Instant::now();
    assert_eq!(follow.wait(PATIENCE, Some(output)).unwrap(), ControlFlow::Break(()));
    assert!(began.elapsed() < PATIENCE / 2);
}

#[test]
fn what_is_being_written_is_not_taken_for_a_broken_line() {
    let folder = tempfile::tempdir().unwrap();
    ten_lines(folder.path(), quick());
    let segment = Segment::list(folder.path()).unwrap().remove(0);
    let mut file = fs::OpenOptions::new().append(true).open(&segment.path).unwrap();
    file.write_all(b"{\"seq\":13,\"at\":\"20").unwrap();
    assert_eq!(paths(folder.path(), &Query::default()), numbers(0..10));
}

#[test]
fn broken_lines_are_told_and_the_rest_is_found() {
    let folder = tempfile::tempdir().unwrap();
    ten_lines(folder.path(), quick());
    let segment = Segment::list(folder.path()).unwrap().remove(0);
    let text = fs::read_to_string(&segment.path).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines[3] = "not a line".into();
    lines[5] = "x".repeat(200_000);
    lines[6] = "y".repeat(2_000_000);
    lines[8].push(' ');
    fs::write(&segment.path, lines.join("\n") + "\n").unwrap();
    let (found, broken) = find(folder.path(), &Query::default());
    assert_eq!(found, numbers([0, 1, 3, 6, 8, 9]));
    assert_eq!(broken, 4);
}

#[test]
fn a_clock_that_was_set_back_hides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let small = Settings { segment_size: Settings::LEAST_SEGMENT, ..quick() };
    for n in [9, 2, 5, 3, 7] {
        let journal = Journal::open(folder.path(), small.clone()).unwrap();
        let (path, detail) = (format!("/old/{n}"), "x".repeat(1000));
        for _ in 0..4 {
            let record = Record {
                at: second(n),
                path: Some(path.as_bytes()),
                detail: Some(&detail),
                ..Record::new(Operation::Read, Outcome::Ok, "http")
            };
            let _ = journal.append(&record).unwrap();
        }
        journal.close().unwrap();
    }
    assert!(Segment::list(folder.path()).unwrap().len() > 2);
    let found = |since, until| {
        let (since, until) = (Some(second(since)), Some(second(until)));
        let mut found = paths(folder.path(), &Query { since, until, ..Query::default() });
        found.dedup();
        found
    };
    assert_eq!(found(3, 8), numbers([5, 3, 7]));
    assert_eq!(found(0, 3), numbers([2]));
    assert_eq!(found(9, 10), numbers([9]));
}

#[test]
fn what_is_longer_than_its_limit_is_cut_off_and_the_line_stays_one() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), quick()).unwrap();
    let (path, text) = (vec![b'\xff'; 100_000], "\u{1}é".repeat(50_000));
    let record = Record {
        account: Some(&text),
        path: Some(&path),
        to: Some(&path),
        from: Some(Peer::Unix(&text)),
        detail: Some(&text),
        ..Record::new(Operation::Rename, Outcome::Ok, &text)
    };
    let _ = journal.append(&record).unwrap();
    let _ = journal.append(&Record::new(Operation::Read, Outcome::Ok, "http")).unwrap();
    journal.close().unwrap();
    let (found, broken) = find(folder.path(), &Query::default());
    assert_eq!((found.len(), broken), (2, 0));
    assert_eq!(path::unescape(&found[0]).unwrap(), vec![b'\xff'; 4096]);
    let key = PublicKey::of_folder(folder.path()).unwrap();
    let verdict = verify(folder.path(), key, None).unwrap();
    assert!(verdict.is_whole(), "{verdict:?}");
}

#[test]
fn a_text_in_a_path_is_not_taken_for_a_user() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), quick()).unwrap();
    let path = br#"/","user":"alice","x":"#;
    let record = Record {
        account: Some("bob"),
        path: Some(path),
        detail: Some(r#"\","user":"alice""#),
        ..Record::new(Operation::Read, Outcome::Ok, "http")
    };
    let _ = journal.append(&record).unwrap();
    journal.close().unwrap();
    let of = |account: &str| Query { account: Some(account.into()), ..Query::default() };
    assert_eq!(paths(folder.path(), &of("alice")).len(), 0);
    assert_eq!(paths(folder.path(), &of("bob")), [path::escape(path)]);
}

#[test]
fn an_export_is_json_lines_or_a_table() {
    let folder = tempfile::tempdir().unwrap();
    ten_lines(folder.path(), quick());
    let reader = Reader::open(folder.path()).unwrap();
    let query = Query { since: Some(second(6)), until: Some(second(8)), ..Query::default() };
    let export = |format| {
        let mut out = Vec::new();
        let scanned = reader.export(&query, format, &mut out).unwrap();
        assert_eq!(scanned.entries, 2);
        String::from_utf8(out).unwrap()
    };
    let json = export(Format::JsonLines);
    let whole = fs::read_to_string(&reader.segments().unwrap()[0].path).unwrap();
    assert!(whole.contains(&json) && json.lines().count() == 2, "{json}");
    let table = export(Format::Csv);
    let lines: Vec<_> = table.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "{table}");
    let names: Vec<_> = lines[0].split(',').collect();
    let first: Vec<_> = lines[1].split(',').collect();
    let column = |name| first[names.iter().position(|it| *it == name).unwrap()];
    assert_eq!(column("at"), "2001-09-09T01:46:46.000000Z");
    assert_eq!((column("op"), column("user"), column("path")), ("rename", "alice", "/old/6"));
    assert_eq!((column("to"), column("outcome"), column("bytes")), ("/new/6", "ok", ""));
    // A device that takes nothing.
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let refused = reader.export(&query, Format::Csv, &mut &full);
    assert!(matches!(refused, Err(Error::Output(_))), "{refused:?}");
}

#[test]
fn a_log_that_has_only_just_begun_has_nothing_in_it_yet_and_can_be_followed() {
    let folder = tempfile::tempdir().unwrap();
    let reader = Reader::of_open(folder.path());
    let last = reader.last(&Query::default(), 10, |_| panic!("nothing is there")).unwrap();
    let mut follow = reader.follow(&Query::default(), last.position).unwrap();
    ten_lines(folder.path(), quick());
    let mut entries = 0;
    let flow = follow.pass(|found| {
        entries += u64::from(matches!(found, Found::Entry(entry, _) if entry.path.is_some()));
        ControlFlow::Continue(())
    });
    assert!(flow.unwrap().is_continue());
    assert_eq!(entries, 10);
}

#[test]
fn a_folder_without_a_log_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Reader::open(folder.path()), Err(Error::NoLog(_))));
    assert!(matches!(Reader::open(&folder.path().join("gone")), Err(Error::NoLog(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is recorded is read back as it was.
    #[test]
    fn every_record_comes_back(
        account in proptest::option::of(".{0,40}"),
        protocol in "[a-z]{1,8}",
        bytes in proptest::option::of(any::<u64>()),
        digest in proptest::option::of(any::<[u8; 32]>()),
        original in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..60)),
        detail in proptest::option::of(".{0,60}"),
        address: std::net::IpAddr,
        micros in 0..4_000_000_000_000_000_u64,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path(), quick()).unwrap();
        let _ = journal.append(&Record {
            at: START + Duration::from_micros(micros),
            account: account.as_deref(),
            from: Some(Peer::Ip(address)),
            path: original.as_deref(),
            bytes,
            digest: digest.as_ref(),
            took: Some(Duration::from_micros(micros)),
            detail: detail.as_deref(),
            ..Record::new(Operation::Write, Outcome::Conflict, &protocol)
        }).unwrap();
        journal.close().unwrap();
        let query = Query {
            account: account.clone(),
            protocol: Some(protocol.clone()),
            path: original.clone(),
            ..Query::default()
        };
        let mut seen = 0;
        Reader::open(folder.path()).unwrap().scan(&query, |found| {
            let Found::Entry(entry, _) = found else { panic!("{found:?}") };
            seen += 1;
            assert_eq!((entry.micros, entry.took_us), (micros, Some(micros)));
            assert_eq!(entry.user.as_deref(), account.as_deref());
            assert_eq!(entry.protocol.as_deref(), Some(&*protocol));
            assert_eq!(entry.from.as_deref(), Some(&*address.to_canonical().to_string()));
            let read = entry.path.as_deref().map(|text| path::unescape(text).unwrap());
            assert_eq!(read, original);
            assert_eq!(entry.bytes, bytes);
            assert_eq!(entry.blake3.map(|hash| hash.to_string()), digest.map(|digest| {
                digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
            }));
            assert_eq!(entry.detail.as_deref(), detail.as_deref());
            assert_eq!(entry.event(), Some(Event::Operation(Operation::Write)));
            assert_eq!(entry.outcome(), Some(Outcome::Conflict));
            ControlFlow::Continue(())
        }).unwrap();
        prop_assert_eq!(seen, 1);
    }

    /// Whatever stands in a segment, reading ends and says so.
    #[test]
    fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("00000000000000000001.jsonl"), &bytes).unwrap();
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        let (found, broken) = find(folder.path(), &Query::default());
        prop_assert_eq!(found.len() + broken, lines);
    }
}
