//! Connecting over the real kernel: every transport, time limits, source addresses, races.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

use sockeye::{
    Addr, Listener, SocketName, Stream,
    addr::{Host, HostPort, UnixName},
    client::{Connect, ConnectError, connect, connect_code},
    proxy::{Header, Protocol, read_header},
    socket::StreamKind,
};
use sockeye_testkit::soon;
use tokio::io::AsyncWriteExt;

const PATIENCE: Duration = Duration::from_secs(10);

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn bind_one(addr: &Addr) -> Listener {
    let mut bound = Listener::bind(addr).unwrap();
    assert_eq!(bound.len(), 1);
    bound.remove(0)
}

fn loopback() -> Addr {
    Addr::tcp(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0))
}

fn localhost(port: u16) -> Addr {
    Addr::tcp(HostPort { host: Host::Name("localhost".into()), port })
}

fn failure(outcome: Result<Stream, ConnectError>) -> ConnectError {
    match outcome {
        Ok(stream) => panic!("connected to {:?}", stream.peer_name()),
        Err(error) => error,
    }
}

/// A port that nobody listens on; others may take it, but not soon.
fn free_port() -> u16 {
    bind_one(&loopback()).local_name().port().unwrap()
}

/// A listener whose queue is full, so that it answers nobody, and what fills the queue.
async fn silent(addr: &Addr) -> (Listener, Vec<Stream>) {
    let listener = bind_one(&addr.clone().with_option("backlog", "1").unwrap());
    let to = Connect::new(listener.addr()).unwrap().timeout(Duration::from_millis(300));
    let mut queue = Vec::new();
    while let Ok(stream) = to.connect().await {
        queue.push(stream);
        assert!(queue.len() < 100, "the queue has no end");
    }
    (listener, queue)
}

#[tokio::test]
async fn every_stream_transport_is_connected() {
    let folder = folder();
    let abstract_name = format!("unix://@sockeye-connect-{}", std::process::id());
    let addrs = [
        (loopback(), StreamKind::Tcp),
        ("tcp://[::1]:0".parse().unwrap(), StreamKind::Tcp),
        (Addr::unix(folder.path().join("stream")), StreamKind::Unix),
        (abstract_name.parse().unwrap(), StreamKind::Unix),
        (Addr::seqpacket(folder.path().join("records")), StreamKind::Seqpacket),
    ];
    for (addr, kind) in addrs {
        let listener = bind_one(&addr);
        let mut client = soon(connect(listener.addr())).await.unwrap();
        assert_eq!(client.kind(), kind);
        assert_eq!(client.peer_name().unwrap(), *listener.local_name());
        client.write_all(b"hello").await.unwrap();
        let mut server = listener.try_accept().unwrap().into_stream().unwrap();
        assert_eq!(soon(server.recv(10)).await.unwrap(), "hello");
    }
}

#[tokio::test]
async fn a_listeners_own_address_can_be_connected_to_with_its_options() {
    let folder = folder();
    let addr = Addr::unix(folder.path().join("s"));
    let addr = addr.with_option("mode", "0600").unwrap().with_option("backlog", "5").unwrap();
    let listener = bind_one(&addr);
    soon(connect(&listener.addr())).await.unwrap();
    soon(connect(listener.addr().to_string())).await.unwrap();
}

