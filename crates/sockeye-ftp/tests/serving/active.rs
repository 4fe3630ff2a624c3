//! Active data connections, and those that are refused (RFC 2577).

use std::{io::Write as _, net::TcpListener};

use crate::client::{Served, read};

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

#[test]
fn data_goes_to_the_port_that_the_client_names() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    let (own, port) = listener();
    client.expect(200, &format!("PORT 127,0,0,1,{},{}", port / 256, port % 256));
    client.send("STOR note");
    let (mut data, _) = own.accept().unwrap();
    client.expect_code(150, "STOR");
    data.write_all(b"hello").unwrap();
    drop(data);
    client.expect_code(226, "STOR");
    client.expect(200, &format!("EPRT |1|127.0.0.1|{port}|"));
    client.send("RETR note");
    let (mut data, _) = own.accept().unwrap();
    client.expect_code(150, "RETR");
    assert_eq!(read(&mut data), b"hello");
    client.expect_code(226, "RETR");
}

#[test]
fn data_goes_to_nobody_else_and_to_no_service() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    for (line, code) in [
        ("PORT 127,0,0,2,200,1", 501),
        ("PORT 192,0,2,1,200,1", 501),
        ("PORT 127,0,0,1,0,25", 504),
        ("PORT 127,0,0,1,3,255", 504),
        ("PORT 127,0,0,1,4", 501),
        ("PORT 127,0,0,1,300,1", 501),
        ("EPRT |1|127.0.0.2|50000|", 501),
        ("EPRT |1|127.0.0.1|1023|", 504),
        ("EPRT |2|::1|50000|", 522),
        ("EPRT |1|127.0.0.1|0|", 501),
        ("EPRT nonsense", 501),
    ] {
        client.expect(code, line);
        client.expect(425, "NLST");
    }
}

#[test]
fn a_client_that_does_not_listen_is_told_so() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    let (own, port) = listener();
    drop(own);
    client.expect(200, &format!("EPRT |1|127.0.0.1|{port}|"));
    client.expect(425, "NLST");
}

#[test]
fn a_server_may_be_told_to_connect_to_nobody() {
    let served = Served::with(|config| config.active = false);
    let mut client = served.logged_in("alice");
    client.expect(502, "PORT 127,0,0,1,200,1");
    client.fetch("NLST");
}
