//! The control connection: login, parameters, what is no command, how it ends.

use std::time::Duration;

use sockeye_node::Sessions;
use sockeye_testkit::{node::password, processes::until};

use crate::client::Served;

#[test]
fn a_member_logs_in_and_finds_the_way() {
    let served = Served::new();
    let mut client = served.client();
    client.expect(530, "PWD");
    client.expect(503, "PASS early");
    client.log_in("alice");
    for (line, reply) in [
        ("PWD", "257 \"/\" is the working folder."),
        ("XMKD a\"b", "257 \"/a\"\"b\" is made."),
        ("CWD a\"b", "250 \"/a\"\"b\" is the working folder."),
        ("xpwd", "257 \"/a\"\"b\" is the working folder."),
        ("CDUP", "250 \"/\" is the working folder."),
        ("CWD ../../..", "250 \"/\" is the working folder."),
        ("CWD nowhere", "550 /nowhere: No such file or directory."),
        ("CWD", "501 Syntax error: command needs an argument."),
        ("SYST", "215 UNIX Type: L8"),
        ("TYPE I", "200 Files are sent as they are."),
        ("ACCT x", "202 Not needed here."),
        ("MODE S", "200 Data is sent as a stream."),
        ("STRU F", "200 Files have no structure."),
        ("CLNT test", "200 Noted."),
        ("OPTS UTF8 ON", "200 Names are in UTF-8."),
        ("QUIT", "221 Goodbye."),
    ] {
        assert_eq!(client.ask(line).join("\n"), reply, "{line}");
    }
    assert!(client.inner.ends_cleanly());
    assert_eq!(served.node.records("login").len(), 1);
}

#[test]
fn whatever_the_server_is_called_it_is_this_one() {
    let served = Served::new();
    let mut client = served.client();
    for name in ["files.example.org", "[2001:db8::1]", "192.0.2.1"] {
        client.expect(220, &format!("HOST {name}"));
    }
    client.expect(501, "HOST");
    client.expect(331, "USER alice");
    client.expect(503, "HOST files.example.org");
    client.expect(230, &format!("PASS {}", password("alice")));
    client.expect(503, "HOST files.example.org");
}

#[test]
fn wrong_parameters_are_refused_as_the_standard_has_it() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    for (line, code) in [
        ("TYPE E", 504),
        ("TYPE Q", 501),
        ("MODE B", 504),
        ("STRU R", 504),
        ("REST -1", 501),
        ("REST 5", 501),
        ("REST x", 501),
        ("ALLO", 501),
        ("OPTS NOTHING", 501),
        ("OPTS MLST type", 501),
        ("SITE CHMOD", 501),
        ("SITE CHMOD 644", 501),
        ("SITE CHMOD 888 x", 501),
        ("OPTS HASH md4", 504),
        ("SITE NOTHING", 504),
        ("HELP NOTHING", 501),
        ("NOOP now", 501),
        ("SMNT x", 502),
        ("LPRT 6,16", 521),
        ("HOST here", 503),
        ("CCC", 534),
        ("PASS again", 503),
        ("RNTO x", 503),
    ] {
        client.expect(code, line);
    }
}

#[test]
fn a_refusal_is_a_sentence_and_names_what_it_is_about() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    for line in [
        "",
        "BLAH",
        "SITE SYMLINK a b",
        "SITE",
        "SITE CHMOD",
        "SITE CHMOD x y",
        "HELP BLAH",
        "OPTS BLAH",
        "OPTS MLST type",
        "OPTS MLST type; size;",
        "OPTS HASH MD4",
        "OPTS UTF8 no",
        "TYPE E",
        "TYPE L 7",
        "MODE B",
        "STRU R",
        "REST x",
        "ALLO x",
        "PORT 1,2",
        "EPRT x",
        "EPSV x",
        "LPRT 1",
        "AUTH X",
        "PBSZ x",
        "PROT X",
        "CCC",
        "MFMT x y",
        "MFF x",
        "MDTM",
        "CWD nowhere",
        "RETR nowhere",
        "STOR a\tb",
        "NLST",
        "AVBL",
        "CWD \u{1}",
        "RNTO x",
        "XCRC nowhere",
        "SITE WHO",
        "SITE HELP BLAH",
        "HOST x",
        "REST 1",
        "STOU x",
        "USER",
    ] {
        let told = client.ask(line).join("\n");
        assert!(told.ends_with('.'), "{line}: {told}");
    }
    let told = client.ask("SITE SYMLINK a b");
    assert_eq!(told, ["504 SITE SYMLINK: not understood; SITE HELP names those there are."]);
    let told = client.ask("BLAH");
    assert_eq!(told, ["500 BLAH: not understood; HELP names the commands."]);
}

