//! A transfer and all that can come between: whatever it is, each command has one reply and nothing is left open.

use std::{io::Write as _, net::Ipv4Addr, time::Duration};

use sockeye_testkit::processes::until;

use crate::{
    client::{Served, content, data_to, is_closed, read},
    transfers::wait_for,
};

#[test]
fn abor_without_a_transfer_closes_what_was_prepared() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.expect(225, "ABOR");
    let mut data = client.passive();
    client.expect(225, "ABOR");
    assert!(is_closed(&mut data));
    client.expect(425, "NLST");
}

#[test]
fn abor_before_the_data_connection_ends_the_wait() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.epsv();
    client.send("NLST");
    client.expect(426, "ABOR");
    client.expect_code(226, "ABOR");
    client.fetch("NLST");
}

#[test]
fn abor_within_a_transfer_ends_it() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    client.store("STOR file", &content(20 << 20));
    let mut data = client.passive();
    client.expect(150, "RETR file");
    // As people's clients do, as urgent data between.
    client.inner.send_bytes(b"\xff\xf4\xff");
    let urgent = rustix::net::SendFlags::OOB;
    rustix::net::send(&client.inner, b"\xf2", urgent).unwrap();
    client.expect(426, "ABOR");
    client.expect_code(226, "ABOR");
    let mut all = Vec::new();
    let _ = std::io::Read::read_to_end(&mut data, &mut all);
    assert!(all.len() < 20 << 20);
    // An upload is broken off in the same way, and nothing of it is seen.
    let mut data = client.passive();
    client.expect(150, "STOR other");
    data.write_all(b"some").unwrap();
    wait_for(&mut client, 4);
    client.expect(426, "ABOR");
    client.expect_code(226, "ABOR");
    client.expect(550, "MLST other");
    client.fetch("NLST");
}

#[test]
fn abor_after_a_transfer_has_its_own_reply() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.fetch("NLST");
    client.expect(225, "ABOR");
}

#[test]
fn what_is_asked_during_a_transfer_is_answered_at_once_or_behind_it() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    let mut data = client.passive();
    client.expect(150, "STOR file");
    data.write_all(b"12345").unwrap();
    wait_for(&mut client, 5);
    client.expect(200, "NOOP");
    assert!(client.expect(211, "STAT").contains("STOR /file: 5 bytes"));
    client.send("SIZE file");
    client.send("RETR file");
    client.send("PWD");
    client.expect(200, "NOOP");
    drop(data);
    client.expect_code(226, "STOR");
    client.expect_code(213, "SIZE");
    client.expect_code(425, "RETR");
    client.expect_code(257, "PWD");
}

#[test]
fn stat_by_an_interrupt_does_not_disturb_the_transfer() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    let mut data = client.passive();
    client.expect(150, "STOR file");
    data.write_all(b"12345").unwrap();
    wait_for(&mut client, 5);
    client.inner.send_bytes(b"\xff\xf4\xff");
    rustix::net::send(&client.inner, b"\xf2", rustix::net::SendFlags::OOB).unwrap();
    assert!(client.expect(211, "STAT").contains("STOR /file: 5 bytes"));
    data.write_all(b"678").unwrap();
    drop(data);
    client.expect_code(226, "STOR");
    assert_eq!(client.ask("SIZE file"), ["213 8"]);
}

#[test]
fn more_commands_than_may_wait_are_not_lost() {
    let served = Served::with(|config| config.limits.queue = 4);
    let mut client = served.logged_in("alice");
    client.binary();
    let data = client.passive();
    client.expect(150, "STOR file");
    client.inner.send_bytes("PWD\r\n".repeat(100).as_bytes());
    drop(data);
    client.expect_code(226, "STOR");
    for _ in 0..100 {
        client.expect_code(257, "PWD");
    }
}

#[test]
fn whoever_quits_during_a_transfer_still_hears_how_it_ends() {
    let served = Served::new();
    for says_no_more in [false, true] {
        let mut client = served.logged_in("alice");
        client.binary();
        let mut data = client.passive();
        client.expect(150, "STOR file");
        // A client may wait for the reply before it goes on, and has nothing more to say.
        client.expect(221, "QUIT");
        if says_no_more {
            client.inner.half_close();
        }
        data.write_all(b"12345").unwrap();
        drop(data);
        client.expect_code(226, "STOR");
        assert!(client.inner.ends_cleanly());
        let mut client = served.logged_in("alice");
        client.binary();
        assert_eq!(client.ask("SIZE file"), ["213 5"]);
        client.expect(250, "DELE file");
    }
}

#[test]
fn what_was_sent_before_quit_has_its_reply_first() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    let data = client.passive();
    client.expect(150, "STOR file");
    client.send("PWD\r\nQUIT");
    client.expect(200, "NOOP");
    drop(data);
    for code in [226, 257, 221] {
        client.expect_code(code, "in their order");
    }
    assert!(client.inner.ends_cleanly());
}

