//! `sockeye log`: shown, narrowed, followed, exported and verified, without a server.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use insta::assert_snapshot;
use serde_json::Value;
use sockeye_journal::{Journal, Operation, Outcome, Peer, Record, Segment, Settings};
use tokio::process::Command;

use super::{
    node::Place,
    running::{Ended, Running, feed, sockeye, within},
};

/// A data folder with a log.
struct Data(tempfile::TempDir);

impl Data {
    fn new() -> Self {
        let data = Self(tempfile::tempdir().unwrap());
        data.append(0..4);
        data
    }

    fn journal(&self) -> PathBuf {
        self.0.path().join("journal")
    }

    fn append(&self, numbers: std::ops::Range<u64>) {
        let settings = Settings { sync: false, ..Settings::default() };
        let journal = Journal::open(&self.journal(), settings).unwrap();
        for n in numbers {
            let _ = journal.append(&record(n)).unwrap();
        }
        journal.close().unwrap();
    }

    fn segment(&self) -> PathBuf {
        Segment::list(&self.journal()).unwrap().remove(0).path
    }

    /// `sockeye log …` on this folder, where the clocks show UTC.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = sockeye(&["log"]);
        command.args(words).arg("--data").arg(self.0.path()).env("TZ", "UTC");
        command
    }

    async fn run(&self, words: &[&str]) -> Ended {
        feed(self.command(words), b"").await
    }

    /// What it prints, with the folder and digits that differ each time taken out.
    async fn shown(&self, words: &[&str]) -> String {
        let out = String::from_utf8(self.run(words).await.done()).unwrap();
        out.replace(self.0.path().to_str().unwrap(), "DATA")
    }
}

/// The record of this number, at this second.
fn record(n: u64) -> Record<'static> {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + n);
    let from = Some(Peer::Ip("192.0.2.1".parse().unwrap()));
    let bare = Record::new(Operation::Read, Outcome::Ok, "http");
    match n {
        0 => Record {
            at,
            from,
            account: Some("alice"),
            path: Some("/报告 1.txt".as_bytes()),
            bytes: Some(1536),
            tls: Some(true),
            took: Some(Duration::from_millis(1250)),
            ..bare
        },
        1 => Record {
            at,
            from,
            operation: Operation::Rename,
            account: Some("bob"),
            path: Some(b"/a\x1b[2J"),
            to: Some(b"/shared/plans/b"),
            protocol: "ftp",
            tls: Some(false),
            ..bare
        },
        2 => Record {
            at,
            from,
            operation: Operation::Refuse,
            outcome: Outcome::Denied,
            account: Some("mallory"),
            detail: Some("wrong password"),
            ..bare
        },
        _ => Record {
            at,
            operation: Operation::Start,
            protocol: "node",
            path: Some(Box::leak(format!("/{n}").into_boxed_str()).as_bytes()),
            ..bare
        },
    }
}

