//! `sockeye dial` over the transports without connections: one line is one datagram.

use std::{io, net::Ipv4Addr, time::Duration};

use sockeye::{
    Addr,
    client::{Source, connect_datagram_from},
    socket::raw::Ipv4Packet,
};
use tokio::net::{UdpSocket, UnixDatagram};

use super::running::{run_with, within};

/// Receives `count` datagrams and answers each with itself, turned round.
async fn turn_round(socket: &UdpSocket, count: usize) -> io::Result<Vec<Vec<u8>>> {
    let mut received = Vec::new();
    let mut buffer = [0; 2048];
    for _ in 0..count {
        let (length, peer) = socket.recv_from(&mut buffer).await?;
        received.push(buffer[..length].to_vec());
        buffer[..length].reverse();
        socket.send_to(&buffer[..length], peer).await?;
    }
    Ok(received)
}

#[tokio::test]
async fn each_line_is_a_datagram_and_each_answer_a_line() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let addr = format!("udp://{}", socket.local_addr().unwrap());
    let arguments = ["dial", &addr, "--timeout", "3s"];
    // Empty ones count, and the last needs no end.
    let talk = async { tokio::join!(run_with(&arguments, b"ab\n\nlast"), turn_round(&socket, 3)) };
    let (ended, received) = within(talk).await;
    assert_eq!(received.unwrap(), [&b"ab"[..], b"", b"last"]);
    assert_eq!(ended.done(), b"ba\n\ntsal\n");
}

#[tokio::test]
async fn a_silent_receiver_is_waited_for_no_longer_than_asked() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let addr = format!("udp://{}", socket.local_addr().unwrap());
    let began = std::time::Instant::now();
    let ended = run_with(&["dial", &addr, "--timeout", "100ms"], b"hello\n").await;
    assert_eq!((ended.code, ended.text()), (Some(0), ""));
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_a_network_failure() {
    // Connected elsewhere, so that it takes nothing from us, and nobody else gets the port.
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    taken.connect("127.0.0.1:9").await.unwrap();
    let addr = format!("udp://{}", taken.local_addr().unwrap());
    let ended = run_with(&["dial", &addr, "--timeout", "20s"], b"hello\n").await;
    assert_eq!(ended.code, Some(6), "{}", ended.err);
    assert!(ended.err.contains("hint: nothing listens there"), "{}", ended.err);
}

#[tokio::test]
async fn unix_datagrams_find_their_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, own) = (folder.path().join("server"), folder.path().join("own"));
    let socket = UnixDatagram::bind(&path).unwrap();
    let addr = format!("unixgram://{}", path.display());
    let answer = async {
        let mut buffer = [0; 64];
        let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
        assert_eq!(peer.as_pathname(), Some(&*own));
        socket.send_to(&buffer[..length], peer.as_pathname().unwrap()).await.unwrap();
    };
    let own = own.to_str().unwrap();
    let arguments = ["dial", &addr, "--timeout", "3s", "--source", own];
    let talk = async { tokio::join!(run_with(&arguments, b"hello\n"), answer) };
    let (ended, ()) = within(talk).await;
    assert_eq!(ended.done(), b"hello\n");
    assert!(!std::path::Path::new(own).exists());
}

#[tokio::test]
async fn a_datagram_too_long_for_the_network_is_refused_by_name() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let addr = format!("udp://{}", socket.local_addr().unwrap());
    let ended = run_with(&["dial", &addr, "--timeout", "3s"], &[b'x'; 70_000]).await;
    assert_eq!(ended.code, Some(6));
    assert!(ended.err.contains("Message too long"), "{}", ended.err);
}

#[tokio::test]
async fn encodings_and_line_ends_hold_for_each_datagram() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let addr = format!("udp://{}", socket.local_addr().unwrap());
    let arguments = ["dial", &addr, "--timeout", "3s", "--encoding", "gbk", "--crlf"];
    let talk = async {
        let mut buffer = [0; 64];
        let answer = async {
            let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
            socket.send_to(&[0xba, 0xc3], peer).await.unwrap();
            length
        };
        let (ended, length) = tokio::join!(run_with(&arguments, "你\n".as_bytes()), answer);
        (ended, buffer[..length].to_vec())
    };
    let (ended, received) = within(talk).await;
    assert_eq!(received, [0xc4, 0xe3, b'\r', b'\n']);
    assert_eq!(ended.text(), "好\n");
}

#[tokio::test]
async fn raw_packets_go_both_ways_without_their_header() {
    let addr = "ip://127.78.0.2?proto=253";
    let arguments = ["-v", "dial", addr, "--timeout", "3s", "--source", "127.78.0.1"];
    let other: Addr = "ip://127.78.0.1?proto=253".parse().unwrap();
    let source = Source::Ip(Ipv4Addr::new(127, 78, 0, 2).into());
    let socket = match connect_datagram_from(&other, Some(&source)).await {
        Ok(socket) => socket,
        Err(error) => {
            assert!(error.to_string().contains("CAP_NET_RAW"), "{error}");
            let ended = run_with(&arguments, b"").await;
            assert_eq!(ended.code, Some(4), "{}", ended.err);
            assert!(ended.err.contains("CAP_NET_RAW"), "{}", ended.err);
            return;
        }
    };
    let answer = async {
        let mut buffer = [0; 2048];
        let length = socket.recv(&mut buffer).await.unwrap();
        let payload = Ipv4Packet::parse(&buffer[..length]).unwrap().payload();
        let reversed: Vec<_> = payload.iter().rev().copied().collect();
        socket.send(&reversed).await.unwrap();
    };
    let (ended, ()) = within(async { tokio::join!(run_with(&arguments, b"abc\n"), answer) }).await;
    assert_eq!((ended.code, ended.text()), (Some(0), "cba\n"), "{}", ended.err);
    assert!(ended.err.contains("sending to ip://127.78.0.2"), "{}", ended.err);
}
