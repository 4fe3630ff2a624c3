//! The rights that verbs need, as HELP tells them: who has all others is refused, and who has these alone is not.

use std::collections::BTreeMap;

use crate::client::{FtpClient, Served, read};

/// What is asked in a folder with `file` and `empty`, for each verb that needs a right; the last reply tells.
const LINES: [(&str, &[&str]); 20] = [
    ("RETR", &["RETR file"]),
    ("STOR", &["STOR new"]),
    ("STOU", &["STOU new"]),
    ("APPE", &["APPE file"]),
    ("LIST", &["LIST"]),
    ("NLST", &["NLST"]),
    ("MLSD", &["MLSD"]),
    ("MFMT", &["MFMT 20200102030405 file"]),
    ("MFF", &["MFF UNIX.mode=640; file"]),
    ("DELE", &["DELE file"]),
    ("RMD", &["RMD empty"]),
    ("MKD", &["MKD new"]),
    ("RNFR", &["RNFR file", "RNTO new"]),
    ("RNTO", &["RNFR file", "RNTO new"]),
    ("HASH", &["HASH file"]),
    ("XCRC", &["XCRC file"]),
    ("XMD5", &["XMD5 file"]),
    ("XSHA1", &["XSHA1 file"]),
    ("XSHA256", &["XSHA256 file"]),
    ("AVBL", &["AVBL"]),
];

const ALL: [&str; 5] = ["read", "write", "delete", "list", "share"];

/// The rights of all verbs that need some, as they are told to who asks.
fn told(client: &mut FtpClient) -> BTreeMap<String, Vec<String>> {
    let listed = client.ask("HELP");
    let verbs = listed[1..listed.len() - 1].iter().flat_map(|line| line.split_whitespace());
    let rights = verbs.filter_map(|verb| {
        let told = client.ask(&format!("HELP {verb}"));
        let (_, rights) = told[0].split_once("; needs the right to ")?;
        let rights = rights.trim_end_matches('.').split(" and ").map(str::to_owned);
        Some((verb.to_owned(), rights.collect()))
    });
    rights.collect()
}

/// Asks for these one after the other, the last of which may need a data connection; its last reply.
fn ask(client: &mut FtpClient, lines: &[&str]) -> String {
    let mut data = client.passive();
    let mut last = String::new();
    for line in lines {
        last = client.ask(line).join("\n");
    }
    if last.starts_with("150") {
        data.shutdown(std::net::Shutdown::Write).expect("a connection");
        read(&mut data);
        last = client.reply().join("\n");
    }
    last
}

#[test]
fn an_upload_that_is_refused_is_in_the_log() {
    let served = Served::new();
    served.node.share("team");
    served.node.grant("bob", "/shared/team", "read,list");
    let mut bob = served.logged_in("bob");
    for line in ["STOR /shared/team/file", "APPE /shared/team/file", "STOU /shared/team/file"] {
        bob.expect(550, line);
    }
    let refused = served.node.records("write");
    assert_eq!(refused.len(), 3, "{refused:?}");
    for record in refused {
        assert_eq!((&record["outcome"], &record["user"]), (&"denied".into(), &"bob".into()));
        let path = record["path"].as_str().unwrap();
        assert!(path.starts_with("/shared/team/file"), "{path}");
    }
}

#[test]
fn who_is_refused_is_told_which_right_is_missing() {
    let served = Served::new();
    served.node.share("team");
    let (mut root, mut bob) = (served.logged_in("root"), served.logged_in("bob"));
    root.store("STOR /shared/team/file", b"x");
    bob.store("STOR own", b"x");
    served.node.grant("bob", "/shared/team", "read,list");
    let lacks = |right: &str| {
        format!("Not enough privileges: this needs {right}, and you have read and list.")
    };
    for (line, right) in [
        ("STOR /shared/team/new", "write here"),
        ("APPE /shared/team/file", "write here"),
        ("MKD /shared/team/new", "write here"),
        ("MFMT 20200102030405 /shared/team/file", "write here"),
        ("SITE CHMOD 644 /shared/team/file", "write here"),
        ("DELE /shared/team/file", "delete here"),
    ] {
        let told = bob.expect(550, line);
        assert!(told.ends_with(&lacks(right)), "{line}: {told}");
    }
    bob.expect(350, "RNFR /own");
    let told = bob.expect(550, "RNTO /shared/team/new");
    assert_eq!(told, format!("550 /shared/team/new: {}", lacks("write there")));
    bob.expect(350, "RNFR /shared/team/file");
    let told = bob.expect(550, "RNTO /new");
    assert!(told.ends_with(&lacks("read and delete here")), "{told}");
    served.node.grant("bob", "/shared/team", "write");
    let none = "Not enough privileges: this needs list here, and you have write.";
    for line in ["LIST /shared/team", "MLSD /shared/team", "AVBL /shared/team"] {
        bob.epsv();
        let told = bob.expect(550, line);
        assert!(told.ends_with(none), "{line}: {told}");
    }
    for line in ["RETR /shared/team/file", "HASH /shared/team/file"] {
        let told = bob.expect(550, line);
        assert!(told.ends_with("this needs read here, and you have write."), "{line}: {told}");
    }
}

#[test]
fn each_verb_needs_the_rights_that_help_tells_and_no_others() {
    let served = Served::new();
    served.node.share("team");
    let (mut root, mut bob) = (served.logged_in("root"), served.logged_in("bob"));
    root.expect(250, "CWD /shared/team");
    let told = told(&mut bob);
    let mut expected: Vec<_> = LINES.iter().map(|(verb, _)| *verb).collect();
    expected.sort_unstable();
    assert!(told.keys().eq(expected), "{told:?}");
    let mut has = |rights: &[&str], lines: &[&str]| {
        root.store("STOR file", b"x");
        for line in ["MKD empty", "DELE new", "RMD new"] {
            root.ask(line);
        }
        served.node.grant("bob", "/shared/team", &rights.join(","));
        bob.expect(250, "CWD /shared/team");
        ask(&mut bob, lines)
    };
    for (_, lines) in LINES {
        let verbs = lines.iter().map(|line| line.split(' ').next().unwrap());
        let needed: Vec<&str> =
            verbs.filter_map(|verb| told.get(verb)).flatten().map(String::as_str).collect();
        let told = has(&needed, lines);
        // Who may ask is told that there is no quota.
        let is_done = told.starts_with('2') || told.contains("no limit but the disk");
        assert!(is_done, "{needed:?} are not enough for {lines:?}: {told}");
        for missing in &needed {
            let others: Vec<_> = ALL.into_iter().filter(|right| right != missing).collect();
            let told = has(&others, lines);
            let is_refused = told.starts_with("550") && told.contains("Not enough privileges");
            assert!(is_refused, "{others:?} are enough for {lines:?}: {told}");
        }
    }
}