#[tokio::test]
async fn every_address_tried_is_listed_with_its_own_error() {
    let port = free_port();
    let error = failure(soon(connect(localhost(port))).await);
    assert_eq!(error.raw_os_error(), Some(libc::ECONNREFUSED));
    let ConnectError::Failed { attempts, .. } = &error else { panic!("{error:?}") };
    let tried: Vec<_> = attempts.iter().filter_map(|one| one.to.as_inet()).collect();
    assert_eq!(tried, localhost(port).resolve().unwrap());
    let text = error.to_string();
    for name in tried {
        assert!(text.contains(&name.to_string()), "{text}");
    }
    assert!(text.contains("is the server running?"), "{text}");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn the_next_address_is_tried_at_once_when_one_refuses() {
    let listener = bind_one(&Addr::tcp(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 0)));
    let port = listener.local_name().port().unwrap();
    let begun = Instant::now();
    let never = Duration::from_secs(3600);
    let race = Connect::new(localhost(port)).unwrap().attempt_delay(never);
    let stream = soon(race.connect()).await.unwrap();
    assert_eq!(stream.peer_name().unwrap(), *listener.local_name());
    assert!(begun.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_silent_address_is_overtaken_by_the_next() {
    let (silent, _queue) = silent(&loopback()).await;
    let port = silent.local_name().port().unwrap();
    let answering = bind_one(&Addr::tcp(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port)));
    let begun = Instant::now();
    let stream = soon(connect(localhost(port))).await.unwrap();
    assert_eq!(stream.peer_name().unwrap(), *answering.local_name());
    assert!(begun.elapsed() >= Connect::DEFAULT_ATTEMPT_DELAY);
}

#[tokio::test]
async fn the_time_limits_hold_for_the_whole_and_for_each_try() {
    let (listener, _queue) = silent(&loopback()).await;
    let limit = Duration::from_millis(200);
    let to = Connect::new(listener.addr()).unwrap();
    let begun = Instant::now();
    let error = failure(soon(to.clone().timeout(limit).connect()).await);
    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error:?}");
    assert!(error.to_string().ends_with("no answer within 200ms"), "{error}");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    let error = failure(soon(to.try_timeout(limit).connect()).await);
    let ConnectError::Failed { attempts, .. } = &error else { panic!("{error:?}") };
    assert_eq!(attempts[0].error.kind(), io::ErrorKind::TimedOut);
    assert!(begun.elapsed() >= limit * 2);
}

#[tokio::test]
async fn a_full_unix_queue_is_waited_for() {
    let folder = folder();
    for addr in [Addr::unix(folder.path().join("a")), Addr::seqpacket(folder.path().join("b"))] {
        let (listener, queue) = silent(&addr).await;
        let to = Connect::new(listener.addr()).unwrap();
        let waiting = to.connect();
        let room = async {
            // Not at once: the client meets the full queue first.
            tokio::task::yield_now().await;
            listener.try_accept().unwrap()
        };
        let (connected, _accepted) = soon(async { tokio::join!(waiting, room) }).await;
        connected.unwrap();
        drop(queue);
    }
}

#[tokio::test]
async fn the_peer_sees_the_source_address() {
    let listener = bind_one(&loopback());
    let source = Ipv4Addr::new(127, 0, 0, 2);
    let to = Connect::new(listener.addr()).unwrap();
    let _any_port = soon(to.clone().source(source).connect()).await.unwrap();
    assert_eq!(listener.try_accept().unwrap().peer.ip(), Some(source.into()));
    let wanted = SocketAddr::new(source.into(), free_port());
    let _this_port = soon(to.source(wanted).connect()).await.unwrap();
    assert_eq!(listener.try_accept().unwrap().peer, SocketName::Inet(wanted));
}

#[tokio::test]
async fn the_peer_sees_the_name_of_a_unix_source_and_no_file_stays() {
    let folder = folder();
    let listener = bind_one(&Addr::unix(folder.path().join("s")));
    let source = folder.path().join("client");
    let to = Connect::new(listener.addr()).unwrap().source(source.as_path());
    let _client = soon(to.connect()).await.unwrap();
    let peer = listener.try_accept().unwrap().peer;
    assert_eq!(peer, SocketName::Unix(UnixName::Path(source.clone())));
    assert!(!source.exists());
}

#[tokio::test]
async fn a_source_that_cannot_be_is_explained() {
    let listener = bind_one(&loopback());
    let to = Connect::new(listener.addr()).unwrap();
    let family = failure(soon(to.clone().source(Ipv6Addr::LOCALHOST).connect()).await);
    assert!(matches!(family, ConnectError::Source { .. }), "{family:?}");
    let unix = failure(soon(to.clone().source(UnixName::Unnamed).connect()).await);
    assert!(matches!(unix, ConnectError::Source { .. }), "{unix:?}");
    let foreign = failure(soon(to.source(Ipv4Addr::new(192, 0, 2, 1)).connect()).await);
    assert_eq!(foreign.raw_os_error(), Some(libc::EADDRNOTAVAIL));
    assert!(foreign.to_string().contains("no such source address"), "{foreign}");
    let folder = folder();
    let listener = bind_one(&Addr::unix(folder.path().join("s")));
    let to = Connect::new(listener.addr()).unwrap().source(Ipv4Addr::LOCALHOST);
    let inet = failure(soon(to.connect()).await);
    assert!(matches!(inet, ConnectError::Source { .. }), "{inet:?}");
}

