//! Datagram sockets over the real system: names, batches, truncation, reply sources, errors.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    io::{self, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    os::{fd::AsFd, unix::net::UnixDatagram},
    time::Duration,
};

use sockeye::{
    Addr, DatagramHandler, Packet, Server, SocketName,
    addr::{Endpoint, Host, HostPort, MulticastGroup, UnixName},
    client::{connect_datagram, connect_datagram_from},
    socket::{
        BatchFull, Datagram, DatagramKind, DatagramPeer, DatagramSocket, RecvBatch, SendBatch,
        is_transient,
    },
};
use sockeye_testkit::soon;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(10);

fn addr(text: &str) -> Addr {
    text.parse().unwrap()
}

/// Port 0 of a host.
fn udp(host: &str) -> Addr {
    let host = host.parse().map_or_else(|_| Host::Name(host.to_owned()), Host::Ip);
    Addr::udp(HostPort { host, port: 0 })
}

fn bind_one(addr: &Addr) -> DatagramSocket {
    let mut sockets = DatagramSocket::bind(addr).unwrap();
    assert_eq!(sockets.len(), 1);
    sockets.remove(0)
}

fn port(socket: &DatagramSocket) -> u16 {
    inet(socket).port()
}

fn inet(socket: &DatagramSocket) -> SocketAddr {
    let SocketName::Inet(local) = socket.local_name() else { unreachable!("an internet socket") };
    *local
}

fn client(ip: &str) -> UdpSocket {
    let client = UdpSocket::bind((ip, 0)).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    client
}

/// Waits for one batch; the datagrams were sent before, so that all of them are in it.
async fn batch_of(server: &Datagram, slots: usize, slot_bytes: usize) -> RecvBatch {
    let mut batch = RecvBatch::new(slots, slot_bytes);
    soon(server.recv_batch(&mut batch)).await.unwrap();
    batch
}

#[tokio::test]
async fn an_echo_reaches_its_sender_over_both_families() {
    for host in ["127.0.0.1", "::1"] {
        let server = Datagram::new(bind_one(&udp(host))).unwrap();
        let client = client(host);
        client.send_to(b"hello", inet(server.socket())).unwrap();
        let mut buffer = [0; 64];
        let arrival = soon(server.recv_from(&mut buffer)).await.unwrap();
        assert_eq!((arrival.len, arrival.datagram_len, arrival.truncated), (5, 5, false));
        assert_eq!(arrival.peer.name(), SocketName::Inet(client.local_addr().unwrap()));
        assert_eq!(arrival.peer.destination(), None, "a bound address needs no packet information");
        soon(server.send_to(&buffer[..5], &arrival.peer)).await.unwrap();
        assert_eq!(client.recv(&mut buffer).unwrap(), 5);
    }
}

#[tokio::test]
async fn localhost_binds_all_its_addresses_on_one_port() {
    let sockets = DatagramSocket::bind(&udp("localhost")).unwrap();
    let port = port(&sockets[0]);
    assert_ne!(port, 0);
    for socket in &sockets {
        assert_eq!(inet(socket).port(), port);
        assert!(inet(socket).ip().is_loopback());
        let host = Host::Ip(inet(socket).ip());
        assert_eq!(socket.addr().endpoint, Endpoint::Udp(HostPort { host, port }));
        assert_eq!(socket.kind(), DatagramKind::Udp);
    }
}

#[tokio::test]
async fn a_datagram_longer_than_its_slot_is_marked_and_counted() {
    let server = Datagram::new(bind_one(&udp("127.0.0.1"))).unwrap();
    let client = client("127.0.0.1");
    for payload in [&b"12345678"[..], b"123456789", b"", b"x"] {
        client.send_to(payload, inet(server.socket())).unwrap();
    }
    let batch = batch_of(&server, 8, 8).await;
    let seen: Vec<_> =
        batch.iter().map(|d| (d.payload().to_vec(), d.truncated(), d.datagram_len())).collect();
    let expected = [
        (b"12345678".to_vec(), false, 8),
        (b"12345678".to_vec(), true, 9),
        (Vec::new(), false, 0),
        (b"x".to_vec(), false, 1),
    ];
    assert_eq!(seen, expected);
    assert_eq!(batch.truncated_total(), 1);
}

