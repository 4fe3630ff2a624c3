//! Digests of files.

use std::{fs::File, os::unix::fs::FileExt as _, path::Path};

use sockeye_node::{Algorithm, Digests};
use sockeye_testkit::node::TempNode;

use crate::client::{FtpClient, Served, content, serve};

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn digests_are_those_of_the_file() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    client.store("STOR a file", b"abc");
    assert_eq!(client.ask("HASH a file"), [format!("213 SHA-256 0-3 {ABC} /a file")]);
    assert_eq!(client.ask("SITE HASH a file"), [format!("213 SHA-256 0-3 {ABC} /a file")]);
    client.expect(200, "OPTS HASH blake3");
    assert!(client.ask("HASH a file")[0].starts_with("213 BLAKE3 0-3 6437b3ac38465133"));
    assert_eq!(client.ask("OPTS HASH"), ["200 BLAKE3"]);
    for (line, sum) in [
        ("XCRC a file", "352441C2"),
        ("XMD5 a file", "900150983CD24FB0D6963F7D28E17F72"),
        ("XMD5 \"a file\"", "900150983CD24FB0D6963F7D28E17F72"),
        ("XSHA1 a file", "A9993E364706816ABA3E25717850C26C9CD0D89D"),
        ("XSHA256 a file", &*ABC.to_uppercase()),
        ("XCRC a file 0 3", "352441C2"),
        ("XMD5 \"a file\" 0 1", "0CC175B9C0F1B6A831C399E269772661"),
    ] {
        assert_eq!(client.ask(line), [format!("250 {sum}")], "{line}");
    }
    client.expect(550, "HASH nowhere");
    client.expect(550, "HASH /");
    client.expect(554, "XCRC a file 5 9");
}

/// Overwrites the beginning of a file where it lies, and sets its time back: to the store it is the file that it was.
fn falsify(path: &Path) {
    let file = File::options().write(true).open(path).expect("the file");
    let modified = file.metadata().and_then(|meta| meta.modified()).expect("its time");
    file.write_all_at(b"other bytes", 0).expect("room");
    file.set_modified(modified).expect("a time that it had");
}

#[test]
fn what_is_known_of_a_file_is_told_without_reading_it() {
    let kept = tempfile::tempdir().unwrap();
    let digests = Digests::open(&kept.path().join("digests.db")).unwrap();
    let node = TempNode::with(|_, keeping| keeping.digests = Some(digests));
    let server = serve(&node, |_| {});
    let served = Served { node, server };
    let mut client = served.logged_in("alice");
    let home = served.node.home("alice");
    client.binary();
    // Of what is shorter nothing is kept.
    let content = content(300_000);
    let told = |algorithm: Algorithm, name: &str| {
        let kind = if algorithm == Algorithm::Blake3 { "BLAKE3" } else { "SHA-256" };
        let digest = algorithm.of(&content).to_string();
        let hex = digest.split(':').next_back().unwrap();
        format!("213 {kind} 0-300000 {hex} /{name}")
    };
    // As the upload has computed it.
    client.expect(200, "OPTS HASH BLAKE3");
    assert_eq!(client.store("STOR stored", &content), 226);
    falsify(&home.join("stored"));
    assert_eq!(client.ask("HASH stored"), [told(Algorithm::Blake3, "stored")]);
    // As it was computed when it was asked for.
    std::fs::write(home.join("found"), &content).unwrap();
    let ask = |client: &mut FtpClient| {
        [
            "OPTS HASH BLAKE3",
            "HASH found",
            "OPTS HASH SHA-256",
            "HASH found",
            "XSHA256 found",
            "XCRC found",
        ]
        .map(|line| client.ask(line).concat())
    };
    let asked = ask(&mut client);
    assert_eq!(asked[1], told(Algorithm::Blake3, "found"));
    assert_eq!(asked[3], told(Algorithm::Sha256, "found"));
    falsify(&home.join("found"));
    assert_eq!(ask(&mut client), asked);
    // Of another version nothing is believed.
    let file = File::options().write(true).open(home.join("found")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    let now = ask(&mut client);
    for at in [1, 3, 4, 5] {
        assert!(now[at] != asked[at] && now[at].starts_with('2'), "{now:?}");
    }
}

#[test]
fn what_is_long_in_computing_is_broken_off() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    client.store("STOR small", b"abc");
    // More than anybody reads in the time of a test, on hardly any disk.
    File::create(served.node.home("alice").join("large")).unwrap().set_len(1 << 40).unwrap();
    for line in ["XMD5 large", "HASH large", "SITE HASH large", "XCRC large"] {
        client.send(line);
        client.expect(200, "NOOP");
        assert!(client.expect(211, "STAT").contains(" /large: for "), "{line}");
        client.send("HASH small");
        client.expect(426, "ABOR");
        client.expect_code(226, "ABOR");
        client.expect_code(213, "HASH small");
    }
    client.expect(225, "ABOR");
    // Lost, it takes what is computed along.
    client.send("XMD5 large");
    client.inner.reset();
}
