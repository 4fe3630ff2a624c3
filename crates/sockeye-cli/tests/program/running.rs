//! Running the program: to its end, or until it is told to stop. Every wait has a limit.

use std::{
    path::Path,
    process::{ExitStatus, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
pub(crate) use sockeye_testkit::soon as within;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Command},
};

/// The program, in an environment that says nothing to it.
pub(crate) fn sockeye(arguments: &[&str]) -> Command {
    // Whoever runs the tests in the background may ignore SIGINT, and children inherit that.
    let mut command = Command::new("/usr/bin/env");
    command.args(["--default-signal=INT,QUIT", env!("CARGO_BIN_EXE_sockeye")]);
    quieten(&mut command).args(arguments);
    command
}

/// Takes away what the developer's environment may say, and ends the child with the test.
pub(crate) fn quieten(command: &mut Command) -> &mut Command {
    for name in ["CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "NOTIFY_SOCKET", "NO_COLOR"] {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SOCKEYE_") {
            command.env_remove(name);
        }
    }
    command
        // No test comes near the data of whoever runs it.
        .env("SOCKEYE_DATA", "/nonexistent/data")
        // Passwords of tests are worth nothing, and an unoptimised program takes a second to hash one.
        .env("SOCKEYE_LOGIN_MEMORY", "8KiB")
        .env("SOCKEYE_LOGIN_PASSES", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    /// What it printed, if it ended well.
    #[track_caller]
    pub(crate) fn done(self) -> Vec<u8> {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self.out
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let err = String::from_utf8(output.stderr).unwrap();
        Self { code: output.status.code(), out: output.stdout, err }
    }
}

/// Runs the program to its end with this input.
pub(crate) async fn run_with(arguments: &[&str], input: &[u8]) -> Ended {
    feed(sockeye(arguments), input).await
}

/// Runs the program to its end without input.
pub(crate) async fn run(arguments: &[&str]) -> Ended {
    run_with(arguments, b"").await
}

/// Runs a program to its end with this input.
pub(crate) async fn feed(mut command: Command, input: &[u8]) -> Ended {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeding = async {
        // A program that has ended already reads no more.
        let _ = stdin.write_all(input).await;
        drop(stdin);
    };
    let (output, ()) = within(async { tokio::join!(child.wait_with_output(), feeding) }).await;
    output.unwrap().into()
}

/// The program while it runs.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: Lines<BufReader<ChildStderr>>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let err = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, out, err }
    }

    /// The next line of standard output.
    pub(crate) async fn line(&mut self) -> String {
        within(self.out.next_line()).await.unwrap().expect("a line of output")
    }

    /// The lines of standard error up to one with `part` in it, which is given.
    pub(crate) async fn told(&mut self, part: &str) -> String {
        loop {
            let line = within(self.err.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("nothing with {part:?} on standard error"));
            if line.contains(part) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.try_into().unwrap())).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for the end: how it ended, and the rest of both outputs.
    pub(crate) async fn end(mut self) -> (ExitStatus, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        within(async {
            let (mut rest_out, mut rest_err) = (self.out.into_inner(), self.err.into_inner());
            let (one, other) =
                tokio::join!(rest_out.read_to_string(&mut out), rest_err.read_to_string(&mut err));
            one.and(other).unwrap();
            (self.child.wait().await.unwrap(), out, err)
        })
        .await
    }

    /// Asks for the drain and waits for a good end.
    pub(crate) async fn stop(self) -> (String, String) {
        self.signal(Signal::TERM);
        let (status, out, err) = self.end().await;
        assert!(status.success(), "{status}: {err}");
        (out, err)
    }
}

/// `sockeye serve FOLDER --json …`, ready.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) running: Running,
    pub(crate) ready: Value,
}

impl Serving {
    /// The ports of its listeners.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let port = |listener: &Value| {
            let url = listener["url"].as_str()?.trim_end_matches('/');
            url.rsplit(':').next()?.parse().ok()
        };
        let listeners = self.ready["listeners"].as_array().unwrap();
        listeners.iter().map(|listener| port(listener).unwrap()).collect()
    }

    pub(crate) async fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = sockeye(&["serve", "--json"]);
        Self::ready(command.args(arguments).arg(folder)).await
    }

    /// Waits for the ready line of a command that prints one.
    pub(crate) async fn ready(command: &mut Command) -> Self {
        let mut running = Running::start(command);
        let line = within(running.out.next_line()).await.unwrap();
        let Some(line) = line else { panic!("not ready: {:?}", running.end().await) };
        Self { running, ready: serde_json::from_str(&line).unwrap() }
    }

    /// The first listener's URL, with this path behind it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.ready["listeners"][0]["url"].as_str().unwrap())
    }

    /// `host:port` of the first listener.
    pub(crate) fn host_port(&self) -> &str {
        self.ready["listeners"][0]["address"].as_str().unwrap().rsplit("//").next().unwrap()
    }
}

/// A folder with `hello.txt` ("hello\n") and `sub/inner.txt`.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hello.txt"), "hello\n").unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    std::fs::write(folder.path().join("sub/inner.txt"), "inner\n").unwrap();
    folder
}

/// `GET path` over a connection of its own; the whole answer.
pub(crate) async fn get(host_port: &str, path: &str) -> String {
    ask(host_port, &format!("GET {path} HTTP/1.1\r\n"), b"").await
}

/// A request over a connection of its own: its line, and its content; the whole answer.
pub(crate) async fn ask(host_port: &str, line: &str, content: &[u8]) -> String {
    within(async {
        let mut stream = tokio::net::TcpStream::connect(host_port).await.unwrap();
        let length = match content.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let head = format!("{line}Host: localhost\r\n{length}Connection: close\r\n\r\n");
        stream.write_all(&[head.as_bytes(), content].concat()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    })
    .await
}