#[tokio::test]
async fn lines_are_shown_in_columns() {
    let data = Data::new();
    assert_snapshot!(data.shown(&[]).await, @r"
    2001-09-09 01:46:40Z alice      read       ok           1.5KiB   1.2s https    192.0.2.1       /报告 1.txt
    2001-09-09 01:46:41Z bob        rename     ok                -      - ftp      192.0.2.1       /a\u{1b}[2J → /shared/plans/b
    2001-09-09 01:46:42Z mallory    refuse     denied            -      - http     192.0.2.1       (wrong password)
    2001-09-09 01:46:43Z -          start      ok                -      - node     -               /3
    ");
}

#[tokio::test]
async fn times_are_those_of_the_zone_and_say_which_or_utc_if_that_is_wanted() {
    let data = Data::new();
    let ended = async |zone: &str, words: &[&str]| {
        let mut command = data.command(words);
        command.env("TZ", zone);
        feed(command, b"").await
    };
    // A zone that says itself what it is, and one of the system's.
    let mut zones = vec!["CST-8"];
    if Path::new("/usr/share/zoneinfo/Asia/Shanghai").exists() {
        zones.push("Asia/Shanghai");
    }
    for zone in zones {
        let at = async |words: &[&str]| {
            let out = ended(zone, &[&["--user", "bob"], words].concat()).await.done();
            String::from_utf8(out).unwrap()
        };
        assert!(at(&[]).await.starts_with("2001-09-09 09:46:41+08 bob"), "{zone}");
        assert!(at(&["--utc"]).await.starts_with("2001-09-09 01:46:41Z bob"), "{zone}");
        for since in ["2001-09-09 09:46:41", "2001-09-09 01:46:41Z", "2001-09-09 09:46:41+08"] {
            assert_ne!(at(&["--since", since]).await, "", "{zone} {since}");
        }
        assert_eq!(at(&["--since", "2001-09-09 09:46:42"]).await, "", "{zone}");
        assert_ne!(at(&["--utc", "--since", "2001-09-09 01:46:41"]).await, "", "{zone}");
        assert_eq!(at(&["--utc", "--since", "2001-09-09 01:46:42"]).await, "", "{zone}");
    }
    let ended = ended("No/Where", &[]).await;
    assert!(ended.text().starts_with("2001-09-09 01:46:40Z"), "{ended:?}");
    assert!(ended.err.contains("times are UTC"), "{ended:?}");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_told_where_nothing_is_found() {
    let data = Data::new();
    // There are no accounts in this folder, and nothing is known of names.
    assert_eq!(data.run(&["--user", "nosuch"]).await.err, "");
    let told = data.run(&["--user", "no such"]).await;
    assert_eq!((told.code, told.text()), (Some(0), ""));
    assert!(told.err.contains("no account can have this name"), "{told:?}");
    let place = Place::new();
    place.serve(&[]).await.running.stop().await;
    place.run(&["user", "add", "carol", "--initial"]).await.done();
    let told = place.run(&["log", "--user", "nosuch"]).await;
    assert_eq!((told.code, told.text()), (Some(0), ""));
    assert!(told.err.contains("there is no account of this name"), "{told:?}");
    for known in ["carol", "anonymous"] {
        let told = place.run(&["log", "--user", known]).await;
        assert_eq!((told.text(), &*told.err), ("", ""), "{known}");
    }
}

#[tokio::test]
async fn what_is_shown_is_narrowed_by_each_filter() {
    let data = Data::new();
    for (words, users) in [
        (&["--user", "alice"][..], &["alice"][..]),
        (&["--op", "rename,refuse"], &["bob", "mallory"]),
        (&["--outcome", "denied"], &["mallory"]),
        (&["--protocol", "ftp"], &["bob"]),
        (&["--protocol", "ftps"], &[]),
        (&["--protocol", "https"], &["alice"]),
        (&["--protocol", "http"], &["alice", "mallory"]),
        (&["--tls", "yes"], &["alice"]),
        (&["--tls", "no"], &["bob"]),
        (&["--path", "/shared"], &["bob"]),
        (&["--path", "shared/plans"], &["bob"]),
        (&["--until", "2001-09-09T01:46:42Z"], &["alice", "bob"]),
        (&["--since", "2001-09-09 01:46:42", "--op", "refuse"], &["mallory"]),
        (&["--since", "1h"], &[]),
        (&["-n", "2", "--op", "read,rename"], &["alice", "bob"]),
        (&["-n", "1", "--op", "read,rename"], &["bob"]),
    ] {
        let out = data.run(&[&["--json"], words].concat()).await.done();
        let lines = out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let seen: Vec<_> = lines
            .map(|line| serde_json::from_slice::<Value>(line).unwrap()["user"].clone())
            .collect();
        assert_eq!(seen, users, "{words:?}");
    }
}

#[tokio::test]
async fn lines_that_come_are_shown_as_they_come() {
    let data = Data::new();
    let mut following = Running::start(&mut data.command(&["--follow", "-n", "1"]));
    assert!(following.line().await.ends_with(" /3"));
    data.append(4..6);
    assert!(following.line().await.ends_with(" /4"));
    assert!(following.line().await.ends_with(" /5"));
    following.signal(rustix::process::Signal::INT);
    following.end().await;
}

#[tokio::test]
async fn following_ends_when_nobody_reads_any_more() {
    let data = Data::new();
    let mut command = data.command(&["--follow"]);
    let (reader, writer) = std::io::pipe().unwrap();
    let mut child = command.stdout(writer).spawn().unwrap();
    drop(command);
    drop(reader);
    let status = within(child.wait()).await.unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_log_that_is_whole_says_so() {
    let data = Data::new();
    assert_snapshot!(data.shown(&["verify"]).await, @"
    whole
    6 lines, 1 to 6, in 1 segment
    signed up to line 6, by 1 checkpoint
    note: verified with the key in the folder itself; a head kept elsewhere (`sockeye log head`, --against) also finds a log that was replaced together with its key
    ");
    let verdict: Value =
        serde_json::from_slice(&data.run(&["verify", "--json"]).await.done()).unwrap();
    assert_eq!((&verdict["whole"], &verdict["lines"]), (&true.into(), &6.into()));
}

#[tokio::test]
async fn a_log_that_was_edited_says_where() {
    let data = Data::new();
    let text = fs::read_to_string(data.segment()).unwrap();
    fs::write(data.segment(), text.replace("mallory", "alice")).unwrap();
    let ended = data.run(&["verify"]).await;
    let shown = |text: &str| text.replace(data.0.path().to_str().unwrap(), "DATA");
    assert_eq!(ended.code, Some(1));
    assert_snapshot!(shown(ended.text()), @"
    DATA/journal/00000000000000000001.jsonl:4: the line was changed, or what stands before it: its hash does not fit
    6 lines, 1 to 6, in 1 segment
    signed up to line 6, by 1 checkpoint
    note: verified with the key in the folder itself; a head kept elsewhere (`sockeye log head`, --against) also finds a log that was replaced together with its key
    ");
    assert_snapshot!(shown(&ended.err), @"
    error: the log DATA/journal is not whole: 1 fault
    hint: keep the folder as it is, and compare it with a backup
    ");
    let verdict: Value =
        serde_json::from_slice(&data.run(&["verify", "--json"]).await.out).unwrap();
    assert_eq!((&verdict["whole"], &verdict["faults"][0]["line"]), (&false.into(), &4.into()));
}

#[tokio::test]
async fn a_head_that_was_kept_elsewhere_finds_what_was_cut_off() {
    let data = Data::new();
    let head = data.shown(&["head"]).await;
    let head = head.trim_end();
    assert_eq!(head.len(), "6:".len() + 64 + 1 + 64, "{head}");
    data.append(4..6);
    let whole = data.shown(&["verify", "--against", head]).await;
    assert!(whole.starts_with("whole\n") && !whole.contains("--against"), "{whole}");
    let json: Value = serde_json::from_slice(&data.run(&["head", "--json"]).await.done()).unwrap();
    let (newer, key) = (json["head"].as_str().unwrap(), json["key"].as_str().unwrap());
    data.shown(&["verify", "--key", key]).await;

    let other = Data::new();
    let ended = other.run(&["verify", "--against", newer]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.text().contains("cut short: it ends with line 6, and had 9"), "{ended:?}");
}

#[tokio::test]
async fn an_export_is_for_other_programs() {
    let data = Data::new();
    let table = data.shown(&["export", "--format", "csv", "--user", "bob"]).await;
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(table.starts_with("seq,at,op,") && table.contains(",/shared/plans/b,"), "{table}");
    let json = data.shown(&["export"]).await;
    assert_eq!(json.lines().count(), 4, "{json}");
}

#[tokio::test]
async fn lines_that_cannot_be_read_are_told_and_make_it_partly_done() {
    let data = Data::new();
    let text = fs::read_to_string(data.segment()).unwrap();
    fs::write(data.segment(), text.replacen("\n{", "\nnonsense\n{", 1)).unwrap();
    let ended = data.run(&["--json"]).await;
    assert_eq!((ended.code, ended.text().lines().count()), (Some(7), 4));
    assert!(ended.err.contains("the line at byte"), "{}", ended.err);
    // As JSON is what was asked for.
    assert!(ended.err.contains("\"hints\":[\"`sockeye log verify`"), "{}", ended.err);
}

#[tokio::test]
async fn what_makes_no_sense_is_usage_with_the_way_out() {
    let data = Data::new();
    let error = async |words: &[&str]| {
        let ended = data.run(words).await;
        assert_eq!(ended.text(), "", "{words:?}");
        format!("{} {}", ended.code.unwrap(), ended.err)
    };
    assert_snapshot!(error(&["--op", "reed"]).await, @"2 error: --op: `reed` is no operation; there are read, list, write, append, mkdir, remove, rename, copy, set, lock, unlock, restore, purge, login, logout, refuse, admin, start, stop, reload, segment, checkpoint, repair, retention, gap");
    assert_snapshot!(error(&["--outcome", "bad"]).await, @"2 error: --outcome: `bad` is no outcome; there are ok, denied, not-found, conflict, no-space, over-quota, cut, busy, failed");
    assert_snapshot!(error(&["--since", "noon"]).await, @r#"
    2 error: --since: `noon` is no moment
    hint: write 2h (ago), today, yesterday, 14:30, 2026-11-21, "2026-11-21 14:30" or 2026-11-21T14:30:00Z
    "#);
    assert_snapshot!(error(&["export", "--format", "xml"]).await, @"2 error: --format: `xml` is no format; there are json, csv");
    assert_snapshot!(error(&["verify", "--against", "7"]).await, @"2 error: `7` is no head: it is SEQ:HASH:KEY, as `sockeye log head` prints it");
    assert_snapshot!(error(&["verify", "--key", "7"]).await, @"2 error: `7` is no public key: it has 64 hexadecimal digits, as `sockeye log head` prints last");
}

#[tokio::test]
async fn a_folder_without_a_log_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none");
    for words in [&[][..], &["verify"], &["head"], &["export"]] {
        let ended = feed(at(words, &missing), b"").await;
        assert_eq!(ended.code, Some(3), "{words:?}");
        assert!(ended.err.contains("there is no log in"), "{}", ended.err);
        assert!(ended.err.contains("hint: `sockeye serve` begins one"), "{}", ended.err);
    }
}

fn at(words: &[&str], folder: &Path) -> Command {
    let mut command = sockeye(&["log"]);
    command.args(words).arg("--data").arg(folder);
    command
}
