//! What a newcomer is told whose server does not start.

use std::io;

use sockeye::{Conn, DatagramHandler, Handler, Packet, Server, client};

struct Silent;

impl Handler for Silent {
    async fn handle(&self, _conn: &mut Conn) -> io::Result<()> {
        Ok(())
    }
}

impl DatagramHandler for Silent {
    async fn handle(&self, _packet: &mut Packet) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_address_bound_twice_by_one_server_is_said_to_be_its_own() {
    let own = "this program itself listens there already: leave one of them out";
    let server = Server::bind("tcp://127.0.0.1:0").unwrap();
    let addr = server.addrs().remove(0);
    let error = server.and(&addr).unwrap_err().to_string();
    assert_eq!(error, format!("cannot listen on {addr}: {own}"));

    let server = Server::bind_datagram("udp://127.0.0.1:0").unwrap().with(Silent);
    let addr = server.addrs().remove(0);
    let error = Server::bind_datagram(&addr).map(|second| server.join(second.with(Silent)));
    assert_eq!(error.unwrap_err().to_string(), format!("cannot listen on {addr}: {own}"));
}

#[test]
fn an_address_is_shown_as_it_was_written() {
    let server = Server::bind("tls+tcp://localhost:0").unwrap();
    let error = server.with(Silent).prepare().unwrap_err().to_string();
    assert!(error.starts_with("tls+tcp://localhost:0: it wants TLS"), "{error}");
}

#[tokio::test]
async fn a_host_that_does_not_resolve_is_named_with_its_address_and_the_way_out() {
    // RFC 6761 §6.4: this name never exists, and no resolver asks for it.
    let nowhere = "nowhere.invalid:80";
    let errors = [
        Server::bind(format!("tcp://{nowhere}")).unwrap_err().to_string(),
        Server::bind_datagram(format!("udp://{nowhere}")).unwrap_err().to_string(),
        client::connect(format!("tcp://{nowhere}")).await.unwrap_err().to_string(),
        client::connect_datagram(&format!("udp://{nowhere}").parse().unwrap())
            .await
            .unwrap_err()
            .to_string(),
    ];
    for error in errors {
        assert!(error.starts_with("cannot ") && error.contains(nowhere), "{error}");
        assert!(error.contains("cannot resolve `nowhere.invalid` ("), "{error}");
        assert!(error.ends_with("or write an IP address"), "{error}");
    }
}

#[test]
fn a_main_that_returns_the_error_prints_its_message() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = format!("tcp://{}", taken.local_addr().unwrap());
    for addr in [addr.as_str(), "tcp://localhost", "tcp://nowhere.invalid:80"] {
        let error = Server::bind(addr).unwrap_err();
        let message = error.to_string();
        assert_eq!(format!("{error:?}"), message);
        let printed = format!("{:?}", io::Error::from(error));
        assert!(printed.ends_with(&format!("error: {message} }}")), "{printed}");
    }
}
