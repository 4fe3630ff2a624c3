//! Digests of files.

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
