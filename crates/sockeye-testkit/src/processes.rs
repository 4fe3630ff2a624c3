//! What the system knows of a process: its children, descriptors and the time it took.
//!
//! It only looks; it signals nobody.

use std::{
    fs,
    os::fd::OwnedFd,
    process::{Child, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};

use crate::program::PATIENCE;

/// The children of a process, the oldest first; none if it is gone.
#[must_use]
pub fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// What a process has forked, and what that has, and so on.
#[must_use]
pub fn descendants(pid: u32) -> Vec<u32> {
    let children = children(pid);
    children.iter().flat_map(|&child| descendants(child)).chain(children.iter().copied()).collect()
}

/// A process, whatever becomes of its number.
#[derive(Debug)]
pub struct Watched {
    pid: u32,
    process: OwnedFd,
}

impl Watched {
    /// A process that runs.
    ///
    /// # Panics
    /// If it is gone.
    #[track_caller]
    #[must_use]
    pub fn new(pid: u32) -> Self {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id");
        let process = pidfd_open(number, PidfdFlags::empty()).expect("a living process");
        Self { pid, process }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ends_within(Duration::ZERO)
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end in time.
    #[track_caller]
    pub fn ends(&self) {
        assert!(self.ends_within(PATIENCE), "process {} does not end", self.pid);
    }

    fn ends_within(&self, time: Duration) -> bool {
        let time = time.try_into().expect("a time");
        let mut asked = [PollFd::new(&self.process, PollFlags::IN)];
        poll(&mut asked, Some(&time)).expect("a poll") > 0
    }
}

/// How many descriptors a process has open.
#[must_use]
pub fn open_files(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// How many threads a process has.
#[must_use]
pub fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

/// The state of a process as ps(1) shows it (`S`, `Z`, …); `None` if it is gone.
#[must_use]
pub fn state(pid: u32) -> Option<char> {
    after_name(pid)?.first()?.chars().next()
}

/// The processor time that a process took, its children not counted.
///
/// # Panics
/// If it is gone.
#[must_use]
pub fn cpu_time(pid: u32) -> Duration {
    let fields = after_name(pid).expect("a living process");
    // Fields 14 and 15 of proc_pid_stat(5), counted from the state, which is the third.
    let ticks: u64 = fields[11..13].iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    let per_second = rustix::param::clock_ticks_per_second();
    Duration::from_millis(ticks * 1000 / per_second)
}

/// The fields of /proc/PID/stat behind the name, which may hold anything.
fn after_name(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(ToOwned::to_owned).collect())
}

/// Waits for what no event tells: a state of the system. Looks every few milliseconds.
///
/// # Panics
/// If it does not come in time.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(3));
    }
}

/// Waits for the end of a child; `None` if it does not come in time.
///
/// # Panics
/// If it is no child of this process.
#[track_caller]
pub fn end_of(child: &mut Child) -> Option<ExitStatus> {
    if let Some(status) = child.try_wait().expect("a child of this process") {
        return Some(status);
    }
    // Not yet waited for, so that the number is still its own.
    Watched::new(child.id()).ends_within(PATIENCE);
    child.try_wait().expect("a child of this process")
}
