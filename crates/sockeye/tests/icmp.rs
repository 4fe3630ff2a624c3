//! ICMP echo and raw IP over the real system. What needs a privilege is skipped visibly without it.

#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    io::{self, BufRead, Write},
    net::{IpAddr, Ipv4Addr},
    process::{Command, Output, Stdio},
    time::Duration,
};

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use sockeye::{
    Addr,
    client::connect_datagram,
    socket::{
        Datagram, DatagramKind, DatagramSocket,
        icmp::{Echo, EchoKind, IcmpVersion, MAX_ECHO_PAYLOAD, Ping},
        raw::{Ipv4Header, Ipv4Packet},
    },
};
use sockeye_testkit::soon;

const LIMIT: Duration = Duration::from_secs(10);

/// The protocol numbers kept for experiments (RFC 3692): one for a test, as raw sockets see all packets.
const EXPERIMENT: u8 = 253;
const OTHER_EXPERIMENT: u8 = 254;

fn addr(text: &str) -> Addr {
    text.parse().unwrap()
}

/// The value, or `None` and a line past the test runner's capture if it takes a privilege.
fn permitted<T>(outcome: io::Result<T>) -> Option<T> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            skip(&error.to_string());
            None
        }
        outcome => Some(outcome.unwrap()),
    }
}

fn skip(why: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED: {why}");
}

fn raw_server(text: &str) -> Option<Datagram> {
    let sockets = permitted(DatagramSocket::bind(&addr(text)))?;
    Some(Datagram::new(sockets.into_iter().next().unwrap()).unwrap())
}

