//! Stream sockets over the real kernel: listeners, accepting, streams, files of Unix sockets.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr},
    os::fd::{AsFd, AsRawFd, OwnedFd},
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
};

use sockeye::{
    Listener, SocketName, Stream,
    addr::{Addr, UnixName},
    socket::{
        BindError, BindFault, Family, MAX_DESCRIPTORS, RecvFlags, SocketType, StreamKind, open,
        socketpair,
    },
};
use sockeye_testkit::soon;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

fn tcp(ip: impl Into<IpAddr>, port: u16) -> Addr {
    Addr::tcp(SocketAddr::new(ip.into(), port))
}

fn loopback() -> Addr {
    tcp(Ipv4Addr::LOCALHOST, 0)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn bind_one(addr: &Addr) -> Listener {
    let mut bound = Listener::bind(addr).unwrap();
    assert_eq!(bound.len(), 1);
    bound.remove(0)
}

fn bind_error(error: &io::Error) -> &BindError {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

fn bind_fault(error: &io::Error) -> &BindFault {
    bind_error(error).fault()
}

/// One address of every stream transport.
fn every_transport(folder: &Path) -> [Addr; 3] {
    [loopback(), Addr::unix(folder.join("stream")), Addr::seqpacket(folder.join("records"))]
}

fn connect_blocking(listener: &Listener) -> OwnedFd {
    use rustix::net::{AddressFamily, SocketType, connect, socket};
    match listener.local_name() {
        SocketName::Inet(name) => std::net::TcpStream::connect(name).unwrap().into(),
        SocketName::Unix(UnixName::Path(path)) => {
            let kind = match listener.kind() {
                StreamKind::Seqpacket => SocketType::SEQPACKET,
                _ => SocketType::STREAM,
            };
            let fd = socket(AddressFamily::UNIX, kind, None).unwrap();
            connect(&fd, &rustix::net::SocketAddrUnix::new(path.as_path()).unwrap()).unwrap();
            fd
        }
        other => panic!("no client for {other}"),
    }
}

/// A connected pair: the server's end, then the client's.
fn pair(addr: &Addr) -> (Stream, Stream) {
    let listener = bind_one(addr);
    let client = connect_blocking(&listener);
    let accepted = listener.try_accept().unwrap();
    (accepted.into_stream().unwrap(), Stream::adopt(client).unwrap())
}

#[test]
fn a_listener_knows_its_real_port_and_prints_what_a_client_types() {
    let listener = bind_one(&loopback());
    let port = listener.local_name().port().unwrap();
    assert_ne!(port, 0);
    let real = rustix::net::getsockname(&listener).unwrap();
    assert_eq!(SocketName::try_from(real).unwrap(), *listener.local_name());
    assert_eq!(listener.addr(), tcp(Ipv4Addr::LOCALHOST, port));
    assert_eq!(listener.kind(), StreamKind::Tcp);
}

#[test]
fn localhost_binds_all_its_addresses_on_one_port() {
    let bound = Listener::bind(&"tcp://localhost:0".parse().unwrap()).unwrap();
    let ports: Vec<_> = bound.iter().map(|one| one.local_name().port().unwrap()).collect();
    assert!(ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    assert!(bound.iter().any(|one| one.local_name().ip().unwrap().is_ipv4()));
}

#[test]
fn both_families_can_be_bound_to_one_port_with_v6only() {
    let both = || {
        let v4 = bind_one(&tcp(Ipv4Addr::UNSPECIFIED, 0));
        let port = v4.local_name().port().unwrap();
        Listener::bind(&tcp(Ipv6Addr::UNSPECIFIED, port).with_option("v6only", "1").unwrap())
    };
    // The port that is free for the one may be taken for the other, by another test.
    assert!((0..20).any(|_| both().is_ok()));
}

#[test]
fn a_port_that_this_program_has_already_is_named_and_said_to_be_its_own() {
    let first = bind_one(&loopback());
    let error = Listener::bind(&first.addr()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    let text = error.to_string();
    assert!(text.contains(&first.local_name().to_string()), "{text}");
    assert!(text.contains("this program itself listens there already"), "{text}");
    assert!(bind_error(&error).is_ours());
}

#[test]
fn an_address_of_no_interface_is_refused_with_the_way_out() {
    let error = Listener::bind(&tcp([192, 0, 2, 1], 0)).unwrap_err();
    assert!(matches!(bind_fault(&error), BindFault::NotLocal(_)), "{error}");
    assert!(error.to_string().contains("192.0.2.1"), "{error}");
}

#[test]
fn a_thousand_failed_binds_leak_no_descriptor() {
    let first = bind_one(&loopback());
    let before = first.as_fd().try_clone_to_owned().unwrap();
    for _ in 0..1024 {
        Listener::bind(&first.addr()).unwrap_err();
    }
    let after = first.as_fd().try_clone_to_owned().unwrap();
    // Other tests of this process open descriptors meanwhile, but not a thousand.
    assert!(after.as_raw_fd() - before.as_raw_fd() < 512);
}

#[test]
fn accepting_from_an_empty_queue_would_block() {
    let folder = folder();
    for addr in every_transport(folder.path()) {
        let error = bind_one(&addr).try_accept().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{addr:?}");
    }
}

#[test]
fn accept_gives_the_peers_name() {
    let listener = bind_one(&loopback());
    let client = std::net::TcpStream::connect(listener.local_name().as_inet().unwrap()).unwrap();
    let accepted = listener.try_accept().unwrap();
    assert_eq!(accepted.peer, SocketName::Inet(client.local_addr().unwrap()));
}

#[tokio::test]
async fn an_ipv4_peer_of_an_ipv6_listener_has_an_ipv4_name() {
    let listener = bind_one(&"tcp://[::]:0?v6only=0".parse().unwrap());
    let port = listener.local_name().port().unwrap();
    let client = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let accepted = listener.try_accept().unwrap();
    assert_eq!(accepted.peer, SocketName::Inet(client.local_addr().unwrap()));
    let stream = accepted.into_stream().unwrap();
    assert_eq!(stream.local_name().unwrap(), SocketName::Inet(client.peer_addr().unwrap()));
}

#[test]
fn clones_share_one_queue() {
    let listener = bind_one(&loopback());
    let clone = listener.try_clone().unwrap();
    let _client = connect_blocking(&listener);
    clone.try_accept().unwrap();
    assert_eq!(listener.try_accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn siblings_share_the_address_and_all_get_connections() {
    let first = bind_one(&loopback());
    let second = first.reuse_port_sibling().unwrap();
    let third = second.reuse_port_sibling().unwrap();
    assert_eq!(first.local_name(), second.local_name());
    let clients: Vec<_> = (0..200).map(|_| connect_blocking(&first)).collect();
    let counts = [&first, &second, &third]
        .map(|listener| std::iter::from_fn(|| listener.try_accept().ok()).count());
    assert_eq!(counts.iter().sum::<usize>(), clients.len());
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
}

#[test]
fn a_unix_listener_has_no_sibling_and_says_why() {
    let folder = folder();
    let error = bind_one(&Addr::unix(folder.path().join("s"))).reuse_port_sibling().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    assert!(error.to_string().contains("try_clone"), "{error}");
}

#[test]
fn a_unix_socket_file_goes_with_its_last_owner() {
    let folder = folder();
    for addr in &every_transport(folder.path())[1..] {
        let listener = bind_one(addr);
        let path = listener.local_name().as_path().unwrap().to_path_buf();
        let clone = listener.try_clone().unwrap();
        drop(listener);
        assert!(path.exists(), "a clone still has it");
        drop(clone);
        assert!(!path.exists());
    }
}

#[test]
fn a_file_that_is_no_longer_ours_stays() {
    let folder = folder();
    let path = folder.path().join("s");
    let listener = bind_one(&Addr::unix(&path));
    std::fs::remove_file(&path).unwrap();
    let other = std::os::unix::net::UnixListener::bind(&path).unwrap();
    drop(listener);
    assert!(path.exists(), "it belongs to another server now");
    drop(other);
}

#[test]
fn a_stale_socket_is_replaced() {
    let folder = folder();
    let path = folder.path().join("s");
    for addr in [Addr::unix(&path), Addr::seqpacket(&path)] {
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "std leaves the file");
        let listener = bind_one(&addr);
        connect_blocking(&listener);
        listener.try_accept().unwrap();
    }
}

#[test]
fn a_live_socket_is_refused_and_sees_nothing_of_it() {
    let folder = folder();
    let path = folder.path().join("s");
    let live = bind_one(&Addr::unix(&path));
    for addr in [Addr::unix(&path), Addr::seqpacket(&path)] {
        let error = Listener::bind(&addr).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(matches!(bind_fault(&error), BindFault::LiveSocket), "{error}");
        assert!(error.to_string().contains("this program itself listens there"), "{error}");
    }
    assert_eq!(live.try_accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert!(path.exists());
}

#[test]
fn a_live_socket_that_does_not_listen_yet_is_refused() {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
    let folder = folder();
    let path = folder.path().join("s");
    let bound = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&bound, &SocketAddrUnix::new(path.as_path()).unwrap()).unwrap();
    let error = Listener::bind(&Addr::unix(&path)).unwrap_err();
    assert!(matches!(bind_fault(&error), BindFault::LiveSocket), "{error}");
}

#[test]
fn of_many_servers_that_find_one_stale_socket_exactly_one_gets_it() {
    let folder = folder();
    let path = folder.path().join("s");
    for _ in 0..20 {
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let barrier = std::sync::Barrier::new(8);
        let bound: Vec<_> = std::thread::scope(|scope| {
            let start = || {
                barrier.wait();
                Listener::bind(&Addr::unix(&path))
            };
            let starting: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starting.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(bound.iter().filter(|one| one.is_ok()).count(), 1);
        assert!(path.exists());
        drop(bound);
        assert!(!path.exists());
    }
}

#[test]
fn a_foreign_file_is_never_deleted() {
    let folder = folder();
    let path = folder.path().join("notes");
    std::fs::write(&path, "precious").unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for place in [&path, &link, &folder.path().to_path_buf()] {
        let error = Listener::bind(&Addr::unix(place)).unwrap_err();
        assert!(matches!(bind_fault(&error), BindFault::ForeignFile), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&link).unwrap(), "precious");
}

#[test]
fn a_missing_folder_and_an_overlong_path_are_explained() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("nowhere");
    let missing = Listener::bind(&Addr::unix(folder.join("x.sock"))).unwrap_err();
    let expected = format!("there is no folder {}", folder.display());
    assert!(missing.to_string().contains(&expected), "{missing}");
    let long = PathBuf::from(format!("/tmp/{}", "x".repeat(200)));
    let long = Listener::bind(&Addr::unix(&long)).unwrap_err();
    assert!(long.to_string().contains("205 bytes") && long.to_string().contains("107"), "{long}");
}

#[test]
fn abstract_names_need_no_file() {
    let name = format!("sockeye-test-{}", std::process::id());
    let addr = format!("unix://@{name}").parse::<Addr>().unwrap();
    let listener = bind_one(&addr);
    assert_eq!(*listener.local_name(), SocketName::Unix(UnixName::Abstract(name.into_bytes())));
    let error = Listener::bind(&addr).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn an_adopted_listener_accepts_and_a_connection_is_no_listener() {
    let std = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let name = std.local_addr().unwrap();
    let listener = Listener::adopt(std.into()).unwrap();
    assert_eq!(listener.local_name().as_inet(), Some(name));
    assert_eq!(listener.try_accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let client = connect_blocking(&listener);
    let error = Listener::adopt(client).unwrap_err();
    assert!(error.to_string().contains("does not listen"), "{error}");
}

#[tokio::test]
async fn adopting_what_is_no_stream_says_what_it_is() {
    let datagram = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let error = Stream::adopt(datagram.into()).unwrap_err();
    assert!(error.to_string().contains("datagram"), "{error}");
    let file = std::fs::File::open("/dev/null").unwrap();
    let error = Stream::adopt(file.into()).unwrap_err();
    assert!(error.to_string().contains("not a socket"), "{error}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = Stream::adopt(listener.into()).unwrap_err();
    assert!(error.to_string().contains("Listener::adopt"), "{error}");
}

#[tokio::test]
async fn bytes_go_both_ways_and_a_half_close_leaves_the_other_way_open() {
    let folder = folder();
    for addr in every_transport(folder.path()) {
        let (mut server, mut client) = pair(&addr);
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(soon(server.recv(100)).await.unwrap(), "question");
        assert!(soon(server.recv(100)).await.unwrap().is_empty(), "the end");
        server.write_all(b"answer").await.unwrap();
        drop(server);
        let mut answer = Vec::new();
        soon(client.read_to_end(&mut answer)).await.unwrap();
        assert_eq!(answer, b"answer", "{addr:?}");
    }
}

#[tokio::test]
async fn either_way_is_shut_at_once() {
    let folder = folder();
    for addr in every_transport(folder.path()) {
        let (mut server, mut client) = pair(&addr);
        client.shutdown_now(Shutdown::Write).unwrap();
        assert!(soon(server.recv(100)).await.unwrap().is_empty(), "the end");
        let error = soon(client.write_all(b"more")).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{addr:?}");
        server.write_all(b"answer").await.unwrap();
        assert_eq!(soon(client.recv(100)).await.unwrap(), "answer");
        client.shutdown_now(Shutdown::Read).unwrap();
        assert!(soon(client.recv(100)).await.unwrap().is_empty(), "{addr:?}");
    }
}

#[tokio::test]
async fn vectored_writes_arrive_in_order() {
    let folder = folder();
    for addr in every_transport(folder.path()) {
        let (mut server, mut client) = pair(&addr);
        assert!(client.is_write_vectored());
        let parts = [io::IoSlice::new(b"one "), io::IoSlice::new(b"two")];
        assert_eq!(soon(client.write_vectored(&parts)).await.unwrap(), 7);
        assert_eq!(soon(server.recv(100)).await.unwrap(), "one two");
    }
}

#[tokio::test]
async fn vectored_reads_fill_each_buffer_before_the_next() {
    let folder = folder();
    for addr in every_transport(folder.path()) {
        let (mut server, mut client) = pair(&addr);
        client.write_all(b"headbody").await.unwrap();
        let (mut head, mut body) = ([0; 4], [0; 8]);
        let mut parts = [&mut head[..], &mut [], &mut body].map(io::IoSliceMut::new);
        assert_eq!(soon(server.recv_vectored(&mut parts)).await.unwrap(), 8);
        assert_eq!((&head, &body[..4]), (b"head", &b"body"[..]));
        assert_eq!(server.recv_vectored(&mut []).await.unwrap(), 0);
        drop(client);
        let mut parts = [io::IoSliceMut::new(&mut body)];
        assert_eq!(soon(server.recv_vectored(&mut parts)).await.unwrap(), 0, "the end");
    }
    let (mut server, mut client) = pair(&Addr::seqpacket(folder.path().join("whole")));
    client.write_all(b"a long record").await.unwrap();
    let (mut head, mut body) = ([0; 4], [0; 4]);
    let mut parts = [&mut head, &mut body].map(|part| io::IoSliceMut::new(part));
    let error = soon(server.recv_vectored(&mut parts)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
}

#[tokio::test]
async fn names_and_credentials_of_both_ends() {
    let folder = folder();
    let (server, client) = pair(&loopback());
    assert_eq!(server.peer_name().unwrap(), client.local_name().unwrap());
    assert_eq!(server.peer_credentials().unwrap_err().kind(), io::ErrorKind::Unsupported);
    assert_eq!(server.kind(), StreamKind::Tcp);
    assert!(server.nodelay().unwrap(), "inherited from the listener");
    for addr in &every_transport(folder.path())[1..] {
        let (server, client) = pair(addr);
        assert_eq!(server.peer_name().unwrap(), SocketName::Unix(UnixName::Unnamed));
        let credentials = client.peer_credentials().unwrap();
        assert_eq!(credentials.pid, Some(std::process::id()));
        assert_eq!(credentials.uid, rustix::process::geteuid().as_raw());
        assert_eq!(server.kind(), client.kind());
    }
}

#[tokio::test]
async fn a_record_is_read_whole_or_not_at_all() {
    let folder = folder();
    let (mut server, mut client) = pair(&Addr::seqpacket(folder.path().join("s")));
    client.write_all(b"first").await.unwrap();
    client.write_all(b"second").await.unwrap();
    client.write_all(&[7; 100]).await.unwrap();
    client.write_all(b"last").await.unwrap();
    assert_eq!(soon(server.recv(64)).await.unwrap(), "first");
    let mut buf = [0; 64];
    assert_eq!(soon(server.read(&mut buf)).await.unwrap(), 6);
    let error = soon(server.read(&mut buf)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(error.to_string().contains("a buffer of 100"), "{error}");
    assert_eq!(soon(server.recv(64)).await.unwrap(), "last");
}

#[tokio::test]
async fn a_record_beyond_the_send_buffer_is_refused_with_the_way_out() {
    let folder = folder();
    let (_server, mut client) = pair(&Addr::seqpacket(folder.path().join("s")));
    let error = soon(client.write_all(&vec![0; 16 << 20])).await.unwrap_err();
    assert!(error.to_string().contains("sndbuf"), "{error}");
}

#[tokio::test]
async fn peeked_data_is_read_again() {
    let folder = folder();
    for addr in every_transport(folder.path()) {
        let (mut server, mut client) = pair(&addr);
        client.write_all(b"hello").await.unwrap();
        let mut buf = [0; 16];
        for flags in [RecvFlags::PEEK, RecvFlags::PEEK | RecvFlags::DONTWAIT, RecvFlags::NONE] {
            assert_eq!(soon(server.recv_with(&mut buf, flags)).await.unwrap(), 5, "{flags:?}");
            assert_eq!(&buf[..5], b"hello");
        }
        let nothing = soon(server.recv_with(&mut buf, RecvFlags::DONTWAIT)).await.unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
    }
}

#[tokio::test]
async fn waitall_waits_for_the_whole_buffer_or_the_end() {
    let folder = folder();
    for addr in [loopback(), Addr::unix(folder.path().join("s"))] {
        for flags in [RecvFlags::WAITALL, RecvFlags::WAITALL | RecvFlags::PEEK] {
            let (mut server, mut client) = pair(&addr);
            let mut buf = [0; 8];
            let receive = server.recv_with(&mut buf, flags);
            let send = async {
                for part in [b"abc", b"def", b"ghi"] {
                    client.write_all(part).await.unwrap();
                    tokio::task::yield_now().await;
                }
            };
            let (received, ()) = soon(async { tokio::join!(receive, send) }).await;
            assert_eq!(received.unwrap(), 8, "{flags:?}");
            assert_eq!(&buf, b"abcdefgh");
            let mut rest = [0; 64];
            client.shutdown().await.unwrap();
            let left = if flags.contains(RecvFlags::PEEK) { 9 } else { 1 };
            assert_eq!(soon(server.recv_with(&mut rest, flags)).await.unwrap(), left);
        }
    }
}

#[tokio::test]
async fn try_read_and_try_write_never_wait() {
    let folder = folder();
    for addr in every_transport(folder.path()) {
        let (mut server, mut client) = pair(&addr);
        let mut buf = [0; 1 << 16];
        assert_eq!(server.try_read(&mut buf).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(client.try_write(b"now").unwrap(), 3);
        assert_eq!(soon(server.recv(10)).await.unwrap(), "now");
        let full = loop {
            if let Err(error) = client.try_write(&buf) {
                break error;
            }
        };
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        // Nothing that the calls above did keeps the runtime from hearing of room again.
        while server.try_read(&mut buf).is_ok() {}
        soon(client.write_all(b"again")).await.unwrap();
    }
}

#[tokio::test]
async fn send_file_sends_the_part_asked_for() {
    let folder = folder();
    let path = folder.path().join("file");
    let content: Vec<u8> = (0..=250).cycle().take(3_000_000).collect();
    std::fs::write(&path, &content).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    for addr in every_transport(folder.path()) {
        let (mut server, mut client) = pair(&addr);
        let send = async {
            let sent = server.send_file(&file, 1000, 2_500_000).await.unwrap();
            let short = server.send_file(&file, 2_999_990, 1000).await.unwrap();
            let beyond = server.send_file(&file, 4_000_000, 1000).await.unwrap();
            drop(server);
            (sent, short, beyond)
        };
        let receive = async {
            let mut all = Vec::new();
            loop {
                let part = client.recv(1 << 16).await.unwrap();
                if part.is_empty() {
                    return all;
                }
                all.extend_from_slice(&part);
            }
        };
        let (sent, received) = soon(async { tokio::join!(send, receive) }).await;
        assert_eq!(sent, (2_500_000, 10, 0), "{addr:?}");
        assert_eq!(received.len(), 2_500_010);
        assert!(received[..2_500_000] == content[1000..2_501_000], "{addr:?}");
        assert!(received[2_500_000..] == content[2_999_990..], "{addr:?}");
    }
}

#[tokio::test]
async fn a_reset_by_the_peer_is_an_error_and_not_an_end() {
    let (mut server, client) = pair(&loopback());
    client.set_reset_on_close().unwrap();
    drop(client);
    let error = soon(server.recv(10)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert!(server.peer_name().is_err());
}

#[tokio::test]
async fn a_stream_gives_its_descriptor_back() {
    let (server, mut client) = pair(&loopback());
    let mut again = Stream::adopt(server.into_fd().unwrap()).unwrap();
    client.write_all(b"still here").await.unwrap();
    assert_eq!(soon(again.recv(100)).await.unwrap(), "still here");
}

#[test]
fn the_file_is_a_socket_with_the_umasks_mode() {
    let folder = folder();
    let path = folder.path().join("s");
    let _listener = bind_one(&Addr::unix(&path));
    let file = std::fs::symlink_metadata(&path).unwrap();
    assert!(file.file_type().is_socket());
    assert_eq!(file.permissions().mode() & 0o002, 0, "umask holds unless a mode is given");
}

#[test]
fn a_mode_is_set_whatever_the_umask() {
    let folder = folder();
    for (index, mode) in [0o600, 0o660, 0o666, 0o777, 0o000].into_iter().enumerate() {
        let path = folder.path().join(index.to_string());
        let _listener =
            bind_one(&Addr::unix(&path).with_option("mode", &format!("{mode:04o}")).unwrap());
        let file = std::fs::symlink_metadata(&path).unwrap();
        assert_eq!(file.permissions().mode() & 0o7777, mode);
    }
}

#[tokio::test]
async fn a_socketpair_is_connected_and_tcp_has_none() {
    for kind in [StreamKind::Unix, StreamKind::Seqpacket] {
        let (mut left, mut right) = socketpair(kind).unwrap();
        left.write_all(b"over").await.unwrap();
        assert_eq!(soon(right.recv(10)).await.unwrap(), "over");
        drop(left);
        assert!(soon(right.recv(10)).await.unwrap().is_empty());
        assert_eq!(right.kind(), kind);
    }
    assert_eq!(socketpair(StreamKind::Tcp).unwrap_err().kind(), io::ErrorKind::Unsupported);
}

/// A file's descriptor and what is in the file.
fn file_with(folder: &Path, content: &str) -> std::fs::File {
    let path = folder.join(content);
    std::fs::write(&path, content).unwrap();
    std::fs::File::open(path).unwrap()
}

#[tokio::test]
async fn passed_descriptors_are_open_close_on_exec_and_in_order() {
    let folder = folder();
    let (one, two) = (file_with(folder.path(), "one"), file_with(folder.path(), "two"));
    for kind in [StreamKind::Unix, StreamKind::Seqpacket] {
        let (mut left, mut right) = socketpair(kind).unwrap();
        left.send_fds(b"files", &[one.as_fd(), two.as_fd()]).await.unwrap();
        left.send_fds(b"none", &[]).await.unwrap();
        let mut buf = [0; 5];
        let (length, fds) = soon(right.recv_fds(&mut buf, 2)).await.unwrap();
        assert_eq!(&buf[..length], b"files");
        let texts: Vec<_> = fds
            .iter()
            .map(|fd| {
                let flags = rustix::io::fcntl_getfd(fd).unwrap();
                assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
                let mut text = [0; 8];
                let length = rustix::io::pread(fd, &mut text, 0).unwrap();
                String::from_utf8(text[..length].to_vec()).unwrap()
            })
            .collect();
        assert_eq!(texts, ["one", "two"]);
        let (length, fds) = soon(right.recv_fds(&mut buf, 2)).await.unwrap();
        assert_eq!((length, fds.len()), (4, 0));
        drop(left);
        assert_eq!(soon(right.recv_fds(&mut buf, 2)).await.unwrap().0, 0, "the end");
    }
}

#[tokio::test]
async fn a_message_carries_as_many_descriptors_as_the_kernel_allows() {
    let file = std::fs::File::open("/dev/null").unwrap();
    let (mut left, mut right) = socketpair(StreamKind::Unix).unwrap();
    let most = vec![file.as_fd(); MAX_DESCRIPTORS];
    left.send_fds(b"x", &most).await.unwrap();
    let (_, fds) = soon(right.recv_fds(&mut [0; 1], MAX_DESCRIPTORS)).await.unwrap();
    assert_eq!(fds.len(), MAX_DESCRIPTORS);
    let too_many = vec![file.as_fd(); MAX_DESCRIPTORS + 1];
    let error = left.send_fds(b"x", &too_many).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn descriptors_beyond_those_expected_are_an_error_and_closed() {
    for expected in 0..8 {
        let (mut reader, writer) = std::io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&reader, true).unwrap();
        let (mut left, mut right) = socketpair(StreamKind::Unix).unwrap();
        left.send_fds(b"x", &vec![writer.as_fd(); expected + 1]).await.unwrap();
        let error = soon(right.recv_fds(&mut [0; 1], expected)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{expected}");
        // Were a duplicate left open anywhere, the pipe would have no end and reading would block.
        drop(writer);
        assert_eq!(io::Read::read(&mut reader, &mut [0; 1]).unwrap(), 0);
    }
}

#[tokio::test]
async fn tcp_carries_no_descriptors() {
    let (mut server, mut client) = pair(&loopback());
    let error = client.send_fds(b"x", &[]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    let error = server.recv_fds(&mut [0; 1], 1).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
}

#[test]
fn what_this_kernel_lacks_is_said() {
    for family in [Family::INET, Family::INET6, Family::UNIX] {
        let error = open(family, SocketType::RDM, 0).unwrap_err();
        assert!(error.is_lacking(), "{error}");
        let text = error.to_string();
        assert!(text.contains("RDM") && text.contains("SEQPACKET"), "{text}");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::Unsupported);
    }
    let unknown = open(Family(250), SocketType::STREAM, 0).unwrap_err();
    assert!(unknown.is_lacking());
    assert_eq!(
        unknown.to_string(),
        "cannot open a STREAM socket of family 250: this kernel lacks the family"
    );
    let protocol = open(Family::INET, SocketType::STREAM, 250).unwrap_err();
    assert!(protocol.is_lacking());
    assert!(protocol.to_string().contains("protocol 250"), "{protocol}");
    let kind = open(Family::UNIX, SocketType(9), 0).unwrap_err();
    assert!(kind.to_string().contains("type-9"), "{kind}");
}

#[test]
fn a_family_that_may_be_missing_opens_or_says_that_it_is() {
    for family in [Family::CAN, Family::RDS, Family::TIPC, Family::VSOCK, Family::AX25] {
        for kind in [SocketType::RAW, SocketType::SEQPACKET, SocketType::DGRAM] {
            if let Err(error) = open(family, kind, 0) {
                let text = error.to_string();
                assert!(error.is_lacking() || text.contains("CAP_NET_RAW"), "{text}");
                assert!(text.contains(&family.to_string()), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn an_opened_socket_can_be_adopted() {
    let (left, right) = std::os::unix::net::UnixStream::pair().unwrap();
    left.set_nonblocking(false).unwrap();
    let mut left = Stream::adopt(left.into()).unwrap();
    let mut right = Stream::adopt(right.into()).unwrap();
    left.write_all(b"adopted").await.unwrap();
    assert_eq!(soon(right.recv(10)).await.unwrap(), "adopted");
    let unconnected = open(Family::INET, SocketType::STREAM, 0).unwrap();
    let error = Stream::adopt(unconnected).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotConnected);
}
