//! Verifying: an edit, a cut, an insertion, a swap or a forgery is found, and a whole log is whole.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that tests share are tests too"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use sockeye_journal::{
    Error, Fault, FaultKind, HEAD_FILE, Head, Journal, KEY_FILE, MOST_FAULTS, Operation, Outcome,
    PublicKey, Record, Segment, Settings, Verdict, verify,
};

/// Nothing is written before it is closed.
fn settings() -> Settings {
    let never = Duration::from_secs(3600);
    Settings { sync: false, interval: never, ..Settings::default() }
}

/// Segments of some ten lines.
fn small() -> Settings {
    Settings { segment_size: Settings::LEAST_SEGMENT, ..settings() }
}

fn append(folder: &Path, settings: &Settings, count: u64) {
    let journal = Journal::open(folder, settings.clone()).unwrap();
    for n in 0..count {
        let path = format!("/{n}");
        let record = Record {
            account: Some("alice"),
            path: Some(path.as_bytes()),
            ..Record::new(Operation::Write, Outcome::Ok, "http")
        };
        let _ = journal.append(&record).unwrap();
    }
    journal.close().unwrap();
}

/// A log of one segment: its first line, ten records, a checkpoint.
fn one_segment() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), &settings(), 10);
    folder
}

/// A log of several segments.
fn many_segments() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..4 {
        append(folder.path(), &small(), 20);
    }
    assert_eq!(segments(folder.path()).len(), 4);
    folder
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    Segment::list(folder).unwrap().into_iter().map(|segment| segment.path).collect()
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let mut lines = lines(path);
    change(&mut lines);
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

fn verdict(folder: &Path) -> Verdict {
    verify(folder, PublicKey::of_folder(folder).unwrap(), None).unwrap()
}

/// The only fault: the file's name, the line, what it is.
fn fault(folder: &Path) -> (String, Option<u64>, FaultKind) {
    let verdict = verdict(folder);
    let [Fault { file, line, kind, .. }] = &verdict.faults[..] else { panic!("{verdict:?}") };
    (file.file_name().unwrap().to_str().unwrap().to_owned(), *line, kind.clone())
}

const FIRST: &str = "00000000000000000001.jsonl";

#[test]
fn a_log_as_it_was_written_is_whole() {
    let folder = one_segment();
    let found = verdict(folder.path());
    assert!(found.is_whole(), "{found:?}");
    assert_eq!((found.lines, found.first, found.last, found.signed), (12, 1, 12, 12));
    assert_eq!((found.segments, found.checkpoints), (1, 1));
    assert!(found.notes.is_empty(), "{found:?}");

    let folder = many_segments();
    let found = verdict(folder.path());
    assert!(found.is_whole() && found.notes.is_empty(), "{found:?}");
    assert_eq!((found.segments, found.signed), (4, found.last));
}

#[test]
fn a_log_is_whole_while_it_is_written() {
    let folder = one_segment();
    let journal = Journal::open(folder.path(), settings()).unwrap();
    let found = verdict(folder.path());
    assert!(found.is_whole(), "{found:?}");
    drop(journal);
}

#[test]
fn an_edited_line_is_found_where_it_stands() {
    let folder = one_segment();
    let path = &segments(folder.path())[0];
    rewrite(path, |lines| lines[4] = lines[4].replace("alice", "mallory"));
    assert_eq!(fault(folder.path()), (FIRST.into(), Some(5), FaultKind::Changed));
    let text = verdict(folder.path()).faults[0].to_string();
    assert!(text.contains("00000000000000000001.jsonl:5: the line was changed"), "{text}");
}

