//! `sockeye dial` over every transport that has connections.

use std::{future::Future, io, net::Ipv4Addr, os::fd::OwnedFd};

use sockeye::{
    Addr, Conn, Handler, Server,
    tls::{Identity, TlsServer},
};
use sockeye_testkit::certificates::Leaf;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    process::Command,
};

use super::running::{Running, quieten, run, run_with, sockeye, within};

/// A handler made of a closure's worth of behaviour.
#[derive(Clone, Copy)]
enum Behaviour {
    /// Every chunk comes back at once.
    Echo,
    /// What was sent comes back after the end of it.
    EchoAtEnd,
    /// Says who is connected, and closes.
    Daytime,
    /// Takes everything and says nothing, until its peer goes.
    Mute,
}

impl Handler for Behaviour {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        if matches!(self, Self::Daytime) {
            let peer = format!("{}\n", conn.peer());
            return conn.write_all(peer.as_bytes()).await;
        }
        let mut kept = Vec::new();
        loop {
            let chunk = conn.recv(64 * 1024).await?;
            match self {
                Self::Echo => conn.write_all(&chunk).await?,
                _ => kept.extend_from_slice(&chunk),
            }
            if chunk.is_empty() {
                break;
            }
        }
        match self {
            Self::Mute => std::future::pending().await,
            _ => conn.write_all(&kept).await,
        }
    }
}

/// Serves while `client` talks to the address.
async fn served<F: Future>(
    listen: &str,
    behaviour: Behaviour,
    client: impl FnOnce(String) -> F,
) -> F::Output {
    let certificate = Leaf::self_signed(&["localhost", "127.0.0.1"]);
    let (pem, key) = (certificate.certificate_pem.as_bytes(), certificate.key_pem.as_bytes());
    let tls = TlsServer::builder(Identity::from_pem(pem, key).unwrap()).build().unwrap();
    let server = Server::bind(listen).unwrap().tls(tls).with(behaviour).prepare().unwrap();
    let addr = Addr { options: Default::default(), ..server.addrs()[0].clone() }.to_string();
    tokio::select! {
        report = server.run_async() => panic!("the server stopped: {report:?}"),
        outcome = within(client(addr)) => outcome,
    }
}

#[tokio::test]
async fn what_goes_in_comes_back_over_every_transport() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    for listen in [
        "tcp://127.0.0.1:0",
        "tcp://[::1]:0",
        "proxy+tcp://127.0.0.1:0",
        "tls+tcp://127.0.0.1:0",
        "tls+proxy+tcp://127.0.0.1:0",
        &format!("unix://{path}/streamNAME"),
        &format!("tls+unix://{path}/tlsNAME"),
        &format!("seqpacket://{path}/recordsNAME"),
    ] {
        for behaviour in [Behaviour::Echo, Behaviour::EchoAtEnd] {
            let listen = &listen
                .replace("NAME", if matches!(behaviour, Behaviour::Echo) { "1" } else { "2" });
            let input = b"hello\nworld\n";
            let ended = served(listen, behaviour, |addr| async move {
                let options: &[&str] = if addr.starts_with("tls+") { &["--insecure"] } else { &[] };
                run_with(&[&["dial", &addr], options].concat(), input).await
            })
            .await;
            assert_eq!(ended.err, "", "{listen}");
            // The records of a seqpacket socket come without their line ends, here all at once.
            let glued =
                listen.starts_with("seqpacket") && matches!(behaviour, Behaviour::EchoAtEnd);
            let expected: &[u8] = if glued { b"helloworld\n" } else { input };
            assert_eq!(ended.done(), expected, "{listen}");
        }
    }
}

#[tokio::test]
async fn a_pipe_is_clean_for_every_byte_and_larger_than_any_buffer() {
    let input: Vec<u8> =
        (0..3_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for listen in ["tcp://127.0.0.1:0", "tls+tcp://127.0.0.1:0"] {
        let input = &input;
        let ended = served(listen, Behaviour::Echo, |addr| async move {
            let options: &[&str] = if addr.starts_with("tls+") { &["--insecure"] } else { &[] };
            run_with(&[&["dial", &addr], options].concat(), input).await
        })
        .await;
        assert!(ended.done() == *input, "{listen}: the bytes differ");
    }
}

#[tokio::test]
async fn the_end_of_input_closes_one_direction_and_the_answer_is_awaited() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        stream.write_all(text.to_uppercase().as_bytes()).await.unwrap();
    };
    let arguments = ["dial", &addr];
    let (ended, ()) = within(async { tokio::join!(run_with(&arguments, b"hello"), serve) }).await;
    assert_eq!(ended.done(), b"HELLO");
}

#[tokio::test]
async fn the_end_of_the_other_side_ends_it_although_the_input_is_open() {
    let out = served("tcp://127.0.0.1:0", Behaviour::Daytime, |addr| async move {
        let mut command = sockeye(&["dial", &addr, "--source", "127.0.0.5", "-v"]);
        let mut running = Running::start(command.stdin(std::process::Stdio::piped()));
        let told = running.told("connected to").await;
        assert!(told.contains("from 127.0.0.5:"), "{told}");
        running.end().await
    })
    .await;
    assert!(out.0.success());
    assert!(out.1.starts_with("127.0.0.5:"), "{}", out.1);
}

