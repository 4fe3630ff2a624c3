//! What is installed with the program: systemd's own tools find nothing wrong with it.

use std::{fs, path::Path};

use sockeye_testkit::peer;
use tokio::process::Command;

use super::running::{feed, quieten};

fn dist() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist/systemd")
}

/// Copies a unit to where it is looked at, with this very program in it.
fn copy(from: &Path, to: &Path) {
    let unit = fs::read_to_string(from).unwrap();
    assert!(unit.contains("sockeye"), "{}", from.display());
    let own = unit.replace("/usr/bin/sockeye", env!("CARGO_BIN_EXE_sockeye"));
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::write(to, own).unwrap();
}

/// Both variants of the service, as they would be installed.
fn install(to: &Path) -> [std::path::PathBuf; 2] {
    let plain = to.join("plain/sockeye.service");
    copy(&dist().join("sockeye.service"), &plain);
    let activated = to.join("activated");
    copy(&dist().join("sockeye.service"), &activated.join("sockeye.service"));
    for file in
        ["sockeye-http.socket", "sockeye-https.socket", "sockeye.service.d/socket-activated.conf"]
    {
        copy(&dist().join("socket-activated").join(file), &activated.join(file));
    }
    [plain, activated.join("sockeye.service")]
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