#[test]
fn anonymous_visitors_see_the_public_tree_and_change_nothing() {
    let served = Served::new();
    let mut client = served.client();
    client.expect(331, "USER anonymous");
    client.expect(530, "PASS me@example.org");
    served.node.gate().set_public(true);
    client.expect(331, "USER anonymous");
    client.expect(230, "PASS me@example.org");
    assert_eq!(client.ask("PWD"), ["257 \"/\" is the working folder."]);
    client.expect(550, "MKD x");
    // The log has who it was, where that is in the node, and not the address that was sent as a password.
    let (refused, login) = (served.node.records("refuse"), served.node.records("login"));
    let mkdir = served.node.records("mkdir");
    assert_eq!((refused.len(), login.len(), &mkdir[0]["path"]), (1, 1, &"/public/x".into()));
    for record in [refused, login, mkdir].concat() {
        assert_eq!((&record["user"], &record["tls"]), (&"anonymous".into(), &false.into()));
        assert!(!record.to_string().contains("example.org"), "{record}");
    }
    // Closed again, nobody stays.
    served.node.gate().set_public(false);
    client.expect(421, "NOOP");
    assert!(client.try_reply().is_none());
}

#[test]
fn an_account_has_as_many_sessions_as_it_may() {
    let served = Served::with(|config| config.sessions = Sessions::Long { most: 1 });
    let mut first = served.logged_in("alice");
    let mut second = served.client();
    second.expect(331, "USER alice");
    second.expect(421, &format!("PASS {}", password("alice")));
    assert!(second.try_reply().is_none());
    first.expect(221, "QUIT");
    // The server may not have seen it off yet.
    until("there is room again", || {
        let mut next = served.client();
        next.expect(331, "USER alice");
        !next.ask(&format!("PASS {}", password("alice")))[0].starts_with("421")
    });
}

#[test]
fn who_logs_in_anew_is_another() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.expect(257, "MKD of-alice");
    client.log_in("bob");
    client.expect(550, "CWD of-alice");
    client.expect(331, "USER alice");
    client.expect(530, "PWD");
    client.expect(220, "REIN");
    client.expect(530, "PWD");
    client.log_in("alice");
    client.expect(250, "CWD of-alice");
}

#[test]
fn who_begins_anew_has_chosen_nothing() {
    let served = Served::with(|config| config.charset = "gbk".parse().unwrap());
    let mut client = served.client();
    let (facts, standing) = (client.ask("FEAT"), client.ask("STAT"));
    client.log_in("alice");
    for line in ["TYPE I", "OPTS UTF8 ON", "OPTS MLST type;", "OPTS HASH BLAKE3", "EPSV ALL"] {
        client.expect(200, line);
    }
    client.expect(220, "REIN");
    assert_eq!((client.ask("FEAT"), client.ask("STAT")), (facts, standing));
    client.log_in("alice");
    client.expect(227, "PASV");
    client.inner.send_bytes(b"MKD \xce\xc4\r\n");
    assert_eq!(client.code_of_bytes(), 257);
    assert!(served.node.home("alice").join("文").exists());
}

#[test]
fn ten_mistakes_before_a_login_end_the_connection() {
    let served = Served::new();
    let mut client = served.client();
    for _ in 0..9 {
        client.expect(500, "EHLO there");
    }
    client.expect(500, "EHLO there");
    assert_eq!(client.code(), 421);
    assert!(client.inner.ends_cleanly());
    // Who is in may go on.
    let mut client = served.logged_in("alice");
    for _ in 0..20 {
        client.expect(500, "EHLO there");
    }
    client.expect(200, "NOOP");
}

#[test]
fn three_refused_logins_end_the_connection() {
    let served = Served::new();
    let mut client = served.client();
    for _ in 0..3 {
        client.expect(331, "USER alice");
        client.expect(530, "PASS wrong");
    }
    assert!(client.try_reply().is_none());
}