#[tokio::test]
async fn a_connected_receive_refuses_to_pass_a_part_as_the_whole() {
    let (a, b) = DatagramSocket::pair().unwrap();
    let (a, b) = (Datagram::new(a).unwrap(), Datagram::new(b).unwrap());
    soon(a.send(b"too long for it")).await.unwrap();
    soon(a.send(b"fits")).await.unwrap();
    let mut buffer = [0; 4];
    let error = soon(b.recv(&mut buffer)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(error.to_string().contains("15 bytes"), "{error}");
    assert_eq!(soon(b.recv(&mut buffer)).await.unwrap(), 4);
}

#[tokio::test]
async fn a_batch_of_many_peers_is_answered_each_to_its_own() {
    let server = Datagram::new(bind_one(&udp("127.0.0.1"))).unwrap();
    let clients: Vec<_> = (0..100_u8).map(|_| client("127.0.0.1")).collect();
    for (index, client) in clients.iter().enumerate() {
        client.send_to(&[u8::try_from(index).unwrap(); 3], inet(server.socket())).unwrap();
    }
    let mut batch = RecvBatch::new(32, 64);
    let mut replies = SendBatch::new(128);
    while replies.len() < clients.len() {
        let count = soon(server.recv_batch(&mut batch)).await.unwrap();
        assert!((1..=32).contains(&count));
        assert_eq!(batch.len(), count);
        for received in batch.iter() {
            replies.push(received.payload(), &received.peer()).unwrap();
        }
    }
    let report = soon(server.send_batch(&replies)).await.unwrap();
    assert_eq!(report.sent, 100);
    assert!(report.failed.is_empty());
    for (index, client) in clients.iter().enumerate() {
        let mut buffer = [0; 8];
        assert_eq!(client.recv(&mut buffer).unwrap(), 3);
        assert_eq!(usize::from(buffer[0]), index);
    }
}

#[tokio::test]
async fn a_failed_datagram_does_not_stop_the_rest_of_its_batch() {
    let server = Datagram::new(bind_one(&udp("127.0.0.1"))).unwrap();
    let client = client("127.0.0.1");
    let good = DatagramPeer::from(client.local_addr().unwrap());
    let mut batch = SendBatch::new(4);
    batch.push(b"first", &good).unwrap();
    batch.push(&vec![0; 65_600], &good).unwrap();
    batch.push(b"port zero", &DatagramPeer::from(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
    batch.push(b"last", &good).unwrap();
    assert_eq!(batch.push(b"none left", &good), Err(BatchFull { slots: 4 }));

    let report = soon(server.send_batch(&batch)).await.unwrap();
    assert_eq!(report.sent, 2);
    let failed: Vec<_> =
        report.failed.iter().map(|(index, error)| (*index, error.raw_os_error())).collect();
    assert_eq!(failed, [(1, Some(libc::EMSGSIZE)), (2, Some(libc::EINVAL))]);
    let mut buffer = [0; 16];
    assert_eq!(client.recv(&mut buffer).unwrap(), 5);
    assert_eq!(client.recv(&mut buffer).unwrap(), 4);
    batch.clear();
    assert!(batch.is_empty() && !batch.is_full());
}

#[tokio::test]
async fn a_wildcard_socket_answers_from_the_address_that_was_asked() {
    // On [::] without v6only the kernel would do the same for mapped addresses.
    for (bind, asked) in
        [("0.0.0.0", vec!["127.0.0.1", "127.0.0.2", "127.1.2.3"]), ("::", vec!["::1"])]
    {
        let server = Datagram::new(bind_one(&udp(bind))).unwrap();
        for ip in asked {
            let to = SocketAddr::new(ip.parse().unwrap(), port(server.socket()));
            let client = client(if to.is_ipv4() { "127.0.0.1" } else { "::1" });
            // Connected, so that an answer from any other address is not let through.
            client.connect(to).unwrap();
            client.send(b"one").unwrap();
            client.send(b"two").unwrap();

            let mut buffer = [0; 8];
            let arrival = soon(server.recv_from(&mut buffer)).await.unwrap();
            assert_eq!(arrival.peer.destination(), Some(to.ip()));
            assert!(arrival.peer.interface().is_some());
            soon(server.send_to(b"1", &arrival.peer)).await.unwrap();
            assert_eq!(client.recv(&mut buffer).unwrap(), 1);

            let batch = batch_of(&server, 4, 64).await;
            let received = batch.get(0).unwrap();
            assert_eq!(received.destination(), Some(to.ip()));
            let mut replies = SendBatch::new(1);
            replies.push(b"22", &received.peer()).unwrap();
            assert_eq!(soon(server.send_batch(&replies)).await.unwrap().sent, 1);
            assert_eq!(client.recv(&mut buffer).unwrap(), 2);
        }
    }
}

#[tokio::test]
async fn one_batch_serves_sockets_with_and_without_packet_information() {
    let wildcard = Datagram::new(bind_one(&udp("0.0.0.0"))).unwrap();
    let plain = Datagram::new(bind_one(&udp("127.0.0.1"))).unwrap();
    let client = client("127.0.0.1");
    let mut batch = RecvBatch::new(4, 64);
    for _ in 0..3 {
        client.send_to(b"w", (Ipv4Addr::LOCALHOST, port(wildcard.socket()))).unwrap();
        soon(wildcard.recv_batch(&mut batch)).await.unwrap();
        assert_eq!(batch.get(0).unwrap().destination(), Some(Ipv4Addr::LOCALHOST.into()));
        client.send_to(b"p", (Ipv4Addr::LOCALHOST, port(plain.socket()))).unwrap();
        soon(plain.recv_batch(&mut batch)).await.unwrap();
        assert_eq!(batch.get(0).unwrap().destination(), None);
        assert_eq!(batch.get(0).unwrap().payload(), b"p");
    }
}

#[tokio::test]
async fn unix_peers_are_answered_by_path_and_by_abstract_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.sock");
    let server = bind_one(&Addr::unixgram(&path));
    assert_eq!(server.addr().endpoint, Endpoint::Unixgram(UnixName::Path(path.clone())));
    let server = Datagram::new(server).unwrap();

    let by_path = UnixDatagram::bind(folder.path().join("client.sock")).unwrap();
    let unnamed = UnixDatagram::unbound().unwrap();
    by_path.set_read_timeout(Some(LIMIT)).unwrap();
    by_path.send_to(b"path", &path).unwrap();
    unnamed.send_to(b"nobody", &path).unwrap();

    let batch = batch_of(&server, 4, 64).await;
    let peers: Vec<_> = batch.iter().map(|received| received.peer()).collect();
    assert_eq!(
        peers[0].name(),
        SocketName::Unix(UnixName::Path(folder.path().join("client.sock")))
    );
    assert!(peers[0].can_reply());
    assert_eq!(peers[1].name(), SocketName::Unix(UnixName::Unnamed));
    assert!(!peers[1].can_reply());
    soon(server.send_to(b"reply", &peers[0])).await.unwrap();
    let mut buffer = [0; 8];
    assert_eq!(by_path.recv(&mut buffer).unwrap(), 5);
    // Without an address there is nobody to send to, and that is an error, not a hang.
    let error = soon(server.send_to(b"reply", &peers[1])).await.unwrap_err();
    assert!(error.raw_os_error().is_some(), "{error}");
}

#[tokio::test]
async fn a_unix_peer_that_does_not_read_stops_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = Addr::unixgram(folder.path().join("server"));
    let server = Datagram::new(bind_one(&server)).unwrap();
    let deaf = UnixDatagram::bind(folder.path().join("deaf")).unwrap();
    let listening = UnixDatagram::bind(folder.path().join("listening")).unwrap();
    let peer =
        |name| DatagramPeer::new(&SocketName::Unix(UnixName::Path(folder.path().join(name))));

    let mut batch = SendBatch::new(1024);
    for _ in 0..1023 {
        batch.push(b"more than its queue takes", &peer("deaf")).unwrap();
    }
    batch.push(b"news", &peer("listening")).unwrap();
    let report = soon(server.send_batch(&batch)).await.unwrap();
    assert!(!report.failed.is_empty(), "the queue took all of them: {report:?}");
    assert!(report.failed.iter().all(|(_, error)| error.kind() == io::ErrorKind::WouldBlock));
    assert!(report.failed.iter().all(|(index, _)| *index < 1023));
    listening.set_read_timeout(Some(LIMIT)).unwrap();
    assert_eq!(listening.recv(&mut [0; 8]).unwrap(), 4);
    drop(deaf);
}

#[tokio::test]
async fn a_batch_for_a_connected_peer_names_nobody() {
    let receiver = client("127.0.0.1");
    let mut sender = bind_one(&udp("127.0.0.1"));
    sender.connect(&SocketName::Inet(receiver.local_addr().unwrap())).unwrap();
    let mut batch = SendBatch::new(2);
    batch.push_connected(b"one").unwrap();
    batch.push_connected(b"two").unwrap();
    let report = soon(Datagram::new(sender).unwrap().send_batch(&batch)).await.unwrap();
    assert!(report.failed.is_empty(), "{report:?}");
    let mut buffer = [0; 8];
    for sent in [b"one", b"two"] {
        let length = receiver.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], sent);
    }
}

