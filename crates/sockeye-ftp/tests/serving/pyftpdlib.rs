//! pyftpdlib's own functional tests, turned on this server. They are fetched by `scripts/peers` and run, not copied.
//!
//! Those that do not pass stand in `peers/pyftpdlib.txt`, each with its reason, and that list is held true both ways.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use sockeye::Server;
use sockeye_ftp::{Config, Ftp, Security};
use sockeye_node::Role;
use sockeye_testkit::{
    node::{TempNode, password},
    peer,
    running::Running,
};

use crate::tls::secure;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/serving/peers/pyftpdlib.py");

/// A test, or `Class.*` for all of a class, and behind two spaces why it does not pass.
const LIST: &str = include_str!("peers/pyftpdlib.txt");

/// The account that pyftpdlib's tests are for.
const USER: &str = "user";

/// Longer than any machine takes.
const LIMIT: &str = "500";

fn listed() -> BTreeMap<&'static str, &'static str> {
    let rows = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let rows = rows.map(|row| row.split_once("  ").unwrap_or_else(|| panic!("no reason: {row}")));
    let listed: BTreeMap<_, _> = rows.map(|(name, why)| (name, why.trim())).collect();
    assert!(listed.values().all(|why| !why.is_empty()));
    listed
}

/// The row that a test stands in.
fn row<'a>(listed: &BTreeMap<&'a str, &str>, test: &str) -> Option<&'a str> {
    let class = test.split('.').next().map(|class| format!("{class}.*"));
    let found = listed.get_key_value(test).or_else(|| listed.get_key_value(&*class?));
    found.map(|(name, _)| *name)
}

/// A server on an address of this machine, if it has that.
fn serve(node: &TempNode, config: &Config, address: &str) -> Option<Running> {
    let server = Server::bind(address).ok()?;
    Some(Running::start(server.workers(1).with(Ftp::new(node.gate(), config.clone()))))
}

#[test]
fn pyftpdlibs_tests_pass_but_for_those_listed() {
    let (Some(python), Some(source), Some(timeout)) = (
        peer::require_tool("python3"),
        peer::require_source("pyftpdlib-2.2.0"),
        peer::require("timeout"),
    ) else {
        return;
    };
    let node = TempNode::new();
    node.add(USER, Role::Member);
    node.gate().set_public(true);
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    secure(folder.path(), Security::Allowed, &mut config);
    // Python's ftplib does not resume sessions, and some tests ask for much before they log in.
    config.resumed = false;
    config.limits.mistakes = u8::MAX;
    let servers = ["tcp://127.0.0.1:0", "tcp://[::1]:0", "tcp://[::]:0"]
        .map(|address| serve(&node, &config, address));
    let home = node.home(USER);
    fs::create_dir_all(&home).unwrap();

    let listed = listed();
    let mut command = Command::new(timeout);
    command.args(["--kill-after=5", LIMIT]).arg(python).args(["-B", SCRIPT]);
    command.arg(source).arg(home).arg(password(USER));
    command.args(servers.iter().map(|server| server.as_ref().map_or(0, Running::port).to_string()));
    let mut running = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let names = listed.keys().fold(String::new(), |names, name| names + name + "\n");
    running.stdin.take().unwrap().write_all(names.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let told = String::from_utf8(output.stdout).unwrap();
    let (mut passed, mut wrong) = (0, String::new());
    let mut unused = listed.clone();
    for line in told.lines() {
        let mut fields = line.splitn(3, '\t');
        let mut field = || fields.next().unwrap_or_default();
        let (test, outcome, why) = (field(), field(), field());
        let row = row(&listed, test);
        unused.remove(row.unwrap_or_default());
        match (outcome, row) {
            ("pass", None) => passed += 1,
            ("pass", Some(row)) => {
                writeln!(wrong, "{test} passes: take {row} off the list").unwrap()
            }
            (_, None) => writeln!(wrong, "{test}: {outcome}: {why}").unwrap(),
            (_, Some(_)) => {}
        }
    }
    // Where there is no IPv6, its tests are skipped.
    let has_ipv6 = servers.iter().all(Option::is_some);
    for row in unused.keys().filter(|row| has_ipv6 || !row.contains("IPv6")) {
        writeln!(wrong, "{row} is listed and was not run").unwrap();
    }
    assert!(wrong.is_empty(), "{passed} pass; {wrong}");
    assert!(passed > 100, "only {passed} have run: {told}");
}
