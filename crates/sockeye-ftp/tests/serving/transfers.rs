//! Files to and fro: bytes and text, from the middle, cut and gone on with.

use std::io::Write as _;

use sockeye_node::{Origin, Peer};
use sockeye_testkit::{node::password, processes::until, session};

use crate::client::{FtpClient, Served, content, read, serve};

#[test]
fn what_is_stored_is_fetched_again() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    for length in [0, 1, 5000, 16 * 1024 + 1, 3 << 20] {
        let content = content(length);
        assert_eq!(client.store("STOR file", &content), 226);
        assert_eq!(client.fetch("RETR file"), content);
        assert_eq!(client.ask("SIZE file"), [format!("213 {length}")]);
    }
    let written = served.node.records("write");
    assert_eq!((written.len(), written[4]["bytes"].as_u64()), (5, Some(3 << 20)));
    let read = served.node.records("read");
    assert_eq!((read.len(), read[4]["outcome"].as_str()), (5, Some("ok")));
}

#[test]
fn a_file_is_fetched_from_the_middle() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    let content = content(100_000);
    client.store("STOR file", &content);
    client.expect(350, "REST 99990");
    assert_eq!(client.fetch("RETR file"), content[99_990..]);
    // That held for one transfer.
    assert_eq!(client.fetch("RETR file").len(), content.len());
    client.expect(350, "REST 100000");
    assert!(client.fetch("RETR file").is_empty());
    client.expect(350, "REST 100001");
    client.epsv();
    client.expect(554, "RETR file");
}

#[test]
fn text_has_its_lines_ended_as_each_side_wants() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    assert_eq!(client.store("STOR text", b"one\r\ntwo\r\n\rthree"), 226);
    assert_eq!(client.ask("SIZE text"), ["213 16"]);
    assert_eq!(client.fetch("RETR text"), b"one\r\ntwo\r\n\rthree");
    client.binary();
    assert_eq!(client.fetch("RETR text"), b"one\ntwo\n\rthree");
    assert_eq!(client.ask("SIZE text"), ["213 14"]);
}

#[test]
fn text_is_the_same_wherever_its_pieces_end() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    // Returns and line feeds at every place of the pieces that are received, read and sent.
    let mut text = Vec::new();
    for line in 0..60_000_usize {
        text.extend(std::iter::repeat_n(b'a', line % 7));
        text.extend(if line % 11 == 0 { &b"\r\ra\n"[..] } else { b"\n" });
    }
    let as_sent: Vec<u8> = text
        .iter()
        .flat_map(|byte| match byte {
            b'\n' => b"\r\n".to_vec(),
            byte => vec![*byte],
        })
        .collect();
    let mut data = client.passive();
    data.set_nodelay(true).unwrap();
    client.expect(150, "STOR text");
    for piece in as_sent.chunks(4093) {
        data.write_all(piece).unwrap();
    }
    drop(data);
    client.expect_code(226, "STOR text");
    assert_eq!(client.ask("SIZE text"), [format!("213 {}", as_sent.len())]);
    assert!(client.fetch("RETR text") == as_sent);
    client.binary();
    assert!(client.fetch("RETR text") == text);
    assert_eq!(client.ask("SIZE text"), [format!("213 {}", text.len())]);
}

#[test]
fn what_cannot_be_sent_or_stored_is_told_before() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.expect(257, "MKD folder");
    for (line, code) in [
        ("RETR nowhere", 550),
        ("RETR folder", 550),
        ("STOR folder", 550),
        ("STOR nowhere/file", 550),
        ("STOR a\tb", 553),
        ("STOR /", 553),
        ("APPE folder", 550),
        ("RETR a\0b", 501),
    ] {
        client.epsv();
        client.expect(code, line);
    }
    let mut guest = served.logged_in("gast");
    for line in ["STOR file", "APPE file", "STOU"] {
        guest.expect(550, line);
    }
    served.logged_in("alice").expect(425, "STOR file");
}

#[test]
fn an_append_goes_behind_what_is_there() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    assert_eq!(client.store("APPE file", b"one"), 226);
    assert_eq!(client.store("APPE file", b"two"), 226);
    assert_eq!(client.fetch("RETR file"), b"onetwo");
    // Where the client thinks that the end is elsewhere, the file would not be what it means.
    client.expect(350, "REST 3");
    client.expect(450, "APPE file");
    client.expect(350, "REST 6");
    assert_eq!(client.store("APPE file", b""), 226);
    client.expect(350, "REST 3");
    assert_eq!(client.store("STOR file", b"six"), 226);
    assert_eq!(client.fetch("RETR file"), b"onesix");
    client.expect(350, "REST 7");
    client.expect(554, "STOR file");
}

#[test]
fn a_name_of_the_servers_choice_is_told() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    let mut names = Vec::new();
    for line in ["STOU", "STOU plan"] {
        let mut data = client.passive();
        let reply = client.expect(150, line);
        names.push(reply.strip_prefix("150 FILE: ").unwrap().to_owned());
        data.write_all(line.as_bytes()).unwrap();
        drop(data);
        client.expect_code(226, line);
    }
    client.expect(350, "REST 3");
    client.expect(450, "STOU");
    assert!(names[0].starts_with("/ftp.") && names[1].starts_with("/plan."), "{names:?}");
    assert_eq!(client.fetch(&format!("RETR {}", names[1])), b"STOU plan");
}

#[test]
fn a_file_is_seen_only_once_it_is_whole() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    client.store("STOR file", b"old");
    let mut data = client.passive();
    client.expect(150, "STOR file");
    data.write_all(b"new and longer").unwrap();
    let mut other = served.logged_in("alice");
    other.binary();
    assert_eq!(other.fetch("RETR file"), b"old");
    drop(data);
    client.expect_code(226, "STOR");
    assert_eq!(other.fetch("RETR file"), b"new and longer");
}

