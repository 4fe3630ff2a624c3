//! A node killed by SIGKILL at random moments, again and again, while files are uploaded, renamed and removed:
//! nothing that was answered is lost, no file is torn, the space counted is the space used, the journal verifies,
//! and what was being uploaded can be resumed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends at the first surprise, and the long form reports"
)]

mod content;
mod model;
mod node;
mod worker;

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use model::{Model, Random};

/// How many kills the short form makes.
const FEW: u64 = 4;

/// How many the long form makes, for each minute that it was given.
const MANY: u64 = 100;

#[test]
fn nothing_is_lost_when_the_node_is_killed() {
    kill_again_and_again(FEW);
}

#[test]
#[ignore = "soak: a hundred kills"]
fn soak_nothing_is_lost_when_the_node_is_killed() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    kill_again_and_again((MANY * seconds.unwrap_or(60_u64)).div_ceil(60));
}

#[test]
#[ignore = "the process that is killed: started by the others"]
fn worker() {
    worker::run();
}

fn kill_again_and_again(kills: u64) {
    let folder = tempfile::tempdir().unwrap();
    // Another run has other moments; a failure tells its seed.
    let seed = std::env::var("SOCKEYE_CRASH_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("SOCKEYE_CRASH_SEED={seed}");
    let mut random = Random::new(seed);
    let mut model = Model::default();
    node::prepare(folder.path());
    for round in 0..kills {
        let lines = run_until_killed(folder.path(), round, random.below(400) + 20);
        model.take_up(&lines);
        node::check(folder.path(), &mut model);
    }
    println!("{kills} kills, {model}: nothing lost");
}

/// Runs the worker until it has told of so many steps, kills it, and gives all that it told.
fn run_until_killed(folder: &Path, round: u64, steps: u64) -> Vec<String> {
    let mut worker = Command::new(std::env::current_exe().unwrap())
        .args(["worker", "--exact", "--ignored", "--nocapture"])
        .env("SOCKEYE_CRASH_FOLDER", folder)
        .env("SOCKEYE_CRASH_ROUND", round.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = Vec::new();
    let mut left = steps;
    for line in BufReader::new(worker.stdout.take().unwrap()).split(b'\n') {
        // Only the end of it all is not text.
        let Ok(line) = String::from_utf8(line.unwrap()) else { break };
        if line.starts_with(['>', '<', '~']) {
            lines.push(line);
            left = left.saturating_sub(1);
            if left == 0 {
                // What it told and was not read yet is read still.
                worker.kill().unwrap();
            }
        }
    }
    let status = worker.wait().unwrap();
    assert!(left == 0, "the worker ended by itself: {status}");
    lines
}
