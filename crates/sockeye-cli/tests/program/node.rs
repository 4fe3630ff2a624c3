//! `sockeye serve` without a folder: the first minute of a node, its wrong starts, and its end.

use std::{
    fs,
    net::TcpListener,
    os::{fd::OwnedFd, unix::fs::PermissionsExt as _},
    path::Path,
};

use rustix::process::Signal;
use sockeye_testkit::peer;
use tempfile::TempDir;
use tokio::process::Command;

use super::running::{Ended, Running, Serving, feed, quieten, run, sockeye, within};

/// A place for a data folder, which is not there yet.
pub(crate) struct Place(pub(crate) TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn data(&self) -> String {
        self.0.path().join("data").to_str().unwrap().to_owned()
    }

    pub(crate) fn write_config(&self, text: &str) {
        fs::write(Path::new(&self.data()).join("sockeye.toml"), text).unwrap();
    }

    /// A node on it, ready, with one listener on any port unless its arguments say otherwise.
    pub(crate) async fn serve(&self, arguments: &[&str]) -> Serving {
        let data = self.data();
        let usual = ["--listen", "http+tcp://127.0.0.1:0"];
        let listen = if arguments.contains(&"--listen") { &[][..] } else { &usual };
        let arguments = [&["serve", "--json", "--data", &data], listen, arguments].concat();
        Serving::ready(&mut sockeye(&arguments)).await
    }

    /// Another verb on it.
    pub(crate) async fn run(&self, words: &[&str]) -> Ended {
        run(&[words, &["--data", &self.data()]].concat()).await
    }

    /// The names in the place, hidden ones included.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[tokio::test]
async fn the_first_start_makes_a_private_data_folder_and_the_second_finds_it() {
    let place = Place::new();
    let tls = ["--listen", "http+tls+tcp://127.0.0.1:0"];
    let serving = place.serve(&tls).await;
    assert_eq!(serving.ready["data"], place.data());
    assert!(serving.url("").starts_with("https://127.0.0.1:"));
    let fingerprint = serving.ready["fingerprint"].clone();
    assert_eq!(fingerprint.as_str().unwrap().len(), 64);
    let mode = |path: &str| {
        let path = Path::new(&place.data()).join(path);
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    for (path, expected) in [
        ("", 0o700),
        ("homes", 0o700),
        ("sockeye.toml", 0o600),
        ("lock", 0o600),
        ("tls/key.pem", 0o600),
        ("control.sock", 0o600),
    ] {
        assert_eq!(mode(path), expected, "{path}");
    }
    serving.running.stop().await;
    let serving = place.serve(&tls).await;
    assert_eq!(serving.ready["fingerprint"], fingerprint, "the certificate is kept");
    serving.running.stop().await;
}

#[tokio::test]
async fn the_first_administrators_password_is_in_a_file_where_no_terminal_is() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    let file = format!("{}/initial-password", place.data());
    assert_eq!(serving.ready["initial_password"], file.as_str());
    let password = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(password.trim().len() >= 20, "{password}");
    let (out, err) = serving.running.stop().await;
    assert!(!out.contains(password.trim()) && !err.contains(password.trim()));
    // It is told again for as long as it holds.
    let serving = place.serve(&[]).await;
    assert_eq!(serving.ready["initial_password"], file.as_str());
    assert_eq!(fs::read_to_string(&file).unwrap(), password);
    serving.running.stop().await;
}

/// Runs a program on a terminal until it has said “Stop”, then strikes Ctrl-C; prints what it said.
const ON_A_TERMINAL: &str = "\
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said = b''
while b'Stop' not in said:
    said += os.read(terminal, 4096)
os.write(terminal, b'\\x03')
try:
    while more := os.read(terminal, 4096):
        said += more
except OSError:
    pass
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

#[tokio::test]
async fn on_a_terminal_the_first_password_is_shown_once_and_kept_nowhere() {
    let Some(python) = peer::require("python3") else { return };
    let place = Place::new();
    let data = place.data();
    let on_a_terminal = || {
        let mut command = Command::new(&python);
        quieten(&mut command).args(["-c", ON_A_TERMINAL, env!("CARGO_BIN_EXE_sockeye")]);
        command.args(["serve", "--data", &data, "--listen", "http+tcp://127.0.0.1:0"]);
        command.env("NO_COLOR", "1").env("TERM", "dumb");
        feed(command, b"")
    };
    let said = on_a_terminal().await;
    let text = String::from_utf8(said.done()).unwrap();
    let told = text.split("admin, with the initial password ").nth(1).expect("a password");
    assert_eq!(told.split("\r\n").next().unwrap().len(), 23, "{text}");
    assert!(text.contains(&format!("sockeye user passwd admin --data {data}\r\n")), "{text}");
    assert!(text.contains("\r\nstopped after 0 connections"), "{text}");
    assert!(!Path::new(&data).join("initial-password").exists());
    let again = String::from_utf8(on_a_terminal().await.done()).unwrap();
    assert!(!again.contains("Sign in"), "{again}");
}

#[tokio::test]
async fn a_node_takes_its_listener_from_the_service_manager_and_tells_it_that_it_is_ready() {
    let place = Place::new();
    let name = place.0.path().join("notify");
    let told = tokio::net::UnixDatagram::bind(&name).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut command = Command::new("/bin/sh");
    quieten(&mut command)
        .args(["-c", "LISTEN_PID=$$ exec \"$0\" \"$@\" 3<&0 </dev/null"])
        .arg(env!("CARGO_BIN_EXE_sockeye"))
        .args(["serve", "--json", "--data", &place.data(), "--listen", "http+fd://web"])
        .env("LISTEN_FDS", "1")
        .env("LISTEN_FDNAMES", "web")
        .env("NOTIFY_SOCKET", &name)
        .stdin(OwnedFd::from(listener));
    let serving = Serving::ready(&mut command).await;
    assert_eq!(serving.ready["listeners"][0]["url"], format!("http://127.0.0.1:{port}/"));
    let mut message = [0; 512];
    for expected in ["READY=1\nSTATUS=Serving on 1 listener\n", "RELOADING=1", "READY=1"] {
        let length = within(told.recv(&mut message)).await.unwrap();
        assert!(message[..length].starts_with(expected.as_bytes()), "{expected}");
        if expected.starts_with("READY=1\nS") {
            serving.running.signal(Signal::HUP);
        }
    }
    serving.running.stop().await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let place = Place::new();
    place.serve(&[]).await.running.stop().await;
    let database = format!("{}/sockeye.db", place.data());
    let mut bytes = fs::read(&database).unwrap();
    // `PRAGMA user_version`, at offset 60 of the header (sqlite.org/fileformat2.html).
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&database, &bytes).unwrap();
    let ended = place.run(&["serve", "--listen", "http+tcp://127.0.0.1:0"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.contains("use the newer version of sockeye"), "{}", ended.err);
    assert_eq!(fs::read(&database).unwrap(), bytes);
}

#[tokio::test]
async fn the_table_says_where_everything_is_and_how_to_go_on() {
    let place = Place::new();
    let data = place.data();
    let arguments = ["serve", "--data", &data, "--listen", "http+tcp://127.0.0.1:0"];
    let mut running = Running::start(sockeye(&arguments).args(["--workers", "1"]));
    assert_eq!(running.line().await, format!("Data    {data}"));
    assert!(running.line().await.starts_with("http    http://127.0.0.1:"));
    assert_eq!(running.line().await, "Model   tasks, 1 thread");
    loop {
        let line = running.line().await;
        if line.starts_with("Users") {
            assert_eq!(line, format!("Users   sockeye user add NAME --data {data}"));
            break;
        }
    }
    assert_eq!(running.line().await, "Stop    Ctrl-C");
    running.stop().await;
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_with_the_process_of_the_first() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    let pid = fs::read_to_string(Path::new(&place.data()).join("lock")).unwrap();
    let ended = place.run(&["serve", "--listen", "http+tcp://127.0.0.1:0"]).await;
    let expected = format!(
        "error: {} is in use by process {}\n\
         hint: stop it first (Ctrl-C where it runs, `systemctl stop sockeye`, or `kill {}`), or let",
        place.data(),
        pid.trim(),
        pid.trim()
    );
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.starts_with(&expected), "{}", ended.err);
    serving.running.stop().await;
}