#[tokio::test]
async fn a_host_answers_with_what_it_was_asked() {
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        let Some(mut ping) = permitted(Ping::connect(&addr(&format!("icmp://{host}"))).await)
        else {
            return;
        };
        for (sequence, length) in [(1, 0), (2, 56), (u16::MAX, 9_000)] {
            let payload = vec![0x5a; length];
            let reply = ping.echo(sequence, &payload, LIMIT).await.unwrap();
            assert_eq!(reply.from, ping.target());
            assert_eq!((reply.sequence, reply.bytes), (sequence, length + 8));
            assert!(reply.ttl.is_some_and(|ttl| ttl > 0), "{reply:?}");
            assert!(reply.rtt < LIMIT);
        }
        let error = ping.echo(3, &vec![0; MAX_ECHO_PAYLOAD + 1], LIMIT).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn replies_to_others_are_not_taken_for_ones_own() {
    let Some(witness) = raw_server("ip://127.0.0.9?proto=icmp") else { return };
    let Some(mut ping) = permitted(Ping::connect(&addr("icmp://127.0.0.9")).await) else { return };
    let payload = b"mine";
    ping.echo(1, payload, LIMIT).await.unwrap();
    let mut buffer = [0; 128];
    let arrival = soon(witness.recv_from(&mut buffer)).await.unwrap();
    let packet = Ipv4Packet::parse(&buffer[..arrival.len]).unwrap();
    let asked = Echo::parse(IcmpVersion::V4, packet.payload()).unwrap();
    assert_eq!((asked.kind, asked.sequence, asked.payload), (EchoKind::Request, 1, &payload[..]));

    let forger = addr("ip://127.0.0.1?proto=icmp&hdrincl=1");
    let forger = soon(connect_datagram(&forger)).await.unwrap();
    let target = Ipv4Addr::new(127, 0, 0, 9);
    let forged = Ipv4Header { ttl: 7, ..Ipv4Header::new(target, Ipv4Addr::LOCALHOST, 1) };
    let right = Echo { kind: EchoKind::Reply, id: asked.id, sequence: 2, payload };
    // Replies that differ in one thing each, told apart by their TTL.
    for decoy in [
        Echo { id: asked.id.wrapping_add(1), ..right },
        Echo { sequence: 1, ..right },
        Echo { payload: b"mint", ..right },
        Echo { payload: b"mine, and more", ..right },
        Echo { kind: EchoKind::Request, ..right },
    ] {
        let packet = forged.packet(&decoy.to_bytes(IcmpVersion::V4)).unwrap();
        soon(forger.send(&packet)).await.unwrap();
    }
    let reply = ping.echo(2, payload, LIMIT).await.unwrap();
    assert_ne!(reply.ttl, Some(7), "a forged reply was believed");
    // The forgery that agrees in everything cannot be told apart: the decoys do arrive.
    let twin = Echo { sequence: 3, ..right }.to_bytes(IcmpVersion::V4);
    soon(forger.send(&forged.packet(&twin).unwrap())).await.unwrap();
    assert_eq!(ping.echo(3, payload, LIMIT).await.unwrap().ttl, Some(7));
}

#[tokio::test]
async fn a_raw_ipv4_packet_comes_with_its_header() {
    let Some(server) = raw_server("ip://127.0.0.1?proto=253") else { return };
    let DatagramKind::Ip { protocol } = server.socket().kind() else { unreachable!() };
    assert_eq!(protocol, EXPERIMENT);
    assert_eq!(server.socket().addr(), addr("ip://127.0.0.1?proto=253"));
    let client = soon(connect_datagram(&addr("ip://127.0.0.1?proto=253&ttl=33"))).await.unwrap();
    soon(client.send(b"payload")).await.unwrap();

    let mut buffer = [0; 128];
    let arrival = soon(server.recv_from(&mut buffer)).await.unwrap();
    let packet = Ipv4Packet::parse(&buffer[..arrival.len]).unwrap();
    assert_eq!(packet.payload(), b"payload");
    assert_eq!((packet.protocol(), packet.ttl()), (EXPERIMENT, 33));
    assert_eq!(arrival.hop_limit, Some(33));
    assert_eq!(IpAddr::V4(packet.source()), arrival.peer.inet().unwrap().ip());
    assert_eq!(packet.destination(), Ipv4Addr::LOCALHOST);
    // And back, to the peer as it came.
    soon(server.send_to(b"answer", &arrival.peer)).await.unwrap();
    let length = soon(client.recv(&mut buffer)).await.unwrap();
    let mut packet = Ipv4Packet::parse(&buffer[..length]).unwrap();
    if packet.payload() == b"payload" {
        // On loopback the client sees its own packet first.
        let length = soon(client.recv(&mut buffer)).await.unwrap();
        packet = Ipv4Packet::parse(&buffer[..length]).unwrap();
    }
    assert_eq!(packet.payload(), b"answer");
}

#[tokio::test]
async fn a_raw_ipv6_packet_comes_without_a_header() {
    let Some(server) = raw_server("ip://[::1]?proto=253") else { return };
    let client = soon(connect_datagram(&addr("ip://[::1]?proto=253&ttl=21"))).await.unwrap();
    soon(client.send(b"payload")).await.unwrap();
    let mut buffer = [0; 128];
    let arrival = soon(server.recv_from(&mut buffer)).await.unwrap();
    assert_eq!(&buffer[..arrival.len], b"payload");
    assert_eq!(arrival.hop_limit, Some(21));
}

#[tokio::test]
async fn a_header_of_ones_own_is_sent_as_it_is() {
    let Some(server) = raw_server("ip://127.0.0.1?proto=254") else { return };
    let client = addr("ip://127.0.0.1?proto=254&hdrincl=1");
    let client = soon(connect_datagram(&client)).await.unwrap();
    let source = Ipv4Addr::new(127, 0, 0, 77);
    let header = Ipv4Header {
        ttl: 9,
        tos: 0x10,
        identification: 4711,
        ..Ipv4Header::new(source, Ipv4Addr::LOCALHOST, OTHER_EXPERIMENT)
    };
    soon(client.send(&header.packet(b"all mine").unwrap())).await.unwrap();
    let mut buffer = [0; 128];
    let arrival = soon(server.recv_from(&mut buffer)).await.unwrap();
    let packet = Ipv4Packet::parse(&buffer[..arrival.len]).unwrap();
    assert_eq!((packet.source(), packet.ttl(), packet.tos()), (source, 9, 0x10));
    assert_eq!((packet.identification(), packet.payload()), (4711, &b"all mine"[..]));
}

/// Runs `work` in a thread that has lost CAP_NET_RAW.
fn without_net_raw<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let mut sets = capabilities(None).unwrap();
                sets.effective.remove(CapabilitySet::NET_RAW);
                sets.permitted.remove(CapabilitySet::NET_RAW);
                sets.inheritable.remove(CapabilitySet::NET_RAW);
                set_capabilities(None, sets).unwrap();
                work()
            })
            .join()
            .unwrap()
    })
}

