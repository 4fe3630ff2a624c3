//! A writer that is killed at any moment, or may write no further: what it was told is written is there,
//! and the log is whole. A program of its own, which runs itself as the writer.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test without the harness, which says itself how it went"
)]

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Lines, Write as _},
    ops::ControlFlow,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Resource, getrlimit, prlimit};
use sockeye_journal::{
    Found, Journal, Operation, Outcome, PublicKey, Query, Reader, Record, Settings, verify,
};

/// No wait is longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a writer is killed.
const KILLS: usize = 25;

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(|word| &**word).collect();
    match words[..] {
        ["write", folder] => write(folder.as_ref()),
        // As scripts/soak asks for the long run.
        ["--ignored", ..] => run(&[SOAK], &[]),
        _ => run(&TESTS, &[SOAK]),
    }
}

type Test = (&'static str, fn());

const TESTS: [Test; 2] = [
    ("what_was_waited_for_survives_a_kill_at_any_moment", killed),
    ("a_file_size_limit_stalls_the_log_until_it_is_lifted", limited),
];

const SOAK: Test = ("soak_killed_again_and_again", killed_for_long);

/// Runs tests and says how it went, as the harness would.
fn run(tests: &[Test], ignored: &[Test]) {
    println!("\nrunning {} tests", tests.len() + ignored.len());
    for (name, _) in ignored {
        println!("test {name} ... ignored, soak: takes SOAK_SECONDS");
    }
    for (name, test) in tests {
        test();
        println!("test {name} ... ok");
    }
    let (passed, ignored) = (tests.len(), ignored.len());
    println!(
        "\ntest result: ok. {passed} passed; 0 failed; {ignored} ignored; 0 measured; 0 filtered out\n"
    );
}

/// The writer: four tasks append and wait. What is written, and when waiting fails, is told line by line.
fn write(folder: &Path) {
    let settings = Settings {
        segment_size: 32 * 1024,
        interval: Duration::from_millis(2),
        longest_wait: Duration::from_millis(500),
        ..Settings::default()
    };
    let journal = Journal::open(folder, settings).unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build();
    runtime.unwrap().block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..4 {
            let journal = journal.clone();
            tasks.spawn(async move {
                for n in 0_u64.. {
                    let path = format!("/{task}/{n}");
                    append(&journal, Operation::Write, &path).await;
                    let _ = journal.append(&record(Operation::Read, &path));
                }
            });
        }
        tasks.join_all().await;
    });
}

fn record(operation: Operation, path: &str) -> Record<'_> {
    Record { path: Some(path.as_bytes()), ..Record::new(operation, Outcome::Ok, "test") }
}

async fn append(journal: &Journal, operation: Operation, path: &str) {
    let told = match journal.append(&record(operation, path)) {
        Ok(ticket) => match journal.wait(ticket).await {
            Ok(()) => format!("{} {path}\n", ticket.seq()),
            Err(_) => "stalled\n".to_owned(),
        },
        Err(_) => "stalled\n".to_owned(),
    };
    // One write, so that lines of several tasks do not mix; the other side may have gone.
    let _ = std::io::stdout().lock().write_all(told.as_bytes());
    // While it is stalled, appending fails at once.
    let _ = journal.states().wait_for(|state| !state.is_stalled()).await;
}

/// A writer that runs, and what it tells.
struct Writer {
    child: Child,
    told: mpsc::Receiver<String>,
}

impl Writer {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, told) = mpsc::channel();
        let read = move |lines: Lines<BufReader<ChildStdout>>| {
            lines.map_while(Result::ok).all(|line| tell.send(line).is_ok())
        };
        thread::Builder::new().spawn(move || read(lines)).unwrap();
        Self { child, told }
    }

    fn next(&self) -> String {
        self.told.recv_timeout(PATIENCE).unwrap()
    }

    /// Kills it, and gives what it had told until then and was not asked for.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.told.iter().collect()
    }
}

/// Notes what was told to be written.
fn note(written: &mut BTreeMap<u64, String>, told: &str) {
    if let Some((seq, path)) = told.split_once(' ') {
        let before = written.insert(seq.parse().unwrap(), path.to_owned());
        assert_eq!(before, None, "two records have one number");
    }
}

/// Whether all of it is there, in a log that is whole.
fn check(folder: &Path, written: &BTreeMap<u64, String>) {
    let verdict = verify(folder, PublicKey::of_folder(folder).unwrap(), None).unwrap();
    assert!(verdict.is_whole(), "{verdict:#?}");
    let mut found = BTreeMap::new();
    Reader::open(folder)
        .unwrap()
        .scan(&Query::default(), |line| {
            if let Found::Entry(entry, _) = line
                && let Some(path) = &entry.path
            {
                found.insert(entry.seq, path.clone().into_owned());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    for (seq, path) in written {
        assert_eq!(found.get(seq), Some(path), "line {seq} is lost");
    }
}

fn itself() -> std::path::PathBuf {
    std::env::current_exe().unwrap()
}

fn killed() {
    kill_while(|kills| kills < KILLS);
}

fn killed_for_long() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(60, |seconds| seconds.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(seconds);
    kill_while(|_| Instant::now() < end);
}

/// Kills writers to one log, one after the other.
fn kill_while(go_on: impl Fn(usize) -> bool) {
    let folder = tempfile::tempdir().unwrap();
    let mut written = BTreeMap::new();
    for round in (0..).take_while(|round| go_on(*round)) {
        let writer = Writer::start(Command::new(itself()).arg("write").arg(folder.path()));
        // Another moment each time: within the first segment, or after some.
        for _ in 0..=round * 37 % 400 {
            note(&mut written, &writer.next());
        }
        for told in writer.kill() {
            note(&mut written, &told);
        }
        check(folder.path(), &written);
    }
    assert!(!written.is_empty());
}

fn limited() {
    let folder = tempfile::tempdir().unwrap();
    // Segments are larger than the limit (16 blocks of 512 bytes). The shell lets the signal that comes
    // with it be ignored (setrlimit(2)), as a program can do in safe code not at all.
    let script = "trap '' XFSZ; ulimit -S -f 16; exec \"$0\" write \"$1\"";
    let mut command = Command::new("sh");
    let writer = Writer::start(command.args(["-c", script]).arg(itself()).arg(folder.path()));
    let mut written = BTreeMap::new();
    let deadline = Instant::now() + PATIENCE;
    let told = |written: &mut BTreeMap<u64, String>| {
        assert!(Instant::now() < deadline);
        let told = writer.next();
        note(written, &told);
        told
    };
    while told(&mut written) != "stalled" {}
    check(folder.path(), &written);
    let pid = Pid::from_child(&writer.child);
    prlimit(Some(pid), Resource::Fsize, getrlimit(Resource::Fsize)).unwrap();
    let before = written.len();
    while written.len() < before + 100 {
        told(&mut written);
    }
    for told in writer.kill() {
        note(&mut written, &told);
    }
    check(folder.path(), &written);
}
