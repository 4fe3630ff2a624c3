//! FTP over IPv6 (RFC 2428), and to both families at one address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use sockeye::Limits;
use sockeye_testkit::{
    client::Client,
    node::{TempNode, password},
    running::Running,
};

use crate::client::{FtpClient, data_to, read, serve_at};

fn served(address: &str) -> (TempNode, Running) {
    let node = TempNode::new();
    let server = serve_at(&node, address, Limits::default(), |_| {});
    (node, server)
}

fn logged_in(server: &Running, from: IpAddr) -> FtpClient {
    let at = SocketAddr::new(from, server.port());
    let mut client = FtpClient::greeted(Client::connect_to(at));
    client.expect(331, "USER alice");
    client.expect(230, &format!("PASS {}", password("alice")));
    client
}

#[test]
fn data_goes_both_ways_over_ipv6() {
    let (_node, server) = served("tcp://[::1]:0");
    let mut client = logged_in(&server, Ipv6Addr::LOCALHOST.into());
    client.binary();
    for line in ["EPSV", "EPSV 2"] {
        let reply = client.expect(229, line);
        let port = reply.split('|').nth(3).and_then(|port| port.parse().ok()).unwrap();
        let mut data = data_to(Ipv6Addr::LOCALHOST, port);
        client.expect(150, "NLST");
        assert!(read(&mut data).is_empty());
        client.expect_code(226, "NLST");
    }
    let own = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    client.expect(200, &format!("EPRT |2|::1|{}|", own.local_addr().unwrap().port()));
    client.send("NLST");
    let (mut data, _) = own.accept().unwrap();
    client.expect_code(150, "NLST");
    assert!(read(&mut data).is_empty());
    client.expect_code(226, "NLST");
}

#[test]
fn what_ipv6_has_no_room_for_is_refused() {
    let (_node, server) = served("tcp://[::1]:0");
    let mut client = logged_in(&server, Ipv6Addr::LOCALHOST.into());
    for (line, code) in [
        ("PASV", 425),
        ("EPSV 1", 522),
        ("PORT 127,0,0,1,200,1", 501),
        ("EPRT |1|127.0.0.1|50000|", 522),
        ("EPRT |2|::2|50000|", 501),
        ("EPRT |2|::ffff:127.0.0.1|50000|", 501),
        ("EPRT |2|::1|80|", 504),
        ("EPRT |2|::1%lo|50000|", 501),
    ] {
        client.expect(code, line);
        client.expect(425, "NLST");
    }
}

#[test]
fn one_address_for_both_families_takes_each_at_its_word() {
    // On all addresses, and yet on loopback alone.
    let (_node, server) = served("tcp://[::]:0?interface=lo");
    let mut four = logged_in(&server, Ipv4Addr::LOCALHOST.into());
    let reply = four.expect(227, "PASV");
    assert!(reply.contains("(127,0,0,1,"), "{reply}");
    assert!(four.fetch("NLST").is_empty());
    let own = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = own.local_addr().unwrap().port();
    for line in [
        format!("PORT 127,0,0,1,{},{}", port / 256, port % 256),
        format!("EPRT |1|127.0.0.1|{port}|"),
    ] {
        four.expect(200, &line);
        four.send("NLST");
        let (mut data, _) = own.accept().unwrap();
        four.expect_code(150, "NLST");
        assert!(read(&mut data).is_empty());
        four.expect_code(226, "NLST");
    }
    let mut six = logged_in(&server, Ipv6Addr::LOCALHOST.into());
    six.expect(425, "PASV");
    let port = six.epsv();
    let mut data = data_to(Ipv6Addr::LOCALHOST, port);
    six.expect(150, "NLST");
    assert!(read(&mut data).is_empty());
    six.expect_code(226, "NLST");
}