#[test]
fn an_edit_whose_hashes_were_made_to_fit_is_found_by_the_signature() {
    let folder = one_segment();
    let path = &segments(folder.path())[0];
    rewrite(path, |lines| {
        lines[4] = lines[4].replace("alice", "mallory");
        chain_again(lines);
    });
    let found = verdict(folder.path());
    let kinds: Vec<_> = found.faults.iter().map(|fault| (fault.line, &fault.kind)).collect();
    let key = PublicKey::of_folder(folder.path()).unwrap();
    // The signature, and the head that names the last line's hash.
    let expected = [(Some(12), &FaultKind::Signature(key)), (None, &FaultKind::OtherLine(12))];
    assert_eq!(kinds, expected);
}

/// Recomputes all hashes, as whoever reads the format can.
fn chain_again(lines: &mut [String]) {
    let mut hash = [0; 32];
    for line in lines {
        let content = line.split(",\"hash\":").next().unwrap().to_owned();
        hash = *blake3::hash(&[&hash[..], content.as_bytes()].concat()).as_bytes();
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        *line = format!("{content},\"hash\":\"{digits}\"}}");
    }
}

#[test]
fn the_format_is_as_it_is_documented() {
    let folder = one_segment();
    let mut lines = lines(&segments(folder.path())[0]);
    let before = lines.clone();
    chain_again(&mut lines);
    assert_eq!(lines, before);
}

#[test]
fn a_line_that_was_taken_out_is_missing() {
    let folder = one_segment();
    let path = &segments(folder.path())[0];
    rewrite(path, |lines| drop(lines.remove(4)));
    let missing = FaultKind::Missing { first: 5, last: 5 };
    assert_eq!(fault(folder.path()), (FIRST.into(), Some(5), missing));
}

#[test]
fn lines_that_were_swapped_or_repeated_are_found() {
    for (change, line) in [
        ((|lines| lines.swap(4, 5)) as fn(&mut Vec<String>), 5),
        (|lines| lines.insert(4, lines[3].clone()), 5),
    ] {
        let folder = one_segment();
        rewrite(&segments(folder.path())[0], change);
        let found = verdict(folder.path());
        assert_eq!(found.faults[0].line, Some(line), "{found:?}");
    }
}

#[test]
fn a_line_that_is_none_is_found() {
    let folder = one_segment();
    rewrite(&segments(folder.path())[0], |lines| lines[4] = "{}".into());
    let found = verdict(folder.path());
    assert_eq!((found.faults[0].line, &found.faults[0].kind), (Some(5), &FaultKind::Broken));
}

#[test]
fn a_log_that_was_cut_short_is_found_by_its_head() {
    let folder = one_segment();
    append(folder.path(), &settings(), 3);
    // Back to the first checkpoint, where everything is signed.
    rewrite(&segments(folder.path())[0], |lines| lines.truncate(12));
    let cut = FaultKind::CutShort { last: 12, head: 16 };
    assert_eq!(fault(folder.path()), (HEAD_FILE.into(), None, cut));
    // An older head cannot be made from what stands in the log.
    let head = fs::read_to_string(folder.path().join(HEAD_FILE)).unwrap();
    let text = lines(&segments(folder.path())[0])[11].clone();
    let part = |name: &str| text.split(name).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let key = part("\"key\":\"");
    let forged = format!("12:{}:{key}\n{}\n", part("\"hash\":\""), part("\"signature\":\""));
    assert_eq!(head.lines().count(), forged.lines().count());
    fs::write(folder.path().join(HEAD_FILE), forged).unwrap();
    assert_eq!(fault(folder.path()).2, FaultKind::Head("damaged"));
    fs::remove_file(folder.path().join(HEAD_FILE)).unwrap();
    assert_eq!(fault(folder.path()).2, FaultKind::Head("missing"));
}

#[test]
fn a_log_that_was_cut_short_does_not_get_away_with_being_continued() {
    let folder = one_segment();
    append(folder.path(), &settings(), 3);
    rewrite(&segments(folder.path())[0], |lines| lines.truncate(12));
    append(folder.path(), &settings(), 1);
    let (_, line, kind) = fault(folder.path());
    let FaultKind::Recorded(text) = kind else { panic!("{kind:?}") };
    assert_eq!(line, Some(13));
    assert!(text.contains("4 lines missing"), "{text}");
}