#[tokio::test]
async fn nobody_is_connected_to_themselves() {
    let own = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), free_port());
    let to = Connect::new(Addr::tcp(own)).unwrap().source(own);
    let error = failure(soon(to.connect()).await);
    assert_eq!(error.raw_os_error(), Some(libc::ECONNREFUSED), "{error}");
}

#[tokio::test]
async fn the_code_is_zero_or_the_systems_own() {
    let folder = folder();
    let listener = bind_one(&loopback());
    assert_eq!(soon(connect_code(&listener.addr())).await, 0);
    let refused = loopback().with_port(free_port());
    assert_eq!(soon(connect_code(&refused)).await, libc::ECONNREFUSED);
    let missing = Addr::unix(folder.path().join("missing"));
    assert_eq!(soon(connect_code(&missing)).await, libc::ENOENT);
    let records = bind_one(&Addr::seqpacket(folder.path().join("records")));
    let stream = Addr::unix(records.local_name().as_path().unwrap());
    assert_eq!(soon(connect_code(&stream)).await, libc::EPROTOTYPE);
    let datagrams = Addr::udp(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 9));
    assert_eq!(soon(connect_code(&datagrams)).await, libc::EINVAL);
    let nowhere = "tcp://no-such-host.invalid:80".parse().unwrap();
    assert_eq!(soon(connect_code(&nowhere)).await, libc::EHOSTUNREACH);
}

#[tokio::test]
async fn a_text_that_is_no_address_is_an_address_error() {
    let error = failure(soon(connect("tpc://localhost:80")).await);
    assert!(matches!(error, ConnectError::Address(_)), "{error:?}");
}

#[tokio::test]
async fn the_losers_of_a_race_are_closed() {
    let bound = Listener::bind(&localhost(0)).unwrap();
    let port = bound[0].local_name().port().unwrap();
    let race = Connect::new(localhost(port)).unwrap().attempt_delay(Duration::ZERO);
    let winner = soon(race.connect()).await.unwrap();
    let winner_name = winner.local_name().unwrap();
    let mut open = 0;
    for listener in &bound {
        while let Ok(accepted) = listener.try_accept() {
            let is_winner = accepted.peer == winner_name;
            let mut stream = accepted.into_stream().unwrap();
            if is_winner {
                open += 1;
            } else {
                // Closed by the client: the end, or a reset.
                assert!(soon(stream.recv(1)).await.map_or(true, |data| data.is_empty()));
            }
        }
    }
    assert_eq!(open, 1);
}

#[tokio::test]
async fn options_of_the_address_are_set() {
    let listener = bind_one(&loopback());
    let plain = soon(connect(listener.addr())).await.unwrap();
    assert!(plain.nodelay().unwrap(), "on unless turned off");
    let addr = listener.addr().with_option("nodelay", "0").unwrap();
    let delaying = soon(connect(addr)).await.unwrap();
    assert!(!delaying.nodelay().unwrap());
}

#[tokio::test]
async fn a_proxy_header_comes_first_and_tells_the_connection_or_what_it_is_told() {
    let folder = folder();
    let told = SocketName::Inet("203.0.113.7:50000".parse().unwrap());
    let to = SocketName::Inet("192.0.2.1:443".parse().unwrap());
    let header = Header::relayed(Protocol::Stream, &told, &to);
    for addr in [loopback(), Addr::seqpacket(folder.path().join("s"))] {
        let listener = bind_one(&addr.with_proxy());
        let plain = Connect::new(listener.addr()).unwrap();
        let relaying = plain.clone().proxy_header(header.clone());
        for (connect, expected) in [(plain, None), (relaying, Some(told.clone()))] {
            let mut client = soon(connect.connect()).await.unwrap();
            client.write_all(b"then data").await.unwrap();
            let mut server = listener.try_accept().unwrap().into_stream().unwrap();
            let header = soon(read_header(&mut server)).await.unwrap();
            let own = client.local_name().unwrap();
            assert_eq!(header.source(), Some(expected.unwrap_or(own)));
            assert_eq!(soon(server.recv(100)).await.unwrap(), "then data");
        }
    }
}
