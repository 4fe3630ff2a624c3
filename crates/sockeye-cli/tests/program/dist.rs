//! What is installed with the program: systemd's own tools find nothing wrong with it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sockeye_testkit::peer;
use tokio::process::Command;

use super::{
    first_minute::with_password,
    ftp::client::Client,
    node::Place,
    running::{feed, quieten},
};

fn dist(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist").join(folder)
}

/// Copies a unit to where it is looked at, with this very program in it.
fn copy(from: &Path, to: &Path) {
    let unit = fs::read_to_string(from).unwrap();
    assert!(unit.contains("sockeye"), "{}", from.display());
    let own = unit.replace("/usr/bin/sockeye", env!("CARGO_BIN_EXE_sockeye"));
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::write(to, own).unwrap();
}

/// Both variants of the service, and what hands its refusals on, as they would be installed.
fn install(to: &Path) -> [PathBuf; 3] {
    let plain = to.join("plain/sockeye.service");
    let refusals = plain.with_file_name("sockeye-refusals.service");
    for unit in [&plain, &refusals] {
        copy(&dist("systemd").join(unit.file_name().unwrap()), unit);
    }
    let activated = to.join("activated");
    copy(&dist("systemd").join("sockeye.service"), &activated.join("sockeye.service"));
    for file in
        ["sockeye-http.socket", "sockeye-https.socket", "sockeye.service.d/socket-activated.conf"]
    {
        copy(&dist("systemd").join("socket-activated").join(file), &activated.join(file));
    }
    [plain, activated.join("sockeye.service"), refusals]
}

#[tokio::test]
async fn systemd_finds_nothing_wrong_with_the_units() {
    let Some(analyze) = peer::require("systemd-analyze") else { return };
    let folder = tempfile::tempdir().unwrap();
    for unit in install(folder.path()) {
        let mut command = Command::new(&analyze);
        quieten(&mut command).args(["verify", "--man=no"]).arg(&unit);
        command.env("SYSTEMD_UNIT_PATH", format!("{}:", unit.parent().unwrap().display()));
        let ended = feed(command, b"").await;
        // What it says of the machine's own units is not ours.
        let ours: Vec<_> = ended.err.lines().filter(|line| line.contains("sockeye")).collect();
        assert_eq!((ended.code, ours), (Some(0), Vec::<&str>::new()), "{}", unit.display());
    }
}

#[tokio::test]
async fn the_service_is_hardened() {
    let Some(analyze) = peer::require("systemd-analyze") else { return };
    let folder = tempfile::tempdir().unwrap();
    for unit in install(folder.path()) {
        let mut command = Command::new(&analyze);
        // Tenths of an exposure level: below 2.0 it is “OK”, and a service without any of it is at 9.6.
        quieten(&mut command).args(["security", "--offline=yes", "--threshold=20"]).arg(&unit);
        let ended = feed(command, b"").await;
        assert_eq!(ended.code, Some(0), "{}\n{}", ended.text(), ended.err);
    }
}

/// What fail2ban makes of its filter, of which this much is Python's own: the address that each line counts for.
const FILTER: &str = r"
import configparser, re, sys
filter = configparser.ConfigParser()
filter.read(sys.argv[1])
rule = filter['Definition']['failregex'].replace('<ADDR>', '(?P<ip>[0-9A-Fa-f:.]+)')
for line in sys.stdin:
    for line in [line, 'files.example sockeye[812]: ' + line]:
        found = re.search(rule, line)
        print(found['ip'] if found else '-')
";

#[tokio::test]
async fn fail2ban_counts_guesses_and_takes_no_name_for_an_address() {
    let Some(python) = peer::require("python3") else { return };
    let place = Place::new();
    place.serve(&[]).await.running.stop().await;
    with_password(&place, &["user", "add", "alice"]).await.done();
    let listen = ["ftp+tcp://127.0.0.1:0", "ftp+tcp://127.0.0.1:0?tls=required"];
    let serving = place.serve(listen.map(|listen| ["--listen", listen]).as_flattened()).await;
    let ports = serving.ports();
    let mut client = Client::connect(ports[0]).await.unwrap();
    let forged = r#"x","from":"198.51.100.9","detail":"wrong-password: "#;
    for name in ["alice", forged] {
        client.expect(331, &format!("USER {name}")).await.unwrap();
        client.expect(530, "PASS a guess").await.unwrap();
    }
    // No guess.
    let mut client = Client::connect(ports[1]).await.unwrap();
    client.expect(530, "USER alice").await.unwrap();
    serving.running.stop().await;

    let lines = place.run(&["log", "--json", "--op", "refuse"]).await.done();
    let mut command = Command::new(&python);
    quieten(&mut command).args(["-c", FILTER]).arg(dist("fail2ban/filter.d/sockeye.conf"));
    let counted = String::from_utf8(feed(command, &lines).await.done()).unwrap();
    let expected = ["127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", "-", "-"];
    assert_eq!(counted.lines().collect::<Vec<_>>(), expected);
}
