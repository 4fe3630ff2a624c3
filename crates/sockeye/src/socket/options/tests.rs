//! Every option is read back from the kernel after it was set.

use std::{
    io::Write as _,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use socket2::{Protocol, SockAddr, Socket};

use super::*;
use crate::Addr;

fn options(text: &str) -> SocketOptions {
    text.parse::<Addr>().unwrap_or_else(|error| panic!("{}", error.report())).options
}

fn tcp(domain: Domain) -> Socket {
    Socket::new(domain, Type::STREAM, Some(Protocol::TCP)).unwrap()
}

fn udp(domain: Domain) -> Socket {
    Socket::new(domain, Type::DGRAM, Some(Protocol::UDP)).unwrap()
}

fn any_port(ip: impl Into<IpAddr>) -> SockAddr {
    SocketAddr::new(ip.into(), 0).into()
}

/// A raw socket, which only the privileged may open.
fn raw(domain: Domain, protocol: i32) -> Option<Socket> {
    match Socket::new(domain, Type::RAW, Some(protocol.into())) {
        Ok(socket) => Some(socket),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            // Past the test runner's capture, so that it is counted.
            let _ = writeln!(io::stderr(), "SKIPPED: a raw socket takes CAP_NET_RAW");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

const CONNECTION: &str = "nodelay=1&keepalive-idle=70s&keepalive-interval=11s&keepalive-count=4\
    &send-buffer=32KiB&recv-buffer=48KiB&linger=3s&ttl=33&tos=0x10";

/// Checks that a socket has all of [`CONNECTION`].
fn assert_connection_options(socket: &Socket, v6: bool, v4: bool) {
    assert!(socket.tcp_nodelay().unwrap(), "nodelay");
    assert!(socket.keepalive().unwrap(), "keepalive");
    assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(70));
    assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(11));
    assert_eq!(socket.tcp_keepalive_retries().unwrap(), 4);
    assert_eq!(socket.send_buffer_size().unwrap(), 2 * 32 * 1024);
    assert_eq!(socket.recv_buffer_size().unwrap(), 2 * 48 * 1024);
    assert_eq!(socket.linger().unwrap(), Some(Duration::from_secs(3)));
    if v6 {
        assert_eq!(socket.unicast_hops_v6().unwrap(), 33);
        assert_eq!(socket.tclass_v6().unwrap(), 0x10);
    }
    if v4 {
        assert_eq!(socket.ttl_v4().unwrap(), 33);
        assert_eq!(socket.tos_v4().unwrap(), 0x10);
    }
}

/// A listener with [`CONNECTION`], a client, and the connection accepted from it.
fn accepted_by(listening_on: IpAddr, connecting_to: IpAddr) -> Socket {
    let options = options(&format!("tcp://localhost:0?{CONNECTION}"));
    let listener = tcp(Domain::for_address((listening_on, 0).into()));
    before_bind(&listener, &options).unwrap();
    listener.bind(&any_port(listening_on)).unwrap();
    after_bind(&listener, &options).unwrap();
    listener.listen(1).unwrap();
    let port = listener.local_addr().unwrap().as_socket().unwrap().port();
    let client = tcp(Domain::for_address((connecting_to, 0).into()));
    client.connect(&SocketAddr::new(connecting_to, port).into()).unwrap();
    let (connection, _) = listener.accept().unwrap();
    after_accept(&connection, &options).unwrap();
    connection
}

#[test]
fn an_ipv4_connection_inherits_the_options_of_its_listener() {
    let connection = accepted_by(Ipv4Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into());
    assert_connection_options(&connection, false, true);
}

#[test]
fn an_ipv6_connection_inherits_the_options_of_its_listener() {
    let connection = accepted_by(Ipv6Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
    assert_connection_options(&connection, true, false);
}

#[test]
fn an_ipv4_connection_to_a_dual_stack_listener_inherits_its_ipv4_options() {
    let connection = accepted_by(Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::LOCALHOST.into());
    assert_connection_options(&connection, false, true);
}

#[test]
fn a_client_has_its_options_before_it_connects() {
    let options = options(&format!("tcp://localhost:1?{CONNECTION}"));
    for (domain, v6, v4) in [(Domain::IPV4, false, true), (Domain::IPV6, true, true)] {
        let socket = tcp(domain);
        before_connect(&socket, &options).unwrap();
        assert_connection_options(&socket, v6, v4);
        assert!(!socket.reuse_address().unwrap(), "a client asks for it");
    }
}

#[test]
fn what_is_not_asked_for_stays_as_the_system_has_it() {
    let (plain, prepared) = (tcp(Domain::IPV4), tcp(Domain::IPV4));
    before_bind(&prepared, &SocketOptions::default()).unwrap();
    assert!(prepared.reuse_address().unwrap(), "a default of our own");
    assert!(prepared.tcp_nodelay().unwrap(), "a default of our own");
    assert_eq!(prepared.keepalive().unwrap(), plain.keepalive().unwrap());
    assert_eq!(prepared.linger().unwrap(), plain.linger().unwrap());
    assert_eq!(prepared.recv_buffer_size().unwrap(), plain.recv_buffer_size().unwrap());
    assert_eq!(prepared.ttl_v4().unwrap(), plain.ttl_v4().unwrap());
    let datagrams = udp(Domain::IPV4);
    before_bind(&datagrams, &SocketOptions::default()).unwrap();
    assert!(!datagrams.reuse_address().unwrap(), "UDP would let another take the port");
}

#[test]
fn flags_are_turned_off_as_well_as_on() {
    let socket = tcp(Domain::IPV4);
    before_bind(&socket, &options("tcp://h:1?nodelay&keepalive=30s&linger=0s&reuse-port")).unwrap();
    assert!(socket.tcp_nodelay().unwrap() && socket.reuse_port().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(30));
    assert_eq!(socket.linger().unwrap(), Some(Duration::ZERO));
    let off = options("tcp://h:1?nodelay=0&keepalive=0&linger=off&reuse-port=0&reuse-address=0");
    before_bind(&socket, &off).unwrap();
    assert!(!socket.tcp_nodelay().unwrap() && !socket.keepalive().unwrap());
    assert!(!socket.reuse_port().unwrap() && !socket.reuse_address().unwrap());
    assert_eq!(socket.linger().unwrap(), None);
}

#[test]
fn v6only_is_set_on_ipv6_sockets_and_passes_over_ipv4_ones() {
    for only in [true, false] {
        let options = SocketOptions { v6only: Some(only), ..SocketOptions::default() };
        let socket = tcp(Domain::IPV6);
        before_bind(&socket, &options).unwrap();
        assert_eq!(socket.only_v6().unwrap(), only);
        before_bind(tcp(Domain::IPV4), &options).unwrap();
    }
}

#[test]
fn defer_accept_stays_set_on_a_listener() {
    let socket = tcp(Domain::IPV4);
    before_bind(&socket, &options("tcp://h:1?defer-accept=5s")).unwrap();
    socket.bind(&any_port(Ipv4Addr::LOCALHOST)).unwrap();
    socket.listen(1).unwrap();
    let seconds = int_option::get(socket.as_fd(), TCP_DEFER_ACCEPT).unwrap();
    assert!((5..=15).contains(&seconds), "{seconds} s: rounded up to retransmissions");
}

#[test]
fn the_interface_is_bound() {
    let socket = tcp(Domain::IPV4);
    match before_bind(&socket, &options("tcp://h:1?interface=lo")) {
        Ok(()) => assert_eq!(socket.device().unwrap().as_deref(), Some(b"lo".as_slice())),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}"),
    }
}

#[test]
fn packet_sockets_get_their_options() {
    let text = "broadcast=1&multicast-ttl=7&multicast-loop=0&multicast-interface=lo&ttl=9";
    let options = options(&format!("udp://localhost:1?{text}"));
    let v4 = udp(Domain::IPV4);
    before_bind(&v4, &options).unwrap();
    assert!(v4.broadcast().unwrap());
    assert_eq!(v4.multicast_ttl_v4().unwrap(), 7);
    assert!(!v4.multicast_loop_v4().unwrap());
    assert_eq!(v4.ttl_v4().unwrap(), 9);
    let v6 = udp(Domain::IPV6);
    before_bind(&v6, &options).unwrap();
    assert!(v6.broadcast().unwrap());
    assert_eq!(v6.multicast_hops_v6().unwrap(), 7);
    assert!(!v6.multicast_loop_v6().unwrap());
    assert_eq!(v6.multicast_if_v6().unwrap(), interface_index("lo").unwrap());
    assert_eq!(v6.unicast_hops_v6().unwrap(), 9);
    assert_eq!(v6.ttl_v4().unwrap(), 9, "IPv4 packets of a dual-stack socket");
}

#[test]
fn a_joined_group_delivers_its_packets() {
    let wildcards = [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()];
    let group = Ipv4Addr::new(239, 77, 1, 1);
    for local in wildcards {
        let receiver = bound_udp(local, &options("udp://localhost:0?multicast-join=239.77.1.1%lo"));
        receiver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let port = receiver.local_addr().unwrap().as_socket().unwrap().port();
        let sender = udp(Domain::IPV4);
        let sending = options("udp://localhost:1?multicast-interface=lo&multicast-ttl=0");
        before_connect(&sender, &sending).unwrap();
        sender.send_to(b"hello", &SocketAddr::from((group, port)).into()).unwrap();
        let mut buffer = [0; 128];
        let received = io::Read::read(&mut &receiver, &mut buffer);
        assert_eq!(received.map(|n| &buffer[..n]).unwrap(), b"hello", "on {local}");
    }
}

#[test]
fn an_ipv6_group_is_joined_on_its_interface() {
    let joined = || {
        let groups = std::fs::read_to_string("/proc/net/igmp6").unwrap();
        groups.lines().any(|line| {
            let mut words = line.split_whitespace().skip(1);
            words.next() == Some("lo") && words.next() == Some("ff020000000000000000000000770021")
        })
    };
    assert!(!joined());
    let options = options("udp://[::]:0?multicast-join=ff02::77:21%lo");
    let socket = bound_udp(Ipv6Addr::UNSPECIFIED.into(), &options);
    assert!(joined());
    drop(socket);
    assert!(!joined());
}

fn bound_udp(local: IpAddr, options: &SocketOptions) -> Socket {
    let socket = udp(Domain::for_address((local, 0).into()));
    before_bind(&socket, options).unwrap();
    socket.bind(&any_port(local)).unwrap();
    after_bind(&socket, options).unwrap();
    socket
}

#[test]
fn a_socket_skips_the_groups_of_the_other_ip_version() {
    let options =
        options("udp://localhost:0?multicast-join=239.77.1.1%lo&multicast-join=ff02::77:1%lo");
    for local in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        let socket = udp(Domain::for_address((local, 0).into()));
        socket.bind(&any_port(local)).unwrap();
        after_bind(&socket, &options).unwrap();
    }
}

