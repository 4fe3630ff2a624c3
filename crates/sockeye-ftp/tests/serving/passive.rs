//! Passive data connections: ports, who may come, and when.

use std::{net::Ipv4Addr, time::Duration};

use sockeye_testkit::processes::until;

use crate::client::{FtpClient, Served, data_to, is_closed, read};

/// A port that nobody has.
fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    socket.local_addr().expect("an address").port()
}

#[test]
fn pasv_tells_the_address_of_the_control_connection() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    let reply = client.expect(227, "PASV");
    let numbers: Vec<u16> = reply[reply.find('(').unwrap() + 1..reply.find(')').unwrap()]
        .split(',')
        .map(|number| number.parse().unwrap())
        .collect();
    assert_eq!(numbers[..4], [127, 0, 0, 1]);
    let mut data = data_to(Ipv4Addr::LOCALHOST, numbers[4] * 256 + numbers[5]);
    client.expect(150, "NLST");
    assert!(read(&mut data).len() < 100);
    client.expect_code(226, "NLST");
}

#[test]
fn epsv_all_rules_out_all_else() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.expect(522, "EPSV 2");
    client.expect(229, "EPSV 1");
    client.expect(200, "EPSV ALL");
    for line in ["PASV", "PORT 127,0,0,1,200,1", "EPRT |1|127.0.0.1|50000|"] {
        client.expect(501, line);
    }
    client.expect(229, "EPSV");
}

#[test]
fn without_a_data_connection_nothing_is_transferred() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    for line in ["NLST", "LIST", "MLSD", "STOR x", "APPE x", "STOU"] {
        client.expect(425, line);
    }
    client.expect(550, "RETR x");
    // And one serves once.
    client.fetch("NLST");
    client.expect(425, "NLST");
}

#[test]
fn a_connection_that_nobody_opens_is_given_up() {
    let served = Served::with(|config| config.limits.connect = Duration::from_millis(200));
    let mut client = served.logged_in("alice");
    client.epsv();
    client.expect(425, "NLST");
    // Also without a command that waits for it: the port is given back, and the next transfer is told so.
    let served = Served::with(|config| {
        let port = free_port();
        config.passive_ports = Some(port..=port);
        config.limits.connect = Duration::from_millis(500);
    });
    let (mut holder, mut next) = (served.logged_in("alice"), served.logged_in("bob"));
    holder.epsv();
    until("the port is given back", || !next.ask("EPSV")[0].starts_with("425"));
    holder.expect(425, "NLST");
}

#[test]
fn a_stranger_gets_nothing_and_keeps_nobody_off() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    let port = client.epsv();
    // Another address of this machine.
    let source = std::net::SocketAddr::from(([127, 0, 0, 2], 0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stranger = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(source).unwrap();
        socket.connect(([127, 0, 0, 1], port).into()).await.unwrap().into_std().unwrap()
    });
    stranger.set_nonblocking(false).unwrap();
    let mut stranger = stranger;
    assert!(is_closed(&mut stranger));
    let mut data = data_to(Ipv4Addr::LOCALHOST, port);
    client.expect(150, "NLST");
    read(&mut data);
    client.expect_code(226, "NLST");
}

#[test]
fn one_port_serves_ten_clients() {
    let port = free_port();
    let served = Served::with(|config| config.passive_ports = Some(port..=port));
    let clients: Vec<FtpClient> = (0..10).map(|_| served.logged_in("alice")).collect();
    std::thread::scope(|scope| {
        for mut client in clients {
            scope.spawn(move || {
                for _ in 0..5 {
                    assert_eq!(client.epsv(), port);
                    let mut data = data_to(Ipv4Addr::LOCALHOST, port);
                    client.expect(150, "NLST");
                    read(&mut data);
                    client.expect_code(226, "NLST");
                }
            });
        }
    });
}

#[test]
fn a_port_that_was_just_used_is_no_hindrance_and_none_is_foretold() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    let ports: Vec<u16> = (0..32)
        .map(|_| {
            let port = client.epsv();
            let mut data = data_to(Ipv4Addr::LOCALHOST, port);
            client.expect(150, "NLST");
            read(&mut data);
            client.expect_code(226, "NLST");
            port
        })
        .collect();
    assert!(ports.iter().all(|&port| port >= 49_152), "{ports:?}");
    assert!(!ports.is_sorted(), "{ports:?}");
}

#[test]
fn ports_that_all_are_lent_are_told_so_and_given_back_with_the_connection() {
    let port = free_port();
    let served = Served::with(|config| {
        config.passive_ports = Some(port..=port);
        config.limits.connect = Duration::from_millis(300);
    });
    let mut holder = served.logged_in("alice");
    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let told = holder.expect(425, "EPSV");
    assert_eq!(told, "425 All ports for data are taken; try again.");
    assert_eq!(served.node.gate().wanting_ports(), 1);
    drop(taken);
    assert_eq!(holder.epsv(), port);
    holder.expect(221, "QUIT");
    let mut next = served.logged_in("bob");
    assert_eq!(next.epsv(), port);
}

#[test]
fn the_external_address_is_for_others_than_this_machine() {
    let served = Served::with(|config| config.address = Some("192.0.2.7".to_owned()));
    let mut client = served.logged_in("alice");
    assert!(client.expect(227, "PASV").contains("(127,0,0,1,"));
}

#[test]
fn no_port_is_lost_whatever_becomes_of_it() {
    let port = free_port();
    let served = Served::with(|config| config.passive_ports = Some(port..=port));
    let mut client = served.logged_in("alice");
    for _ in 0..3 {
        client.binary();
        // Asked for twice; given up unopened; awaited and given up; opened and given up.
        assert_eq!((client.epsv(), client.epsv()), (port, port));
        client.expect(225, "ABOR");
        client.epsv();
        client.send("NLST");
        client.expect(426, "ABOR");
        client.expect_code(226, "ABOR");
        let mut data = client.passive();
        client.expect(225, "ABOR");
        assert!(is_closed(&mut data));
        // Broken off in the middle; not used; given up for another way; left behind.
        let _data = client.passive();
        client.expect(150, "STOR file");
        client.expect(426, "ABOR");
        client.expect_code(226, "ABOR");
        client.epsv();
        client.expect(550, "RETR nowhere");
        client.epsv();
        client.expect(200, "PORT 127,0,0,1,200,1");
        let mut lost = served.logged_in("bob");
        lost.epsv();
        lost.inner.reset();
        assert_eq!(client.epsv(), port);
        client.expect(220, "REIN");
        client.log_in("alice");
        client.fetch("NLST");
    }
}