struct Chatty;

impl DatagramHandler for Chatty {
    async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
        for _ in 0..packet.data()[0] {
            packet.reply(packet.data()).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_server_goes_on_answering_beside_a_unix_client_that_does_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server");
    let server = Server::bind_datagram(Addr::unixgram(&path)).unwrap().with(Chatty);
    let server = server.prepare().unwrap();
    let handle = server.handle();
    let to = DatagramPeer::new(&SocketName::Unix(UnixName::Path(path)));
    let client = |name: &str| {
        let sockets = DatagramSocket::bind(&Addr::unixgram(folder.path().join(name)));
        sockets.unwrap().remove(0)
    };
    let talk = async {
        let reader = Datagram::new(client("reader")).unwrap();
        let mut buffer = [0; 8];
        // The queue of a socket that is not connected holds a few datagrams.
        let deaf = Datagram::new(client("deaf")).unwrap();
        soon(deaf.send_to(&[255], &to)).await.unwrap();
        soon(reader.send_to(&[1], &to)).await.unwrap();
        assert_eq!(soon(reader.recv(&mut buffer)).await.unwrap(), 1);
        // That of one that is connected to the server fills the server's own buffer: what it
        // holds up is lost, and all is well once it is gone.
        let mut hoarder = client("hoarder");
        hoarder.connect(&to.name()).unwrap();
        let hoarder = Datagram::new(hoarder).unwrap();
        soon(hoarder.send(&[255; 8192])).await.unwrap();
        let handled = handle.stats().packets;
        soon(reader.send_to(&[0], &to)).await.unwrap();
        soon(async {
            while handle.stats().packets == handled {
                tokio::task::yield_now().await;
            }
        })
        .await;
        drop(hoarder);
        soon(async {
            let mut answered = false;
            while !answered {
                reader.send_to(&[1], &to).await.unwrap();
                answered =
                    timeout(Duration::from_millis(100), reader.recv(&mut buffer)).await.is_ok();
            }
        })
        .await;
        handle.drain();
    };
    let (report, ()) = tokio::join!(server.run_async(), talk);
    report.unwrap();
}

#[tokio::test]
async fn descriptors_passed_by_a_unix_peer_are_not_taken() {
    let (server, client) = DatagramSocket::pair().unwrap();
    let server = Datagram::new(server).unwrap();
    let (mut reader, writer) = io::pipe().unwrap();
    let mut space = [std::mem::MaybeUninit::uninit(); 64];
    let mut control = rustix::net::SendAncillaryBuffer::new(&mut space);
    let descriptors = [writer.as_fd()];
    assert!(control.push(rustix::net::SendAncillaryMessage::ScmRights(&descriptors)));
    let payload = [io::IoSlice::new(b"take this")];
    let flags = rustix::net::SendFlags::empty();
    rustix::net::sendmsg(&client, &payload, &mut control, flags).unwrap();
    drop(writer);

    let batch = batch_of(&server, 4, 64).await;
    assert_eq!(batch.get(0).unwrap().payload(), b"take this");
    // The pipe ends only if nobody holds a copy of its writing end.
    rustix::io::ioctl_fionbio(&reader, true).unwrap();
    assert_eq!(io::Read::read(&mut reader, &mut [0; 1]).unwrap(), 0);
}

#[tokio::test]
async fn a_refusal_of_an_earlier_datagram_is_transient_and_the_socket_lives_on() {
    let gone = client("127.0.0.1");
    let mut socket = bind_one(&udp("127.0.0.1"));
    socket.connect(&SocketName::Inet(gone.local_addr().unwrap())).unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let socket = Datagram::new(socket).unwrap();
    soon(socket.send(b"anyone?")).await.unwrap();
    let error = soon(socket.recv(&mut [0; 8])).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert!(is_transient(&error));

    let back = UdpSocket::bind(address).unwrap();
    soon(socket.send(b"anyone?")).await.unwrap();
    back.set_read_timeout(Some(LIMIT)).unwrap();
    let (_, from) = back.recv_from(&mut [0; 8]).unwrap();
    back.send_to(b"here", from).unwrap();
    assert_eq!(soon(socket.recv(&mut [0; 8])).await.unwrap(), 4);
}

#[test]
fn sockets_that_would_all_get_the_same_have_no_sibling() {
    for addr in [
        "udp://0.0.0.0:0?multicast-join=239.255.77.77%lo",
        "udp://0.0.0.0:0?broadcast=1",
        "unixgram://@sockeye-no-sibling",
    ] {
        let socket = DatagramSocket::bind(&addr.parse().unwrap()).unwrap().remove(0);
        let error = socket.reuse_port_sibling().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::Unsupported, "{addr}");
        assert!(error.to_string().contains("try_clone"), "{error}");
    }
}

