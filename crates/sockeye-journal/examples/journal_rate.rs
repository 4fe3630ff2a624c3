//! How many records a second are written, and how many are looked through for one account's.
//!
//! `cargo run --release -p sockeye-journal --example journal_rate -- [--records N] [--folder DIR] [--json]`
//!
//! Without `--sync` nothing waits for the disk. Pin it to one core (`taskset -c 0`) to see what one gives.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr},
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sockeye_journal::{
    Found, Journal, Operation, Outcome, Peer, PublicKey, Query, Reader, Record, Settings, verify,
};

const ACCOUNTS: u64 = 100;

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
    let (scanned, found) = scan(folder)?;
    let began = Instant::now();
    let verdict = verify(folder, PublicKey::of_folder(folder)?, None)?;
    let verified = began.elapsed();
    if !verdict.is_whole() {
        return Err(format!("the log is not whole: {:?}", verdict.faults).into());
    }
    let rate = |time: Duration| args.records as f64 / time.as_secs_f64();
    let rates = [("append", appended), ("write", written), ("scan", scanned), ("verify", verified)];
    if args.json {
        let rates: Vec<_> = rates
            .iter()
            .map(|(name, time)| format!("\"{name}_per_s\":{:.0}", rate(*time)))
            .collect();
        println!("{{\"records\":{},\"found\":{found},{}}}", args.records, rates.join(","));
    } else {
        for (name, time) in rates {
            println!("{name:>8}: {:>12.0} records/s", rate(time));
        }
        println!("{found} records of one account of {ACCOUNTS}");
    }
    Ok(())
}

/// How long appending took, and how long until all was written.
fn write(folder: &Path, args: &Args) -> Result<(Duration, Duration), Box<dyn Error>> {
    let settings = Settings {
        sync: args.sync,
        // Measured is how fast it goes, so appending may wait for as long as it takes.
        longest_append: Duration::from_secs(60),
        ..Settings::default()
    };
    let journal = Journal::open(folder, settings)?;
    let accounts: Vec<_> = (0..ACCOUNTS).map(|n| format!("user{n}")).collect();
    let began = Instant::now();
    for account in accounts.iter().cycle().zip(0..args.records).map(|(account, _)| account) {
        let record = Record {
            account: Some(account),
            from: Some(Peer::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST))),
            path: Some(b"/projects/report/chapter-1.txt"),
            bytes: Some(1024),
            took: Some(Duration::from_micros(87)),
            ..Record::new(Operation::Read, Outcome::Ok, "http")
        };
        // Nobody waits for a read's record.
        let _ = journal.append(&record)?;
    }
    let appended = began.elapsed();
    journal.close()?;
    Ok((appended, began.elapsed()))
}

fn scan(folder: &Path) -> Result<(Duration, u64), Box<dyn Error>> {
    let query = Query { account: Some("user7".to_owned()), ..Query::default() };
    let began = Instant::now();
    let scanned = Reader::open(folder)?.scan(&query, |found| match found {
        Found::Entry(..) => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    })?;
    Ok((began.elapsed(), scanned.entries))
}

fn args() -> Result<Args, Box<dyn Error>> {
    let mut args = Args { records: 2_000_000, folder: None, sync: false, json: false };
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
