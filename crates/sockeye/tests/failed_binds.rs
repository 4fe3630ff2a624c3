//! What a failed bind leaves behind. A program of its own, as other tests open descriptors too.

use std::net::{TcpListener, UdpSocket};

use sockeye::Server;
use sockeye_testkit::processes::open_files;

#[test]
fn a_thousand_failed_binds_leave_no_descriptor_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let (stream, packets) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let taken = format!("tcp://{}", stream.local_addr().unwrap());
    let taken_udp = format!("udp://{}", packets.local_addr().unwrap());
    // Each binds something first, which has to go again.
    let some = ["tcp://127.0.0.1:0".to_owned(), format!("unix://{}", path.display())];
    let fail = || {
        Server::bind_all(some.iter().chain([&taken])).unwrap_err();
        Server::bind_all_datagram(["udp://127.0.0.1:0", &taken_udp]).unwrap_err();
    };
    fail();
    let before = open_files(std::process::id());
    for _ in 0..1024 {
        fail();
    }
    assert_eq!(open_files(std::process::id()), before);
    assert!(!path.exists(), "a socket's file is left behind");
}