#[test]
fn a_head_kept_elsewhere_finds_a_log_that_was_rewritten_with_another_key() {
    let folder = one_segment();
    let head = Head::of_folder(folder.path()).unwrap();
    let with = |folder: &Path| verify(folder, head.key, Some(head)).unwrap();
    assert!(with(folder.path()).is_whole());
    append(folder.path(), &settings(), 3);
    assert!(with(folder.path()).is_whole());

    let forged = one_segment();
    assert!(verdict(forged.path()).is_whole());
    let found = with(forged.path());
    let kinds: Vec<_> = found.faults.iter().map(|fault| &fault.kind).collect();
    let expected = [
        &FaultKind::Signature(head.key),
        &FaultKind::Head("signed by another key"),
        &FaultKind::OtherLine(12),
    ];
    assert_eq!(kinds, expected);

    // Cut back together with the folder's own head.
    let old = one_segment();
    let kept = fs::read(old.path().join(HEAD_FILE)).unwrap();
    append(old.path(), &settings(), 3);
    let head = Head::of_folder(old.path()).unwrap();
    rewrite(&segments(old.path())[0], |lines| lines.truncate(12));
    fs::write(old.path().join(HEAD_FILE), kept).unwrap();
    assert!(verdict(old.path()).is_whole(), "nothing in the folder tells");
    let found = verify(old.path(), head.key, Some(head)).unwrap();
    assert_eq!(found.faults[0].kind, FaultKind::CutShort { last: 12, head: 16 });
}

#[test]
fn a_segment_that_was_taken_out_is_missing() {
    let folder = many_segments();
    let paths = segments(folder.path());
    fs::remove_file(&paths[1]).unwrap();
    let (_, line, kind) = fault(folder.path());
    assert_eq!((line, kind), (Some(1), FaultKind::Missing { first: 23, last: 44 }));

    let folder = many_segments();
    fs::remove_file(&segments(folder.path())[0]).unwrap();
    let (_, line, kind) = fault(folder.path());
    assert!(line.is_none() && matches!(kind, FaultKind::Missing { first: 1, .. }), "{kind:?}");

    let folder = many_segments();
    fs::remove_file(segments(folder.path()).last().unwrap()).unwrap();
    assert!(matches!(fault(folder.path()).2, FaultKind::CutShort { .. }));
}

#[test]
fn old_segments_that_were_removed_as_recorded_are_not_missing() {
    let folder = many_segments();
    let sizes = segments(folder.path()).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    let keep = Settings { keep_size: Some(sizes), ..small() };
    append(folder.path(), &keep, 20);
    // The check for old segments comes with the start as well.
    append(folder.path(), &keep, 1);
    let found = verdict(folder.path());
    assert!(found.first > 1, "{found:?}");
    assert!(found.is_whole(), "{found:?}");
    assert!(found.notes[0].contains("removed for their age"), "{found:?}");

    // One more than what is recorded.
    fs::remove_file(&segments(folder.path())[0]).unwrap();
    assert!(matches!(fault(folder.path()).2, FaultKind::Missing { .. }));
}

#[test]
fn segments_end_and_go_by_their_age_as_well() {
    let folder = one_segment();
    // Closed well, it is continued without being read: by its first line it began long ago.
    let path = &segments(folder.path())[0];
    rewrite(path, |lines| lines[0] = lines[0].replacen("\"at\":\"202", "\"at\":\"200", 1));
    append(folder.path(), &settings(), 1);
    assert_eq!(segments(folder.path()).len(), 1, "what ends it is written with it");
    let journal = Journal::open(folder.path(), settings()).unwrap();
    let record = Record::new(Operation::Read, Outcome::Ok, "http");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..2 {
        let ticket = journal.append(&record).unwrap();
        runtime.block_on(journal.wait(ticket)).unwrap();
    }
    drop(journal);
    let paths = segments(folder.path());
    assert_eq!(paths.len(), 2);

    let old = std::time::SystemTime::now() - Duration::from_secs(3600);
    fs::File::options().append(true).open(&paths[0]).unwrap().set_modified(old).unwrap();
    let keep_age = Some(Duration::from_secs(1800));
    append(folder.path(), &Settings { keep_age, ..settings() }, 1);
    assert_eq!(segments(folder.path()), paths[1..]);
    assert!(verdict(folder.path()).is_whole());
}

