//! Running the built examples: servers that end with their test, and clients.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// How long anything may take, also on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Every model, with small numbers.
pub(crate) const MODELS: [&str; 7] =
    ["iterative", "pool:2", "threads:4", "fork:4", "prefork:2", "tasks", "percore:2"];

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(LIMIT, future).await.unwrap_or_else(|_elapsed| panic!("{what}: nothing in {LIMIT:?}"))
}

/// Where cargo puts an example of the profile that this test was built with.
pub(crate) fn program(name: &str) -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let path = this.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(
        path.exists(),
        "{name} is not built: `cargo test` does it; before `--test classic` run `cargo build --examples`"
    );
    path
}

/// An example that serves; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// The address that its first line tells.
    pub(crate) addr: String,
}

impl Server {
    /// Starts an example in `folder`, and waits until it listens.
    pub(crate) async fn start(folder: &Path, name: &str, addr: &str, options: &[&str]) -> Self {
        Self::start_with(folder, name, addr, options, Stdio::inherit()).await
    }

    /// As [`start`](Self::start), but its log is read by [`stop_at_once`](Self::stop_at_once).
    pub(crate) async fn start_logged(folder: &Path, name: &str, options: &[&str]) -> Self {
        Self::start_with(folder, name, "tcp://127.0.0.1:0", options, Stdio::piped()).await
    }

    async fn start_with(
        folder: &Path,
        name: &str,
        addr: &str,
        options: &[&str],
        log: Stdio,
    ) -> Self {
        let mut process = Command::new(program(name))
            .args(["serve", addr])
            .args(options)
            .current_dir(folder)
            // What peers do wrong here is on purpose.
            .env("RUST_LOG", "error,sockeye::server::signals=info")
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = within(name, lines.next_line()).await.unwrap().unwrap();
        let addr = first.strip_prefix("listening on ").unwrap_or_else(|| panic!("{first}"));
        Self { process, addr: addr.to_owned(), lines }
    }

    /// Starts an example under every model, on a port of 127.0.0.1 each.
    pub(crate) async fn start_all(folder: &Path, name: &str, options: &[&str]) -> Vec<Self> {
        let transport = if name.starts_with("udp") { "udp" } else { "tcp" };
        let addr = format!("{transport}://127.0.0.1:0");
        let start = |model| {
            let options = [options, &["--model", model]].concat();
            let addr = &addr;
            async move { Self::start(folder, name, addr, &options).await }
        };
        futures_util::future::join_all(MODELS.map(start)).await
    }

    /// What stands behind `://` in its address.
    pub(crate) fn place(&self) -> &str {
        self.addr.split_once("://").unwrap().1
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> String {
        let line = within("a line", self.lines.next_line()).await.unwrap();
        line.expect("it goes on printing")
    }

    /// The next line that has `part` in it.
    pub(crate) async fn line_with(&mut self, part: &str) -> String {
        loop {
            let line = self.line().await;
            if line.contains(part) {
                return line;
            }
        }
    }

    /// All that it prints until it ends by itself, as it should.
    pub(crate) async fn ended(mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = within("a line", self.lines.next_line()).await.unwrap() {
            lines.push(line);
        }
        assert!(within("the end", self.process.wait()).await.unwrap().success());
        lines
    }

    /// Stops it as a service manager does: what it still prints.
    pub(crate) async fn stop(self) -> Vec<String> {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Stops it without waiting for open connections, nor for the time that those have: what it still
    /// prints.
    pub(crate) async fn stop_at_once(mut self) -> Vec<String> {
        let log = self.process.stderr.take().expect("it was started with its log");
        self.signal(Signal::TERM);
        // Two signals at the same time would be one.
        let mut log = BufReader::new(log).lines();
        let first = within("the drain", log.next_line()).await.unwrap().unwrap();
        assert!(first.contains("draining"), "{first}");
        // So would be the same again within an instant.
        self.signal(Signal::INT);
        let second = within("the second signal", log.next_line()).await.unwrap().unwrap();
        assert!(second.contains("second signal"), "{second}");
        self.ended().await
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.id().unwrap();
        kill_process(Pid::from_raw(id.try_into().unwrap()).unwrap(), signal).unwrap();
    }
}

/// The places of several servers, for a peer's command line.
pub(crate) fn places(servers: &[Server]) -> Vec<&str> {
    servers.iter().map(Server::place).collect()
}

/// Runs an example's client with `input` to its end.
pub(crate) async fn client(folder: &Path, name: &str, args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(program(name));
    command.arg("connect").args(args);
    run(&mut command, folder, input).await
}

/// Runs an example's server that is expected to end by itself.
pub(crate) async fn refused(folder: &Path, name: &str, args: &[&str]) -> Output {
    let mut command = Command::new(program(name));
    command.arg("serve").args(args);
    run(&mut command, folder, b"").await
}

/// Runs a program with `input` to its end.
pub(crate) async fn run(command: &mut Command, folder: &Path, input: &[u8]) -> Output {
    command.current_dir(folder).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let send = async move {
        // A program that needs no input may have ended.
        let _ = stdin.write_all(input).await;
    };
    let both = futures_util::future::join(send, process.wait_with_output());
    within(&format!("{command:?}"), both).await.1.unwrap()
}

/// What a program printed, which must have been all right.
pub(crate) fn printed(output: &Output) -> &str {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    str::from_utf8(&output.stdout).unwrap()
}

/// What a program complained of, which must have failed.
pub(crate) fn complaint(output: &Output) -> &str {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    str::from_utf8(&output.stderr).unwrap()
}
