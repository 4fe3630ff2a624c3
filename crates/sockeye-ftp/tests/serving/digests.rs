//! Digests of files.

use std::fs::File;

use crate::client::Served;

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
