//! Names in other charsets, and names that are no text at all.

use std::os::unix::ffi::OsStrExt as _;

use crate::client::{FtpClient, Served};

/// 文件, in GBK.
const GBK: &[u8] = b"\xce\xc4\xbc\xfe";

fn line(client: &mut FtpClient, parts: &[&[u8]]) -> u16 {
    client.inner.send_bytes(&[parts.concat(), b"\r\n".to_vec()].concat());
    client.code_of_bytes()
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_listener_in_gbk_tells_and_takes_names_in_it() {
    let served = Served::with(|config| config.charset = "gbk".parse().unwrap());
    let (mut old, mut new) = (served.logged_in("alice"), served.logged_in("alice"));
    new.expect(200, "OPTS UTF8 ON");
    new.expect(257, "MKD 文件");
    new.store("STOR 文件/图.txt", b"x");
    for command in ["NLST", "LIST", "MLSD", "NLST -R"] {
        assert!(has(&old.fetch(command), GBK), "{command}");
        assert!(has(&new.fetch(command), "文件".as_bytes()), "{command}");
    }
    // What is asked for in the one is what was stored in the other.
    assert_eq!(line(&mut old, &[b"CWD ", GBK]), 250);
    assert_eq!(line(&mut old, &[b"SIZE \xcd\xbc.txt"]), 213);
    assert_eq!(line(&mut old, &[b"RNFR \xcd\xbc.txt"]), 350);
    assert_eq!(line(&mut old, &[b"RNTO ../", GBK, b".txt"]), 250);
    assert_eq!(new.fetch_text("NLST *.txt"), "文件.txt\r\n");
    assert!(served.node.home("alice").join("文件.txt").exists());
    // And back: the choice holds for the connection that made it.
    new.expect(200, "OPTS UTF8 OFF");
    assert!(has(&new.fetch("NLST"), GBK));
    // A character that GBK has not is one of GB18030's four bytes, and comes back.
    old.expect(250, "CWD /");
    assert_eq!(line(&mut old, &[b"MKD \x94\x39\xfc\x36"]), 257);
    assert!(served.node.home("alice").join("😀").exists());
    assert!(has(&old.fetch("NLST"), b"\x94\x39\xfc\x36"));
}

#[test]
fn bytes_that_are_no_text_come_through_untouched() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    client.store("STOR plain", b"x");
    // Of a name that came from elsewhere; new names are UTF-8.
    let name = b"\xff\xfe caf\xe9";
    let home = served.node.home("alice");
    std::fs::rename(home.join("plain"), home.join(std::ffi::OsStr::from_bytes(name))).unwrap();
    assert_eq!(client.fetch("NLST"), [&name[..], b"\r\n"].concat());
    for command in ["LIST", "MLSD", "NLST -R"] {
        assert!(has(&client.fetch(command), name), "{command}");
    }
    // Telnet doubles a byte of all ones.
    let sent = b"\xff\xff\xfe caf\xe9";
    for (command, code) in [("SIZE ", 213), ("MDTM ", 213), ("RNFR ", 350)] {
        assert_eq!(line(&mut client, &[command.as_bytes(), sent]), code, "{command}");
    }
    assert_eq!(line(&mut client, &[b"RNTO \xfe"]), 553);
    assert_eq!(line(&mut client, &[b"MKD ", sent]), 553);
    assert_eq!(line(&mut client, &[b"DELE ", sent]), 250);
    assert!(client.fetch("NLST").is_empty());
}
