//! Errors: what they say, and with which exit code.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

use insta::assert_snapshot;
use tokio::process::Command;

use super::running::{feed, quieten, run};

/// The exit code and standard error; there is nothing else.
async fn error(words: &[&str]) -> String {
    let ended = run(words).await;
    assert_eq!(ended.text(), "", "{words:?}");
    format!("{} {}", ended.code.unwrap(), ended.err)
}

#[tokio::test]
async fn a_word_that_is_no_verb_is_usage() {
    assert_snapshot!(error(&["confg"]).await, @"
    2 error: unrecognized subcommand 'confg'

      tip: a similar subcommand exists: 'config'

    Usage: sockeye [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[tokio::test]
async fn a_word_of_another_program_is_answered_with_ours() {
    for (words, tip) in [
        (&["start"][..], "that is `sockeye serve` here"),
        (&["adduser", "bob"], "that is `sockeye user add NAME` here"),
        (&["help", "grant"], "that is `sockeye user grant NAME PATH RIGHTS` here"),
        (&["pure-ftpwho"], "that is `sockeye session list` here"),
        (&["serve", "-d", "/srv"], "write --data DIR"),
        (&["serve", "--ftp"], "write --listen ftp+tcp://[::]:21"),
    ] {
        let said = error(words).await;
        assert!(said.starts_with("2 error: "), "{words:?}: {said}");
        assert!(said.contains(&format!("\n  tip: {tip}")), "{words:?}: {said}");
        assert_eq!(said.matches("tip: ").count(), 1, "{words:?}: {said}");
    }
    // What is spelt alike is clap's.
    assert!(error(&["user", "lst"]).await.contains("'list'"));
}

#[tokio::test]
async fn a_backup_that_is_not_there_is_not_found() {
    let said = error(&["restore", "/no/such/backup", "--check"]).await;
    assert_eq!(said, "3 error: there is no folder /no/such/backup\n");
}

#[tokio::test]
async fn a_missing_folder_is_not_found() {
    assert_snapshot!(error(&["serve", "/no/such/folder"]).await, @"3 error: there is no folder /no/such/folder");
}

#[tokio::test]
async fn a_file_is_no_folder() {
    assert_snapshot!(error(&["serve", "/etc/passwd"]).await, @"
    2 error: /etc/passwd is a file, not a folder
    hint: share the folder it is in: /etc
    ");
}

#[tokio::test]
async fn a_folder_that_may_not_be_read_or_searched_is_denied() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("closed")).unwrap();
    let mode = |path: &str, mode| {
        let path = folder.path().join(path);
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    // Root may read everything, and nobody else may reach the program where it was built.
    // Copied by another process: a descriptor of ours that writes to it could be in a child that a
    // test beside this one forks, and the program would be busy (execve(2), ETXTBSY).
    let mut copying = Command::new("cp");
    quieten(&mut copying).arg(env!("CARGO_BIN_EXE_sockeye")).arg(folder.path().join("sockeye"));
    assert_eq!(feed(copying, b"").await.code, Some(0));
    mode("", 0o755);
    let closed = folder.path().join("closed");
    let shown = closed.display();
    for (bits, message) in [
        (
            0o000,
            format!("error: the folder {shown} may not be read\nhint: check its owner and mode"),
        ),
        (
            0o444,
            format!("error: nothing in the folder {shown} may be opened\nhint: check its owner"),
        ),
    ] {
        mode("closed", bits);
        let mut command = Command::new(folder.path().join("sockeye"));
        quieten(&mut command).arg("serve").arg(&closed);
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let ended = feed(command, b"").await;
        assert_eq!(ended.code, Some(4), "{}", ended.err);
        assert!(ended.err.starts_with(&message), "{}", ended.err);
    }
}

/// The user and group `nobody`.
const NOBODY: u32 = 65534;

#[tokio::test]
async fn an_address_is_marked_where_it_is_wrong() {
    assert_snapshot!(error(&["serve", "/", "--listen", "localhost:99999"]).await, @"
    2 error: the port `99999` is out of range
      localhost:99999
                ^^^^^
    write a port from 0 to 65535
    ");
    assert_snapshot!(error(&["dial", "tpc://localhost:80"]).await, @"
    2 error: `tpc` is not a transport
      tpc://localhost:80
      ^^^
    write tcp://
    ");
}

#[tokio::test]
async fn a_port_by_itself_is_answered_with_what_it_is_called_here() {
    assert_snapshot!(error(&["serve", "-p", "9000", "/"]).await, @"
    2 error: there is no --port (-p)
    hint: write --listen 127.0.0.1:9000, or [::]:9000 for everybody
    ");
    assert_snapshot!(error(&["serve", "--port=9000"]).await, @"
    2 error: there is no --port (-p)
    hint: write --listen http+tcp://127.0.0.1:9000, or http+tcp://[::]:9000 for everybody
    ");
}

#[tokio::test]
async fn a_listener_that_is_a_url_or_has_no_stream_is_explained() {
    assert_snapshot!(error(&["serve", "/", "--listen", "https://localhost:8443/"]).await, @"
    2 error: --listen https://localhost:8443/: a URL, and a listener is an address
    hint: write http+tls+tcp://localhost:8443
    ");
    assert_snapshot!(error(&["serve", "/", "--listen", "/tmp/a.sock"]).await, @"
    2 error: the transport is missing
      /tmp/a.sock
      ^
    write unix:///tmp/a.sock
    ");
    assert_snapshot!(error(&["serve", "/", "--listen", "udp://localhost:80"]).await, @"
    2 error: --listen http+udp://localhost:80: http needs a stream of bytes, which udp is not
    hint: listen on tcp://, unix:// or fd://
    ");
}

#[tokio::test]
async fn a_model_that_is_none_is_told_with_those_that_are() {
    assert_snapshot!(error(&["serve", "/", "--model", "threadz:4"]).await, @r#"2 error: model "threadz:4": no such model (did you mean threads:4?); the models are iterative, pool:N, threads:MAX, fork:MAX, prefork:N, tasks, percore[:N]"#);
    assert_snapshot!(error(&["serve", "/", "--workers", "2", "--model", "pool:4"]).await, @"
    2 error: --workers is for the model `tasks`, not for pool:4
    hint: the number of the others stands behind a colon
    ");
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_not_found() {
    assert_snapshot!(error(&["serve", "/", "--listen", "127.0.0.1:0", "--cert", "/no/such.pem"]).await, @"3 error: cannot read /no/such.pem: No such file or directory");
}

#[tokio::test]
async fn an_access_log_that_is_a_folder_is_explained() {
    assert_snapshot!(error(&["serve", "--access-log", "/", "/"]).await, @"
    1 error: --access-log /: Is a directory
    hint: put the folder to share in front, or write --access-log=-
    ");
}

#[tokio::test]
async fn what_dial_cannot_make_sense_of_is_usage() {
    assert_snapshot!(error(&["dial", "localhost:80", "--timeout", "3"]).await, @"2 error: --timeout: `3` has no unit: write 3s or 3ms");
    assert_snapshot!(error(&["dial", "localhost:80", "--encoding", "klingon"]).await, @"
    2 error: --encoding klingon: no such encoding
    hint: gbk, gb18030, big5, euc-jp, shift_jis, iso-2022-jp, euc-kr, utf-16le, utf-16be, windows-1252 and the others of https://encoding.spec.whatwg.org/#names-and-labels
    ");
    assert_snapshot!(error(&["dial", "localhost:80", "--source", "here"]).await, @"
    2 error: --source here: neither an IP address nor a path
    hint: write 192.0.2.1, 192.0.2.1:4000, [2001:db8::1]:4000 or /tmp/own.sock
    ");
    assert_snapshot!(error(&["dial", "icmp://localhost"]).await, @"
    2 error: icmp://localhost carries echo requests, not lines
    hint: ping(8) asks for echoes
    ");
}

#[tokio::test]
async fn a_unix_socket_that_is_not_there_is_a_network_failure() {
    assert_snapshot!(error(&["dial", "unix:///no/such.sock"]).await, @"6 error: cannot connect to unix:///no/such.sock: /no/such.sock: No such file or directory (no such socket: is the server running?)");
    assert_snapshot!(error(&["dial", "unixgram:///no/such.sock"]).await, @"6 error: cannot connect to unixgram:///no/such.sock: No such file or directory");
}

#[tokio::test]
async fn a_listener_in_a_folder_that_is_not_there_is_not_found() {
    assert_snapshot!(error(&["serve", "--listen", "unix:///no/such.sock", "/"]).await, @"3 error: cannot listen on unix:///no/such.sock: there is no folder /no: create it first");
}

#[tokio::test]
async fn an_inherited_socket_that_was_not_passed_is_not_found_whoever_wants_it() {
    assert_snapshot!(error(&["serve", "--listen", "fd://web", "/"]).await, @"3 error: cannot listen on fd://web: LISTEN_PID is not set: no sockets were passed to this process; start it from a systemd .socket unit (one with Accept=yes passes connections), or give the address itself instead of fd://");
    assert_snapshot!(error(&["dial", "fd://web"]).await, @"3 error: cannot connect to fd://web: LISTEN_PID is not set: no sockets were passed to this process; start it from a systemd .socket unit (one with Accept=yes passes connections), or give the address itself instead of fd://");
}
