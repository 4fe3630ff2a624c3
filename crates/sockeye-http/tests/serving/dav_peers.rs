//! WebDAV as real programs speak it: litmus, which is the measure of servers, rclone and cadaver.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use sockeye_testkit::{node::password, peer};
use tempfile::TempDir;

use crate::dav::Dav;

/// Seconds that one of these programs may take.
const PATIENCE: &str = "300";

/// The program, which `timeout` ends if it does not end by itself.
fn patient(program: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.arg(PATIENCE).arg(program).stdin(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[test]
fn litmus_finds_nothing_wrong() {
    let Some(litmus) = peer::require("litmus") else { return };
    let (dav, dir) = (Dav::new(), TempDir::new().unwrap());
    let url = format!("http://{}/", dav.0.addr());
    let output = patient(&litmus)
        .args(["--keep-going", &url, "alice", &password("alice")])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    let summaries: Vec<&str> = told.lines().filter(|line| line.contains("summary for")).collect();
    assert_eq!(summaries.len(), 5, "{told}");
    assert!(summaries.iter().all(|line| line.contains(" 0 failed. 100.0%")), "{told}");
}

/// Syncs so many files and compares them byte by byte.
fn rclone_syncs(files: usize) {
    let Some(rclone) = peer::require("rclone") else { return };
    let (dav, dir) = (Dav::new(), TempDir::new().unwrap());
    let source = dir.path().join("source");
    for n in 0..files {
        let folder = source.join(format!("folder {} \u{e4}", n % 20));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("file#{n} %41.txt")), format!("{n}\n").repeat(n % 97))
            .unwrap();
    }
    let obscured = patient(&rclone).args(["obscure", &password("alice")]).output().unwrap();
    let config = dir.path().join("rclone.conf");
    let settings = format!(
        "[dav]\ntype = webdav\nurl = http://{}/\nvendor = other\nuser = alice\npass = {}\n",
        dav.0.addr(),
        text(&obscured).trim()
    );
    fs::write(&config, settings).unwrap();
    let run = |arguments: &[&str]| {
        let output = patient(&rclone)
            .arg("--config")
            .arg(&config)
            .args(["--transfers", "8", "--checkers", "8"])
            .args(arguments)
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        text(&output)
    };
    run(&["sync", "source", "dav:mirror"]);
    let told = run(&["check", "--download", "source", "dav:mirror"]);
    assert!(told.contains("0 differences found"), "{told}");
    assert!(told.contains(&format!("{files} matching files")), "{told}");
    fs::remove_dir_all(source.join("folder 3 \u{e4}")).unwrap();
    run(&["sync", "source", "dav:mirror"]);
    run(&["moveto", "dav:mirror", "dav:moved"]);
    let told = run(&["check", "source", "dav:moved"]);
    assert!(told.contains("0 differences found"), "{told}");
}

#[test]
fn rclone_syncs_500_files_without_a_difference() {
    rclone_syncs(500);
}

#[test]
#[ignore = "soak: 5,000 files"]
fn soak_rclone_syncs_5000_files_without_a_difference() {
    // Fewer in the short form.
    let seconds = std::env::var("SOAK_SECONDS").map_or(60, |text| text.parse().unwrap());
    rclone_syncs(usize::min(5000, seconds * 100));
}

#[test]
fn cadaver_has_a_session() {
    let Some(cadaver) = peer::require("cadaver") else { return };
    let (dav, dir) = (Dav::new(), TempDir::new().unwrap());
    let netrc = format!("machine 127.0.0.1\nlogin alice\npassword \"{}\"\n", password("alice"));
    fs::write(dir.path().join(".netrc"), netrc).unwrap();
    fs::write(dir.path().join("here"), "content").unwrap();
    let mut child = patient(&cadaver)
        .arg(format!("http://{}/", dav.0.addr()))
        .env("HOME", dir.path())
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let script = "mkcol folder\ncd folder\nput here there\nlock there\nput here there\nunlock there\n\
        propset there color red\npropget there color\ncopy there copy\nmove copy moved\nls\n\
        get moved back\ndelete moved\ncd ..\nrmcol folder\nquit\n";
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let told = text(&child.wait_with_output().unwrap());
    assert!(!told.contains("failed") && told.matches("succeeded").count() >= 12, "{told}");
    assert!(told.contains("Value of color is: red"), "{told}");
    assert_eq!(fs::read(dir.path().join("back")).unwrap(), b"content");
    assert!(!dav.0.file("alice", "folder").exists());
}