#[test]
fn a_raw_socket_brings_its_own_header() {
    if let Some(socket) = raw(Domain::IPV4, 253) {
        before_bind(&socket, &options("ip://127.0.0.1?proto=253&hdrincl=1&ttl=5&tos=8")).unwrap();
        assert!(socket.header_included_v4().unwrap());
        assert_eq!((socket.ttl_v4().unwrap(), socket.tos_v4().unwrap()), (5, 8));
    }
    if let Some(socket) = raw(Domain::IPV6, 253) {
        before_bind(&socket, &options("ip://[::1]?proto=253&hdrincl=1&ttl=5&tos=8")).unwrap();
        let header_included = (libc::IPPROTO_IPV6, libc::IPV6_HDRINCL);
        assert_eq!(int_option::get(socket.as_fd(), header_included).unwrap(), 1);
        assert_eq!((socket.unicast_hops_v6().unwrap(), socket.tclass_v6().unwrap()), (5, 8));
    }
}

#[test]
fn unix_sockets_get_their_buffers_on_both_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = SockAddr::unix(folder.path().join("s")).unwrap();
    let options = options("unix:///x?send-buffer=32KiB&recv-buffer=48KiB");
    for kind in [Type::STREAM, Type::SEQPACKET] {
        let _ = std::fs::remove_file(folder.path().join("s"));
        let listener = Socket::new(Domain::UNIX, kind, None).unwrap();
        before_bind(&listener, &options).unwrap();
        listener.bind(&path).unwrap();
        after_bind(&listener, &options).unwrap();
        listener.listen(1).unwrap();
        let client = Socket::new(Domain::UNIX, kind, None).unwrap();
        before_connect(&client, &options).unwrap();
        client.connect(&path).unwrap();
        let (connection, _) = listener.accept().unwrap();
        after_accept(&connection, &options).unwrap();
        for socket in [&client, &connection] {
            assert_eq!(socket.send_buffer_size().unwrap(), 2 * 32 * 1024);
            assert_eq!(socket.recv_buffer_size().unwrap(), 2 * 48 * 1024);
        }
    }
}

