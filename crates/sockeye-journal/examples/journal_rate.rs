//! How many records a second are written, and how many are looked through for one account's.
//!
//! `cargo run --release -p sockeye-journal --example journal_rate -- [--records N] [--folder DIR] [--json]`
//!
//! Without `--sync` nothing waits for the disk. Pin it to one core (`taskset -c 0`) to see what one gives; on
//! a machine that does other things, what it does in a second of CPU time says more.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr},
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, Timespec, clock_gettime};
use sockeye_journal::{
    Journal, Operation, Outcome, Peer, PublicKey, Query, Reader, Record, Settings, verify,
};

const ACCOUNTS: u64 = 100;

#[derive(Default)]
struct Args {
    records: u64,
    folder: Option<PathBuf>,
    sync: bool,
    json: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = args()?;
    let temporary = tempfile::tempdir()?;
    let folder = args.folder.as_deref().unwrap_or(temporary.path());
    let (appended, written) = write(folder, &args)?;
    let query = Query { account: Some("user7".to_owned()), ..Query::default() };
    let began = Clock::now();
    let found = Reader::open(folder)?.scan(&query, |_| ControlFlow::Continue(()))?.entries;
    let scanned = began.spent();
    let began = Clock::now();
    let verdict = verify(folder, PublicKey::of_folder(folder)?, None)?;
    let verified = began.spent();
    if !verdict.is_whole() {
        return Err(format!("the log is not whole: {:?}", verdict.faults).into());
    }
    let rate = |seconds: f64| args.records as f64 / seconds;
    let rates = [("append", appended), ("write", written), ("scan", scanned), ("verify", verified)]
        .map(|(name, it)| (name, rate(it.wall), rate(it.cpu)));
    if args.json {
        let rates = rates
            .map(|(name, wall, cpu)| {
                format!(",\"{name}_per_s\":{wall:.0},\"{name}_per_cpu_s\":{cpu:.0}")
            })
            .concat();
        println!("{{\"records\":{},\"found\":{found}{rates}}}", args.records);
    } else {
        for (name, wall, cpu) in rates {
            println!("{name:>8}: {wall:>9.0} records/s, {cpu:>9.0} in a second of CPU time");
        }
    }
    Ok(())
}

/// When something began.
struct Clock(Instant, Timespec);

/// How many seconds something took, by the wall's clock and by the processor's.
struct Spent {
    wall: f64,
    cpu: f64,
}

impl Clock {
    fn now() -> Self {
        Self(Instant::now(), clock_gettime(ClockId::ProcessCPUTime))
    }

    fn spent(&self) -> Spent {
        let now = clock_gettime(ClockId::ProcessCPUTime);
        let nanos = (now.tv_nsec - self.1.tv_nsec) as f64 / 1e9;
        Spent {
            wall: self.0.elapsed().as_secs_f64(),
            cpu: (now.tv_sec - self.1.tv_sec) as f64 + nanos,
        }
    }
}

/// How long appending took, and how long until all was written.
fn write(folder: &Path, args: &Args) -> Result<(Spent, Spent), Box<dyn Error>> {
    let settings = Settings {
        sync: args.sync,
        // Measured is how fast it goes, so appending may wait for as long as it takes.
        longest_append: Duration::from_secs(60),
        ..Settings::default()
    };
    let journal = Journal::open(folder, settings)?;
    let accounts: Vec<_> = (0..ACCOUNTS).map(|n| format!("user{n}")).collect();
    let began = Clock::now();
    for account in accounts.iter().cycle().zip(0..args.records).map(|(account, _)| account) {
        let record = Record {
            account: Some(account),
            from: Some(Peer::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST))),
            path: Some(b"/projects/report/chapter-1.txt"),
            bytes: Some(1024),
            took: Some(Duration::from_micros(87)),
            ..Record::new(Operation::Read, Outcome::Ok, "http")
        };
        let _ = journal.append(&record)?;
    }
    let appended = began.spent();
    journal.close()?;
    Ok((appended, began.spent()))
}

fn args() -> Result<Args, Box<dyn Error>> {
    let mut args = Args { records: 2_000_000, ..Args::default() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match &*word {
            "--records" => args.records = value()?.parse()?,
            "--folder" => args.folder = Some(value()?.into()),
            "--sync" => args.sync = true,
            "--json" => args.json = true,
            _ => return Err(format!("no such option: {word}").into()),
        }
    }
    Ok(args)
}