#[tokio::test]
async fn a_start_that_fails_says_why_and_leaves_nothing_behind() {
    for (arguments, code, message) in [
        (&["--set", "drian=5s"][..], 2, "--set drian: there is no such key; did you mean drain?"),
        (&["--set", "drain"], 2, "--set drain: there is no `=` in it"),
        (&["--model", "fork:4"], 2, "--model: a node does not run fork:4"),
        (&["--tls"], 2, "--tls is for sharing one folder"),
        (&["--listen", "127.0.0.1:0"], 2, "is spoken there; write http+tcp://127.0.0.1:0\n"),
        (&["--listen", "gopher+tcp://127.0.0.1:0"], 2, "`gopher` is not spoken here"),
        (&["--listen", "admin+tcp://0.0.0.0:0"], 2, "admin is for this machine alone"),
        (&["--listen", "unix:///no/such/folder/x"], 2, "nothing says which protocol"),
        (&["--listen", "http+unix:///no/such/folder/x"], 3, "there is no folder /no/such/folder"),
        (&["--cert", "/no/such.pem", "--listen", "http+tls+tcp://127.0.0.1:0"], 3, "/no/such.pem"),
    ] {
        let place = Place::new();
        let ended = place.run(&[&["serve"], arguments].concat()).await;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.err);
        assert!(ended.err.starts_with("error: "), "{}", ended.err);
        assert!(ended.err.contains(message), "{arguments:?}: {}", ended.err);
        assert_eq!(place.names(), Vec::<String>::new(), "{arguments:?}");
    }
}