/// Begins to store `content` and loses the control connection when so much of it has come.
pub(crate) fn cut(served: &Served, line: &str, content: &[u8]) {
    let mut client = served.logged_in("alice");
    client.binary();
    let mut data = client.passive();
    client.expect(150, line);
    data.write_all(content).expect("a server that reads");
    wait_for(&mut client, content.len());
    client.inner.half_close();
    assert!(client.try_reply().is_none());
}

/// Waits until so many bytes have come, as STAT tells.
pub(crate) fn wait_for(client: &mut FtpClient, bytes: usize) {
    let wanted = format!(": {bytes} bytes in");
    until("all came", || client.expect(211, "STAT").contains(&wanted));
}

#[test]
fn an_upload_that_was_cut_is_gone_on_with() {
    let content = content(3 << 20);
    for line in ["APPE file", "STOR file"] {
        let served = Served::new();
        cut(&served, "STOR file", &content[..2 << 20]);
        let mut client = served.logged_in("alice");
        client.binary();
        let size = 2 << 20;
        // The connection that was lost ends by itself.
        let kept = [format!("213 {size}")];
        until("what came is kept", || client.ask("SIZE file") == kept);
        client.epsv();
        client.expect(550, "RETR file");
        if line.starts_with("STOR") {
            client.expect(350, &format!("REST {size}"));
        }
        assert_eq!(client.store(line, &content[size..]), 226);
        assert!(client.fetch("RETR file") == content);
    }
}

#[test]
fn what_was_cut_counts_as_used_until_it_is_whole_or_given_up() {
    let served = Served::new();
    served.node.set_quota("alice", 4 << 20);
    let content = content(3 << 20);
    cut(&served, "STOR file", &content[..2 << 20]);
    // What is too small to be worth it leaves nothing.
    cut(&served, "STOR small", b"some");
    let mut client = served.logged_in("alice");
    client.binary();
    let left = [format!("213 {}", 2 << 20)];
    until("what came counts", || client.ask("AVBL") == left);
    client.expect(550, "SIZE small");
    // Another one of that size is too much, and the rest of the first is not.
    client.expect(552, "ALLO 5000000");
    // It may be for the file that was cut, which then gives way.
    client.expect(200, "ALLO 3000000");
    client.epsv();
    client.expect(552, "STOR another");
    assert_eq!(client.store("APPE file", &content[2 << 20..]), 226);
    assert_eq!(client.ask("AVBL"), [format!("213 {}", 1 << 20)]);
}

#[test]
fn an_upload_of_another_protocol_is_gone_on_with() {
    let served = Served::new();
    let content = content(3 << 20);
    let gate = served.node.gate();
    served.node.block_on(async {
        let credentials = sockeye_node::Credentials::password("alice", password("alice"));
        let origin = Origin::new("http", Peer::Local);
        let session = gate.login(&credentials, origin).await.unwrap();
        let path = session::path("file");
        let mut upload = session.upload(&path, Default::default()).await.unwrap();
        upload.write(&content[..1_000_000]).await.unwrap();
        upload.keep().await.unwrap();
    });
    let mut client = served.logged_in("alice");
    client.binary();
    assert_eq!(client.ask("SIZE file"), ["213 1000000"]);
    client.expect(350, "REST 1000000");
    assert_eq!(client.store("STOR file", &content[1_000_000..]), 226);
    assert!(client.fetch("RETR file") == content);
}

#[test]
fn what_is_over_quota_is_refused_and_leaves_nothing() {
    let served = Served::new();
    served.node.set_quota("alice", 1 << 20);
    let mut client = served.logged_in("alice");
    client.binary();
    client.expect(552, "ALLO 2000000");
    client.expect(200, "ALLO 1000");
    client.expect(552, "ALLO 2000000");
    client.epsv();
    client.expect(552, "STOR file");
    let mut data = client.passive();
    client.expect(150, "STOR file");
    let _ = data.write_all(&content(2 << 20));
    drop(data);
    client.expect_code(552, "STOR file");
    client.expect(550, "SIZE file");
    assert_eq!(client.store("STOR file", &content(1 << 19)), 226);
    assert_eq!(client.ask("AVBL"), [format!("213 {}", 1 << 19)]);
}

#[test]
fn a_slow_upload_is_cut_when_it_stands_still() {
    let served = Served::with(|config| {
        config.limits.stall = std::time::Duration::from_millis(300);
        config.limits.idle = std::time::Duration::from_millis(100);
    });
    let mut client = served.logged_in("alice");
    let _data = client.passive();
    client.expect(150, "STOR file");
    // The control connection is not idle while a transfer runs.
    client.expect_code(426, "STOR file");
}

#[test]
fn a_reader_that_stands_still_is_given_up() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    // More than the sockets hold.
    client.store("STOR file", &content(20 << 20));
    let limit = std::time::Duration::from_millis(300);
    let hasty = serve(&served.node, |config| config.limits.stall = limit);
    let mut client = FtpClient::connect(hasty.port());
    client.log_in("alice");
    client.binary();
    let _data = client.passive();
    client.expect(150, "RETR file");
    client.expect_code(426, "RETR file");
    client.fetch("NLST");
}

#[test]
fn a_reader_that_goes_away_ends_the_transfer_alone() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    client.store("STOR file", &content(20 << 20));
    let data = client.passive();
    client.expect(150, "RETR file");
    drop(data);
    client.expect_code(426, "RETR file");
    let mut data = client.passive();
    client.expect(150, "RETR file");
    assert_eq!(read(&mut data).len(), 20 << 20);
    client.expect_code(226, "RETR file");
}
