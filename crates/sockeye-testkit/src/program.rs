//! A server program under test: started, listened to, signalled, and ended by its own pid.
//!
//! The program writes one line of JSON for each event. Every wait is bounded; a program that is
//! dropped is killed and buried.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::VecDeque,
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::processes;

/// No wait in a test is longer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A server program that runs.
#[derive(Debug)]
pub struct Program {
    child: Child,
    lines: mpsc::Receiver<Value>,
    /// Events that came while another was waited for.
    kept: VecDeque<Value>,
    errors: Arc<Mutex<Vec<u8>>>,
    addrs: Vec<String>,
}

impl Program {
    /// Starts a server and waits until it is ready.
    ///
    /// # Panics
    /// If it does not get ready in time.
    #[track_caller]
    pub fn start<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> Self {
        let mut started = Self::launch(program, args);
        started.ready();
        started
    }

    /// Waits until a server is ready, and gives what it tells of itself.
    ///
    /// # Panics
    /// If it does not get ready in time.
    #[track_caller]
    pub fn ready(&mut self) -> Value {
        let ready = self.event("ready");
        let addrs = ready["addrs"].as_array().expect("addresses");
        self.addrs =
            addrs.iter().map(|addr| addr.as_str().expect("an address").to_owned()).collect();
        ready
    }

    /// Starts a program without waiting for anything.
    ///
    /// # Panics
    /// If it cannot be started.
    #[track_caller]
    pub fn launch<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> Self {
        // What is started in the background of a shell ignores SIGINT, and so would all that it starts.
        let mut command = Command::new("env");
        command.args(["--default-signal=INT,QUIT", program]);
        // Traces of the panics that tests ask for take longer than the tests.
        command.env("RUST_BACKTRACE", "0");
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take().expect("its standard output");
        reader("stdout", move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        let errors = Arc::new(Mutex::new(Vec::new()));
        let mut stderr = child.stderr.take().expect("its standard error");
        let kept = Arc::clone(&errors);
        reader("stderr", move || {
            let mut space = [0; 4096];
            while let Ok(n @ 1..) = stderr.read(&mut space) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&space[..n]);
            }
        });
        Self { child, lines, kept: VecDeque::new(), errors, addrs: Vec::new() }
    }

    /// The addresses that it listens on, with their real ports.
    #[must_use]
    pub fn addrs(&self) -> &[String] {
        &self.addrs
    }

    /// Its first address.
    ///
    /// # Panics
    /// If it has none.
    #[must_use]
    pub fn addr(&self) -> &str {
        &self.addrs[0]
    }

    /// The port of its first address.
    ///
    /// # Panics
    /// If that has none.
    #[must_use]
    pub fn port(&self) -> u16 {
        let addr: sockeye::Addr = self.addr().parse().expect("an address");
        addr.port().expect("an address with a port")
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// If it has ended already.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        send_signal(self.pid(), signal);
    }

    /// The next event of this name; others are kept for later.
    ///
    /// # Panics
    /// If none comes in time, or the program ends before.
    #[track_caller]
    pub fn event(&mut self, name: &str) -> Value {
        if let Some(at) = self.kept.iter().position(|event| event["event"] == name) {
            return self.kept.remove(at).expect("it is there");
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(event) if event["event"] == name => return event,
                Ok(event) => self.kept.push_back(event),
                Err(error) => panic!(
                    "no event {name:?} ({error}); seen: {:?}; standard error: {}",
                    self.kept,
                    self.errors()
                ),
            }
        }
    }

    /// Every event until all processes that share its output have ended: the program itself and
    /// what it forked.
    ///
    /// # Panics
    /// If one of them does not end in time.
    #[track_caller]
    pub fn last_events(&mut self) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(event) => self.kept.push_back(event),
                Err(mpsc::RecvTimeoutError::Disconnected) => break self.kept.drain(..).collect(),
                Err(mpsc::RecvTimeoutError::Timeout) => panic!(
                    "a process of {} lives on; seen: {:?}; standard error: {}",
                    self.pid(),
                    self.kept,
                    self.errors()
                ),
            }
        }
    }

    /// What it wrote to standard error.
    #[must_use]
    pub fn errors(&self) -> String {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&errors).into_owned()
    }

    /// Waits for the process itself to end.
    ///
    /// # Panics
    /// If it does not end in time.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        match processes::end_of(&mut self.child) {
            Some(status) => status,
            None => panic!("it does not end: {}", self.errors()),
        }
    }

    /// Ends it as an operator would, and gives its report. Every process of it has ended then.
    ///
    /// # Panics
    /// If it does not end in time, or not with success.
    #[track_caller]
    pub fn stop(&mut self) -> Value {
        self.signal(Signal::TERM);
        self.finished()
    }

    /// Waits until it has ended by itself, and gives its report.
    ///
    /// # Panics
    /// If it does not end in time, or not with success.
    #[track_caller]
    pub fn finished(&mut self) -> Value {
        let report = self.event("report");
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.errors());
        let after = self.last_events();
        self.kept.extend(after);
        report
    }

    /// The events of this name seen so far that nobody has waited for.
    #[must_use]
    pub fn seen(&self, name: &str) -> Vec<Value> {
        self.kept.iter().filter(|event| event["event"] == name).cloned().collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if thread::panicking() {
            let seen = (self.pid(), &self.kept, self.errors());
            // The runner shows it with the failed test.
            #[expect(clippy::print_stderr, reason = "what a failed test is judged by")]
            {
                eprintln!("the program, what it told and wrote: {seen:?}");
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to one process.
///
/// # Panics
/// If there is no such process.
#[track_caller]
pub fn send_signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("a living process");
}

fn reader(name: &str, read: impl FnOnce() + Send + 'static) {
    thread::Builder::new().name(name.to_owned()).spawn(read).expect("a thread");
}
