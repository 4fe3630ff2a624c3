//! A handler that blocks: whom it talks to, and its half of a close.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::mpsc,
};

use sockeye::{Blocking, BlockingConn, BlockingHandler, Server};
use sockeye_testkit::{program::PATIENCE, running::Running};

/// Says who is there, ends its own half, and tells the test what comes after.
struct Farewell(mpsc::Sender<String>);

impl BlockingHandler for Farewell {
    fn handle(&self, conn: &mut BlockingConn) -> io::Result<()> {
        let (client, proxy) = (conn.info().peer().clone(), conn.info().socket_peer().clone());
        conn.write_all(format!("{client} by {proxy}").as_bytes())?;
        conn.shutdown_write()?;
        let mut rest = String::new();
        conn.read_to_string(&mut rest)?;
        self.0.send(rest).map_err(io::Error::other)
    }
}

#[test]
fn a_proxied_client_and_the_proxy_are_told_apart_and_a_half_close_leaves_the_other_half() {
    let (tell, told) = mpsc::channel();
    let server = Server::bind("proxy+tcp://127.0.0.1:0").unwrap();
    let server = Running::start(server.with(Blocking::new(Farewell(tell))));
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"PROXY TCP4 203.0.113.7 192.0.2.1 50000 443\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert_eq!(said, format!("203.0.113.7:50000 by {}", stream.local_addr().unwrap()));
    stream.write_all(b"still heard").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "still heard");
    server.drain();
}