/// The user and group `nobody`.
const NOBODY: u32 = 65534;

#[tokio::test]
async fn a_place_that_may_not_be_written_is_named_with_the_way_out() {
    let place = Place::new();
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(place.0.path(), 0o755);
    // Root may write anywhere, and nobody else may reach the program where it was built. Copied by another
    // process: a descriptor of ours that writes to it could be in a child that a test beside this forks.
    let program = place.0.path().join("sockeye");
    let mut copying = Command::new("cp");
    quieten(&mut copying).arg(env!("CARGO_BIN_EXE_sockeye")).arg(&program);
    assert_eq!(feed(copying, b"").await.code, Some(0));
    let closed = place.0.path().join("closed");
    fs::create_dir(&closed).unwrap();
    mode(&closed, 0o555);
    let data = closed.join("data");
    let mut command = Command::new(&program);
    quieten(&mut command).args(["serve", "--listen", "http+tcp://127.0.0.1:0", "--data"]);
    command.arg(&data);
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let ended = feed(command, b"").await;
    assert_eq!(ended.code, Some(4), "{}", ended.err);
    let message = format!("error: cannot make the folder {}: Permission denied", data.display());
    assert!(ended.err.starts_with(&message), "{}", ended.err);
    assert!(ended.err.contains("hint: check its owner and mode"), "{}", ended.err);
    assert!(!data.exists());
}

#[tokio::test]
async fn a_port_in_use_is_named_and_leaves_nothing_behind() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap();
    let place = Place::new();
    let ended = place.run(&["serve", "--listen", &format!("http+tcp://{taken}")]).await;
    let message = format!("error: cannot listen on tcp://{taken}: the address is in use");
    assert_eq!(ended.code, Some(6));
    assert!(ended.err.starts_with(&message), "{}", ended.err);
    assert!(ended.err.contains("--listen http+tcp://127.0.0.1:0` takes any free"), "{}", ended.err);
    assert_eq!(place.names(), Vec::<String>::new());
    // All that are taken are named at once.
    let another = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = [taken, another.local_addr().unwrap()].map(|at| format!("http+tcp://{at}"));
    let words = ["serve", "--listen", &listen[0], "--listen", "http+tcp://127.0.0.1:0"];
    let ended = place.run(&[&words[..], &["--listen", &listen[1], "--json"]].concat()).await;
    assert_eq!((ended.code, ended.text()), (Some(6), ""));
    let told: serde_json::Value = serde_json::from_str(&ended.err).unwrap();
    let error = told["error"].as_str().unwrap();
    assert_eq!(error.lines().count(), 2, "{error}");
    let named = |listen: &String| error.contains(listen.strip_prefix("http+").unwrap());
    assert!(listen.iter().all(named) && !error.contains("os error"), "{error}");
    assert_eq!((told["hints"].as_array().unwrap().len(), &told["exit"]), (1, &6.into()), "{told}");
}

