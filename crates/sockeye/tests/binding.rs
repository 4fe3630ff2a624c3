//! The ways to say where a server listens, each talked to over its sockets.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    io::{self, Read as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket},
    os::unix::net::UnixStream,
    time::Duration,
};

use sockeye::{Addr, Conn, DatagramHandler, Error, Handler, Packet, Server};
use sockeye_testkit::running::Running;
use tokio::io::AsyncWriteExt as _;

const PATIENCE: Duration = Duration::from_secs(20);
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Says which address of the server it was reached at, over both kinds of transport.
struct Where;

impl Handler for Where {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let addr = conn.info().listener().to_string();
        conn.write_all(addr.as_bytes()).await
    }
}

impl DatagramHandler for Where {
    async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
        packet.reply(packet.listener().to_string().as_bytes()).await
    }
}

fn answer_of_udp(addr: &Addr) -> String {
    let client = UdpSocket::bind(ANY_PORT).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.send_to(b"?", (Ipv4Addr::LOCALHOST, addr.port().unwrap())).unwrap();
    let mut answer = [0; 200];
    let len = client.recv(&mut answer).unwrap();
    String::from_utf8(answer[..len].to_vec()).unwrap()
}

#[test]
fn every_address_of_a_list_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let list = [Addr::from(ANY_PORT), Addr::unix(&path), Addr::from(ANY_PORT)];
    let server = Running::start(Server::bind_all(&list).unwrap().with(Where));
    let addrs = server.handle().addrs().to_vec();
    assert_eq!(addrs.len(), 3);
    for addr in [&addrs[0], &addrs[2]] {
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, addr.port().unwrap())).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(io::read_to_string(&mut client).unwrap(), addr.to_string());
    }
    let mut answer = String::new();
    let mut client = UnixStream::connect(&path).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, addrs[1].to_string());
    drop(client);
    assert_eq!(server.drain().stats.completed, 3);
}

#[test]
fn an_ip_address_and_a_port_mean_udp_for_datagrams() {
    let server = Server::bind_datagram(ANY_PORT).unwrap().and(ANY_PORT).unwrap();
    let server = Running::start(server.with(Where));
    for addr in server.handle().addrs() {
        assert!(addr.to_string().starts_with("udp://"), "{addr}");
        assert_eq!(answer_of_udp(addr), addr.to_string());
    }
    assert_eq!(server.drain().stats.packets, 2);
}

#[test]
fn every_datagram_address_of_a_list_is_served() {
    let list = ["udp://127.0.0.1:0", "udp://127.0.0.1:0"];
    let server = Running::start(Server::bind_all_datagram(list).unwrap().with(Where));
    for addr in server.handle().addrs() {
        assert_eq!(answer_of_udp(addr), addr.to_string());
    }
    server.drain();
}

#[test]
fn a_list_of_nothing_is_refused() {
    let none: [&str; 0] = [];
    let error = Server::bind_all(none).unwrap().with(Where).prepare().unwrap_err();
    assert!(matches!(error, Error::Nowhere));
    let error = Server::bind_all_datagram(none).unwrap().with(Where).prepare().unwrap_err();
    assert!(matches!(error, Error::Nowhere));
}

#[test]
fn a_stream_address_is_still_refused_for_datagrams() {
    let error = Server::bind_datagram("tcp://127.0.0.1:0").unwrap_err().to_string();
    assert!(error.contains("Server::bind"), "{error}");
}
