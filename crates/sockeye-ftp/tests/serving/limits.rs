//! What a client may have of the server: bandwidth, connections, guesses; and what keeps its own connection alive.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, Instant},
};

use sockeye::Limits;
use sockeye_node::Bucket;
use sockeye_testkit::{
    client::Client,
    node::{TempNode, password},
    processes::until,
};

use crate::client::{FtpClient, Served, content, serve_at};

#[test]
fn all_of_an_accounts_connections_share_its_bandwidth() {
    let served = Served::new();
    let mut clients = [served.logged_in("alice"), served.logged_in("alice")];
    let content = content(400_000);
    clients[0].binary();
    clients[0].store("STOR file", &content);
    served.node.gate().set_account_rate(Some(1_000_000));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for (number, client) in clients.iter_mut().enumerate() {
            let content = &content;
            scope.spawn(move || {
                client.binary();
                assert_eq!(client.store(&format!("STOR file{number}"), content), 226);
                assert_eq!(client.fetch("RETR file").len(), content.len());
            });
        }
    });
    // 1.6 MB in all, less what goes at once; slower is no fault.
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    // Others are not slowed down by it.
    served.node.gate().set_account_rate(None);
    assert_eq!(clients[0].fetch("RETR file").len(), content.len());
}

#[test]
fn all_connections_of_a_listener_share_its_bandwidth() {
    let bucket = Arc::new(Bucket::new(None));
    let served = Served::with(|config| config.bandwidth = Some(Arc::clone(&bucket)));
    let (mut alice, mut bob) = (served.logged_in("alice"), served.logged_in("bob"));
    bucket.set_rate(Some(1_000_000));
    let begun = Instant::now();
    for client in [&mut alice, &mut bob] {
        client.binary();
        assert_eq!(client.store("STOR file", &content(700_000)), 226);
    }
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[test]
fn an_address_has_as_many_connections_as_it_may() {
    let node = TempNode::new();
    let limits = Limits { max_per_ip: Some(2), ..Limits::default() };
    let server = serve_at(&node, "tcp://127.0.0.1:0", limits, |_| {});
    let first = FtpClient::connect(server.port());
    let _second = FtpClient::connect(server.port());
    let mut third = Client::connect(server.port());
    let told = third.line().expect("a reason");
    assert!(told.starts_with("421 There are too many connections from your address"), "{told}");
    assert!(third.line().is_none(), "a third connection was served");
    // From elsewhere there is room.
    FtpClient::greeted(Client::connect_from(Ipv4Addr::new(127, 0, 0, 2), server.port()));
    drop(first);
    until("there is room again", || {
        Client::connect(server.port()).line().is_some_and(|told| told.starts_with("220"))
    });
}

#[test]
fn whoever_guesses_has_to_wait_and_keeps_nobody_off() {
    let served = Served::new();
    let mut number = 0;
    let told = loop {
        number += 1;
        let mut client = served.client();
        client.expect(331, "USER alice");
        let told = client.expect(530, &format!("PASS guess {number}"));
        if told.contains("too many failed logins") {
            break told;
        }
        assert!(number < 50, "fifty guesses: {told}");
    };
    assert!(told.contains("try again in"), "{told}");
    // Alice herself is let in from elsewhere, and others from here.
    served.logged_in("bob");
    let from = Ipv4Addr::new(127, 0, 0, 2);
    let mut alice = FtpClient::greeted(Client::connect_from(from, served.server.port()));
    alice.log_in("alice");
    let refused = served.node.records("refuse");
    assert!(refused.iter().all(|it| it["protocol"] == "ftp"), "{refused:?}");
    assert!(!refused.is_empty());
}

/// Whether the server's end of this connection asks now and then whether the client is there: the timer in /proc/net/tcp.
fn is_kept_alive(client: &FtpClient, server: u16) -> bool {
    let table = fs::read_to_string("/proc/net/tcp").expect("the system's table");
    let ends = (format!(":{server:04X}"), format!(":{:04X}", client.inner.local().port()));
    let row = table.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let is_it = fields.get(1)?.ends_with(&ends.0) && fields.get(2)?.ends_with(&ends.1);
        is_it.then(|| fields[5].to_owned())
    });
    row.expect("the connection").starts_with("02:")
}

#[test]
fn a_control_connection_is_kept_alive_while_a_transfer_runs() {
    let served = Served::with(|config| config.limits.idle = Duration::from_secs(1));
    let mut client = served.logged_in("alice");
    client.binary();
    let mut data = client.passive();
    client.expect(150, "STOR file");
    let begun = Instant::now();
    until("there is a timer", || is_kept_alive(&client, served.server.port()));
    // Longer than it may be idle otherwise, the server ends nothing.
    data.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    while begun.elapsed() < Duration::from_secs(2) {
        data.write_all(b"x").unwrap();
        let ended = data.read(&mut [0]).unwrap_err();
        assert_eq!(ended.kind(), ErrorKind::WouldBlock);
    }
    drop(data);
    client.expect_code(226, "STOR");
    client.expect(200, "NOOP");
}

#[test]
fn an_account_that_logged_in_wrongly_three_times_may_come_again() {
    let served = Served::new();
    for _ in 0..3 {
        let mut client = served.client();
        client.expect(331, "USER bob");
        client.expect(530, "PASS the same wrong one");
    }
    // The same mistake again, as by a program with an old password, does not make its owner wait for long.
    until("he is let in", || {
        let mut client = served.client();
        client.expect(331, "USER bob");
        client.ask(&format!("PASS {}", password("bob")))[0].starts_with("230")
    });
}