#[tokio::test]
async fn a_folder_of_something_else_and_a_file_are_left_alone() {
    let place = Place::new();
    fs::create_dir(place.data()).unwrap();
    fs::write(Path::new(&place.data()).join("photo.jpg"), "x").unwrap();
    let ended = place.run(&["serve"]).await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("is no data folder: it has photo.jpg in it"), "{}", ended.err);
    let names = fs::read_dir(place.data()).unwrap().count();
    assert_eq!(names, 1);
}

#[tokio::test]
async fn a_broken_configuration_is_told_by_line_and_key_wherever_it_is_needed() {
    let place = Place::new();
    place.serve(&[]).await.running.stop().await;
    place.write_config("public = true\ndrain = 5\n[journal]\nsinc = true\n");
    let file = format!("{}/sockeye.toml", place.data());
    let expected = format!(
        "error: {file}:2: drain: `5` has no unit: write 5s or 5ms\n\
         {file}:4: journal.sinc: there is no such key; did you mean journal.sync?\n"
    );
    for words in [&["serve"][..], &["config", "check"], &["config", "show"]] {
        let ended = place.run(words).await;
        assert_eq!(ended.code, Some(2), "{words:?}");
        assert!(ended.err.starts_with(&expected), "{words:?}: {}", ended.err);
    }
}

#[tokio::test]
async fn what_is_configured_is_shown_with_where_it_comes_from() {
    let place = Place::new();
    assert_eq!(place.run(&["config", "check"]).await.code, Some(3));
    place.serve(&[]).await.running.stop().await;
    let checked = place.run(&["config", "check"]).await;
    assert!(checked.text().contains(": right; 2 of "), "{checked:?}");
    let mut command = sockeye(&["config", "check", "--data", &place.data()]);
    let checked = Ended::from(command.env("SOCKEYE_TRASH_KEEPP", "7d").output().await.unwrap());
    assert!(checked.text().contains(": right, but for 1 warning; 2 of "), "{checked:?}");
    place.write_config("public = true\n");
    let mut command = sockeye(&["config", "show", "--changed", "--data", &place.data()]);
    command.env("SOCKEYE_TRASH_KEEP", "7d");
    let shown = Ended::from(command.output().await.unwrap());
    let file = format!("{}/sockeye.toml", place.data());
    let expected = format!(
        "# No node runs: what one would have that is started here.\n\
         public = true  # {file}:1\ntrash.keep = \"7d\"  # SOCKEYE_TRASH_KEEP\n"
    );
    assert!(shown.text().starts_with(&expected), "{shown:?}");
    let all = place.run(&["config", "show", "--json"]).await;
    for line in all.text().lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(!row["help"].as_str().unwrap().is_empty(), "{line}");
        assert_eq!((&row["running"], &row["next"]), (&false.into(), &serde_json::Value::Null));
    }
    // The default file sets nothing.
    let default = run(&["config", "default"]).await;
    place.write_config(default.text());
    let shown = place.run(&["config", "show", "--changed"]).await;
    let mut set = shown.text().lines().skip(1);
    assert!(set.all(|line| line.contains("# SOCKEYE_LOGIN_")), "{shown:?}");
    let one = place.run(&["config", "show", "public"]).await;
    assert_eq!(one.text(), "public = false  # default\n");
    let table = place.run(&["config", "show", "http"]).await;
    assert!(table.text().lines().all(|line| line.starts_with("http.")), "{}", table.text());
    let unknown = place.run(&["config", "show", "pubic"]).await;
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("pubic: there is no such key; did you mean public?"));
}