#[tokio::test]
async fn siblings_share_an_address_and_split_the_peers() {
    let first = bind_one(&udp("127.0.0.1"));
    let second = first.reuse_port_sibling().unwrap();
    assert_eq!(first.local_name(), second.local_name());
    let to = inet(&first);
    let clients: Vec<_> = (0..64).map(|_| client("127.0.0.1")).collect();
    for client in &clients {
        client.send_to(b"x", to).unwrap();
    }
    let (mut one, mut two) = (RecvBatch::new(64, 64), RecvBatch::new(64, 64));
    first.try_recv_batch(&mut one).unwrap();
    second.try_recv_batch(&mut two).unwrap();
    assert_eq!(one.len() + two.len(), 64);
    assert!(!one.is_empty() && !two.is_empty(), "{} and {}", one.len(), two.len());
}

#[tokio::test]
async fn clones_draw_from_one_queue() {
    let socket = bind_one(&udp("127.0.0.1"));
    let clone = socket.try_clone().unwrap();
    client("127.0.0.1").send_to(b"x", inet(&socket)).unwrap();
    let mut buffer = [0; 4];
    let clone = Datagram::new(clone).unwrap();
    assert_eq!(soon(clone.peek_from(&mut buffer)).await.unwrap().len, 1);
    assert_eq!(clone.socket().try_peek_from(&mut buffer).unwrap().len, 1);
    assert_eq!(soon(clone.recv_from(&mut buffer)).await.unwrap().len, 1);
    let error = socket.try_recv_from(&mut buffer).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn addresses_of_streams_and_foreign_descriptors_are_refused() {
    let error = DatagramSocket::bind(&addr("tcp://localhost:0")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = DatagramSocket::adopt(listener.into()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    let udp = client("127.0.0.1");
    let adopted = DatagramSocket::adopt(udp.into()).unwrap();
    assert_eq!(adopted.kind(), DatagramKind::Udp);
    let error = adopted.try_recv_from(&mut [0; 4]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "adoption makes it non-blocking");
}

#[test]
fn a_taken_port_is_refused_by_name() {
    let first = bind_one(&udp("127.0.0.1"));
    let error = DatagramSocket::bind(&first.addr()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&inet(&first).to_string()), "{error}");
}

#[tokio::test]
async fn a_client_connects_to_any_address_that_answers() {
    let server = Datagram::new(bind_one(&udp("127.0.0.1"))).unwrap();
    let to = addr(&format!("udp://localhost:{}", port(server.socket())));
    let client = soon(connect_datagram(&to)).await.unwrap();
    soon(client.send(b"question")).await.unwrap();
    let mut buffer = [0; 64];
    let arrival = soon(server.recv_from(&mut buffer)).await.unwrap();
    assert_eq!(&arrival.peer.name(), client.local_name());
    // Connected: what others send is not let through.
    let stranger = Datagram::new(bind_one(&udp("127.0.0.1"))).unwrap();
    let reply_to = DatagramPeer::new(client.local_name());
    soon(stranger.send_to(b"lies", &reply_to)).await.unwrap();
    soon(server.send_to(b"answer", &arrival.peer)).await.unwrap();
    assert_eq!(soon(client.recv(&mut buffer)).await.unwrap(), 6);
    assert_eq!(client.peer_name().unwrap(), *server.local_name());
}

#[tokio::test]
async fn a_client_sends_from_the_source_it_was_given() {
    let server = Datagram::new(bind_one(&udp("127.0.0.1"))).unwrap();
    let source = Ipv4Addr::new(127, 0, 0, 5);
    let to = server.socket().addr();
    let client = soon(connect_datagram_from(&to, Some(&source.into()))).await.unwrap();
    soon(client.send(b"x")).await.unwrap();
    let arrival = soon(server.recv_from(&mut [0; 8])).await.unwrap();
    assert_eq!(arrival.peer.inet().unwrap().ip(), source);

    let other = Ipv6Addr::LOCALHOST.into();
    let error = soon(connect_datagram_from(&to, Some(&other))).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);

    let folder = tempfile::tempdir().unwrap();
    let to = Addr::unixgram(folder.path().join("server"));
    let server = Datagram::new(bind_one(&to)).unwrap();
    let path = folder.path().join("client");
    let client = connect_datagram_from(&to, Some(&path.clone().into())).await.unwrap();
    soon(client.send(b"x")).await.unwrap();
    let arrival = soon(server.recv_from(&mut [0; 8])).await.unwrap();
    assert_eq!(arrival.peer.name().as_path(), Some(&*path));
    drop(client);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_unix_client_gets_a_name_so_that_replies_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let at = Addr::unixgram(folder.path().join("server"));
    let server = Datagram::new(bind_one(&at)).unwrap();
    let client = soon(connect_datagram(&at)).await.unwrap();
    soon(client.send(b"question")).await.unwrap();
    let mut buffer = [0; 16];
    let arrival = soon(server.recv_from(&mut buffer)).await.unwrap();
    assert!(arrival.peer.can_reply());
    assert!(arrival.peer.to_string().starts_with('@'), "{}", arrival.peer);
    assert_eq!(&arrival.peer.name(), client.local_name());
    soon(server.send_to(b"answer", &arrival.peer)).await.unwrap();
    assert_eq!(soon(client.recv(&mut buffer)).await.unwrap(), 6);
}

#[tokio::test]
async fn a_stale_unix_socket_is_replaced_a_live_one_and_a_foreign_file_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let at = Addr::unixgram(&path);
    drop(UnixDatagram::bind(&path).unwrap());
    assert!(path.exists(), "the standard library leaves the file behind");
    let server = bind_one(&at);
    let error = DatagramSocket::bind(&at).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{error}");
    UnixDatagram::unbound().unwrap().send_to(b"still here", &path).unwrap();
    assert_eq!(server.try_recv_from(&mut [0; 16]).unwrap().len, 10);

    let clone = server.try_clone().unwrap();
    drop(server);
    assert!(path.exists(), "a clone is still open");
    drop(clone);
    assert!(!path.exists());

    std::fs::write(&path, "precious").unwrap();
    let error = DatagramSocket::bind(&at).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn a_socket_for_both_families_answers_ipv4_from_the_address_that_was_asked() {
    let server = Datagram::new(bind_one(&addr("udp://[::]:0?v6only=0"))).unwrap();
    let asked = SocketAddr::from(([127, 0, 0, 3], port(server.socket())));
    let client = client("127.0.0.1");
    client.connect(asked).unwrap();
    client.send(b"question").unwrap();
    let arrival = soon(server.recv_from(&mut [0; 16])).await.unwrap();
    assert_eq!(arrival.peer.destination(), Some(asked.ip()));
    soon(server.send_to(b"answer", &arrival.peer)).await.unwrap();
    assert_eq!(client.recv(&mut [0; 16]).unwrap(), 6);
}

/// Sends to `group` by the loopback interface and expects it, and the reply, to arrive.
async fn multicast(group: &str, bind: &str, interface: &str) -> io::Result<()> {
    let listen = format!("udp://{bind}:0?multicast-join={group}%{interface}");
    let sockets = DatagramSocket::bind(&addr(&listen))?;
    let server = Datagram::new(sockets.into_iter().next().unwrap())?;
    let port = port(server.socket());
    let host = if group.contains(':') { format!("[{group}]") } else { group.to_owned() };
    let source = if group.contains(':') { "[::1]:0" } else { "127.0.0.1:0" };
    let to = addr(&format!("udp://{host}:{port}?multicast-interface={interface}&multicast-ttl=0"));
    // Bound and not connected: the reply comes from the server's address, not the group's.
    let client = Datagram::new(bind_one(&addr(&format!("udp://{source}"))))?;
    let options = sockeye::socket::options::before_connect(client.socket(), &to.options);
    options?;
    let peer = DatagramPeer::from(to.resolve()?[0]);
    soon(client.send_to(b"hello, group", &peer)).await?;
    let mut buffer = [0; 32];
    let arrival = soon(server.recv_from(&mut buffer)).await?;
    assert_eq!(&buffer[..arrival.len], b"hello, group");
    assert_eq!(arrival.peer.destination().unwrap().to_string(), group);
    soon(server.send_to(b"hello, you", &arrival.peer)).await?;
    assert_eq!(soon(client.recv(&mut buffer)).await?, 10);
    Ok(())
}

#[tokio::test]
async fn a_group_is_joined_on_its_interface_and_its_senders_are_answered() {
    for (group, bind) in [("239.255.77.77", "0.0.0.0"), ("ff01::4d4d", "[::]")] {
        if let Err(error) = multicast(group, bind, "lo").await {
            let kind = error.kind();
            let lacking = [io::ErrorKind::NetworkUnreachable, io::ErrorKind::AddrNotAvailable];
            assert!(lacking.contains(&kind), "{group}: {error}");
            // Past the test runner's capture.
            let _ = writeln!(io::stderr(), "SKIPPED: no multicast to {group} on lo: {error}");
        }
    }
}

#[tokio::test]
async fn a_group_is_heard_from_joining_to_leaving_and_by_members_alone() {
    let member = bind_one(&addr("udp://0.0.0.0:0?reuse-port=1"));
    let group = MulticastGroup::new("239.255.77.78".parse().unwrap()).unwrap().on("lo").unwrap();
    if let Err(error) = member.join(&group) {
        let _ = writeln!(io::stderr(), "SKIPPED: no multicast on lo: {error}");
        return;
    }
    let other = MulticastGroup::new("239.255.77.79".parse().unwrap()).unwrap().on("lo").unwrap();
    let stranger = bind_one(&udp("0.0.0.0"));
    stranger.join(&other).unwrap();

    let sender = addr("udp://127.0.0.1:0?multicast-interface=lo&multicast-ttl=0");
    let sender = Datagram::new(bind_one(&sender)).unwrap();
    let mut buffer = [0; 16];
    let mut heard = async |socket: &DatagramSocket, group: &MulticastGroup| {
        let to = SocketAddr::new(group.address(), port(socket));
        soon(sender.send_to(b"news", &to.into())).await.unwrap();
        // On loopback it has arrived, or been dropped, by now.
        socket.try_recv_from(&mut buffer).is_ok()
    };
    assert!(heard(&member, &group).await);
    assert!(!heard(&member, &other).await, "another program's group");
    assert!(!heard(&stranger, &group).await, "another program's group");
    assert_eq!(member.join(&group).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    member.leave(&group).unwrap();
    assert!(!heard(&member, &group).await);
    assert_eq!(member.leave(&group).unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);

    let v6 = MulticastGroup::new("ff02::4d4d".parse().unwrap()).unwrap();
    assert_eq!(member.join(&v6).unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_broadcast_goes_out_only_if_the_address_allows_it() {
    let server = Datagram::new(bind_one(&udp("0.0.0.0"))).unwrap();
    let to = format!("udp://127.255.255.255:{}", port(server.socket()));
    let error = soon(connect_datagram(&addr(&to))).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}");
    let client = soon(connect_datagram(&addr(&format!("{to}?broadcast=1")))).await.unwrap();
    soon(client.send(b"everyone")).await.unwrap();
    let mut buffer = [0; 16];
    let arrival = soon(server.recv_from(&mut buffer)).await.unwrap();
    assert_eq!(arrival.peer.destination(), Some(Ipv4Addr::new(127, 255, 255, 255).into()));
    // A reply to a broadcast leaves from an address of this machine.
    soon(server.send_to(b"me", &arrival.peer)).await.unwrap();
}

#[tokio::test]
async fn a_dropped_wait_loses_no_datagram() {
    let server = Datagram::new(bind_one(&udp("127.0.0.1"))).unwrap();
    let mut buffer = [0; 8];
    let mut batch = RecvBatch::new(2, 8);
    for _ in 0..10 {
        let nothing = timeout(Duration::ZERO, server.recv_from(&mut buffer)).await;
        assert!(nothing.is_err());
        let nothing = timeout(Duration::ZERO, server.recv_batch(&mut batch)).await;
        assert!(nothing.is_err());
    }
    client("127.0.0.1").send_to(b"kept", inet(server.socket())).unwrap();
    assert_eq!(soon(server.recv_batch(&mut batch)).await.unwrap(), 1);
    assert_eq!(batch.get(0).unwrap().payload(), b"kept");
}

#[test]
fn an_unknown_inherited_name_is_said_to_be_missing() {
    let error = DatagramSocket::bind(&addr("fd://no-such-socket")).unwrap_err();
    assert!(error.to_string().contains("fd://no-such-socket"), "{error}");
}