#[test]
fn what_takes_a_privilege_says_how_to_get_it() {
    let error = without_net_raw(|| DatagramSocket::bind(&addr("ip://127.0.0.1?proto=254")));
    let error = error.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    let text = error.to_string();
    assert!(text.contains("ip://127.0.0.1") && text.contains("cap_net_raw+ep"), "{text}");

    let ping = without_net_raw(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(Ping::connect(&addr("icmp://127.0.0.1"))).map(|ping| ping.kind())
    });
    match ping {
        Ok(kind) => assert_eq!(kind, DatagramKind::Ping, "a raw socket without the privilege"),
        Err(error) => {
            let text = error.to_string();
            for part in ["127.0.0.1", "net.ipv4.ping_group_range", "cap_net_raw+ep"] {
                assert!(text.contains(part), "{text}");
            }
        }
    }
}

/// The example, built and ready; cargo replaces itself by it, so that signals reach it.
fn ping_example() -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--example", "ping", "--"]).stdin(Stdio::null());
    command
}

#[test]
fn the_example_prints_replies_and_a_summary_as_ping_does() {
    let output = ping_example().args(["localhost", "-4", "-c", "2", "-i", "0.01"]).output();
    let output = output.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    if !output.status.success() {
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("ping_group_range"), "{text}{error}");
        return skip(error.trim());
    }
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "PING localhost (127.0.0.1) 56 bytes of data.");
    assert!(lines[1].starts_with("64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time="), "{text}");
    assert!(lines[2].starts_with("64 bytes from 127.0.0.1: icmp_seq=2 ttl=64 time="), "{text}");
    assert_eq!(lines[4], "--- localhost ping statistics ---");
    let counts = "2 packets transmitted, 2 received, 0% packet loss, time ";
    assert!(lines[5].starts_with(counts), "{text}");
    assert!(lines[6].starts_with("rtt min/avg/max/mdev = "), "{text}");
    assert_eq!(lines.len(), 7);
}

#[test]
fn the_example_sums_up_when_it_is_interrupted() {
    let mut child = ping_example()
        .args(["::1", "-i", "600"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = io::BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let (_, Some(first)) = (lines.next(), lines.next()) else {
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("ping_group_range"), "{error}");
        return skip(error.trim());
    };
    assert!(first.contains("icmp_seq=1"), "{first}");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let rest: Vec<_> = lines.collect();
    assert!(rest.iter().any(|line| line.starts_with("1 packets transmitted, 1 rec")), "{rest:?}");
    assert!(child.wait().unwrap().success());
}

/// Runs `script` in a network of its own, with `PING` for the example; `None` if not allowed.
fn in_own_network(script: &str) -> Option<Output> {
    let built = ping_example().arg("--help").output().unwrap();
    assert!(built.status.success(), "{built:?}");
    // Beside the test program: target/PROFILE/deps/.. and target/PROFILE/examples.
    let own = std::env::current_exe().unwrap();
    let ping = own.parent().unwrap().parent().unwrap().join("examples/ping");
    let available = Command::new("unshare").args(["-n", "ip", "link", "set", "lo", "up"]).output();
    if !available.is_ok_and(|output| output.status.success()) {
        skip("a network namespace of its own takes root, unshare(1) and ip(8)");
        return None;
    }
    let script = format!("set -e; ip link set lo up; {script}");
    let output = Command::new("unshare")
        .args(["-n", "sh", "-c", &script])
        .env("PING", ping)
        .output()
        .unwrap();
    Some(output)
}

#[test]
fn the_example_fails_when_nothing_comes_back() {
    let script = "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all;
        exec $PING 127.0.0.1 -c 2 -i 0.01 -W 0.01";
    let Some(output) = in_own_network(script) else { return };
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("2 packets transmitted, 0 received, 100% packet loss"), "{text}");
}

#[test]
fn ping_works_without_privileges_where_the_system_allows() {
    let script = "echo 0 65535 > /proc/sys/net/ipv4/ping_group_range;
        cp $PING /tmp/ping-$$; chmod 755 /tmp/ping-$$; trap 'rm -f /tmp/ping-$$' EXIT;
        for host in 127.0.0.1 ::1; do
            setpriv --reuid 65534 --regid 65534 --clear-groups /tmp/ping-$$ $host -c 1; done";
    let Some(output) = in_own_network(script) else { return };
    let (text, error) = (String::from_utf8_lossy(&output.stdout), &output.stderr);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(error));
    assert_eq!(text.matches("1 packets transmitted, 1 received").count(), 2, "{text}");
}