#[tokio::test]
async fn what_holds_in_a_running_node_is_shown_and_what_waits() {
    let place = Place::new();
    let serving = place.serve(&["--set", "limits.homes=77"]).await;
    let file = format!("{}/sockeye.toml", place.data());
    place.write_config("public = true\n[limits]\nhomes = 5\n[trash]\nkeep = \"7d\"\n");
    let shown = place.run(&["config", "show", "--changed"]).await;
    let told = shown.text();
    assert!(told.starts_with("# What holds in the node that runs, process "), "{told}");
    for line in [
        "listen = [\"http+tcp://127.0.0.1:0\"]  # --listen\n".to_owned(),
        format!("public = false  # default; true ({file}:1) after a reload\n"),
        format!("trash.keep = \"30d\"  # default; \"7d\" ({file}:5) after a restart\n"),
        "limits.homes = 77  # --set limits.homes\n".to_owned(),
    ] {
        assert!(told.contains(&line), "{line}: {told}");
    }
    // The environment of whoever asks is not the node's.
    let words = ["config", "show", "public", "--json", "--data", &place.data()];
    let mut command = sockeye(&words);
    command.env("SOCKEYE_PUBLIC", "maybe");
    let asked = Ended::from(command.output().await.unwrap());
    let row: serde_json::Value = serde_json::from_slice(&asked.done()).unwrap();
    assert_eq!((&row["value"], &row["running"]), (&false.into(), &true.into()), "{row}");
    assert_eq!((&row["next"]["value"], &row["next"]["after"]), (&true.into(), &"reload".into()));
    place.write_config("public = maybe\n");
    let shown = place.run(&["config", "show", "public"]).await;
    assert_eq!(shown.text(), "public = false  # default\n");
    assert!(shown.err.contains("nothing would be taken up by a reload"), "{}", shown.err);
    serving.running.stop().await;
}

#[tokio::test]
async fn a_reload_applies_what_can_change_and_says_what_cannot() {
    let place = Place::new();
    fs::create_dir(place.data()).unwrap();
    place.write_config("listen = \"http+tcp://127.0.0.1:0\"\n");
    let data = place.data();
    let arguments = ["serve", "--json", "--data", &data];
    let mut serving = Serving::ready(&mut sockeye(&arguments)).await;
    place.write_config(
        "listen = [\"http+tcp://localhost:0\"]\npublic = true\nmodel = \"percore\"\n",
    );
    let reloaded = place.run(&["reload"]).await;
    let text = reloaded.text();
    assert!(
        text.starts_with("listen = [\"http+tcp://localhost:0\"]\nmodel = \"percore:"),
        "{text}"
    );
    assert!(text.contains("\", from the next start on\npublic = true\n"), "{text}");
    assert!(
        text.ends_with("opened http+tcp://localhost:0\nclosed http+tcp://127.0.0.1:0\n"),
        "{text}"
    );
    let told = serving.running.told("holds from the next start on").await;
    // The connection of the command is nobody's business.
    assert!(told.starts_with(" WARN model = ") && !told.contains("peer="), "{told}");
    assert_eq!(place.run(&["reload"]).await.text().lines().count(), 1, "the model alone differs");

    place.write_config("public = maybe\n");
    let ended = place.run(&["reload"]).await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("sockeye.toml:1"), "{}", ended.err);
    serving.running.signal(Signal::HUP);
    serving.running.told("the configuration stays as it was").await;
    serving.running.stop().await;
    let ended = place.run(&["reload"]).await;
    assert_eq!(ended.code, Some(3), "{}", ended.err);
}

#[tokio::test]
async fn signals_drain_a_node_once_and_then_end_it() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    serving.running.signal(Signal::INT);
    let (status, out, err) = serving.running.end().await;
    assert_eq!((status.code(), out.as_str()), (Some(0), ""));
    assert!(err.contains("draining; a second signal ends"), "{err}");
    assert!(err.contains("\nstopped after 0 connections"), "{err}");
    assert!(!Path::new(&place.data()).join("control.sock").exists());
}