#[test]
fn a_browser_is_sent_away_at_once() {
    let served = Served::new();
    let mut client = served.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\n\r\nUSER alice\r\nPASS x");
    assert_eq!(client.code(), 421);
    assert!(client.try_reply().is_none());
}

#[test]
fn whoever_is_silent_is_sent_away() {
    let served = Served::with(|config| config.limits.idle = Duration::from_millis(300));
    let mut client = served.logged_in("alice");
    assert_eq!(client.code(), 421);
    assert!(client.try_reply().is_none());
}

#[test]
fn a_locked_account_is_put_out_at_once() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    served.node.lock("alice");
    assert_eq!(client.code(), 421);
    assert!(client.try_reply().is_none());
}

#[test]
fn a_drain_ends_idle_connections_with_a_word() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    served.server.handle().drain();
    assert_eq!(client.code(), 421);
    assert!(client.try_reply().is_none());
}

#[test]
fn lines_come_in_any_form() {
    let served = Served::new();
    let mut client = served.client();
    let login = format!("user alice\npass {}\r\n", password("alice"));
    for byte in login.bytes() {
        client.inner.send_bytes(&[byte]);
    }
    assert_eq!((client.code(), client.code()), (331, 230));
    // Telnet's words are taken out and answered, and interrupts are no part of a command.
    client.inner.send_bytes(b"\xff\xfb\x01\xff\xf4\xff\xf2NOOP\r\n");
    assert_eq!(client.inner.bytes(3), b"\xff\xfe\x01");
    assert_eq!(client.code(), 200);
    client.inner.send_bytes(b"CWD a\0b\r\n");
    assert_eq!(client.code(), 501);
    client.inner.send_bytes(b"\r\n");
    assert_eq!(client.code(), 500);
}

#[test]
fn a_line_of_a_mebibyte_is_one_mistake() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.inner.send_bytes(&vec![b'a'; 1 << 20]);
    client.inner.send_bytes(b"\r\nNOOP\r\n");
    assert_eq!((client.code(), client.code()), (500, 200));
}

#[test]
fn an_iac_storm_is_outlived() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.inner.send_bytes(&b"\xff\xf4\xff\xf2".repeat(10_000));
    client.inner.send_bytes(b"NOOP\r\n");
    assert_eq!(client.code(), 200);
}

#[test]
fn a_thousand_commands_in_one_piece_are_answered_in_order() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.inner.send_bytes("NOOP\r\nPWD\r\n".repeat(500).as_bytes());
    for _ in 0..500 {
        assert_eq!((client.code(), client.code()), (200, 257));
    }
}

#[test]
fn help_and_features_come_from_the_table() {
    let served = Served::new();
    let mut client = served.client();
    // What there is may be asked by anybody; the rest not.
    let own = client.ask("SITE HELP");
    assert_eq!(own.len(), 8);
    assert_eq!(client.ask("HELP SITE"), own);
    client.expect(530, "SITE WHO");
    client.expect(530, "STAT /");
    let features = client.ask("FEAT");
    for feature in [" EPSV", " REST STREAM", " UTF8", " HASH BLAKE3;SHA-256*", " SIZE", " MFMT"] {
        assert!(features.iter().any(|line| line == feature), "{feature}: {features:?}");
    }
    assert!(features.iter().any(|line| line.starts_with(" MLST type*;perm*;")));
    assert!(client.ask("HELP").join(" ").contains("STOR"));
    assert_eq!(client.ask("HELP stor"), ["214 STOR PATH: store a file; needs the right to write."]);
    assert!(!client.ask("HELP").join(" ").contains("SMNT"));
}

#[test]
fn names_of_another_charset_are_the_same_files() {
    let served = Served::with(|config| config.charset = "gbk".parse().unwrap());
    let mut client = served.logged_in("alice");
    client.inner.send_bytes(b"MKD \xce\xc4\xbc\xfe\r\n");
    let mut told = client.inner.bytes(14);
    assert_eq!(told.split_off(5), b"/\xce\xc4\xbc\xfe\" is"[..9].to_vec());
    client.inner.line();
    client.expect(200, "OPTS UTF8 ON");
    client.expect(250, "CWD 文件");
}