#[tokio::test]
async fn a_connection_from_the_service_manager_is_talked_over() {
    let (own, passed) = std::os::unix::net::UnixStream::pair().unwrap();
    own.set_nonblocking(true).unwrap();
    let mut own = tokio::net::UnixStream::from_std(own).unwrap();
    let mut command = Command::new("/bin/sh");
    quieten(&mut command)
        .args(["-c", "LISTEN_PID=$$ exec \"$0\" dial fd://line 3<&0 </dev/null"])
        .arg(env!("CARGO_BIN_EXE_sockeye"))
        .env("LISTEN_FDS", "1")
        .env("LISTEN_FDNAMES", "line")
        .stdin(OwnedFd::from(passed));
    let running = Running::start(&mut command);
    drop(command);
    within(async {
        // The end of our input comes through, and the answer goes back.
        assert_eq!(own.read(&mut [0; 8]).await.unwrap(), 0);
        own.write_all(b"hello\n").await.unwrap();
        own.shutdown().await.unwrap();
    })
    .await;
    let (status, out, err) = running.end().await;
    assert_eq!((status.code(), out.as_str(), err.as_str()), (Some(0), "hello\n", ""));
}

#[tokio::test]
async fn silence_longer_than_the_timeout_is_a_network_failure() {
    let ended = served("tcp://127.0.0.1:0", Behaviour::Mute, |addr| async move {
        run_with(&["dial", &addr, "--timeout", "300ms"], b"hello\n").await
    })
    .await;
    assert_eq!((ended.code, ended.text()), (Some(6), ""));
    assert!(ended.err.ends_with("nothing passed for 300ms\n"), "{}", ended.err);
}

#[tokio::test]
async fn a_reset_is_a_network_failure_and_what_came_before_is_printed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let arguments = ["dial", &addr];
    let mut command = sockeye(&arguments);
    let mut running = Running::start(command.stdin(std::process::Stdio::piped()));
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    stream.write_all(b"first\n").await.unwrap();
    assert_eq!(running.line().await, "first");
    stream.set_zero_linger().unwrap();
    drop(stream);
    let (status, _, err) = running.end().await;
    assert_eq!(status.code(), Some(6));
    assert!(err.contains("Connection reset"), "{err}");
}

#[tokio::test]
async fn every_address_tried_is_named_with_its_error() {
    // Bound and not listening: nobody else gets the port, and connecting is refused.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let ended = run(&["dial", &format!("tcp://localhost:{port}")]).await;
    assert_eq!(ended.code, Some(6));
    // With ::1, where the system has it: both are refused alike, and told together.
    let refused =
        [format!("127.0.0.1:{port}: Conn"), format!("127.0.0.1:{port}, [::1]:{port}: Conn")];
    assert!(refused.iter().any(|refused| ended.err.contains(refused)), "{}", ended.err);
    assert!(ended.err.contains("is the server running?"), "{}", ended.err);
}

#[tokio::test]
async fn verbose_tells_which_addresses_were_tried() {
    // Both families, one listening: whichever is tried first, the other one answers.
    let (listener, port, _silent) = loop {
        let listener = TcpListener::bind("[::1]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let silent = tokio::net::TcpSocket::new_v4().unwrap();
        // Taken by another test, perhaps.
        if silent.bind((Ipv4Addr::LOCALHOST, port).into()).is_ok() {
            break (listener, port, silent);
        }
    };
    let addr = format!("localhost:{port}");
    let arguments = ["dial", &addr, "-v"];
    let serve = async { drop(listener.accept().await.unwrap()) };
    let (ended, ()) = within(async { tokio::join!(run(&arguments), serve) }).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let lines: Vec<_> = ended.err.lines().map(str::trim_start).collect();
    let expected = [
        format!("DEBUG trying 127.0.0.1:{port}"),
        format!("DEBUG 127.0.0.1:{port}: Connection refused (os error 111)"),
        format!("DEBUG trying [::1]:{port}"),
    ];
    assert_eq!(lines[..3], expected);
    assert!(lines[3].starts_with(&format!("INFO connected to [::1]:{port} from ")), "{lines:?}");
}

#[tokio::test]
async fn a_reader_of_the_output_that_goes_away_ends_it_well() {
    let code = served("tcp://127.0.0.1:0", Behaviour::Echo, |addr| async move {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = sockeye(&["dial", &addr]);
        let mut child = command.stdin(std::process::Stdio::piped()).stdout(writer).spawn().unwrap();
        drop((command, reader));
        let mut input = child.stdin.take().unwrap();
        // More than once: a child that another test forks may hold the reader for a moment.
        while input.write_all(b"hello\n").await.is_ok() {}
        child.wait().await.unwrap().code()
    })
    .await;
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn verbose_tells_who_is_on_the_other_side_of_a_unix_socket() {
    let pid = std::process::id();
    let name = format!("@sockeye-cli-test-{pid}");
    let listen = format!("unix://{name}");
    let ended = served(&listen, Behaviour::Echo, |addr| async move {
        run_with(&["dial", &addr, "-v"], b"").await
    })
    .await;
    assert_eq!(ended.code, Some(0));
    assert!(ended.err.contains(&format!("connected to {name}")), "{}", ended.err);
    assert!(ended.err.contains(&format!("process {pid}, user ")), "{}", ended.err);
}