#[test]
fn a_forged_summary_is_found() {
    for at in [0, 3] {
        let folder = many_segments();
        let summary = segments(folder.path())[at].with_extension("summary");
        let text = fs::read_to_string(&summary).unwrap();
        assert!(text.contains("\"write\","), "{text}");
        fs::write(&summary, text.replace("\"write\",", "")).unwrap();
        assert_eq!(fault(folder.path()).2, FaultKind::Summary, "{at}");
        // Without one nothing is hidden, only slower to find.
        fs::remove_file(summary).unwrap();
        assert!(verdict(folder.path()).is_whole(), "{at}");
    }
}

#[test]
fn a_torn_end_is_cut_off_told_and_no_fault() {
    let folder = one_segment();
    let path = &segments(folder.path())[0];
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, format!("{text}{}", &text[..100])).unwrap();
    let found = verdict(folder.path());
    assert!(found.is_whole() && found.notes[0].contains("incomplete"), "{found:?}");
    append(folder.path(), &settings(), 1);
    let found = verdict(folder.path());
    assert!(found.is_whole(), "{found:?}");
    assert!(found.notes[0].contains("a torn end was cut off (100 bytes"), "{found:?}");
    assert_eq!(found.lines, 12 + 3);
}

#[test]
fn what_is_torn_right_at_the_beginning_of_a_segment_goes_with_it() {
    let folder = many_segments();
    let next = verdict(folder.path()).last + 1;
    for rest in ["", "{\"seq\":"] {
        let name = format!("{next:020}.jsonl");
        fs::write(folder.path().join(name), rest).unwrap();
        append(folder.path(), &settings(), 1);
        assert!(verdict(folder.path()).is_whole(), "{rest:?}");
    }
}

#[test]
fn an_edited_log_is_continued_and_the_edit_stays_to_be_found() {
    let folder = one_segment();
    let path = &segments(folder.path())[0];
    rewrite(path, |lines| lines[4] = lines[4].replace("alice", "mallory"));
    append(folder.path(), &settings(), 5);
    assert_eq!(fault(folder.path()), (FIRST.into(), Some(5), FaultKind::Changed));
    assert_eq!(verdict(folder.path()).lines, 12 + 6);
}

#[test]
fn a_log_without_its_key_is_not_continued() {
    let folder = one_segment();
    fs::remove_file(folder.path().join(KEY_FILE)).unwrap();
    let refused = Journal::open(folder.path(), settings());
    assert!(matches!(refused, Err(Error::KeyGone(_))), "{refused:?}");
    assert!(matches!(PublicKey::of_folder(folder.path()), Err(Error::NoLog(_))));
}

#[test]
fn a_segment_of_garbage_is_not_continued_and_of_a_newer_format_neither() {
    let folder = one_segment();
    let path = &segments(folder.path())[0];
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text.replace("\"format\":1", "\"format\":2")).unwrap();
    fs::remove_file(folder.path().join(HEAD_FILE)).unwrap();
    let refused = Journal::open(folder.path(), settings());
    assert!(matches!(refused, Err(Error::Newer { format: 2, .. })), "{refused:?}");
    fs::write(path, "garbage\n".repeat(10_000)).unwrap();
    let refused = Journal::open(folder.path(), settings());
    assert!(matches!(refused, Err(Error::Damaged { .. })), "{refused:?}");
    let found = verdict(folder.path());
    assert_eq!(found.faults.len(), MOST_FAULTS);
    assert!(found.more_faults > 9000, "{}", found.more_faults);
}