#[test]
fn a_transfer_outlives_who_began_it() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    let mut data = client.passive();
    client.expect(150, "STOR of-alice");
    client.expect(331, "USER bob");
    // Nothing of the transfer's waits for that.
    client.expect(530, "PWD");
    client.expect(530, "TYPE I");
    client.expect(211, "FEAT");
    client.expect(230, &format!("PASS {}", sockeye_testkit::node::password("bob")));
    client.send("SIZE of-alice");
    data.write_all(b"12345").unwrap();
    drop(data);
    client.expect_code(226, "STOR");
    client.expect_code(550, "SIZE");
    let mut data = client.passive();
    client.expect(150, "STOR of-bob");
    client.expect(220, "REIN");
    client.expect(530, "PWD");
    data.write_all(b"123").unwrap();
    drop(data);
    client.expect_code(226, "STOR");
    for (name, size) in [("alice", 5), ("bob", 3)] {
        client.log_in(name);
        client.binary();
        assert_eq!(client.ask(&format!("SIZE of-{name}")), [format!("213 {size}")]);
    }
}

#[test]
fn a_session_of_one_piece_is_answered() {
    let served = Served::new();
    let mut client = served.client();
    let password = sockeye_testkit::node::password("alice");
    let lines =
        format!("USER alice\r\nPASS {password}\r\nTYPE I\r\nPWD\r\nEPSV\r\nNLST\r\nQUIT\r\n");
    client.inner.send_bytes(lines.as_bytes());
    for code in [331, 230, 200, 257] {
        client.expect_code(code, "a piece");
    }
    let reply = client.expect_code(229, "EPSV");
    let port = reply.split('|').nth(3).and_then(|port| port.parse().ok()).unwrap();
    let mut data = data_to(Ipv4Addr::LOCALHOST, port);
    client.expect_code(150, "NLST");
    read(&mut data);
    client.expect_code(226, "NLST");
    client.expect_code(221, "QUIT");
}

#[test]
fn a_control_connection_that_is_lost_takes_its_download_along() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    client.store("STOR file", &content(20 << 20));
    let mut data = client.passive();
    client.expect(150, "RETR file");
    client.inner.reset();
    let mut all = Vec::new();
    let _ = std::io::Read::read_to_end(&mut data, &mut all);
    assert!(all.len() < 20 << 20);
}

#[test]
fn a_client_that_is_killed_while_it_stores_leaves_the_file_as_it_was() {
    let served = Served::new();
    let mut other = served.logged_in("alice");
    other.binary();
    other.store("STOR file", b"old");
    for round in 1..=20 {
        let mut client = served.logged_in("alice");
        client.binary();
        let mut data = client.passive();
        client.expect(150, "STOR file");
        data.write_all(&content(1000)).unwrap();
        if round % 2 == 0 {
            wait_for(&mut client, 1000);
        }
        // The system closes what a process had in the order in which it was opened.
        drop((client, data));
        let cut =
            || served.node.records("write").iter().filter(|it| it["outcome"] == "cut").count();
        until("the upload is cut", || cut() == round);
    }
    assert_eq!(other.fetch("RETR file"), b"old");
    assert_eq!(served.node.records("write").len(), 21);
}

#[test]
fn the_control_connection_of_who_is_killed_may_end_last() {
    // Longer than a client here would wait for its reply.
    let moment = Duration::from_secs(120);
    let served = Served::with(|config| config.limits.parting = moment);
    let mut other = served.logged_in("alice");
    other.binary();
    other.store("STOR file", b"old");
    for (announced, length) in [("ALLO 1001", 1000), ("NOOP", 2 << 20)] {
        let mut client = served.logged_in("alice");
        client.binary();
        client.expect(200, announced);
        let mut data = client.passive();
        client.expect(150, "STOR file");
        data.write_all(&content(length)).unwrap();
        wait_for(&mut client, length);
        drop(data);
        drop(client);
    }
    let cut = || served.node.records("write").iter().filter(|it| it["outcome"] == "cut").count();
    until("both are cut", || cut() == 2);
    assert_eq!(other.fetch("RETR file"), b"old");
    // Nobody waits where all came that was said.
    other.expect(200, "ALLO 1000");
    assert_eq!(other.store("STOR whole", &content(1000)), 226);
}

#[test]
fn a_data_connection_that_is_closed_at_once_is_an_empty_file() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    assert_eq!(client.store("STOR empty", b""), 226);
    let data = client.passive();
    data.shutdown(std::net::Shutdown::Write).unwrap();
    client.expect(150, "STOR half");
    client.expect_code(226, "STOR half");
    assert_eq!(client.ask("SIZE half"), ["213 0"]);
}

#[test]
fn who_sends_no_more_is_still_sent_all() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    let content = content(3 << 20);
    client.store("STOR file", &content);
    for line in ["RETR file", "NLST"] {
        let mut data = client.passive();
        data.shutdown(std::net::Shutdown::Write).unwrap();
        client.expect(150, line);
        let fetched = read(&mut data);
        assert!(fetched == content || fetched == b"file\r\n", "{line}");
        client.expect_code(226, line);
    }
}

#[test]
fn a_data_connection_that_is_reset_is_no_whole_file() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    let mut data = client.passive();
    client.expect(150, "STOR file");
    data.write_all(b"some").unwrap();
    wait_for(&mut client, 4);
    let zero = std::time::Duration::ZERO;
    rustix::net::sockopt::set_socket_linger(&data, Some(zero)).unwrap();
    drop(data);
    client.expect_code(426, "STOR file");
    client.expect(550, "SIZE file");
}

#[test]
fn a_session_that_is_ended_takes_its_transfer_along() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    let mut data = client.passive();
    client.expect(150, "STOR file");
    served.node.lock("alice");
    let first = client.code();
    assert!([421, 426, 550].contains(&first), "{first}");
    while client.try_reply().is_some() {}
    assert!(is_closed(&mut data));
}