#[test]
fn an_adopted_listener_gets_what_can_still_be_set() {
    let socket = tcp(Domain::IPV4);
    socket.bind(&any_port(Ipv4Addr::LOCALHOST)).unwrap();
    socket.listen(1).unwrap();
    adopt(&socket, &options(&format!("fd://web?{CONNECTION}&defer-accept=5s"))).unwrap();
    assert_connection_options(&socket, false, true);
    assert!(int_option::get(socket.as_fd(), TCP_DEFER_ACCEPT).unwrap() >= 5);
    let datagrams = udp(Domain::IPV4);
    datagrams.bind(&any_port(Ipv4Addr::UNSPECIFIED)).unwrap();
    adopt(&datagrams, &options("fd://dns?multicast-join=239.77.1.1%lo&broadcast=1")).unwrap();
    assert!(datagrams.broadcast().unwrap());
}

#[test]
fn an_option_that_the_socket_has_not_is_named_with_the_reason() {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let error = adopt(&socket, &options("fd://web?nodelay=1")).unwrap_err();
    let option = error.get_ref().and_then(|e| e.downcast_ref::<OptionError>()).unwrap();
    assert_eq!((option.option(), option.raw_os_error()), ("nodelay", Some(libc::EOPNOTSUPP)));
    let message = error.to_string();
    assert!(message.contains("nodelay") && message.contains("does not have it"), "{message}");

    let error =
        before_bind(udp(Domain::IPV4), &options("udp://h:1?interface=no-such-one")).unwrap_err();
    assert!(error.to_string().contains("ip link"), "{error}");
}
